"""PyTorch's schedulers that hold no others, each as a schedule from its step 0."""

import math
from collections.abc import Callable, Iterable
from fractions import Fraction
from itertools import accumulate
from operator import mul
from typing import Any

import jax
import jax.numpy as jnp

from jaxsched.core import checks
from jaxsched.core.schedule import Schedule, multiply
from jaxsched.interop.shared.reading import (
    NoNativeForm,
    one_of,
    read,
    read_item,
    some_whole_steps,
    whole_steps,
)
from jaxsched.interop.shared.waves import fraction, swinging
from jaxsched.interop.torch.entry import Entry, group_rate
from jaxsched.schedules.compose import repeat, shift, stretch
from jaxsched.schedules.cycles import cosine_restarts_schedule
from jaxsched.schedules.cyclic import cyclic_schedule
from jaxsched.schedules.decay import (
    constant_schedule,
    cosine_decay_schedule,
    exponential_decay,
    linear_schedule,
    polynomial_schedule,
)
from jaxsched.schedules.piecewise import join_schedules, piecewise_constant_schedule
from jaxsched.schedules.reflect import reflect
from jaxsched.schedules.table import table_schedule
from jaxsched.schedules.warmup import warmup_cosine_decay_schedule


def _step(scheduler: Any, entry: Entry) -> Schedule:
    init, gamma = entry.start(scheduler), read(scheduler, "gamma", checks.non_negative)
    # PyTorch decays at the whole steps that are multiples.
    steps = Fraction(read(scheduler, "step_size", checks.some_steps)).numerator
    if steps > checks.MAX_COUNT:
        return constant_schedule(init)
    if gamma == 0:
        return piecewise_constant_schedule(init, {steps: 0.0})
    return exponential_decay(init, steps, gamma, staircase=True)


def _multi_step(scheduler: Any, entry: Entry) -> Schedule:
    gamma, times = read(scheduler, "gamma", checks.non_negative), read(scheduler, "milestones")
    label = f"{type(scheduler).__name__}.milestones"
    scales = {whole_steps(label, step): gamma ** times[step] for step in sorted(times)}
    return piecewise_constant_schedule(entry.start(scheduler), scales or None)


def _constant(scheduler: Any, entry: Entry) -> Schedule:
    init, factor = entry.start(scheduler), read(scheduler, "factor", checks.number)
    steps = read(scheduler, "total_iters", checks.steps)
    if steps == 0 and entry.how == "set":
        return constant_schedule(init)
    # Between two steps there is none at which PyTorch takes the factor back.
    if steps == 0 or steps != int(steps):
        return constant_schedule(init * factor)
    return join_schedules([init * factor, init], [int(steps)])


def _linear(scheduler: Any, entry: Entry) -> Schedule:
    init, steps = entry.start(scheduler), read(scheduler, "total_iters", checks.steps)
    start = init * read(scheduler, "start_factor", checks.positive)
    end = init * read(scheduler, "end_factor", checks.number)
    # PyTorch stays where it is at the last whole step.
    last = int(steps)
    if last != steps:
        end = start + (end - start) * last / steps
    return linear_schedule(start, end, last) if last else constant_schedule(start)


def _exponential(scheduler: Any, entry: Entry) -> Schedule:
    init, gamma = entry.start(scheduler), read(scheduler, "gamma", checks.non_negative)
    init = init * gamma if entry.how == "stepped" else init
    if gamma == 0:
        return piecewise_constant_schedule(init, {1: 0.0})
    return exponential_decay(init, 1, gamma)


def _polynomial(scheduler: Any, entry: Entry) -> Schedule:
    init, steps = entry.start(scheduler), read(scheduler, "total_iters", checks.steps)
    power = read(scheduler, "power", checks.non_negative)
    if steps == 0 or power == 0:
        return constant_schedule(init)
    init = init / (1 + 1 / steps) ** power if entry.how == "stepped" else init
    whole = polynomial_schedule(init, 0.0, power, steps)
    if steps == int(steps):
        return whole
    return join_schedules([whole, init * (1 - int(steps) / steps) ** power], [int(steps)])


def _half_cosine(init: float, end: float, steps: float) -> Schedule:
    if init == 0:
        return warmup_cosine_decay_schedule(init, init, 0, steps, end)
    return cosine_decay_schedule(init, steps, alpha=end / init)


def _cosine(scheduler: Any, entry: Entry) -> Schedule:
    init, base = entry.start(scheduler), entry.base(scheduler)
    steps = read(scheduler, "T_max", checks.some_steps)
    end = read(scheduler, "eta_min", checks.number) / entry.unit
    if not entry.faithful:
        return _half_cosine(init, end, steps)
    if entry.how == "stepped":
        share = (1 + math.cos(math.pi / steps)) / 2
        init = end + (init - end) / share if steps != 1 else init + base - end
    if steps != int(steps):
        # There is no step at which PyTorch goes on from the base rate.
        return swinging(lambda length: _half_cosine(init, end, length), steps)
    steps = int(steps)
    again = reflect(_half_cosine(base, end, steps), steps)
    if math.isclose(init, base, rel_tol=1e-12):
        return again
    return join_schedules([_half_cosine(init, end, steps), shift(again, -steps)], [steps])


