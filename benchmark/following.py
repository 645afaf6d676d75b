"""Our following controller behind recorded cars, beside the production car that followed them; and what it costs.

    python benchmark/following.py --data FOLDER [--market de] [--picture FILE.svg] [--markdown]

FOLDER holds the OpenACC tables of the ZalaZone campaign: columns of cars with adaptive cruise control on a proving
ground. For each pair the recorded speed of the car ahead goes to a simulated car with the delay and lag of the vehicle
file and a sensor that is 0.1 s late and noisy (gap 0.15 m, speed 0.1 m/s), which our controller drives: once at the
market's least gap, once at the gap that the recorded car kept itself. Speeds of both are smoothed alike (quadratic fits
over 1.1 s) before acceleration and jerk are taken from them.

- gap: mean, standard deviation and least time gap above 3 m/s, least distance.
- amplification: standard deviation of the car's speed over that of the car ahead; above 1 a column swings up.
- alarms: what the distance warning would have told the recorded driver per hour, by the market and by cause.

Without --data it measures what one step costs.
"""

from __future__ import annotations

import argparse
import math
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from rows import Row, machine, table

from adas_runtime.dcas.headway import Inputs, State, build
from adas_runtime.errors import AdasError
from adas_runtime.function import BuildContext
from adas_runtime.longitudinal.following import Drive, Following, Lead
from adas_runtime.longitudinal.lead import LeadChooser
from adas_runtime.market import load_market
from adas_runtime.market.schema import Market
from adas_runtime.scenario.openacc import Pair, Recording, read
from adas_runtime.scenario.platoon import Sensor, Trace, follow, recorded, wanted_gap_m
from adas_runtime.signals import EgoLane, ObjectClass, TrackedObject, TrackedObjects, VehicleState
from adas_runtime.vehicle import load_vehicle
from adas_runtime.vehicle.schema import Vehicle

Array = NDArray[np.float64]
RATE_HZ: Final = 10.0
WINDOW: Final = 11  # samples of a local fit
SECONDS_MIN: Final = 30.0
MOVING_MPS: Final = 3.0
SWING_MIN_MPS: Final = 0.2  # of the car ahead; below it an amplification is that of the noise
SEED: Final = 1
THRESHOLDS: Final = (
    ("de", False),
    ("pl", False),
    ("de", True),
    ("au", True),
)  # market, and whether its least gap warns
CAUSES: Final = ("cut_in", "closing", "steady")
BUDGET_US: Final = 30.0  # of the 60 us that all functions of lane and driver may take


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """How one car followed another."""

    gap_s: float
    gap_std_s: float
    gap_min_s: float
    gap_min_m: float
    accel_max: float
    accel_min: float
    jerk_rms: float
    jerk_max: float
    amplification: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One pair: the recorded car, ours at the market's gap, ours at the recorded car's own gap."""

    recording: str
    setting: str
    is_acc: bool
    lead_name: str
    name: str
    seconds: float
    real: Figures
    ours: Figures
    ours_same: Figures


def smooth(values: Array, derivative: int) -> Array:
    """Local quadratic fits, or their first derivative per second."""
    half = WINDOW // 2
    t = np.arange(-half, half + 1) / RATE_HZ
    kernel = np.linalg.pinv(np.stack([t**power for power in range(3)], axis=1))[derivative]
    padded = np.pad(values, half, mode="edge")
    return np.convolve(padded, kernel[::-1], mode="valid")


def figures(lead_mps: Array, speed_mps: Array, gap_m: Array) -> Figures:
    """The figures of one car behind another, sampled at 10 Hz."""
    inner = slice(WINDOW, -WINDOW)
    accel = smooth(speed_mps, 1)[inner]
    jerk = smooth(smooth(speed_mps, 1), 1)[inner]
    moving = speed_mps > MOVING_MPS
    gap_s = gap_m[moving] / speed_mps[moving]
    swing = float(np.std(lead_mps))
    return Figures(
        gap_s=float(np.mean(gap_s)),
        gap_std_s=float(np.std(gap_s)),
        gap_min_s=float(np.min(gap_s)),
        gap_min_m=float(np.min(gap_m)),
        accel_max=float(np.max(accel)),
        accel_min=float(np.min(accel)),
        jerk_rms=float(np.sqrt(np.mean(jerk**2))),
        jerk_max=float(np.max(np.abs(jerk))),
        amplification=float(np.std(speed_mps)) / swing if swing >= SWING_MIN_MPS else None,
    )


def longest_run(pair: Pair) -> tuple[Array, Array, Array] | None:
    """Speeds and gap of the longest stretch without holes in which both drive; `None`: too short."""
    ahead, speed, gap = (np.asarray(values) for values in (pair.lead_mps, pair.speed_mps, pair.gap_m))
    good = np.isfinite(ahead) & np.isfinite(speed) & np.isfinite(gap) & (gap > 0.0)
    good &= (ahead > 1.0) & (speed > 1.0)  # standing cars need a driver to move off
    edges = np.flatnonzero(np.diff(np.concatenate(([False], good, [False])).astype(np.int8)))
    runs = list(zip(edges[::2], edges[1::2], strict=True))
    if not runs:
        return None
    begin, end = max(runs, key=lambda run: run[1] - run[0])
    if (end - begin) / RATE_HZ < SECONDS_MIN:
        return None
    return ahead[begin:end], speed[begin:end], gap[begin:end]


def ours(ahead: Array, market: Market, vehicle: Vehicle, time_gap_s: float, seed: int) -> Trace:
    """Our car behind a recorded speed, from the gap that it wants."""
    t_s = [index / RATE_HZ for index in range(len(ahead))]
    first_m = wanted_gap_m(market, float(ahead[0]), time_gap_s)
    return follow(
        recorded(t_s, ahead.tolist(), first_m),
        market=market,
        vehicle=vehicle,
        seconds=t_s[-1],
        speed_mps=float(ahead[0]),
        time_gap_s=time_gap_s,
        sensor=Sensor(seed=seed),
    )


def figures_of(trace: Trace, ahead: Array) -> Figures:
    """The same figures of our car, at the recording's rate."""
    speed, gap = np.asarray(trace.speed_mps)[::2], np.asarray(trace.gap_m)[::2]
    count = min(len(speed), len(ahead))
    return figures(ahead[:count], speed[:count], gap[:count])


