"""What one step of speed assistance costs, with signs, map, body and stalks present.

    python benchmark/isa.py [--seconds 60]

A made drive goes into the core at its own rate of 20 Hz: vehicle state, body, signs, and a map of 200 segments ahead.
Time is the thread's processor time, so that what else the machine does does not count.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from typing import Final

from rows import Row, machine, table

from adas_runtime.function import BuildContext
from adas_runtime.isa.core import Inputs, build
from adas_runtime.market import load_market
from adas_runtime.signals import ConditionalLimit, DriverInput, Horizon, HorizonSegment, LimitKind, RoadClass
from adas_runtime.synth.drive import DriveSpec, make_drive
from adas_runtime.units import kmh_to_mps
from adas_runtime.vehicle import load_vehicle

SEGMENTS: Final = 200
SEGMENT_M: Final = 50.0


def _horizon(stamp_s: float) -> Horizon:
    night = ConditionalLimit(limit_mps=kmh_to_mps(60.0), condition="22:00-06:00")
    segments = tuple(
        HorizonSegment(
            offset_m=(index - 1) * SEGMENT_M,
            length_m=SEGMENT_M,
            probability=1.0,
            road_class=RoadClass.SECONDARY,
            limit_mps=kmh_to_mps(100.0),
            limit_kind=LimitKind.EXPLICIT,
            limit_confidence=0.9,
            conditional=(night,),
            is_built_up=False,
            is_dual_carriageway=False,
            lanes=1,
            country="DE",
        )
        for index in range(SEGMENTS)
    )
    return Horizon(stamp_s=stamp_s, is_matched=True, confidence=0.95, segments=segments)


def rows(seconds: float = 60.0) -> list[Row]:
    """The table's rows."""
    drive = make_drive(DriveSpec(market="de", seconds=seconds, width_px=160, height_px=90))
    states, bodies = list(drive.vehicle_states()), list(drive.body_states())
    core = build(BuildContext(market=load_market("de"), vehicle=load_vehicle("reference")))
    ahead = _horizon(states[0].stamp_s)
    sequence: list[Inputs] = []
    for index in range(drive.frame_count):
        at = min(index * 5, len(states) - 1)
        now_s = states[at].stamp_s
        sequence.append(
            Inputs(
                vehicle=states[at],
                body=bodies[min(at // 10, len(bodies) - 1)],
                driver=DriverInput(stamp_s=now_s),
                signs=drive.sign_camera(index),
                horizon=replace(ahead, stamp_s=now_s),
            )
        )
    spent: list[float] = []
    for inputs in sequence:
        assert inputs.vehicle is not None
        began = time.thread_time()
        core.step(inputs, inputs.vehicle.stamp_s)
        spent.append((time.thread_time() - began) * 1e3)
    spent.sort()
    median, p99 = spent[len(spent) // 2], spent[int(0.99 * len(spent))]
    return [
        Row(
            what="speed assistance, one step (20 Hz), median / p99",
            measured=f"{median:.3f} / {p99:.3f} ms",
            value=median,
            unit="ms",
        )
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0, help="length of the drive")
    print(machine())
    print(table(rows(parser.parse_args().seconds)), end="")


if __name__ == "__main__":
    main()
