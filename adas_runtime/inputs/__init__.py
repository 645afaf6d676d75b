"""From topics of any recording or car to the signals of the graph: input maps, guesses, converters.

`load_input_map(name).live_feeds()` for the car, `.feeds(topics)` for a recording, `guess(topics)` where no map is
given; a `Binder` then turns messages into signals. `recording.open_recording(bag)` does all of it for a bag.
"""

from adas_runtime.inputs.feed import Feed, Survey
from adas_runtime.inputs.load import InputMap, input_map_names, input_map_path, load_input_map

__all__ = ["Feed", "InputMap", "Survey", "input_map_names", "input_map_path", "load_input_map"]
