"""pytorch-ignite's parameter schedulers as schedules."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from jaxsched.control.controller import Controller
from jaxsched.core import checks
from jaxsched.core.schedule import Schedule
from jaxsched.interop._ignite_cycles import CYCLICAL, cyclical
from jaxsched.interop._ignite_torch import wrapped
from jaxsched.interop._parts import Part, as_schedule, joined
from jaxsched.interop._plateau import reduced_on_plateau
from jaxsched.interop._torch_entry import group_rate
from jaxsched.interop.reading import (
    NoNativeForm,
    class_of,
    read,
    read_group,
    some_whole_steps,
    whole_steps,
)
from jaxsched.schedules.compose import shift
from jaxsched.schedules.decay import exponential_decay
from jaxsched.schedules.piecewise import piecewise_constant_schedule
from jaxsched.schedules.table import table_schedule

_METHODS = ("get_param", "__call__", "_get_param", "_get_start_end", "_reduce_lr")


def from_ignite(
    scheduler: Any, *, group: int = 0, faithful: bool = True, steps: int | None = None
) -> Schedule | Controller:
    """A parameter scheduler of pytorch-ignite as a schedule: the same value at every event.

        value(k) = what the (k + 1)-th event from now on sets

    All classes of `ignite.handlers.param_scheduler` and `state_param_scheduler`, nested ones and
    what `create_lr_scheduler_with_warmup` makes included, and classes derived from them that
    redefine nothing. ignite is not imported. `ReduceLROnPlateauScheduler` becomes a controller,
    `reduce_on(plateau(...), rate)`, from the rate in force, with fresh state.

    What ignite does is reproduced where it is not what is meant; `faithful=False` gives that:

    - `LRScheduler` steps PyTorch's scheduler to its step 0 once more than its constructor has.
      So an exponential has decayed at the first event, a linear warm-up starts from its start
      factor squared and stays below its rates, a cosine begins above its base, warm restarts
      leave out the first rate, and a `SWALR` stays where it is. Meant: PyTorch's rates from
      step 0. With `use_legacy=True`, and behind a warm-up, ignite starts at step 1, as here.
    - A `ConcatScheduler` whose duration after the first is 0 stays at that member. Meant: it
      goes on to the next.
    - `ReduceLROnPlateauScheduler` with a `param_group_index` takes the least rate of group 0.
      Meant: of its group. Without one ignite forgets its `min_lr`, which nothing brings back.

    Args:
      scheduler: the scheduler. Its state says where it stands; nothing is changed.
      group: the index of the parameter group; for a scheduler of the engine's state it is
        ignored.
      faithful: whether to do as ignite does, or as is meant.
      steps: how many events to tabulate of functions that JAX cannot trace; those it can are
        computed in float32 if this is None. After them the value is held.

    Raises:
      TypeError: for any other class, or a derived one that redefines a method.
      ValueError: for an impossible attribute, a group that it does not schedule, PyTorch's
        schedulers that have no `get_lr`, and functions that can only be tabulated.

    Example:
      >>> module = {"__module__": "ignite.handlers.state_param_scheduler"}  # A stand-in.
      >>> scheduler = type("ExpStateScheduler", (), module)()
      >>> scheduler.initial_value, scheduler.gamma, scheduler.event_index = 1.0, 0.5, 0
      >>> value = from_ignite(scheduler)
      >>> print(value(0), value(1))
      0.5 0.25
    """
    kind = _kind(scheduler)
    if kind == "ParamGroupScheduler":
        scheduler = _of_group(scheduler, group)
        kind = _kind(scheduler)
    if kind == "ReduceLROnPlateauScheduler":
        return _plateau(scheduler, group, faithful)
    horizon = None if steps is None else some_whole_steps("steps", steps)
    try:
        return _from_now(scheduler, group, faithful, horizon, alone=True)
    except NoNativeForm as missing:
        raise ValueError(f"{missing}: {_HINT}.") from missing.__cause__


_HINT = "pass `steps=`, the number of steps to tabulate"


def _kind(scheduler: Any) -> str:
    return class_of(scheduler, "ignite", _SUPPORTED, _METHODS)


def _from_now(
    scheduler: Any, group: int, faithful: bool, horizon: int | None, alone: bool = False
) -> Schedule:
    kind = _kind(scheduler)
    if kind == "ParamGroupScheduler":
        return _from_now(_of_group(scheduler, group), group, faithful, horizon)
    if kind in _STATES:
        return _STATES[kind](scheduler, horizon)
    if kind == "ConcatScheduler":
        return _concatenated(scheduler, group, faithful, horizon)
    _check_group(scheduler, group)
    if kind in CYCLICAL:
        return cyclical(scheduler, kind)
    if kind == "PiecewiseLinear":
        return _moved(_piecewise(scheduler), read(scheduler, "event_index", whole_steps))
    if kind == "LRScheduler":
        return wrapped(scheduler, group, faithful, horizon, alone)
    raise ValueError(f"A `{kind}` is not read as a part of another scheduler.")


def _moved(schedule: Schedule, steps: int) -> Schedule:
    return shift(schedule, -steps) if steps else schedule


def _check_group(scheduler: Any, group: int) -> None:
    read_group(read(scheduler, "optimizer"), "param_groups", group)
    only = read(scheduler, "param_group_index")
    if only is not None and only != group:
        checks.refuse("group", group, f"{only}, the parameter group that is scheduled")


def _of_group(scheduler: Any, group: int) -> Any:
    """The member that sets the rate of a group, or else whatever it sets."""
    members = [
        member
        for member in read(scheduler, "schedulers")
        if read(member, "param_group_index") in (None, group)
    ]
    rates = [member for member in members if read(member, "param_name") == "lr"]
    if not members:
        checks.refuse("group", group, "a parameter group that is scheduled")
    return (rates or members)[-1]


def _concatenated(scheduler: Any, group: int, faithful: bool, horizon: int | None) -> Schedule:
    members, durations = read(scheduler, "schedulers"), read(scheduler, "durations")
    index, left = (
        read(scheduler, "_scheduler_index", whole_steps),
        read(scheduler, "_current_duration"),
    )
    parts, begin = [], 0
    while True:
        if not (left == 0 and begin == 0):
            parts.append(Part(begin, _from_now(members[index], group, faithful, horizon)))
        if left < 0 or (left == 0 and begin and faithful) or index == len(members) - 1:
            return joined(parts)
        begin, index = begin + left, index + 1
        left = whole_steps("durations", durations[index]) if index < len(durations) else -1
        if left == 0 and begin == 0 and faithful:
            left = -1


def _piecewise(scheduler: Any) -> Schedule:
    milestones, values = read(scheduler, "milestones"), read(scheduler, "values")
    runs: list[tuple[int, list[int], list[float]]] = [(0, [], [])]
    for step, value in zip(milestones, values, strict=True):
        begin, knots, reached = runs[-1]
        if knots and knots[-1] == step - begin:
            # A jump: up to here the line goes to the value before it.
            runs.append((step, [0], [value]))
        else:
            knots.append(whole_steps("milestones", step) - begin)
            reached.append(checks.number("values", value))
    return joined([Part(begin, table_schedule(values, knots)) for begin, knots, values in runs])


def _plateau(scheduler: Any, group: int, faithful: bool) -> Controller:
    _check_group(scheduler, group)
    alone = read(scheduler, "param_group_index") is not None
    rate = group_rate(scheduler, group, "lr")
    least = 0 if alone and faithful else group
    return reduced_on_plateau(read(scheduler, "scheduler"), least, rate, rate)


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
        return _moved(as_schedule(function), begin)

    return read_function


_STATES: dict[str, Callable[[Any, int | None], Schedule]] = {
    "LambdaStateScheduler": _function("lambda_obj", _next),
    "PiecewiseLinearStateScheduler": lambda s, _: shift(_piecewise(s), -_next(s)),
    "ExpStateScheduler": _exponential,
    "StepStateScheduler": _step,
    "MultiStepStateScheduler": _multi_step,
    "BatchSizeScheduler": _function("scheduler_fn", lambda s: read(s, "event_index", whole_steps)),
}
_SUPPORTED = (
    *CYCLICAL,
    *_STATES,
    "ConcatScheduler",
    "LRScheduler",
    "ParamGroupScheduler",
    "PiecewiseLinear",
    "ReduceLROnPlateauScheduler",
)
