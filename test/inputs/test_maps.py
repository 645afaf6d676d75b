"""Input maps: any value of any message feeds any field; what is wrong is told with file, line and mend."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from foreign_drives import VEHICLE_REPORT, bound, custom, each, make, motion, odometry, states, write
from hypothesis import event, given
from hypothesis import strategies as st

from adas_runtime.config import parse_yaml, validate
from adas_runtime.errors import BagError, ConfigError
from adas_runtime.inputs import input_map_names, load_input_map
from adas_runtime.inputs.binder import Binder
from adas_runtime.inputs.load import InputMap
from adas_runtime.inputs.save import map_text
from adas_runtime.inputs.schema import MapFile
from adas_runtime.signals import Gear, Indicator

DRIVE = motion(6.0)
REPORT = """
builtin_interfaces/Time stamp
float32 speed_kmh
float32[4] wheel
Pedals pedals
uint8 lamp
string mode
int16 steering_tenth_deg
================================================================================
MSG: acme_msgs/Pedals
float32 brake_percent
bool is_pressed
"""
ACME = custom({VEHICLE_REPORT: REPORT})


def report(m: Any, **values: Any) -> Any:
    return make(
        VEHICLE_REPORT,
        ACME,
        stamp={"sec": int(1.7e9 + m.t_s), "nanosec": round((m.t_s % 1.0) * 1e9)},
        speed_kmh=3.6 * m.speed_mps,
        wheel=[1.0, 2.0, 3.0, 3.6 * m.speed_mps],
        pedals=make("acme_msgs/msg/Pedals", ACME, brake_percent=25.0, is_pressed=True),
        lamp=values.get("lamp", 2),
        mode=values.get("mode", "D"),
        steering_tenth_deg=-900,
    )


def input_map(text: str, name: str = "map.yaml") -> InputMap:
    document = parse_yaml(text, name)
    return InputMap(file=validate(MapFile, document), document=document)


HEAD = "format: 1\nname: acme\ninputs:\n"
FULL = (
    HEAD
    + """  - topic: /acme/report
    fields:
      - {target: vehicle_state.speed_mps, field: "wheel[3]", unit: km/h}
      - {target: vehicle_state.brake, field: pedals.brake_percent, unit: "%"}
      - {target: vehicle_state.is_braking, field: pedals.is_pressed}
      - {target: vehicle_state.steering_wheel_angle_rad, field: steering_tenth_deg, scale: -0.1, unit: deg}
      - {target: vehicle_state.gear, field: mode, values: {D: drive, R: reverse, "?": null}}
      - {target: driver_input.indicator, field: lamp, values: {"0": off, "1": left, "2": right}}
