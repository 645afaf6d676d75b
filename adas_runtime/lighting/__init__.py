"""Lamps by UN R48: automatic headlamps, daytime running lamps, main-beam assist, emergency stop signal and hazard."""