def sides(recordings: list[Recording], market: Market, vehicle: Vehicle) -> list[Side]:
    """Every pair of every recording, side by side."""
    found = []
    for recording in recordings:
        for number, pair in enumerate(recording.pairs):
            run = longest_run(pair)
            if run is None:
                continue
            ahead, speed, gap = run
            real = figures(ahead, speed, gap)
            least_s = market.following.time_gap_s()
            # the time gap setting that, with the gap at standstill on top, keeps what the recorded car kept
            same_s = max(real.gap_s - market.following.queue_gap_m / float(np.mean(speed)), 1.0)
            found.append(
                Side(
                    recording=recording.name,
                    setting=recording.setting or ("mixed" if recording.is_acc else "by hand"),
                    is_acc=recording.is_acc,
                    lead_name=pair.lead_name,
                    name=pair.name,
                    seconds=len(ahead) / RATE_HZ,
                    real=real,
                    ours=figures_of(ours(ahead, market, vehicle, least_s, SEED + number), ahead),
                    ours_same=figures_of(ours(ahead, market, vehicle, same_s, SEED + number), ahead),
                )
            )
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A whole column behind one recorded car: ours, as many as there were."""

    recording: str
    cars: int
    lead_swing_mps: float
    real_mps: tuple[float, ...]
    ours_mps: tuple[float, ...]
    ours_same_mps: tuple[float, ...]


def columns(recordings: list[Recording], market: Market, vehicle: Vehicle) -> list[Column]:
    """Swing of the speed from car to car, recorded and ours, where every car of the column was recorded."""
    found = []
    for recording in recordings:
        pairs = recording.pairs
        if not recording.is_acc or len(pairs) < 3 or len(pairs) != len(recording.cars) - 1:
            continue
        speeds = np.array([pairs[0].lead_mps, *(pair.speed_mps for pair in pairs)])
        whole = np.all(np.isfinite(speeds), axis=0)
        if not whole.any() or (whole.sum() / whole.size) < 0.9:
            continue
        filled = np.array(
            [np.interp(np.arange(row.size), np.flatnonzero(np.isfinite(row)), row[np.isfinite(row)]) for row in speeds]
        )
        # behind the first car that swings: the very first one holds its speed by a machine
        begin = int(np.argmax(np.std(filled, axis=1) >= SWING_MIN_MPS))
        least_s = market.following.time_gap_s()
        same_s = []
        for row, pair in zip(filled[begin + 1 :], pairs[begin:], strict=True):
            gap = np.asarray(pair.gap_m)
            moving = (row > MOVING_MPS) & np.isfinite(gap)
            mean_s = float(np.mean(gap[moving] / row[moving])) - market.following.queue_gap_m / float(np.mean(row))
            same_s.append(max(mean_s, 1.0))
        count = len(same_s)
        found.append(
            Column(
                recording=recording.name,
                cars=count,
                lead_swing_mps=float(np.std(filled[begin])),
                real_mps=tuple(float(np.std(row)) for row in filled[begin + 1 :]),
                ours_mps=_swings(filled[begin], [least_s] * count, market, vehicle),
                ours_same_mps=_swings(filled[begin], same_s, market, vehicle),
            )
        )
    return found


def _swings(ahead: Array, gaps_s: list[float], market: Market, vehicle: Vehicle) -> tuple[float, ...]:
    """Swing of the speed of each car of a column of ours, with these time gaps."""
    count, swings = len(ahead), []
    for number, gap_s in enumerate(gaps_s):
        speed = np.asarray(ours(ahead, market, vehicle, gap_s, SEED + 100 + number).speed_mps)[::2]
        swings.append(float(np.std(speed)))
        ahead = np.concatenate((speed, [speed[-1]]))[:count]
    return tuple(swings)


@dataclass(slots=True, kw_only=True)
class Alarms:
    """What the distance warning of one market told in some hours of driving."""

    seconds: float = 0.0
    short_s: float = 0.0
    causes: Counter[str]

    @property
    def per_hour(self) -> float:
        """Warnings an hour."""
        return 3600.0 * sum(self.causes.values()) / self.seconds if self.seconds else 0.0


def alarms(ahead: Array, speed: Array, gap: Array, market: Market, vehicle: Vehicle, into: Alarms) -> None:
    """Drive the distance warning through one run; the cause is what the gap did before it spoke."""
    core = build(BuildContext(market=market, vehicle=vehicle))
    front_m = vehicle.dimensions.wheelbase_m + vehicle.dimensions.front_overhang_m
    was, since = State.STANDBY, 0
    for index in range(len(speed)):
        now_s = 100.0 + index / RATE_HZ
        car = TrackedObject(
            object_id=1,
            object_class=ObjectClass.CAR,
            x_m=front_m + float(gap[index]),
            y_m=0.0,
            speed_x_mps=float(ahead[index]),
            speed_y_mps=0.0,
            x_std_m=0.1,
            y_std_m=0.1,
            speed_x_std_mps=0.1,
            confidence=1.0,
            age_s=10.0,
        )
        state = VehicleState(stamp_s=now_s, speed_mps=float(speed[index]), yaw_rate_rps=0.0)
        core.step(Inputs(vehicle=state, objects=(TrackedObjects(stamp_s=now_s, objects=(car,)),)), now_s)
        told = core.state.state
        if told is State.CLOSE and was is State.WATCHING:
            since = index
        if told is State.WARN and was is not State.WARN:
            closing = float(speed[index] - ahead[index])
            before = float(gap[max(since - 10, 0)] / max(speed[max(since - 10, 0)], 1.0))
            sudden = before - float(gap[since] / max(speed[since], 1.0)) > 0.5
            into.causes["cut_in" if sudden else "closing" if closing > market.headway.closing_mps else "steady"] += 1
        was = told
    into.seconds += core.state.watched_s
    into.short_s += core.state.short_s


def warned(market: Market, is_least_gap: bool) -> Market:
    """The market; or one that would warn of whatever is below its least gap, for comparison."""
    if not is_least_gap:
        return market
    facts = market.following.model_copy(update={"cut_in_expected_gap_s": market.following.time_gap_min_s})
    return market.model_copy(update={"following": facts})


def nuisance(recordings: list[Recording], vehicle: Vehicle) -> dict[str, list[Alarms]]:
    """Alarms by style of driving (ACC settings, by hand, ours at DE's gap), one for each of `THRESHOLDS`."""
    markets = [warned(load_market(name), is_least_gap) for name, is_least_gap in THRESHOLDS]
    home = load_market("de")
    found: dict[str, list[Alarms]] = {}
    for recording in recordings:
        for number, pair in enumerate(recording.pairs):
            run = longest_run(pair)
            if run is None:
                continue
            ahead = run[0]
            style = f"ACC {recording.setting}" if recording.is_acc else "by hand"
            trace = ours(ahead, home, vehicle, home.following.time_gap_s(), SEED + number)
            own = np.asarray(trace.speed_mps)[::2], np.asarray(trace.gap_m)[::2]
            count = min(len(ahead), len(own[0]))
            for name, of in ((style, run), ("ours", (ahead[:count], own[0][:count], own[1][:count]))):
                into = found.setdefault(name, [Alarms(causes=Counter()) for _ in markets])
                for market, sums in zip(markets, into, strict=True):
                    alarms(*of, market, vehicle, sums)
    return found


# --- printing -------------------------------------------------------------------------------------------------------


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else math.nan


def summary(found: list[Side]) -> list[tuple[str, ...]]:
    """One line a setting and car: what a reader wants to know first."""
    lines = []
    for setting in dict.fromkeys(item.setting for item in found):
        of = [item for item in found if item.setting == setting]
        for who in ("real", "ours", "ours_same"):
            sets: list[Figures] = [getattr(item, who) for item in of]
            swings = [s.amplification for s in sets if s.amplification is not None]
            names = {"real": "recorded cars", "ours": "ours, market's gap", "ours_same": "ours, same gap"}
            lines.append(
                (
                    setting,
                    f"{names[who]} ({len(of)})",
                    f"{_mean([s.gap_s for s in sets]):.2f}",
                    f"{_mean([s.gap_std_s for s in sets]):.2f}",
                    f"{min(s.gap_min_s for s in sets):.2f}",
                    f"{min(s.gap_min_m for s in sets):.1f}",
                    f"{min(s.accel_min for s in sets):.1f}",
                    f"{_mean([s.jerk_rms for s in sets]):.2f}",
                    f"{max(s.jerk_max for s in sets):.1f}",
                    f"{_mean(swings):.2f}",
                    f"{max(swings, default=math.nan):.2f}",
                    f"{sum(value > 1.0 for value in swings)} of {len(swings)}",
                )
            )
    return lines


HEADS: Final = (
    "setting",
    "car (pairs)",
    "gap [s]",
    "its std",
    "least [s]",
    "least [m]",
    "hardest braking",
    "jerk rms",
    "jerk max",
    "amplification",
    "worst",
    "above 1",
)


def text_table(heads: Sequence[str], lines: Sequence[tuple[str, ...]], is_markdown: bool) -> str:
    """A table for people or for the docs."""
    if is_markdown:
        body = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
        return "\n".join(body + ["| " + " | ".join(line) + " |" for line in lines])
    widths = [max(len(row[column]) for row in (heads, *lines)) for column in range(len(heads))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in (heads, *lines)
    )


def pair_lines(found: list[Side]) -> list[tuple[str, ...]]:
    """One line a pair."""
    lines = []
    for item in found:
        swing = [
            "-" if f.amplification is None else f"{f.amplification:.2f}" for f in (item.real, item.ours, item.ours_same)
        ]
        lines.append(
            (
                item.recording,
                item.name.lower(),
                f"{item.seconds:.0f}",
                f"{item.real.gap_s:.2f} / {item.ours.gap_s:.2f}",
                f"{item.real.gap_std_s:.2f} / {item.ours.gap_std_s:.2f} / {item.ours_same.gap_std_s:.2f}",
                f"{item.real.jerk_rms:.2f} / {item.ours.jerk_rms:.2f} / {item.ours_same.jerk_rms:.2f}",
                " / ".join(swing),
            )
        )
    return lines


PANEL: Final = (430.0, 200.0)  # of the picture [px]
MARGIN: Final = (52.0, 34.0)


def _curve(t: Array, values: Array, box: tuple[float, float], span: tuple[float, float], style: str) -> str:
    """One line of a panel whose upper left corner is `box`, over `span` of values."""
    good = np.isfinite(values)
    x = box[0] + t[good] / t[-1] * PANEL[0]
    y = box[1] + PANEL[1] * (1.0 - (values[good] - span[0]) / (span[1] - span[0]))
    points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x[::4], y[::4], strict=True))
    return f'<polyline fill="none" {style} points="{points}"/>'