"""
)


def test_any_value_of_an_unknown_type_feeds_any_field(tmp_path: Path) -> None:
    path = write(tmp_path / "bag", {"/acme/report": each(DRIVE, report)}, ACME)
    _, signals, refusals = bound(path, input_map(FULL))
    assert not refusals
    for (t_s, state), moment in zip(states(signals), DRIVE, strict=True):
        assert t_s == pytest.approx(moment.t_s, abs=1e-3)
        assert state.speed_mps == pytest.approx(moment.speed_mps, abs=1e-5)
        assert state.brake == 0.25 and state.is_braking is True
        assert state.steering_wheel_angle_rad == pytest.approx(1.5708, abs=1e-4)
        assert state.gear is Gear.DRIVE
    assert {signal.indicator for _, signal in signals["/vehicle/driver_input"]} == {Indicator.RIGHT}


def test_a_value_that_the_table_does_not_name_is_refused_and_null_says_nothing(tmp_path: Path) -> None:
    def tell(m: Any) -> Any:
        return report(m, mode="?", lamp=9 if m.t_s > 3.0 else 2)

    path = write(tmp_path / "bag", {"/acme/report": each(DRIVE, tell)}, ACME)
    _, signals, refusals = bound(path, input_map(FULL))
    assert all(state.gear is Gear.UNKNOWN for _, state in states(signals))
    assert refusals and all("lamp = 9 is none of 0, 1, 2" in text for text in refusals)


def test_a_path_that_the_recorded_type_does_not_have_is_told_with_its_line(tmp_path: Path) -> None:
    path = write(tmp_path / "bag", {"/acme/report": each(DRIVE, report)}, ACME)
    wrong = input_map(FULL.replace("wheel[3]", "wheels[3]"))
    with pytest.raises(ConfigError, match=r"map\.yaml:4: .*no field 'wheels'; it has stamp, speed_kmh, wheel"):
        bound(path, wrong)


def test_a_definition_in_the_map_reads_what_the_recording_does_not_define(tmp_path: Path) -> None:
    """As in recordings of older rosbag2 in SQLite, which hold no definitions."""
    path = write(tmp_path / "bag", {"/acme/report": each(DRIVE, report)}, ACME, storage="sqlite3")
    with sqlite3.connect(next(path.glob("*.db3"))) as database:
        database.execute("DELETE FROM message_definitions")
    with pytest.raises(BagError, match="embeds no definition"):
        bound(path, input_map(FULL))
    text = "".join(f"      {line}\n" for line in REPORT.strip().splitlines())
    told = FULL.replace("    fields:", f"    type: {VEHICLE_REPORT}\n    definition: |\n{text}    fields:")
    _, signals, _ = bound(path, input_map(told))
    assert states(signals)[-1][1].speed_mps == pytest.approx(DRIVE[-1].speed_mps, abs=1e-5)


def test_radar_targets_of_a_list_of_messages(tmp_path: Path) -> None:
    store = custom(
        {
            "acme_msgs/msg/Track": "geometry_msgs/Point position\nfloat32 rate\nuint16 id\n",
            "acme_msgs/msg/Tracks": "std_msgs/Header header\nacme_msgs/Track[] tracks\n",
        }
    )

    def tracks(m: Any) -> Any:
        from foreign_drives import header

        point = {"x": 30.0 + m.t_s, "y": -2.0, "z": 0.0}
        track = make("acme_msgs/msg/Track", store, position=point, rate=-3.5, id=7)
        return make("acme_msgs/msg/Tracks", store, header=header(m.t_s), tracks=[track, track])

    text = (
        HEAD
        + """  - topic: /radar
    each: tracks
    fields:
      - {target: radar.x_m, field: position.x}
      - {target: radar.y_m, field: position.y, scale: -1}
      - {target: radar.range_rate_mps, field: rate}
      - {target: radar.track_id, field: id}
