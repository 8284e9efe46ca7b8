"""timm's learning-rate schedulers as schedules."""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from jaxsched.control.controllers.controller import Controller
from jaxsched.core import checks
from jaxsched.core.schedule import Operand, Schedule
from jaxsched.interop.shared.parts import Part, as_schedule, joined
from jaxsched.interop.shared.plateau import reduced_on_plateau
from jaxsched.interop.shared.reading import (
    class_of,
    one_of,
    read,
    read_group,
    read_item,
    some_whole_steps,
)
from jaxsched.interop.timm.cycles import CYCLES, cycles
from jaxsched.schedules.compose import maximum
from jaxsched.schedules.decay import exponential_decay, linear_schedule
from jaxsched.schedules.epochs import by_epoch
from jaxsched.schedules.inverse import power_schedule
from jaxsched.schedules.noise import noise_schedule
from jaxsched.schedules.normalized import normalized_exponential_schedule
from jaxsched.schedules.piecewise import piecewise_constant_schedule
from jaxsched.schedules.shaped import k_decay_schedule
from jaxsched.schedules.table import table_schedule
from jaxsched.schedules.warmup import warmup_cosine_decay_schedule

_METHODS = ("_get_lr", "_get_values", "step", "step_update", "update_groups", "_add_noise")


def from_timm(
    scheduler: Any, *, group: int = 0, faithful: bool = True, updates_per_epoch: int | None = None
) -> Schedule | Controller:
    """A scheduler of timm as a schedule: the same rate at every step.

        rate(t) = scheduler.optimizer.param_groups[group]["lr"]
                  after scheduler.step(t), or scheduler.step_update(t) if it counts updates

    All classes of `timm.scheduler`, what `create_scheduler_v2` makes among them, and classes
    derived from them that redefine nothing. timm is not imported. Its schedulers keep no step, so
    count 0 is their step 0. A group's `lr_scale` is part of the rate. `PlateauLRScheduler`
    becomes a controller, `reduce_on(plateau(...), rate)`, with fresh state; timm leaves out
    the metrics of the warm-up, so do not report them.

    What timm does is reproduced where it is not what is meant; `faithful=False` gives that:

    - The rate at step 0 is that of the constructor: the base rate, or `warmup_lr_init`. Meant:
      the formula, which a `TanhLRScheduler` begins a little below, a `MultiStepLRScheduler` with
      a milestone of 1 a decay later, and noise anywhere.
    - `MultiStepLRScheduler` decays one step before each milestone. Meant: at it.
    - A warm-up without `warmup_prefix` goes to the base rate and is followed by the schedule
      as if it had run all the time, which by then is lower. The `TanhLRScheduler` warms up to
      its rate there. Meant: this, as the option says.
    - With some values of `cycle_mul` the logarithm that numbers the cycles is rounded down, and
      a cycle begins one step late. Meant: in time.
    - With a `cycle_mul` below 1 timm raises at the step to which the cycles shrink; the rate is
      `lr_min` from there on.

    Noise has the same distribution, but is made by another generator: the steps' factors
    differ.

    Args:
      scheduler: the scheduler; nothing is changed.
      group: the index of the parameter group.
      faithful: whether to do as timm does, or as is meant.
      updates_per_epoch: if given, the count is that of updates, of a scheduler that counts
        epochs.

    Raises:
      TypeError: for any other class, or a derived one that redefines a method.
      ValueError: for an impossible attribute, or `updates_per_epoch` of a scheduler that counts
        updates.

    Example:
      >>> import types
      >>> module = {"__module__": "timm.scheduler.step_lr"}  # A stand-in for the real one.
      >>> scheduler = type("StepLRScheduler", (), module)()
      >>> scheduler.__dict__.update(base_values=[1.0], decay_t=2, decay_rate=0.5, warmup_t=0)
      >>> scheduler.__dict__.update(noise_range_t=None, t_in_epochs=True, warmup_prefix=True)
      >>> scheduler.optimizer = types.SimpleNamespace(param_groups=[{"lr": 1.0}])
      >>> rate = from_timm(scheduler)
      >>> print(rate(0), rate(2), rate(4))
      1.0 0.5 0.25
    """
    kind = class_of(scheduler, "timm", (*_FORMULAS, "PlateauLRScheduler"), _METHODS)
    entries = read_group(read(scheduler, "optimizer"), "param_groups", group)
    scale = checks.number("lr_scale", entries.get("lr_scale", 1.0))
    base = read_item(scheduler, "base_values", group, checks.number)
    clock = _clock(scheduler, updates_per_epoch)
    if kind == "PlateauLRScheduler":
        rate = _noisy(scheduler, _warming(scheduler, group, base, as_schedule(base), 0))
        return reduced_on_plateau(read(scheduler, "lr_scheduler"), group, clock(rate), base)
    after = 0 if _prefixed(scheduler, kind) else _warmup_steps(scheduler)
    rate = _FORMULAS[kind](scheduler, base=base, faithful=faithful)
    rate = _noisy(scheduler, _warming(scheduler, group, base, rate, after))
    if faithful:
        rate = _first(rate, read(scheduler, "warmup_lr_init") if _warmup_steps(scheduler) else base)
    return clock(rate * scale if scale != 1 else rate)


def _clock(scheduler: Any, updates_per_epoch: int | None) -> Callable[[Schedule], Schedule]:
    if updates_per_epoch is None:
        return lambda rate: rate
    if not read(scheduler, "t_in_epochs"):
        raise ValueError(
            f"`updates_per_epoch` is not for `{type(scheduler).__name__}`: it counts updates."
        )
    updates = some_whole_steps("updates_per_epoch", updates_per_epoch)
    return lambda rate: by_epoch(rate, updates)


