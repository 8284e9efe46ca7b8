"""pytorch-ignite's parameter schedulers as schedules."""

import functools
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from jaxsched.control.controllers.controller import Controller
from jaxsched.core import checks
from jaxsched.core.schedule import Schedule
from jaxsched.interop.ignite.cycles import CYCLICAL, cyclical
from jaxsched.interop.ignite.piecewise import moved, piecewise
from jaxsched.interop.ignite.states import STATES
from jaxsched.interop.ignite.torch import wrapped
from jaxsched.interop.shared.parts import Part, joined
from jaxsched.interop.shared.plateau import reduced_on_plateau
from jaxsched.interop.shared.reading import (
    NoNativeForm,
    class_of,
    read,
    read_group,
    some_whole_steps,
    whole_steps,
)
from jaxsched.interop.torch.entry import group_rate

_METHODS = ("get_param", "__call__", "_get_param", "_get_start_end", "_reduce_lr")


def from_ignite(
    scheduler: Any, *, group: int = 0, faithful: bool = True, steps: int | None = None
) -> Schedule | Controller:
    """A parameter scheduler of pytorch-ignite as a schedule: the same value at every event.

        value(k) = what the (k + 1)-th event from now on sets

    All classes of `ignite.handlers.param_scheduler` and `state_param_scheduler`, nested ones and
    what `create_lr_scheduler_with_warmup` makes included, and classes derived from them that
    redefine nothing. ignite is not imported. `ReduceLROnPlateauScheduler` becomes a controller,
    `reduce_on(plateau(...), rate)`, from the rate in force, with fresh state;
    `state_from_torch(scheduler.scheduler)` is the one in which it stands. Behind another scheduler
    an `LRScheduler` goes on from the rate it finds, as in ignite.

    What ignite does is reproduced where it is not what is meant; `faithful=False` gives that:

    - `LRScheduler` steps PyTorch's scheduler to its step 0 once more than its constructor has.
      So an exponential has decayed at the first event, a linear warm-up starts from its start
      factor squared and stays below its rates, a cosine begins above its base, warm restarts
      leave out the first rate, and a `SWALR` stays where it is. Meant: PyTorch's rates from
      step 0, on its own base rate. With `use_legacy=True`, and behind a warm-up, ignite starts
      at step 1, as here.
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
      >>> print(f"{value(0):.2f} {value(1):.2f}")
      0.50 0.25
    """
    kind = _kind(scheduler)
    if kind == "ParamGroupScheduler":
        scheduler = _of_group(scheduler, group)
        kind = _kind(scheduler)
    if kind == "ReduceLROnPlateauScheduler":
        return _plateau(scheduler, group, faithful)
    horizon = None if steps is None else some_whole_steps("steps", steps)
    try:
        return _from_now(scheduler, group, faithful, horizon, lambda: _in_force(scheduler, group))
    except NoNativeForm as missing:
        raise ValueError(f"{missing}: {_HINT}.") from missing.__cause__


_HINT = "pass `steps=`, the number of steps to tabulate"


def _kind(scheduler: Any) -> str:
    return class_of(scheduler, "ignite", _SUPPORTED, _METHODS)


def _from_now(
    scheduler: Any, group: int, faithful: bool, horizon: int | None, found: Callable[[], float]
) -> Schedule:
    """The values from now on, of which the first event finds a value in force."""
    kind = _kind(scheduler)
    if kind == "ParamGroupScheduler":
        return _from_now(_of_group(scheduler, group), group, faithful, horizon, found)
    if kind in STATES:
        return STATES[kind](scheduler, horizon)
    if kind == "ConcatScheduler":
        return _concatenated(scheduler, group, faithful, horizon, found)
    _check_group(scheduler, group)
    if kind in CYCLICAL:
        return cyclical(scheduler, kind)
    if kind == "PiecewiseLinear":
        return moved(piecewise(scheduler), read(scheduler, "event_index", whole_steps))
    if kind == "LRScheduler":
        return wrapped(scheduler, group, faithful, horizon, found)
    raise ValueError(f"A `{kind}` is not read as a part of another scheduler.")


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


def _in_force(scheduler: Any, group: int) -> float:
    """The rate that the optimizer keeps for a group now."""
    optimizer = read(scheduler, "optimizer")
    one = optimizer[0] if isinstance(optimizer, list) else optimizer
    return group_rate(SimpleNamespace(optimizer=one), group, "lr")


def _concatenated(
    scheduler: Any, group: int, faithful: bool, horizon: int | None, found: Callable[[], float]
) -> Schedule:
    members, durations = read(scheduler, "schedulers"), read(scheduler, "durations")
    index, left = (
        read(scheduler, "_scheduler_index", whole_steps),
        read(scheduler, "_current_duration"),
    )
    parts: list[Part] = []
    begin = 0
    while True:
        if not (left == 0 and begin == 0):
            before = functools.partial(_last, parts, begin) if parts else found
            member = _from_now(members[index], group, faithful, horizon, before)
            parts.append(Part(begin, member))
        if left < 0 or (left == 0 and begin and faithful) or index == len(members) - 1:
            return joined(parts)
        begin, index = begin + left, index + 1
        left = whole_steps("durations", durations[index]) if index < len(durations) else -1
        if left == 0 and begin == 0 and faithful:
            left = -1


def _last(parts: list[Part], end: int) -> float:
    """The value of the event before a step at which parts end."""
    return float(joined(parts)(end - 1))


def _plateau(scheduler: Any, group: int, faithful: bool) -> Controller:
    _check_group(scheduler, group)
    alone = read(scheduler, "param_group_index") is not None
    rate = group_rate(scheduler, group, "lr")
    least = 0 if alone and faithful else group
    return reduced_on_plateau(read(scheduler, "scheduler"), least, rate, rate)


_SUPPORTED = (
    *CYCLICAL,
    *STATES,
    "ConcatScheduler",
    "LRScheduler",
    "ParamGroupScheduler",
    "PiecewiseLinear",
    "ReduceLROnPlateauScheduler",
)
