"""PaddlePaddle's learning-rate schedulers as schedules."""

import math
from collections.abc import Callable
from itertools import accumulate
from operator import mul
from typing import Any

import jax
import jax.numpy as jnp

from jaxsched.control.controller import Controller
from jaxsched.core import checks
from jaxsched.core.schedule import Schedule, multiply
from jaxsched.interop._onecycle import one_cycle
from jaxsched.interop._parts import Part, joined
from jaxsched.interop._plateau import reduced
from jaxsched.interop.reading import (
    NoNativeForm,
    class_of,
    one_of,
    read,
    some_whole_steps,
    whole_steps,
)
from jaxsched.schedules.compose import shift
from jaxsched.schedules.cycles import cosine_restarts_schedule
from jaxsched.schedules.cyclic import cyclic_schedule, polynomial_cycles_schedule
from jaxsched.schedules.decay import exponential_decay, linear_schedule, polynomial_schedule
from jaxsched.schedules.inverse import inverse_sqrt_schedule, inverse_time_schedule
from jaxsched.schedules.piecewise import piecewise_constant_schedule
from jaxsched.schedules.reflect import reflect
from jaxsched.schedules.table import table_schedule
from jaxsched.schedules.warmup import warmup_cosine_decay_schedule

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
      >>> print(rate(0), rate(1))
      0.5 0.25
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
    if kind in _FUNCTIONS:
        return _FUNCTIONS[kind](scheduler, horizon)
    if kind in _REBOUNDING:
        return _REBOUNDING[kind](scheduler, faithful)
    if kind == "ReduceOnPlateau":
        raise ValueError("A `ReduceOnPlateau` in a `LinearWarmup` takes the step for its metric.")
    return _CLOSED[kind](scheduler, _base(scheduler))


def _base(scheduler: Any) -> float:
    return read(scheduler, "base_lr", checks.number)


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


def _noam(scheduler: Any, base: float) -> Schedule:
    steps = read(scheduler, "warmup_steps", some_whole_steps)
    peak = base * read(scheduler, "d_model", checks.positive) ** -0.5 * steps**-0.5
    return joined(
        [
            Part(0, linear_schedule(0.0, peak, steps)),
            Part(steps, inverse_sqrt_schedule(peak, steps)),
        ]
    )


def _piecewise(scheduler: Any, base: float) -> Schedule:
    del base
    values, begins = read(scheduler, "values"), read(scheduler, "boundaries")
    values = [checks.number("values", value) for value in values]
    # The first boundary above the step counts, so one below an earlier boundary never does.
    parts, begin = [], 0
    for value, end in zip(values, begins, strict=False):
        if end > begin:
            parts.append(Part(begin, value))
            begin = math.ceil(checks.steps("boundaries", end))
    return joined([*parts, Part(begin, values[-1])])


def _multi_step(scheduler: Any, base: float) -> Schedule:
    gamma = read(scheduler, "gamma", checks.non_negative)
    steps = read(scheduler, "milestones")
    scales: dict[int, float] = {whole_steps("milestones", step): gamma for step in steps}
    return piecewise_constant_schedule(base, scales or None)


def _step(scheduler: Any, base: float) -> Schedule:
    gamma = read(scheduler, "gamma", checks.positive)
    size = read(scheduler, "step_size", some_whole_steps)
    return exponential_decay(base, size, gamma, staircase=True)


def _polynomial(scheduler: Any, base: float) -> Schedule:
    steps, end = read(scheduler, "decay_steps", some_whole_steps), read(scheduler, "end_lr")
    power = read(scheduler, "power", checks.positive)
    if read(scheduler, "cycle"):
        return polynomial_cycles_schedule(base, steps, power, checks.number("end_lr", end))
    return polynomial_schedule(base, checks.number("end_lr", end), power, steps)


def _natural(scheduler: Any, base: float) -> Schedule:
    gamma = read(scheduler, "gamma", checks.positive)
    # A power of 1/2, whose exponent is in full digits.
    return exponential_decay(base, math.log(2) / gamma, 0.5)


def _restarts(scheduler: Any, base: float) -> Schedule:
    period, mult = (read(scheduler, name, some_whole_steps) for name in ("T_0", "T_mult"))
    end = read(scheduler, "eta_min", checks.number)
    return cosine_restarts_schedule(base, period, mult, end_value=end)


def _linear(scheduler: Any, base: float) -> Schedule:
    start, end = read(scheduler, "start_factor", checks.positive), read(scheduler, "end_factor")
    steps = read(scheduler, "total_steps", some_whole_steps)
    return linear_schedule(base * start, base * checks.number("end_factor", end), steps)


