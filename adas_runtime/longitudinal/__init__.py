"""Following the car ahead and holding a speed: shared by every function that controls the speed."""
