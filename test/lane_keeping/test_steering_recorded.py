"""Lane functions on what real drivers and cars did: hands that are there are felt, no help without a gust."""

from __future__ import annotations

import csv
import math
from bisect import bisect_left
from pathlib import Path

import pytest
from steering_drives import CAR, MARKET, driver, lane

from adas_runtime.lane_keeping.centring import Inputs as CentringInputs
from adas_runtime.lane_keeping.centring import LaneCentring
from adas_runtime.lane_keeping.side_wind import Inputs as WindInputs
from adas_runtime.lane_keeping.side_wind import SideWind
from adas_runtime.signals import VehicleState

START_S = 1000.0


def table(path: Path) -> list[list[float]]:
    with path.open(encoding="utf-8") as file:
        rows = csv.reader(file)
        next(rows)
        return [[float(value) for value in row] for row in rows]


@pytest.mark.parametrize("part", [1, 2, 3])
def test_hands_that_rest_on_the_wheel_are_felt_by_their_torque(part: int, shared_data: Path) -> None:
    """18 min of driving in California (Udacity CH2) without a hands sensor: the chain of R79 5.6.2.2.5 stays silent."""
    rows = table(shared_data / "vehicle_signals" / "udacity_ch2" / f"train_round2_part{part}.csv")
    core = LaneCentring(MARKET.lane_centring, MARKET.lateral_control, CAR)
    seen: set[str] = set()
    for index, (stamp_ns, _, torque_nm, speed_mps) in enumerate(rows):
        now_s = START_S + (stamp_ns - rows[0][0]) * 1e-9
        pressed = ("lane_centring",) if 5 <= index < 8 else ()
        said = core.step(
            CentringInputs(
                lane=lane(now_s, speed_mps=speed_mps),
                vehicle=VehicleState(stamp_s=now_s, speed_mps=speed_mps, yaw_rate_rps=0.0, driver_torque_nm=torque_nm),
                driver=driver(now_s, pressed=pressed),
            ),
            now_s,
        )
        seen.add(said.status.state)
        assert said.hands is None or said.hands.code == "lane_centring_ended", f"after {now_s - START_S:.0f} s"
    assert "active" in seen


def test_a_calm_motorway_drive_shows_no_push(shared_data: Path) -> None:
    """40 s of comma2k19 in another car than the file says: steering, yaw rate and speed as measured, at 100 Hz."""
    folder = shared_data / "vehicle_signals" / "comma2k19"
    wheel, gyro, speed = (table(folder / f"{name}.csv") for name in ("steering_angle", "imu_gyro", "speed"))

    def at(rows: list[list[float]], t_s: float, column: int) -> float:
        index = min(max(bisect_left(rows, [t_s]), 1), len(rows) - 1)
        one, two = rows[index - 1], rows[index]
        share = (t_s - one[0]) / (two[0] - one[0]) if two[0] > one[0] else 0.0
        return one[column] + share * (two[column] - one[column])

    # the drive is slower than the help begins: it is let in earlier, so that there is something to see
    core = SideWind(MARKET.side_wind.model_copy(update={"from_kmh": 30.0, "until_kmh": 25.0}), CAR)
    states, former_rad = [], None
    for index in range(3800):
        t_s = 1.0 + index * 0.01
        wheel_rad = math.radians(at(wheel, t_s, 1))
        now_s = START_S + t_s
        said = core.step(
            WindInputs(
                vehicle=VehicleState(
                    stamp_s=now_s,
                    speed_mps=at(speed, t_s, 1),
                    yaw_rate_rps=-at(gyro, t_s, 3),
                    steering_wheel_angle_rad=wheel_rad,
                    steering_wheel_rate_rps=0.0 if former_rad is None else (wheel_rad - former_rad) / 0.01,
                )
            ),
            now_s,
        )
        former_rad = wheel_rad
        states.append(said.status.state)
    assert set(states) <= {"armed", "ready"}
    assert states.count("armed") > 2000
