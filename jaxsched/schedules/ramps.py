"""Ramps at the ends of a schedule: a warm-up before it, a cooldown after it, or both."""

from typing import Any

import jax
import jax.numpy as jnp

from jaxsched.core.arithmetic.shapes import Shape, check_ends, ramp
from jaxsched.core.arithmetic.steps import after, reached, since
from jaxsched.core.checks import in_order
from jaxsched.core.schedule import Operand, at, schedule
from jaxsched.core.types import Number, RampSteps, Steps


def _warmup_has_ends(hyperparams: dict[str, Any]) -> None:
    ends = {name: hyperparams[name] for name in ("init_value", "schedule")}
    check_ends(hyperparams["shape"], **ends)


@schedule(check=_warmup_has_ends)
def with_warmup(
    count: jax.Array,
    schedule: Operand,
    warmup_steps: RampSteps,
    init_value: Number = 0.0,
    shape: Shape = "linear",
):
    """A warm-up to the first value of a schedule, then the schedule from its step 0.

        rate = init_value + (schedule(0) - init_value) count / warmup_steps   before warmup_steps
        rate = schedule(count - warmup_steps)                                 from there on

    Args:
      schedule: any schedule, number or function of the count. It is delayed, not cut.
      warmup_steps: the length of the warm-up; 0 for none.
      init_value: the value at step 0.
      shape: the shape of the warm-up, a straight line if not given; the shapes are those of
        `warmup_stable_decay_schedule`.

    Raises:
      ValueError: if the shape needs positive ends and one of them is not.

    Example:
      >>> from jaxsched import linear_schedule
      >>> rate = with_warmup(linear_schedule(1.0, 0.0, 4), warmup_steps=2)
      >>> print(*(f"{rate(count):.2f}" for count in range(7)))
      0.00 0.50 1.00 0.75 0.50 0.25 0.00
    """
    value = at(schedule, since(count, warmup_steps))
    rising = ramp(shape, init_value, value, count, warmup_steps)
    return jnp.where(reached(count, warmup_steps), value, rising)


def _cooldown_has_ends(hyperparams: dict[str, Any]) -> None:
    ends = {name: hyperparams[name] for name in ("schedule", "end_value")}
    check_ends(hyperparams["shape"], **ends)


@schedule(check=_cooldown_has_ends)
def with_cooldown(
    count: jax.Array,
    schedule: Operand,
    begin: Steps,
    cooldown_steps: RampSteps,
    end_value: Number = 0.0,
    shape: Shape = "linear",
):
    """A schedule up to a step, then a way down from the value it had there.

        rate = schedule(count)                                       up to begin
        rate = v + (end_value - v) (count - begin) / cooldown_steps   from there on
        v    = schedule(begin)

    Args:
      schedule: any schedule, number or function of the count.
      begin: the step at which the cooldown begins.
      cooldown_steps: its length; 0 is at the end at once.
      end_value: the value from step `begin + cooldown_steps` on.
      shape: the shape of the cooldown, a straight line if not given; the shapes are those of
        `warmup_stable_decay_schedule`.

    Raises:
      ValueError: if the shape needs positive ends and one of them is not.

    Example:
      >>> rate = with_cooldown(0.5, begin=10, cooldown_steps=5)
      >>> print(*(f"{rate(count):.1f}" for count in (10, 12, 15)))
      0.5 0.3 0.0
    """
    passed = since(count, begin)
    value = at(schedule, count - passed)
    return ramp(shape, value, end_value, after(count, begin), cooldown_steps)


def _phases_fit(hyperparams: dict[str, Any]) -> None:
    names = ("warmup_steps", "decay_begin")
    in_order(names[0], hyperparams[names[0]], names[1], hyperparams[names[1]])
    init, peak, end = (
        {name: hyperparams[name]} for name in ("init_value", "peak_value", "end_value")
    )
    check_ends(hyperparams["warmup_shape"], **init, **peak)
    check_ends(hyperparams["shape"], **peak, **end)


@schedule(check=_phases_fit)
def warmup_stable_decay_schedule(
    count: jax.Array,
    init_value: Number,
    peak_value: Number,
    warmup_steps: Steps,
    decay_begin: Steps,
    decay_steps: Steps,
    end_value: Number = 0.0,
    shape: Shape = "linear",
    warmup_shape: Shape = "linear",
):
    """A warm-up, a constant, and a decay at the end: the trapezoid, WSD.

        rate = ramp(init_value, peak_value, count / warmup_steps)               before warmup_steps
        rate = peak_value                                                      up to decay_begin
        rate = ramp(peak_value, end_value, (count - decay_begin) / decay_steps) from there on

    where the shape of a ramp says how it goes from a to b with the fraction u from 0 to 1:

        linear         a w + b (1 - w),  w = 1 - u
        cosine         likewise,         w = (1 + cos(pi u)) / 2
        mirror_cosine  likewise,         w = 2 (1 - u) - (1 + cos(pi u)) / 2
        square         likewise,         w = 1 - u ** 2
        sqrt           likewise,         w = 1 - sqrt(u)
        exponential    likewise,         w = 2 * 0.5 ** u - 1
        geometric      a (b / a) ** u              for positive a and b
        inverse        1 / ((1 - u) / a + u / b)   for positive a and b

    Args:
      init_value: the value at step 0.
      peak_value: the value from step `warmup_steps` to step `decay_begin`.
      warmup_steps: the length of the warm-up; 0 for none.
      decay_begin: the step at which the decay begins, counted from step 0: the warm-up is
        included.
      decay_steps: the length of the decay; 0 is at the end at once.
      end_value: the value from step `decay_begin + decay_steps` on.
      shape: the shape of the decay.
      warmup_shape: the shape of the warm-up.

    Raises:
      ValueError: if the decay begins within the warm-up, or a shape needs positive ends and
        one of them is not.

    Example:
      >>> rate = warmup_stable_decay_schedule(0.0, 1.0, 2, decay_begin=4, decay_steps=4)
      >>> print(*(f"{rate(count):.2f}" for count in range(10)))
      0.00 0.50 1.00 1.00 1.00 0.75 0.50 0.25 0.00 0.00
      >>> print(f"{rate.replace(shape='sqrt')(5):.2f}")
      0.50

    Reference:
      Hägele et al., Scaling Laws and Compute-Optimal Training Beyond Fixed Training
      Durations, 2024 (which finds `sqrt` best); Wen et al., Understanding
      Warmup-Stable-Decay Learning Rates, 2024 (`inverse`).
    """
    rising = ramp(warmup_shape, init_value, peak_value, count, warmup_steps)
    falling = ramp(shape, peak_value, end_value, after(count, decay_begin), decay_steps)
    return jnp.where(reached(count, warmup_steps), falling, rising)