"""
    )
    _, signals, refusals = bound(write(tmp_path / "bag", {"/radar": each(DRIVE, tracks)}, store), input_map(text))
    assert not refusals
    [first, _] = signals["/radar/objects"][50][1].tracks
    assert (first.track_id, first.x_m, first.y_m, first.range_rate_mps) == (7, pytest.approx(32.0), 2.0, -3.5)


def test_the_first_of_the_map_is_preferred_and_the_second_steps_in(tmp_path: Path) -> None:
    text = HEAD + "  - {topic: /b, type: nav_msgs/msg/Odometry}\n  - {topic: /a, type: nav_msgs/msg/Odometry}\n"
    from dataclasses import replace

    halved = [replace(m, speed_mps=m.speed_mps / 2, x_m=m.x_m / 2, y_m=m.y_m / 2) for m in DRIVE]
    topics = {
        "/a": each(DRIVE, odometry),
        "/b": [(t + 0.001, m) for t, m in each([m for m in halved if m.t_s < 3.0], odometry)],
    }
    _, signals, _ = bound(write(tmp_path / "bag", topics), input_map(text))
    by_time = {round(t_s, 2): state.speed_mps for t_s, state in states(signals)}
    truth = {round(m.t_s, 2): m.speed_mps for m in DRIVE}
    assert by_time[2.0] == pytest.approx(truth[2.0] / 2.0)
    assert by_time[5.0] == pytest.approx(truth[5.0])


def test_the_autoware_map_knows_stalk_hazard_lights_and_gear(tmp_path: Path) -> None:
    head = "builtin_interfaces/Time stamp\nuint8 report\n"
    store = custom(
        {
            "autoware_vehicle_msgs/msg/TurnIndicatorsReport": head,
            "autoware_vehicle_msgs/msg/HazardLightsReport": head,
            "autoware_vehicle_msgs/msg/GearReport": head,
            "autoware_vehicle_msgs/msg/VelocityReport": "std_msgs/Header header\nfloat32 longitudinal_velocity\n"
            "float32 lateral_velocity\nfloat32 heading_rate\n",
        }
    )

    def told(name: str, value: Any) -> Any:
        from foreign_drives import header

        kind = f"autoware_vehicle_msgs/msg/{name}"
        return lambda m: make(kind, store, stamp=header(m.t_s)["stamp"], report=value(m.t_s))

    def velocity(m: Any) -> Any:
        from foreign_drives import header

        return make(
            "autoware_vehicle_msgs/msg/VelocityReport",
            store,
            header=header(m.t_s),
            longitudinal_velocity=m.speed_mps,
            heading_rate=m.yaw_rate_rps,
        )

    topics = {
        "/vehicle/status/turn_indicators_status": each(
            DRIVE, told("TurnIndicatorsReport", lambda t: 2 if t > 1 else 1)
        ),
        "/vehicle/status/hazard_lights_status": each(DRIVE, told("HazardLightsReport", lambda t: 2 if t > 4 else 1)),
        "/vehicle/status/gear_status": each(DRIVE, told("GearReport", lambda t: 20 if t > 2 else 22)),
        "/vehicle/status/velocity_status": each(DRIVE, velocity),
    }
    path = write(tmp_path / "bag", topics, store, storage="sqlite3")
    with sqlite3.connect(next(path.glob("*.db3"))) as database:
        database.execute("DELETE FROM message_definitions")  # as before ROS 2 Iron: the map's own definitions serve
    for chosen in (load_input_map("autoware"), None):  # by name, and found by its topics
        found, signals, refusals = bound(path, chosen)
        assert not refusals
        stalk = {round(s.stamp_s - 1.7e9, 2): s.indicator for _, s in signals["/vehicle/driver_input"]}
        assert (stalk[0.8], stalk[2.0], stalk[5.0]) == (Indicator.OFF, Indicator.LEFT, Indicator.HAZARD)
        gear = {round(t, 2): s.gear for t, s in states(signals)}
        assert (gear[1.0], gear[5.0]) == (Gear.PARK, Gear.REVERSE)
        assert states(signals)[-1][1].yaw_rate_rps == pytest.approx(DRIVE[-1].yaw_rate_rps, abs=1e-5)
        assert found.feeds["/vehicle/status/gear_status"].is_guessed is (chosen is None)
        saved = input_map(map_text("saved", "autoware", found))
        assert bound(path, saved)[1] == signals


def test_what_no_stalk_tells_is_not_off() -> None:
    """Hazard lights that are off say nothing of the stalk: no DriverInput is made of them alone."""
    feeds = [feed for feed in load_input_map("autoware").live_feeds() if "hazard" in feed.topic]
    binder = Binder(feeds, {}, trust_stamps=True)
    kind = custom({"autoware_vehicle_msgs/msg/HazardLightsReport": "builtin_interfaces/Time stamp\nuint8 report\n"})
    for report_value, count in ((1, 0), (2, 1)):
        message = make(
            "autoware_vehicle_msgs/msg/HazardLightsReport", kind, stamp={"sec": 9, "nanosec": 0}, report=report_value
        )
        assert len(binder.convert(feeds[0].topic, message, 9.0)) == count


@pytest.mark.parametrize("name", input_map_names())
def test_shipped_maps_are_complete_for_the_car(name: str) -> None:
    loaded = load_input_map(name)
    assert loaded.name == name and loaded.file.summary
    for feed in loaded.live_feeds():
        assert feed.feeds and feed.type and not feed.is_guessed
    Binder(loaded.live_feeds(), {}, trust_stamps=True)


ONE = "  - topic: /x\n"
FIELD = "    fields:\n      - {%s}\n"
SPEED_BY = ONE + "    type: %s\n" + FIELD % "target: vehicle_state.speed_mps, field: '%s'"
IMU = ONE + "    type: sensor_msgs/msg/Imu\n"
ODOMETRY = ONE + "    type: nav_msgs/msg/Odometry\n"
STALK = "target: driver_input.indicator, field: a"
SPEED = "target: vehicle_state.speed_mps, field: a"
WRONG = [
    ("target", ONE + FIELD % "target: vehicle_state.sped_mps, field: a", 6, "did you mean 'vehicle_state.speed_mps'"),
    ("stamp", ONE + FIELD % "target: vehicle_state.stamp_s, field: a", 6, "no field of an input signal"),
    ("picture", ONE + FIELD % "target: camera_front.data, field: a", 6, "no field of an input signal"),
    ("path", ONE + FIELD % "target: vehicle_state.speed_mps, field: 'a..b'", 6, "is no path"),
    ("unit", ONE + FIELD % (SPEED + ", unit: deg"), 6, "take one of m/s, km/h"),
    ("enum", ONE + FIELD % STALK, 6, "values: must say"),
    ("member", ONE + FIELD % (STALK + ", values: {'1': lift}"), 6, "'lift' is unknown"),
    ("zero", ONE + FIELD % (SPEED + ", scale: 0"), 6, "scale 0"),
    ("field", SPEED_BY % ("nav_msgs/msg/Odometry", "twist.linear.x"), 6, "no field 'linear'"),
    ("list", SPEED_BY % ("sensor_msgs/msg/JointState", "position"), 6, "is a list; name an item, such as position[0]"),
    ("text", SPEED_BY % ("std_msgs/msg/String", "data"), 6, "needs a number"),
    ("anchor", IMU, 3, "give no vehicle_state.speed_mps"),
    ("converter", ONE + "    converter: odometer\n", 5, "did you mean 'odometry'"),
    ("mismatch", IMU + "    converter: twist\n", 6, "does not read sensor_msgs/msg/Imu"),
    ("axes", IMU + "    axes: [forward, back, up]\n", 6, "one of left/right"),
    ("output", "  - topic: /adas/envelope/command\n    type: nav_msgs/msg/Odometry\n", 4, "never an input"),
    ("topic", "  - topic: speed\n    type: nav_msgs/msg/Odometry\n", 4, "no full topic name"),
    ("type", ONE + "    type: Odometry\n", 5, "no message type"),
    ("nothing", ONE, 4, "neither type, converter nor fields"),
    ("unknown", ODOMETRY + "    scle: 3\n", 6, "unknown key"),
    ("twice", ODOMETRY * 2, 3, "twice"),
    ("nan", ONE + FIELD % (SPEED + ", scale: .nan"), 6, "not a finite number"),
]


@pytest.mark.parametrize(("text", "line", "word"), [item[1:] for item in WRONG], ids=[item[0] for item in WRONG])
def test_a_wrong_map_is_told_with_its_line_and_the_mend(text: str, line: int, word: str) -> None:
    with pytest.raises(ConfigError) as caught:
        input_map(HEAD + text)
    told = caught.value.line()
    assert word in told
    assert told.startswith(f"map.yaml:{line}: ") and ";" in told, told


def test_a_map_for_the_car_needs_types() -> None:
    with pytest.raises(ConfigError, match=r"map\.yaml:4: .*type: is missing for /acme/report; add it"):
        input_map(FULL).live_feeds()


def test_a_map_that_the_recording_does_not_fit_says_so(tmp_path: Path) -> None:
    path = write(tmp_path / "bag", {"/odom": each(DRIVE, odometry)})
    with pytest.raises(BagError, match=r"input map acme .*/odom \(nav_msgs/msg/Odometry\).*adas inputs guess"):
        bound(path, input_map(FULL))
    other = input_map(HEAD + "  - {topic: /odom, type: geometry_msgs/msg/TwistStamped}\n")
    with pytest.raises(BagError, match="expects geometry_msgs/msg/TwistStamped"):
        bound(path, other)


KEYS = st.sampled_from(
    "format name inputs topic type converter targets fields target field scale unit values each axes definition".split()
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(["vehicle_state.speed_mps", "radar.x_m", "km/h", "nav_msgs/msg/Odometry", "/x", "imu", "a.b[0]"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
ENTRY = st.dictionaries(KEYS, VALUES, max_size=5)


@given(
    st.dictionaries(KEYS, VALUES, max_size=5)
    | st.builds(lambda e: {"format": 1, "name": "m", "inputs": e}, st.lists(ENTRY, max_size=3))
)
def test_any_document_is_a_map_or_refused_with_a_line(document: Any) -> None:
    import yaml

    text = yaml.safe_dump(document, allow_unicode=True)
    try:
        loaded = input_map(text)
    except ConfigError as error:
        told = error.line()
        event("refused")
    else:
        told = "map.yaml: taken"
        Binder(loaded.feeds({e.topic: e.type or "std_msgs/msg/Float32" for e in loaded.file.inputs}), {})
    assert re.match(r"map\.yaml(:\d+)?: ", told) and "\n" not in told
