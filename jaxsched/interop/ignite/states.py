"""The schedulers of the engine's state."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from jaxsched.core import checks
from jaxsched.core.schedule import Schedule
from jaxsched.interop.ignite.piecewise import moved, piecewise
from jaxsched.interop.shared.parts import as_schedule
from jaxsched.interop.shared.reading import (
    NoNativeForm,
    read,
    some_whole_steps,
    whole_steps,
)
from jaxsched.schedules.compose import shift
from jaxsched.schedules.decay import exponential_decay
from jaxsched.schedules.piecewise import piecewise_constant_schedule
from jaxsched.schedules.table import table_schedule


def _next(scheduler: Any) -> int:
    """The number of the next event, of those that count it before they compute."""
    return read(scheduler, "event_index", whole_steps) + 1


def _exponential(scheduler: Any, horizon: int | None) -> Schedule:
    init, gamma = read(scheduler, "initial_value", checks.number), read(scheduler, "gamma")
    return shift(exponential_decay(init, 1, checks.positive("gamma", gamma)), -_next(scheduler))


def _step(scheduler: Any, horizon: int | None) -> Schedule:
    init, gamma = read(scheduler, "initial_value", checks.number), read(scheduler, "gamma")
    size = read(scheduler, "step_size", some_whole_steps)
    schedule = exponential_decay(init, size, checks.positive("gamma", gamma), staircase=True)
    return shift(schedule, -_next(scheduler))


def _multi_step(scheduler: Any, horizon: int | None) -> Schedule:
    init, gamma = read(scheduler, "initial_value", checks.number), read(scheduler, "gamma")
    scales: dict[int, float] = {}
    for step in read(scheduler, "milestones"):
        scales[step] = scales.get(step, 1.0) * checks.non_negative("gamma", gamma)
    return shift(piecewise_constant_schedule(init, scales or None), -_next(scheduler))


def _a_function(name: str, value: Any) -> Any:
    return value if callable(value) else checks.refuse(name, value, "a function")


def _function(name: str, first: Callable[[Any], int]) -> Callable[[Any, int | None], Schedule]:
    def read_function(scheduler: Any, horizon: int | None) -> Schedule:
        begin, function = first(scheduler), read(scheduler, name, _a_function)
        label = f"{type(scheduler).__name__}.{name}"
        if horizon is not None:
            values: Sequence[float] = [float(function(begin + k)) for k in range(horizon + 1)]
            return table_schedule(values)
        try:
            shape = jax.eval_shape(lambda count: jnp.asarray(function(count)), jnp.int32(0)).shape
        except Exception as error:
            raise NoNativeForm(f"There is no formula for `{label}`") from error
        if shape != ():
            checks.refuse(label, function, "of scalar values")
        return moved(as_schedule(function), begin)

    return read_function


STATES: dict[str, Callable[[Any, int | None], Schedule]] = {
    "LambdaStateScheduler": _function("lambda_obj", _next),
    "PiecewiseLinearStateScheduler": lambda s, _: shift(piecewise(s), -_next(s)),
    "ExpStateScheduler": _exponential,
    "StepStateScheduler": _step,
    "MultiStepStateScheduler": _multi_step,
    "BatchSizeScheduler": _function("scheduler_fn", lambda s: read(s, "event_index", whole_steps)),
}