def _warmup_steps(scheduler: Any) -> float:
    return read(scheduler, "warmup_t", checks.steps)


def _prefixed(scheduler: Any, kind: str) -> bool:
    return kind == "WSDLRScheduler" or bool(read(scheduler, "warmup_prefix"))


def _warming(scheduler: Any, group: int, base: float, rate: Schedule, after: float) -> Schedule:
    steps = _warmup_steps(scheduler)
    if not steps:
        return rate
    init = read(scheduler, "warmup_lr_init", checks.number)
    peak = init + steps * read_item(scheduler, "warmup_steps", group, checks.number)
    begin = math.ceil(steps)
    return joined(
        [Part(0, linear_schedule(init, peak, steps)), Part(begin, rate, begin - steps + after)]
    )


def _first(rate: Schedule, value: float) -> Schedule:
    if math.isclose(float(rate(0)), value, rel_tol=1e-7):
        return rate
    return joined([Part(0, value), Part(1, rate, 1)])


def _noisy(scheduler: Any, rate: Schedule) -> Schedule:
    """With noise in some range of steps."""
    where = read(scheduler, "noise_range_t")
    if where is None:
        return rate
    begin, end = where if isinstance(where, Sequence) else (where, checks.MAX_COUNT)
    limit, kind = read(scheduler, "noise_pct", checks.non_negative), read(scheduler, "noise_type")
    std = read(scheduler, "noise_std", checks.positive) if kind == "normal" else None
    noise = noise_schedule(limit, std, read(scheduler, "noise_seed", checks.steps))
    begin, end = (
        min(math.ceil(checks.steps("noise_range_t", t)), checks.MAX_COUNT) for t in (begin, end)
    )
    if end <= begin:
        return rate
    parts = [Part(0, 1.0), Part(begin, noise, begin), Part(end, 1.0)]
    return rate * joined(parts[:-1] if end == checks.MAX_COUNT else parts)


def _step(scheduler: Any, base: float, faithful: bool) -> Schedule:
    del faithful
    steps, rate = read(scheduler, "decay_t", checks.some_steps), read(scheduler, "decay_rate")
    if checks.non_negative("decay_rate", rate) == 0:
        return piecewise_constant_schedule(base, {math.ceil(steps): 0.0})
    return exponential_decay(base, steps, rate, staircase=True)


def _multi_step(scheduler: Any, base: float, faithful: bool) -> Schedule:
    rate = read(scheduler, "decay_rate", checks.non_negative)
    scales: dict[int, float] = {}
    for time in read(scheduler, "decay_t"):
        step = max(0, math.ceil(checks.number("decay_t", time)) - (1 if faithful else 0))
        scales[step] = scales.get(step, 1.0) * rate
    return piecewise_constant_schedule(base, scales or None)


def _wsd(scheduler: Any, base: float, faithful: bool) -> Schedule:
    del faithful
    total, length = (read(scheduler, name, checks.some_steps) for name in ("t_initial", "decay_t"))
    end, begin = read(scheduler, "lr_min", checks.non_negative), total - length
    stable, peak = _stable(scheduler, base, end), max(base, end)
    step = math.ceil(begin)
    if not callable(stable):
        return joined(
            [Part(0, peak), Part(step, _cooldown(scheduler, peak, length, end), step - begin)]
        )
    falling, rising = (
        _cooldown(scheduler, 1.0, length, 0.0),
        _cooldown(scheduler, 0.0, length, end),
    )
    share = joined([Part(0, 1.0), Part(step, falling, step - begin)])
    if end == 0:
        return stable * share
    return stable * share + joined([Part(0, 0.0), Part(step, rising, step - begin)])


def _stable(scheduler: Any, base: float, end: float) -> Operand:
    kind = read(scheduler, "stable_fn", one_of("constant", "rsqrt", "power"))
    if kind == "constant":
        return max(base, end)
    power = 0.5 if kind == "rsqrt" else read(scheduler, "stable_power", checks.positive)
    timescale = read(scheduler, "stable_timescale", checks.some_steps)
    stable = power_schedule(base, -power, timescale)
    return maximum(stable, end) if end else stable


def _cooldown(scheduler: Any, init: float, steps: float, end: float) -> Schedule:
    shape = read(scheduler, "decay_fn")
    if not isinstance(shape, str):
        factors = [float(shape(min(step / steps, 1.0))) for step in range(1, math.ceil(steps) + 1)]
        return table_schedule([init, *(end + (init - end) * factor for factor in factors)])
    shape = one_of(*_SHAPES)("decay_fn", shape)
    return _SHAPES[shape](scheduler, init, steps, end)


def _to_a_power(scheduler: Any, init: float, steps: float, end: float) -> Schedule:
    power = read(scheduler, "decay_power", checks.positive)
    return k_decay_schedule(init, steps, power, end, curve="linear")


def _exponential(scheduler: Any, init: float, steps: float, end: float) -> Schedule:
    ratio = read(scheduler, "decay_ratio", checks.positive)
    return normalized_exponential_schedule(init, steps, end, ratio)


_SHAPES: dict[str, Callable[[Any, float, float, float], Schedule]] = {
    "linear": lambda _, init, steps, end: linear_schedule(init, end, steps),
    "1-sqrt": lambda _, init, steps, end: k_decay_schedule(init, steps, 0.5, end, curve="linear"),
    "cosine": lambda _, init, steps, end: warmup_cosine_decay_schedule(init, init, 0, steps, end),
    "power": _to_a_power,
    "exp": _exponential,
}

_FORMULAS: dict[str, Callable[..., Schedule]] = {
    **{kind: partial(cycles, kind=kind) for kind in CYCLES},
    "StepLRScheduler": _step,
    "MultiStepLRScheduler": _multi_step,
    "WSDLRScheduler": _wsd,
}
