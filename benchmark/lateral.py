"""How well the car is kept in its lane, and how far that is from instability: margins, closed-loop grid, step cost.

    python benchmark/lateral.py            the tables of docs/lane_keeping.md (about 3 minutes)
    python benchmark/lateral.py --quick    a part of the grid

The loop holds the real executor: correction, lane centring, side wind, arbiter and envelope, with the simulated car,
its actuator and a lane camera of 20 Hz that is 50 ms late and noisy (2 cm, 1 mrad). Errors are those of the true car.
Grid of lane centring: market `de` with its lateral acceleration opened to the 3.0 m/s^2 of R79 table 1.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable
from typing import Any, Final

from rows import Row, machine

from adas_runtime.function import BuildContext, FunctionSpec
from adas_runtime.lane_keeping.centring import SPEC as CENTRING
from adas_runtime.lane_keeping.correction import SPEC as CORRECTION
from adas_runtime.lane_keeping.side_wind import SPEC as SIDE_WIND
from adas_runtime.market import load_market
from adas_runtime.scenario import change_grid
from adas_runtime.scenario.lane_grid import Case, Result, drive, grid, wide_open
from adas_runtime.scenario.loop_gain import Margins, margins
from adas_runtime.signals import (
    DriverInput,
    EgoLane,
    LaneEdge,
    LaneSide,
    MarkingType,
    VehicleState,
)
from adas_runtime.units import kmh_to_mps
from adas_runtime.vehicle import load_vehicle

MARKET: Final = load_market("de")
CAR: Final = load_vehicle("reference")
OPEN: Final = wide_open(MARKET)
CHANGE_KMH: Final = (66.0, 80.0, 100.0, 130.0)
CHANGE_ROWS: Final[dict[str, Callable[[change_grid.Case], bool]]] = {
    "straight": lambda case: case.delay_s is None and not case.wind_mps and not case.bend_mps2,
    "bends of 1.2 m/s^2": lambda case: bool(case.bend_mps2),
    "wind of 8 m/s": lambda case: bool(case.wind_mps),
    "actuator at once or twice as slow": lambda case: case.delay_s is not None,
}
SPEEDS_KMH: Final = (20.0, 50.0, 80.0, 100.0, 130.0)
ACTUATORS: Final[dict[str, tuple[float | None, float | None]]] = {
    "as in the file": (None, None),
    "twice as slow": (0.16, 0.16),
    "at once": (0.0, 0.0),
}
STEPS: Final = 4000
STEP_BUDGET_US: Final = 60.0  # of all functions of lane and driver together


def margin(speed_kmh: float, actuator: str) -> Margins:
    delay_s, lag_s = ACTUATORS[actuator]
    return margins(MARKET.lateral_control, CAR, kmh_to_mps(speed_kmh), delay_s=delay_s, lag_s=lag_s)


def worst(results: Iterable[Result], of: Callable[[Result], float]) -> float:
    return max((of(result) for result in results), default=0.0)


def centring(speeds_kmh: Iterable[float], bends: Iterable[float], winds: Iterable[float]) -> list[Result]:
    """The grid of lane centring; a bend that takes all of the lateral acceleration leaves none for a storm."""
    cases = [
        case
        for case in grid(speeds_kmh, bends, winds, ACTUATORS.values(), (3.5,))
        if abs(case.bend_mps2) < 2.5 or not case.wind_mps
    ]
    return [drive(case, OPEN, CAR) for case in cases]


def departures(speeds_kmh: Iterable[float], rates: Iterable[float], widths: Iterable[float]) -> list[Result]:
    """The grid of the correction, straight and in a bend either way."""
    cases = grid(speeds_kmh, (-1.0, 0.0, 1.0), (0.0,), ACTUATORS.values(), widths, rates)
    return [drive(case, MARKET, CAR, seconds=12.0) for case in cases]


def _name(case: Case) -> str:
    return next(name for name, value in ACTUATORS.items() if value == (case.delay_s, case.lag_s))


def tables(is_quick: bool) -> None:
    """Everything, as Markdown."""
    print("### Margins\n")
    print("| actuator | km/h | phase | gain up / down | more delay | crossover | worst amplification |")
    print("|---|---|---|---|---|---|---|")
    for actuator in ACTUATORS:
        for speed_kmh in SPEEDS_KMH:
            found = margin(speed_kmh, actuator)
            print(
                f"| {actuator} | {speed_kmh:.0f} | {found.phase_deg:.0f} deg | {found.gain_db:.1f} / "
                f"{found.lower_db:.1f} dB | {found.delay_s * 1e3:.0f} ms | {found.crossover_rps:.1f} rad/s | "
                f"{found.sensitivity:.1f} |"
            )
    speeds = (50.0, 130.0) if is_quick else SPEEDS_KMH
    print("\n### Lane centring\n")
    print("| actuator | km/h | straight | bend 1.5 m/s^2 | bend 2.8 m/s^2 | settled | wind 8 m/s sets in | jerk |")
    print("|---|---|---|---|---|---|---|---|")
    found_all = centring(speeds, (0.0, 1.5, -1.5, 2.8), (0.0, 8.0, -8.0))
    for actuator in ACTUATORS:
        for speed_kmh in speeds:
            own = [r for r in found_all if r.case.speed_kmh == speed_kmh and _name(r.case) == actuator]
            calm = [r for r in own if not r.case.wind_mps]

            def of(bend: float, results: list[Result] = calm) -> str:
                return (
                    f"{worst([r for r in results if abs(r.case.bend_mps2) == bend], lambda r: r.error_m) * 1e3:.0f} mm"
                )

            windy = [r for r in own if r.case.wind_mps]
            print(
                f"| {actuator} | {speed_kmh:.0f} | {of(0.0)} | {of(1.5)} | {of(2.8)} | "
                f"{worst(calm, lambda r: r.last_error_m) * 1e3:.0f} mm | "
                f"{worst(windy, lambda r: r.error_m) * 1e3:.0f} mm | {worst(own, lambda r: r.jerk_mps3):.1f} m/s^3 |"
            )
    acted = sorted({limit for result in found_all for limit in result.limits})
    print(f"\nDrives: {len(found_all)}. Limits of the envelope that acted: {', '.join(acted) or 'none'}.")
    least = min(result.dtlm_m for result in found_all)
    print(f"Least DTLM: {least:.2f} m in a lane of 3.5 m.\n")
    print("### Correction\n")
    print("| actuator | km/h | 0.2 m/s | 0.3 m/s | 0.5 m/s | 0.8 m/s | most a_y | jerk |")
    print("|---|---|---|---|---|---|---|---|")
    rates = (0.2, 0.5) if is_quick else (0.2, 0.3, 0.5, 0.8)
    widths = (3.5,) if is_quick else (2.6, 3.5)
    left = departures((70.0, 130.0) if is_quick else (70.0, 100.0, 130.0), rates, widths)
    for actuator in ACTUATORS:
        for speed_kmh in sorted({result.case.speed_kmh for result in left}):
            own = [r for r in left if r.case.speed_kmh == speed_kmh and _name(r.case) == actuator]
            cells = []
            for rate in (0.2, 0.3, 0.5, 0.8):
                some = [r.dtlm_m for r in own if r.case.drift_mps == rate]
                cells.append(f"{min(some):+.2f} m" if some else "-")
            print(
                f"| {actuator} | {speed_kmh:.0f} | {' | '.join(cells)} | "
                f"{worst(own, lambda r: r.accel_mps2):.1f} m/s^2 | {worst(own, lambda r: r.jerk_mps3):.1f} m/s^3 |"
            )
    print(f"\nDrives: {len(left)}. Cells: least DTLM; the law's latest is -0.30 m (K10, unread), the design's -0.20 m.")


def changes(speeds_kmh: Iterable[float] = CHANGE_KMH) -> list[change_grid.Result]:
    """The grid of lane changes: both sides, straight, in bends, in wind, with other actuators."""
    cases = [
        *change_grid.grid(speeds_kmh, (0.0, 1.2, -1.2)),
        *change_grid.grid(speeds_kmh, winds_mps=(8.0, -8.0)),
        *change_grid.grid(speeds_kmh, actuators=[*ACTUATORS.values()][1:]),
    ]
    return [change_grid.drive(case, MARKET, CAR) for case in cases]


def change_table(speeds_kmh: Iterable[float] = CHANGE_KMH) -> None:
    """Lane changes, as Markdown."""
    print("\n### Lane change\n")
    print("| km/h | | tyre at the marking | all wheels across | beyond the middle | settled | added a_y | jerk |")
    print("|---|---|---|---|---|---|---|---|")
    found = changes(speeds_kmh)
    for speed_kmh in speeds_kmh:
        for name, is_it in CHANGE_ROWS.items():
            own = [result for result in found if result.case.speed_kmh == speed_kmh and is_it(result.case)]
            touch = [result.touch_s for result in own]
            print(
                f"| {speed_kmh:.0f} | {name} | {min(touch):.2f} to {max(touch):.2f} s | "
                f"{max(r.across_s - r.touch_s for r in own):.2f} s later | "
                f"{max(r.overshoot_m for r in own) * 1e3:.0f} mm | "
                f"{max(r.last_error_m for r in own) * 1e3:.0f} mm | {max(r.added_mps2 for r in own):.2f} m/s^2 | "
                f"{max(r.jerk_mps3 for r in own):.2f} m/s^3 |"
            )
    done = sum(result.states[-1] == "standby" and "suppressed" not in result.states for result in found)
    print(f"\nDrives: {len(found)}, lanes changed: {done}.")


# --- cost -------------------------------------------------------------------------------------------------------------


def _inputs(spec: FunctionSpec, drift_mps: float) -> list[tuple[Any, float]]:
    found = []
    lane = None
    for index in range(STEPS):
        now_s = 1000.0 + index * 0.01
        if index % 5 == 0:
            lateral_m = drift_mps * ((index * 0.01) % 1.0)
            edges = tuple(
                LaneEdge(
                    side=side,
                    distance_m=0.85 - sign * lateral_m,
                    rate_mps=-sign * drift_mps,
                    type=MarkingType.SOLID,
                    may_cross=False,
                    confidence=0.9,
                )
                for side, sign in ((LaneSide.LEFT, 1.0), (LaneSide.RIGHT, -1.0))
            )
            lane = EgoLane(
                stamp_s=now_s - 0.05,
                edges=edges,
                offset_m=-lateral_m,
                width_m=3.5,
                is_fit_to_steer=True,
                is_calibrated=True,
                confidence=0.9,
                x_max_m=50.0,
            )
        vehicle = VehicleState(
            stamp_s=now_s,
            speed_mps=30.0,
            accel_mps2=0.0,
            yaw_rate_rps=0.001,
            steering_wheel_angle_rad=0.01,
            steering_wheel_rate_rps=0.0,
            driver_torque_nm=0.4,
            is_hands_on=True,
            accelerator=0.1,
        )
        pressed = ("lane_centring",) if index == 50 else ()
        driver = DriverInput(stamp_s=now_s, pressed=pressed)
        values: dict[str, Any] = {"lane": lane, "vehicle": vehicle, "driver": driver}
        found.append(
            (
                spec.inputs_type(
                    **{
                        item.name: (
                            ((values[item.name],) if item.name in values else ())
                            if item.many
                            else values.get(item.name)
                        )
                        for item in spec.inputs
                    }
                ),
                now_s,
            )
        )
    return found


def step_us(spec: FunctionSpec, drift_mps: float = 0.0) -> float:
    """Mean processor time of one step, the best of five passes [us]."""
    sequence, best_s = _inputs(spec, drift_mps), float("inf")
    for _ in range(5):
        core = spec.build(BuildContext(market=MARKET, vehicle=CAR))
        begin_s = time.process_time()
        for inputs, now_s in sequence:
            core.step(inputs, now_s)
        best_s = min(best_s, (time.process_time() - begin_s) / len(sequence))
    return best_s * 1e6


def rows() -> list[Row]:
    """The table's rows."""
    found = [margin(speed_kmh, "as in the file") for speed_kmh in SPEEDS_KMH]
    calm = centring(SPEEDS_KMH, (0.0, 1.5, 2.8), (0.0,))
    own = [result for result in calm if _name(result.case) == "as in the file"]
    left = departures((70.0, 130.0), (0.2, 0.3), (3.5,))
    moved = changes((66.0, 100.0, 130.0))
    spent = [step_us(CENTRING), step_us(CORRECTION, 0.8), step_us(SIDE_WIND)]
    phase, gain = min(item.phase_deg for item in found), min(item.gain_db for item in found)
    error_mm = worst(own, lambda r: r.error_m) * 1e3
    settled_mm = worst(own, lambda r: r.last_error_m) * 1e3
    dtlm_m = min(result.dtlm_m for result in left)
    total_us = sum(spent)
    return [
        Row(
            what="lateral loop, 20 to 130 km/h: least phase margin",
            measured=f"{phase:.0f} deg, gain {gain:.1f} dB",
            value=phase,
            budget=35.0,
            unit="deg",
            is_lower_better=False,
        ),
        Row(
            what="lane centring, bends to 2.8 m/s^2: lane-centre error, most / settled",
            measured=f"{error_mm:.0f} / {settled_mm:.0f} mm",
            value=error_mm,
            budget=150.0,
            unit="mm",
        ),
        Row(
            what="correction, 0.2 and 0.3 m/s, any actuator: least DTLM",
            measured=f"{dtlm_m:+.2f} m",
            value=-dtlm_m,
            budget=0.2,
            unit="m",
        ),
        Row(
            what="lane change, 66 to 130 km/h, bends, wind, any actuator: beyond the middle of the new lane, most",
            measured=f"{max(r.overshoot_m for r in moved) * 1e3:.0f} mm (without wind "
            f"{max(r.overshoot_m for r in moved if not r.case.wind_mps) * 1e3:.0f})",
            value=max(r.overshoot_m for r in moved) * 1e3,
            budget=200.0,
            unit="mm",
        ),
        Row(
            what="lane centring + correction + side wind, one step of each, all at work",
            measured=f"{total_us:.0f} us ({' + '.join(f'{item:.0f}' for item in spent)})",
            value=total_us,
            budget=STEP_BUDGET_US,
            unit="us",
        ),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a part of the grid")
    options = parser.parse_args()
    print(machine() + "\n")
    tables(options.quick)
    change_table((100.0,) if options.quick else CHANGE_KMH)
    print("\n### Cost\n")
    for spec, drift_mps, what in (
        (CENTRING, 0.0, "lane centring, steering"),
        (CORRECTION, 0.0, "correction, watching"),
        (CORRECTION, 0.8, "correction, correcting most of the time"),
        (SIDE_WIND, 0.0, "side wind, watching"),
    ):
        print(f"- {what}: {step_us(spec, drift_mps):.1f} us a step")


if __name__ == "__main__":
    main()