def draw(path: Path, recordings: list[Recording], market: Market, vehicle: Vehicle) -> None:
    """A column as it drove, and ours behind the same first car, side by side, as SVG."""
    chosen = [r for r in recordings if "part23" in r.name] or [r for r in recordings if r.is_acc] or recordings
    recording = chosen[0]
    t = np.arange(len(recording.pairs[0].t_s)) / RATE_HZ
    first = np.asarray(recording.pairs[0].lead_mps)
    sets: list[list[tuple[Array, Array]]] = [[], []]
    ahead = first
    for number, pair in enumerate(recording.pairs):
        sets[0].append((np.asarray(pair.speed_mps), np.asarray(pair.gap_m)))
        trace = ours(ahead, market, vehicle, market.following.time_gap_s(), SEED + number)
        speed, gap = np.asarray(trace.speed_mps)[::2], np.asarray(trace.gap_m)[::2]
        speed, gap = (np.concatenate((values, [values[-1]]))[: len(t)] for values in (speed, gap))
        sets[1].append((speed, gap))
        ahead = speed
    parts = []
    titles = (f"recorded, {recording.setting} setting", f"ours, market {market.name}")
    spans = []
    for row in (0, 1):
        flat = np.concatenate([values[row] for side in sets for values in side] + ([first] if row == 0 else []))
        spans.append((0.0, math.ceil(float(np.nanmax(flat)) / 5.0) * 5.0))
    for column, side in enumerate(sets):
        for row in (0, 1):
            box = (MARGIN[0] + column * (PANEL[0] + MARGIN[0]), MARGIN[1] + row * (PANEL[1] + MARGIN[1]))
            parts.append(
                f'<rect x="{box[0]}" y="{box[1]}" width="{PANEL[0]}" height="{PANEL[1]}" fill="#fff" stroke="#bbb"/>'
            )
            for share in (0.0, 0.5, 1.0):
                y = box[1] + PANEL[1] * (1.0 - share)
                parts.append(f'<text x="{box[0] - 6}" y="{y + 4}" text-anchor="end">{share * spans[row][1]:g}</text>')
                x = box[0] + share * PANEL[0]
                if row == 1:
                    parts.append(
                        f'<text x="{x}" y="{box[1] + PANEL[1] + 16}" text-anchor="middle">{share * t[-1]:.0f} s</text>'
                    )
            what = "speed [m/s]" if row == 0 else "gap [m]"
            parts.append(f'<text x="{box[0] + 6}" y="{box[1] + 14}">{what}</text>')
            for number, values in enumerate(side):
                hue = 250 - 200 * number / max(len(side) - 1, 1)
                style = f'stroke="hsl({hue:.0f} 70% 42%)" stroke-width="1.2"'
                parts.append(_curve(t, values[row], box, spans[row], style))
            if row == 0:
                parts.append(_curve(t, first, box, spans[row], 'stroke="#000" stroke-width="2" stroke-dasharray="5 3"'))
                parts.append(
                    f'<text x="{box[0] + PANEL[0] / 2}" y="{box[1] - 8}" text-anchor="middle">{titles[column]}</text>'
                )
    width = 2.0 * (PANEL[0] + MARGIN[0]) + 20.0
    height = 2.0 * (PANEL[1] + MARGIN[1]) + 40.0
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" font-family="sans-serif"'
    foot = f"dashed: the first car, the same in both; {len(sets[0])} cars behind it, blue to orange"
    parts.append(f'<text x="{MARGIN[0]}" y="{height - 6}">{foot}</text>')
    ground = f'<rect width="{width:.0f}" height="{height:.0f}" fill="#fff"/>'
    path.write_text(f'{head} font-size="12">\n' + "\n".join((ground, *parts)) + "\n</svg>\n", encoding="utf-8")


