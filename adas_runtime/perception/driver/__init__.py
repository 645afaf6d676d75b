"""The driver camera: a picture of the cabin in, `DriverState` out. No picture comes out of it."""