def _restarts(scheduler: Any, entry: Entry) -> Schedule:
    period = read(scheduler, "T_0", some_whole_steps)
    mult = read(scheduler, "T_mult", some_whole_steps)
    end = read(scheduler, "eta_min", checks.number) / entry.unit
    return cosine_restarts_schedule(entry.base(scheduler), period, mult, end_value=end)


def _cyclic(scheduler: Any, entry: Entry) -> Schedule:
    low = entry.base(scheduler)
    high = read_item(scheduler, "max_lrs", entry.group, checks.number) / entry.unit
    if read(scheduler, "_scale_fn_custom") is not None:
        raise _no_formula(scheduler, "scale_fn")
    total = read(scheduler, "total_size", checks.some_steps)
    up = round(total * read(scheduler, "step_ratio", checks.fraction), 6)
    mode = read(scheduler, "mode", one_of("triangular", "triangular2", "exp_range"))
    mult = 0.5 if mode == "triangular2" else 1.0
    decay = read(scheduler, "gamma", checks.positive) if mode == "exp_range" else 1.0
    exact = fraction(total)
    if exact is None or exact.denominator == 1 or decay != 1:
        return cyclic_schedule(low, high, up, total - up, mult, decay)
    # In parts of a step, of which all cycles have as many.
    parts, speed = exact.as_integer_ratio()
    fast = cyclic_schedule(low, high, up * speed, parts - up * speed, mult)
    slow = stretch(fast, 1 / speed)
    return slow if mode == "triangular2" else repeat(slow, parts)


def _lambda(scheduler: Any, entry: Entry) -> Schedule:
    base, function = entry.base(scheduler), _function(scheduler, entry)
    if entry.horizon is not None:
        return _table(base * float(function(step)) for step in range(entry.horizon + 1))
    try:
        shape = jax.eval_shape(lambda count: jnp.asarray(function(count)), jnp.int32(0)).shape
    except Exception as error:
        raise _no_formula(scheduler, "lr_lambdas") from error
    if shape != ():
        checks.refuse(f"{type(scheduler).__name__}.lr_lambdas", function, "of scalar values")
    return multiply(base, function)


def _multiplicative(scheduler: Any, entry: Entry) -> Schedule:
    if entry.horizon is None:
        raise _no_formula(scheduler, "lr_lambdas")
    function = _function(scheduler, entry)
    first = 1.0 if entry.how == "made" or not entry.faithful else float(function(0))
    factors = (float(function(step)) for step in range(1, entry.horizon + 1))
    return _table(accumulate(factors, mul, initial=entry.init * first))


def _no_formula(scheduler: Any, name: str) -> NoNativeForm:
    return NoNativeForm(f"There is no formula for `{type(scheduler).__name__}.{name}`")


def _function(scheduler: Any, entry: Entry) -> Callable[[Any], Any]:
    def check(name: str, value: Any) -> Any:
        return value if callable(value) else checks.refuse(name, value, "a function")

    return read_item(scheduler, "lr_lambdas", entry.group, check)


def _table(values: Iterable[float]) -> Schedule:
    return table_schedule(list(values))


def _averaging(scheduler: Any, entry: Entry) -> Schedule:
    steps = read(scheduler, "anneal_epochs", whole_steps)
    end = group_rate(scheduler, entry.group, "swa_lr") / entry.unit
    strategy = read(scheduler, "_anneal_strategy", one_of("cos", "linear"))
    if steps == 0:
        return constant_schedule(end)
    if strategy == "linear":
        rate = linear_schedule(entry.init, end, steps)
    else:
        rate = _half_cosine(entry.init, end, steps)
    return shift(rate, -1) if entry.how == "stepped" else rate


MULTIPLICATIVE: dict[str, Callable[[Any, Entry], Schedule]] = {
    "StepLR": _step,
    "MultiStepLR": _multi_step,
    "ConstantLR": _constant,
    "LinearLR": _linear,
    "ExponentialLR": _exponential,
    "PolynomialLR": _polynomial,
    "MultiplicativeLR": _multiplicative,
}
"""Those that multiply whatever rate they find, at every step."""

ABSOLUTE: dict[str, Callable[[Any, Entry], Schedule]] = {
    "LambdaLR": _lambda,
    "CyclicLR": _cyclic,
    "CosineAnnealingWarmRestarts": _restarts,
}
"""Those that ignore the rate they find."""

AFFINE: dict[str, Callable[[Any, Entry], Schedule]] = {
    "CosineAnnealingLR": _cosine,
    "SWALR": _averaging,
}
"""Those that move the rate they find towards another one."""
