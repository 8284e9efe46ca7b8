"""PaddlePaddle's learning-rate schedulers as schedules."""

import math
from typing import Any

from jaxsched.control.controllers.controller import Controller
from jaxsched.core import checks
from jaxsched.core.schedule import Schedule
from jaxsched.interop.paddle.base import base_rate
from jaxsched.interop.paddle.decays import CLOSED
from jaxsched.interop.paddle.functions import FUNCTIONS
from jaxsched.interop.paddle.rebounding import REBOUNDING
from jaxsched.interop.shared.parts import Part, joined
from jaxsched.interop.shared.plateau import reduced
from jaxsched.interop.shared.reading import (
    NoNativeForm,
    class_of,
    one_of,
    read,
    some_whole_steps,
    whole_steps,
)
from jaxsched.schedules.compose import shift
from jaxsched.schedules.decay import linear_schedule

_METHODS = ("get_lr", "step", "_get_closed_form_lr", "_is_better", "__call__")


def from_paddle(
    scheduler: Any, *, group: int = 0, faithful: bool = True, steps: int | None = None
) -> Schedule | Controller:
    """A scheduler of PaddlePaddle as a schedule: the same rate at every step.

        rate(k) = scheduler() after k more scheduler.step()

    All classes of `paddle.optimizer.lr`, those that a `LinearWarmup` holds included, and classes
    derived from them that redefine nothing. Paddle is not imported. `ReduceOnPlateau` becomes a
    controller, `reduce_on(plateau(...), rate)`, from the rate in force, with fresh state.

    What Paddle does is reproduced where it is not what is meant; `faithful=False` gives that:

    - `CosineAnnealingDecay` rises again after `T_max`. Meant: held at `eta_min`.
    - `OneCycleLR` has one rate too many, at `total_steps`, and then raises. Meant: the last
      one, which is held in both cases where Paddle would raise.
    - A `LinearWarmup` that holds a `CosineAnnealingWarmRestarts` finds its cycle by a logarithm,
      which is rounded down at some restarts: the rate is `eta_min` there, and the cycle begins
      a step late. Meant: in time.

    Only one thing is not reproduced: `ReduceOnPlateau` does not look at the metrics of its
    cooldown, where the controller goes on to update the best one.

    Args:
      scheduler: the scheduler. Its `last_epoch` says where it stands; nothing is changed.
      group: ignored; there for the likeness of all importers. A scheduler has one rate.
      faithful: whether to do as Paddle does, or as is meant.
      steps: how many further steps to tabulate of functions: those of a `LambdaDecay` that JAX
        cannot trace (those it can are computed in float32 if this is None), of a
        `MultiplicativeDecay`, and a `scale_fn`. After them the rate is held.

    Raises:
      TypeError: for any other class, or a derived one that redefines a method.
      ValueError: for an impossible attribute, a rate that was changed from outside, and without
        `steps` for what can only be tabulated.

    Example:
      >>> module = {"__module__": "paddle.optimizer.lr"}  # A stand-in for the real one.
      >>> scheduler = type("ExponentialDecay", (), module)()
      >>> scheduler.base_lr, scheduler.gamma = 1.0, 0.5
      >>> scheduler.last_epoch, scheduler.last_lr = 1, 0.5
      >>> rate = from_paddle(scheduler)
      >>> print(f"{rate(0):.2f} {rate(1):.2f}")
      0.50 0.25
    """
    del group
    kind = class_of(scheduler, "paddle", _SUPPORTED, _METHODS)
    rate = read(scheduler, "last_lr", checks.number)
    if kind == "ReduceOnPlateau":
        return _reduced(scheduler, rate)
    now = read(scheduler, "last_epoch", whole_steps)
    if kind == "OneCycleLR":
        # A step that raised was counted.
        now = min(now, read(scheduler, "total_steps", some_whole_steps))
    horizon = None if steps is None else now + some_whole_steps("steps", steps)
    try:
        schedule = _from_start(scheduler, faithful, horizon)
    except NoNativeForm as missing:
        hint = "pass `steps=`, the number of steps to tabulate"
        raise ValueError(f"{missing}: {hint}.") from missing.__cause__
    expected = float(schedule(now))
    if faithful and not math.isclose(rate, expected, rel_tol=2e-6, abs_tol=1e-8):
        raise ValueError(
            f"The rate in force is {rate!r}, but that of `{kind}` at its step {now} is"
            f" {expected:.7g}; it was changed from outside."
        )
    return shift(schedule, -now) if now else schedule


def _from_start(scheduler: Any, faithful: bool, horizon: int | None) -> Schedule:
    kind = class_of(scheduler, "paddle", _SUPPORTED, _METHODS)
    if kind == "LinearWarmup":
        return _warmup(scheduler, faithful, horizon)
    if kind in FUNCTIONS:
        return FUNCTIONS[kind](scheduler, horizon)
    if kind in REBOUNDING:
        return REBOUNDING[kind](scheduler, faithful)
    if kind == "ReduceOnPlateau":
        raise ValueError("A `ReduceOnPlateau` in a `LinearWarmup` takes the step for its metric.")
    return CLOSED[kind](scheduler, base_rate(scheduler))


def _warmup(scheduler: Any, faithful: bool, horizon: int | None) -> Schedule:
    steps = read(scheduler, "warmup_steps", some_whole_steps)
    start, end = (read(scheduler, name, checks.number) for name in ("start_lr", "end_lr"))
    inner = read(scheduler, "learning_rate")
    after = inner if checks.is_number(inner) else _from_start(inner, faithful, horizon)
    if faithful and hasattr(inner, "T_mult"):
        after = _late(inner, after)
    return joined([Part(0, linear_schedule(start, end, steps)), Part(steps, after)])


def _late(scheduler: Any, schedule: Schedule) -> Schedule:
    """Restarts of which some are late, as Paddle numbers them."""
    period, mult = (read(scheduler, name, some_whole_steps) for name in ("T_0", "T_mult"))
    parts, number, begin = [Part(0, schedule)], 1, period
    while mult > 1 and begin < checks.MAX_COUNT:
        if int(math.log(begin / period * (mult - 1) + 1, mult)) < number:
            end = read(scheduler, "eta_min", checks.number)
            parts += [Part(begin, end), Part(begin + 1, schedule, begin + 1)]
        number, begin = number + 1, begin + period * mult**number
    return joined(parts)


def _reduced(scheduler: Any, rate: float) -> Controller:
    return reduced(
        rate,
        rate,
        mode=read(scheduler, "mode", one_of("min", "max")),
        factor=read(scheduler, "factor", checks.positive),
        patience=read(scheduler, "patience", whole_steps),
        threshold=read(scheduler, "threshold", checks.non_negative),
        relative=read(scheduler, "threshold_mode", one_of("rel", "abs")) == "rel",
        cooldown=read(scheduler, "cooldown", whole_steps),
        least=read(scheduler, "min_lr", checks.non_negative),
        eps=read(scheduler, "epsilon", checks.number),
    )


_SUPPORTED = (*CLOSED, *REBOUNDING, *FUNCTIONS, "LinearWarmup", "ReduceOnPlateau")
