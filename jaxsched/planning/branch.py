"""A cooldown from any step of a run."""

from typing import Any, overload

import jax

from jaxsched.control.controllers.controller import Controller
from jaxsched.core import checks
from jaxsched.core.arithmetic.shapes import SHAPES, Shape
from jaxsched.core.schedule import Operand, Schedule
from jaxsched.core.traced import any_traced
from jaxsched.planning.ending import ending
from jaxsched.planning.jumps import SMALL
from jaxsched.planning.reacting import inside
from jaxsched.planning.warming import warmed_up
from jaxsched.schedules.ramps import with_cooldown


@overload
def branch(
    schedule: Controller,
    at: int,
    cooldown_steps: int,
    shape: Shape = ...,
    end_value: float | jax.Array = ...,
) -> Controller: ...
@overload
def branch(
    schedule: Operand,
    at: int,
    cooldown_steps: int,
    shape: Shape = ...,
    end_value: float | jax.Array = ...,
) -> Schedule: ...


def branch(
    schedule: Any,
    at: int,
    cooldown_steps: int,
    shape: Shape = "sqrt",
    end_value: float | jax.Array = 0.0,
) -> Any:
    """A schedule up to a step, then a cooldown: a finished model from a run that goes on.

        rate = schedule(count)                          up to and at `at`, bit for bit
        rate = v + (end_value - v) sqrt(u)              from there on
        v    = schedule(at),  u = (count - at) / cooldown_steps

    It is `with_cooldown`, checked against the run it leaves. The state of the optimizer goes on as
    it is; of a controller, it is the schedule that branches, and its state fits as well.

    Args:
      schedule: the schedule of the run: any schedule, number or function of the count; or a
        controller whose schedule counts the updates, such as `reduce_on`.
      at: the step of the checkpoint: the count that its state has.
      cooldown_steps: the length of the cooldown, at least 1.
      shape: the shape of the cooldown, as of `warmup_stable_decay_schedule`; "sqrt" is 1 - sqrt(u).
      end_value: the rate from step `at + cooldown_steps` on, exactly.

    Raises:
      ValueError: for a step within the warm-up or past the end of a schedule that ends at
        `end_value`, a cooldown of no steps, or a controller that restarts its schedule.
      TypeError: for what is not a schedule.

    Example:
      >>> from jaxsched import with_warmup
      >>> trunk = with_warmup(0.5, warmup_steps=100)
      >>> rate = branch(trunk, at=1000, cooldown_steps=400)
      >>> print(*(rate(count) for count in (50, 1000, 1100, 1400)))
      0.25 0.5 0.25 0.0

    Reference:
      Hägele et al., Scaling Laws and Compute-Optimal Training Beyond Fixed Training
      Durations, 2024.
    """
    checks.whole_number("at", at)
    checks.period("cooldown_steps", cooldown_steps)
    checks.choice(*SHAPES)("shape", shape)
    if isinstance(schedule, Controller):
        return inside(schedule, lambda inner: branch(inner, at, cooldown_steps, shape, end_value))
    _check_within(schedule, at, end_value)
    return with_cooldown(schedule, at, cooldown_steps, end_value, shape)


def _check_within(schedule: Operand, at: int, end_value: Any) -> None:
    if any_traced((schedule, at, end_value)):
        return
    begin, end = warmed_up(schedule), ending(schedule)
    if at < begin:
        checks.refuse("at", at, f"at least {begin}, where the warm-up ends")
    # What has come down to a constant goes on there, and can branch as well.
    if end and at > end.steps and not _is_above(schedule, int(end.steps), int(begin), end_value):
        checks.refuse("at", at, f"at most {end.steps}, where the schedule ends")


def _is_above(schedule: Any, count: int, begin: int, end_value: Any) -> bool:
    """Whether a cooldown from there has a way to go, against the rate after the warm-up."""
    return bool(schedule(count) - end_value > SMALL * schedule(begin))
