"""Leading the car along a path: shared by every function that steers."""
