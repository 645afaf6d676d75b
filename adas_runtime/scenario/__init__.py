"""Closed loop: a simulated car on a simulated road, driven by the very code that drives a real one."""
