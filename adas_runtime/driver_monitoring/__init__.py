"""The driver: drowsiness (EU 2021/1341) and distraction (EU 2023/2590). No picture enters here, only `DriverState`."""