# --- cost ------------------------------------------------------------------------------------------------------------


def rows(steps: int = 20000) -> list[Row]:
    """What one step costs: choosing the car ahead among twelve road users, and following it."""
    market, vehicle = load_market("de"), load_vehicle("reference")
    core = Following(market.longitudinal, market.following)
    core.reset()
    chooser = LeadChooser(vehicle)
    lane = EgoLane(stamp_s=0.0, x_max_m=60.0, width_m=3.5, confidence=0.9, curvature_1pm=1e-3)
    users = tuple(
        TrackedObject(
            object_id=number,
            object_class=ObjectClass.CAR,
            x_m=12.0 + 9.0 * number,
            y_m=(-3.5, 0.0, 3.5)[number % 3],
            speed_x_mps=20.0,
            speed_y_mps=0.0,
            width_m=1.8,
            x_std_m=0.1,
            y_std_m=0.1,
            speed_x_std_mps=0.1,
            confidence=0.9,
            age_s=5.0,
            sources=("radar",),
        )
        for number in range(12)
    )
    pictures = [TrackedObjects(stamp_s=100.0 + 0.05 * index, objects=users) for index in range(64)]
    lead = Lead(object_id=1, gap_m=40.0, speed_mps=20.0)
    best_follow, best_lead = math.inf, math.inf
    for _ in range(5):
        begin = time.process_time()
        for _ in range(steps):
            core.step(Drive(dt_s=0.01, speed_mps=20.0, max_speed_mps=30.0, time_gap_s=2.0, lead=lead))
        best_follow = min(best_follow, (time.process_time() - begin) / steps * 1e6)
        begin = time.process_time()
        for index in range(steps // 10):
            picture = pictures[index % 64]
            chooser.step(picture, lane, 20.0, 0.0, picture.stamp_s)
        best_lead = min(best_lead, (time.process_time() - begin) / (steps // 10) * 1e6)
    return [
        Row(
            what="following controller, one step",
            measured=f"{best_follow:.1f} us",
            value=best_follow,
            budget=BUDGET_US,
            unit="us",
        ),
        Row(
            what="choice of the car ahead among 12, one picture",
            measured=f"{best_lead:.1f} us",
            value=best_lead,
            unit="us",
        ),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder with the OpenACC tables")
    parser.add_argument("--market", default="de", help="whose gaps our car keeps")
    parser.add_argument("--vehicle", default="reference", help="whose engine and brakes it has")
    parser.add_argument("--picture", type=Path, help="write a picture of one column")
    parser.add_argument("--markdown", action="store_true", help="tables as the docs have them")
    parser.add_argument("--pairs", action="store_true", help="also one line per pair")
    options = parser.parse_args()
    if options.data is None:
        print(machine())
        print(table(rows()), end="")
        return
    files = sorted(options.data.glob("*.csv"))
    if not files:
        raise AdasError("no tables (.csv) there", where=str(options.data), mend="name the folder of the OpenACC tables")
    market, vehicle = load_market(options.market), load_vehicle(options.vehicle)
    recordings = [read(path) for path in files]
    found = sides(recordings, market, vehicle)
    print(f"{len(files)} recordings, {len(found)} pairs, {sum(item.seconds for item in found) / 3600.0:.2f} h")
    print(text_table(HEADS, summary(found), options.markdown))
    if options.pairs:
        heads = (
            "recording",
            "car",
            "s",
            "gap real / ours",
            "gap std real / ours / same gap",
            "jerk rms",
            "amplification",
        )
        print()
        print(text_table(heads, pair_lines(found), options.markdown))
    lines: list[tuple[str, ...]] = []
    for column in columns(recordings, market, vehicle):
        lines.append(
            (
                column.recording,
                str(column.cars),
                f"{column.lead_swing_mps:.2f}",
                f"{column.real_mps[-1]:.2f} ({column.real_mps[-1] / column.lead_swing_mps:.2f})",
                f"{column.ours_mps[-1]:.2f} ({column.ours_mps[-1] / column.lead_swing_mps:.2f})",
                f"{column.ours_same_mps[-1]:.2f} ({column.ours_same_mps[-1] / column.lead_swing_mps:.2f})",
            )
        )
    print("\nColumns: standard deviation of the speed [m/s], of the last car (over that of the first)")
    print(
        text_table(
            ("recording", "cars", "first", "last, recorded", "last, ours", "last, ours at their gaps"),
            lines,
            options.markdown,
        )
    )
    lines = []
    for style, items in nuisance(recordings, vehicle).items():
        cells = [f"{a.per_hour:.1f} ({'/'.join(str(a.causes[cause]) for cause in CAUSES)})" for a in items]
        lines.append((style, f"{items[0].seconds / 3600.0:.2f}", *cells))
    print(f"\nDistance warning: alarms an hour ({'/'.join(CAUSES)})")
    heads = tuple(
        f"{name.upper()}: below {warned(load_market(name), least).following.cut_in_expected_gap_s:.1f} s"
        + (", its least gap" if least else "")
        for name, least in THRESHOLDS
    )
    print(text_table(("driving", "hours", *heads), lines, options.markdown))
    if options.picture is not None:
        draw(options.picture, recordings, market, vehicle)


if __name__ == "__main__":
    try:
        main()
    except AdasError as error:
        raise SystemExit(f"following: {error.line()}") from None
