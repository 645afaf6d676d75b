"""Trains the network that tells road and markings in a picture (docs/road.md)."""
