"""The shapes of Megatron-LM's rates, by sample, in steps of the batches."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import jax.numpy as jnp
import numpy as np

from jaxsched.core import checks
from jaxsched.core.schedule import Schedule
from jaxsched.interop.megatron.lengths import Lengths
from jaxsched.interop.megatron.plan import Batches, first_beyond, on_samples
from jaxsched.interop.shared.parts import Part, joined
from jaxsched.schedules.compose import maximum, minimum, shift
from jaxsched.schedules.decay import linear_schedule
from jaxsched.schedules.inverse import inverse_sqrt_schedule
from jaxsched.schedules.ramps import warmup_stable_decay_schedule

Curve = Callable[[int], Schedule]
Values = tuple[float, float, float]


def ramps(
    values: Values, warmup: Fraction, begin: Fraction, length: Any, shape: Any = "linear"
) -> Curve:
    """A warm-up to a peak, and from `begin` on a way to an end, by sample."""
    init, peak, end = values

    def curve(size: int) -> Schedule:
        first = _kept(in_steps(begin, size))
        rising = min(in_steps(warmup, size), first)
        # From where it begins in a program, so that it ends where it ends.
        falling = in_steps(begin + length - Fraction(first) * size, size)
        return warmup_stable_decay_schedule(init, peak, rising, first, falling, end, shape)

    return curve


def root(values: Values, lengths: Lengths, batches: list[Batches], faithful: bool) -> Schedule:
    """The inverse square root of the samples seen, down to the end."""
    init, peak, end = values

    def curve(size: int) -> Schedule:
        # Megatron-LM counts from 1 without a warm-up.
        flat = in_steps(max(lengths.warmup, Fraction(1)), size)
        rate = maximum(shift(inverse_sqrt_schedule(peak, flat), flat), end)
        if not lengths.warmup:
            return rate
        return minimum(linear_schedule(init, peak, in_steps(lengths.warmup, size)), rate)

    rate = on_samples(curve, batches)
    return _until(rate, first_beyond(batches, lengths.decay), end) if faithful else rate


def stable(
    values: Values, lengths: Lengths, batches: list[Batches], shape: Any, faithful: bool
) -> Schedule:
    """A constant peak, and a decay in the last samples."""
    init, peak, end = values
    annealing = lengths.annealing
    if annealing is None:
        raise ValueError("`lr_wsd_decay_iters` or `lr_wsd_decay_samples` is missing for 'WSD'.")
    begin, last = lengths.decay - annealing, first_beyond(batches, lengths.decay)
    if annealing == 0:
        held = ramps((init, peak, peak), lengths.warmup, lengths.warmup, 1)
        return _until(on_samples(held, batches), last, end)
    if begin >= lengths.warmup:
        return on_samples(ramps(values, lengths.warmup, begin, annealing, shape), batches)
    if not faithful:
        wanted = "at most what the warm-up leaves of the decay"
        checks.refuse("lr_wsd_decay", int(annealing), f"{wanted}, {lengths.decay - lengths.warmup}")
    rising = on_samples(ramps((init, peak, peak), lengths.warmup, lengths.warmup, 1), batches)

    def falling(size: int) -> Schedule:
        whole = warmup_stable_decay_schedule(
            peak, peak, 0, 0, in_steps(annealing, size), end, shape
        )
        return shift(whole, in_steps(begin, size))

    cut = first_beyond(batches, lengths.warmup) if lengths.warmup else 0
    return joined([Part(0, rising), Part(cut, on_samples(falling, batches), cut)])


def _until(rate: Schedule, step: int, value: float) -> Schedule:
    return joined([Part(0, rate), Part(step, value)])


def _kept(steps: float) -> float:
    """A number of steps as a program keeps it."""
    return steps if isinstance(steps, int) else float(np.asarray(steps, jnp.result_type(float)))


def in_steps(samples: Fraction | int, size: int) -> int | float:
    """So many samples in steps of a size: whole where it is, for exact arithmetic."""
    steps = Fraction(samples) / size
    return int(steps) if steps.denominator == 1 else float(steps)
