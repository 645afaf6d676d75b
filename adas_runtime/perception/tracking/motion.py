"""How one road user moves: a Kalman filter per axis of place, speed over ground and acceleration, in plain floats.

Along and across are filtered apart, each with an acceleration that fades (Singer), across to that of the bend that we
drive. The acceleration across is what a constant turn rate makes of a speed, so the two together are constant turn rate
and acceleration, to first order over the 50 ms of a step. The car's own motion is taken out in each step: what is kept
lies in the vehicle frame of its time.

An axis is a tuple: place [m], speed [m/s], acceleration [m/s^2], and the covariance's six numbers: place-place,
place-speed, place-acceleration, speed-speed, speed-acceleration, acceleration-acceleration.
"""

from __future__ import annotations

Axis = tuple[float, float, float, float, float, float, float, float, float]


def begun(place_m: float, place_var: float, speed_mps: float, speed_var: float, accel_var: float) -> Axis:
    """An axis of which nothing was known before."""
    return (place_m, speed_mps, 0.0, place_var, 0.0, 0.0, speed_var, 0.0, accel_var)


def carried(
    axis: Axis, dt_s: float, own_mps: float, fade: float, accel_noise: float, usual_mps2: float, turned_mps: float
) -> Axis:
    """The axis `dt_s` later.

    Args:
        axis: As it was.
        dt_s: Time, >= 0 [s].
        own_mps: Speed along this axis by which the car's frame runs away from this place, by driving and turning [m/s].
        fade: What is left of an acceleration.
        accel_noise: Variance that an acceleration gains in this time [(m/s^2)^2].
        usual_mps2: What an acceleration fades to: that of the road's bend, across.
        turned_mps: What the frame's turn makes of the other axis's speed [m/s]. The covariance's turn is left out [D].
    Source: R. A. Singer 1970, the acceleration as a first-order process; the step's transition in its Taylor form.
    """
    x, v, a, xx, xv, xa, vv, va, aa = axis
    half = 0.5 * dt_s * dt_s
    to_a = xa + dt_s * va + half * aa
    to_v = xv + dt_s * vv + half * va
    speed_a = va + dt_s * aa
    return (
        x + dt_s * (v - own_mps) + half * a,
        v + dt_s * a + turned_mps,
        fade * (a - usual_mps2) + usual_mps2,
        xx + dt_s * (xv + to_v) + half * (xa + to_a),
        to_v + dt_s * to_a,
        fade * to_a,
        vv + dt_s * (va + speed_a),
        fade * speed_a,
        fade * fade * aa + accel_noise,
    )


def placed(axis: Axis, place_m: float, place_var: float) -> Axis:
    """The axis after its place was measured."""
    x, v, a, xx, xv, xa, vv, va, aa = axis
    scale = 1.0 / (xx + place_var)
    gain, gain_v, gain_a, rest = xx * scale, xv * scale, xa * scale, place_m - x
    return (
        x + gain * rest,
        v + gain_v * rest,
        a + gain_a * rest,
        xx - gain * xx,
        xv - gain * xv,
        xa - gain * xa,
        vv - gain_v * xv,
        va - gain_v * xa,
        aa - gain_a * xa,
    )


def measured(axis: Axis, place_m: float, place_var: float, speed_mps: float, speed_var: float) -> Axis:
    """The axis after its place and its speed over ground were measured, one after the other."""
    x, v, a, xx, xv, xa, vv, va, aa = axis
    scale = 1.0 / (xx + place_var)
    gain, gain_v, gain_a, rest = xx * scale, xv * scale, xa * scale, place_m - x
    x += gain * rest
    v += gain_v * rest
    a += gain_a * rest
    aa -= gain_a * xa
    va -= gain_v * xa
    vv -= gain_v * xv
    xa -= gain * xa
    xv -= gain * xv
    xx -= gain * xx
    scale = 1.0 / (vv + speed_var)
    gain, gain_x, gain_a, rest = vv * scale, xv * scale, va * scale, speed_mps - v
    return (
        x + gain_x * rest,
        v + gain * rest,
        a + gain_a * rest,
        xx - gain_x * xv,
        xv - gain_x * vv,
        xa - gain_x * va,
        vv - gain * vv,
        va - gain * va,
        aa - gain_a * va,
    )


def loosened(axis: Axis, speed_var: float, accel_var: float) -> Axis:
    """The axis with less trust in its speed and its acceleration."""
    x, v, a, xx, xv, xa, vv, va, aa = axis
    return (x, v, a, xx, xv, xa, vv + speed_var, va, aa + accel_var)


def surer(one: float, one_var: float, two: float, two_var: float) -> tuple[float, float]:
    """One estimate of two whose errors may be the same error: value and variance.

    Source: covariance intersection with the weights of W. Niehsen 2002 (fast covariance intersection): the surer one
    counts by the square of its sureness, and the result is never surer than the surer one.
    """
    total = one_var * one_var + two_var * two_var
    share = two_var * two_var / total
    return one + (1.0 - share) * (two - one), one_var * two_var * (one_var + two_var) / total
