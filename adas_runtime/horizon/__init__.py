"""The map as a sensor: store, limits, map matching, the road ahead."""
