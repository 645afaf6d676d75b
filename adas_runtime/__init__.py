"""One driver-assistance runtime for a car that is sold in many countries: live on ROS 2, and replayed bit for bit."""

__version__ = "0.1.0"
