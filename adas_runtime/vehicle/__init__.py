"""The car: what its file says of dimensions, steering, limits and cameras."""

from adas_runtime.vehicle.load import load_vehicle, vehicle_names, vehicle_path
from adas_runtime.vehicle.schema import Vehicle

__all__ = ["Vehicle", "load_vehicle", "vehicle_names", "vehicle_path"]