def _cosine(scheduler: Any, faithful: bool) -> Schedule:
    base, end = _base(scheduler), read(scheduler, "eta_min", checks.number)
    steps = read(scheduler, "T_max", some_whole_steps)
    half = warmup_cosine_decay_schedule(base, base, 0, steps, end)
    return reflect(half, steps) if faithful else half


def _onecycle(scheduler: Any, faithful: bool) -> Schedule:
    total = read(scheduler, "total_steps", some_whole_steps)
    values = [checks.number("_lr_config", value) for value in read(scheduler, "_lr_config")]
    ends = [checks.number("_step_config", step) for step in read(scheduler, "_step_config")]
    curve = "cos" if "cos" in read(scheduler, "anneal_func").__name__ else "linear"
    return one_cycle(total, ends[1 : len(values)], values, curve, faithful)


def _cyclic(scheduler: Any, horizon: int | None) -> Schedule:
    low, high = _base(scheduler), read(scheduler, "max_lr", checks.number)
    size = read(scheduler, "cycle_size", some_whole_steps)
    up = round(size * read(scheduler, "step_up_pct", checks.fraction))
    mode, scale = read(scheduler, "mode"), read(scheduler, "scale_fn")
    if scale.__name__ not in _SCALES:
        if horizon is None:
            raise NoNativeForm(f"There is no formula for `{type(scheduler).__name__}.scale_fn`")
        by_cycle = read(scheduler, "scale_mode", one_of("cycle", "iterations")) == "cycle"
        triangle = [min(t % size / up, (size - t % size) / (size - up)) for t in range(horizon + 1)]
        scales = (scale(1 + t // size if by_cycle else t) for t in range(horizon + 1))
        heights = zip(triangle, scales, strict=True)
        return table_schedule([low + (high - low) * a * float(b) for a, b in heights])
    mode = one_of("triangular", "triangular2", "exp_range")("mode", mode)
    halves = 0.5 if mode == "triangular2" else 1.0
    rate = read(scheduler, "gamma", checks.positive) if mode == "exp_range" else 1.0
    return cyclic_schedule(low, high, up, int(size) - up, peak_mult=halves, decay_rate=rate)


_SCALES = ("_triangular_scale_fn", "_triangular2_scale_fn", "_exp_range_scale_fn")


def _lambda(scheduler: Any, horizon: int | None) -> Schedule:
    base, function = _base(scheduler), read(scheduler, "lr_lambda")
    if horizon is not None:
        return table_schedule([base * float(function(step)) for step in range(horizon + 1)])
    missing = NoNativeForm(f"There is no formula for `{type(scheduler).__name__}.lr_lambda`")
    try:
        shape = jax.eval_shape(lambda count: jnp.asarray(function(count)), jnp.int32(0)).shape
    except Exception as error:
        raise missing from error
    if shape != ():
        checks.refuse(f"{type(scheduler).__name__}.lr_lambda", function, "of scalar values")
    return multiply(base, function)


def _multiplicative(scheduler: Any, horizon: int | None) -> Schedule:
    base, function = _base(scheduler), read(scheduler, "lr_lambda")
    if horizon is None:
        raise NoNativeForm(f"There is no formula for `{type(scheduler).__name__}.lr_lambda`")
    factors = (float(function(step)) for step in range(1, horizon + 1))
    return table_schedule(list(accumulate(factors, mul, initial=base)))


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


_CLOSED: dict[str, Callable[[Any, float], Schedule]] = {
    "NoamDecay": _noam,
    "PiecewiseDecay": _piecewise,
    "NaturalExpDecay": _natural,
    "InverseTimeDecay": lambda s, base: inverse_time_schedule(
        base, 1, read(s, "gamma", checks.non_negative)
    ),
    "PolynomialDecay": _polynomial,
    "ExponentialDecay": lambda s, base: exponential_decay(
        base, 1, read(s, "gamma", checks.positive)
    ),
    "MultiStepDecay": _multi_step,
    "StepDecay": _step,
    "LinearLR": _linear,
    "CosineAnnealingWarmRestarts": _restarts,
}
_REBOUNDING: dict[str, Callable[[Any, bool], Schedule]] = {
    "CosineAnnealingDecay": _cosine,
    "OneCycleLR": _onecycle,
}
_FUNCTIONS: dict[str, Callable[[Any, int | None], Schedule]] = {
    "LambdaDecay": _lambda,
    "MultiplicativeDecay": _multiplicative,
    "CyclicLR": _cyclic,
}
_SUPPORTED = (*_CLOSED, *_REBOUNDING, *_FUNCTIONS, "LinearWarmup", "ReduceOnPlateau")
