"""mmengine's parameter schedulers as schedules."""

from collections.abc import Sequence
from typing import Any

from jaxsched.control.controllers.controller import Controller
from jaxsched.core import checks
from jaxsched.core.schedule import Schedule
from jaxsched.interop.mmengine.clocks import on_two_clocks
from jaxsched.interop.mmengine.movers import MOVERS
from jaxsched.interop.mmengine.replay import replay
from jaxsched.interop.mmengine.windows import Window, is_factor, windowed
from jaxsched.interop.shared.plateau import reduced
from jaxsched.interop.shared.reading import (
    NoNativeForm,
    class_of,
    one_of,
    read,
    read_group,
    read_item,
    some_whole_steps,
    whole_steps,
)
from jaxsched.schedules.epochs import by_epoch
from jaxsched.schedules.table import table_schedule

_METHODS = ("_get_value", "step", "get_position_from_periods", "_is_better")
_SUFFIXES = ("LR", "Momentum", "ParamScheduler")
_SUPPORTED = [kind + suffix for kind in (*MOVERS, "ReduceOnPlateau") for suffix in _SUFFIXES]


def from_mmengine(
    scheduler: Any,
    *,
    group: int = 0,
    faithful: bool = True,
    updates_per_epoch: int | None = None,
    steps: int | None = None,
) -> Schedule | Controller:
    """One or several schedulers of mmengine as a schedule: the same value at every step.

        value(k) = scheduler.optimizer.param_groups[group][scheduler.param_name]
                   after k more scheduler.step() of each

    All classes of `mmengine.optim`, named `...LR`, `...Momentum` and `...ParamScheduler`, and
    classes derived from them that redefine nothing. mmengine is not imported. Several
    schedulers of one parameter go on from each other's values, in their order, each within its
    window from `begin` to `end`; outside of the windows the value stays. The schedule begins at
    the value in force, also if that was changed by hand. `ReduceOnPlateau...` becomes a
    controller, `reduce_on(plateau(...), value)`, with fresh state, that hears `value=`.

    What mmengine does is reproduced where it is not what is meant; `faithful=False` gives that:

    - `CosineAnnealing...` rises again after `T_max`. Meant: held at `eta_min`.
    - `CosineRestart...` stays at the last value before the end of its last period. Meant: at
      `eta_min`.
    - `OneCycle...` has one value too many, at `total_steps`, and then raises. Meant: the last
      one, which is held in both cases where mmengine would raise.

    `Linear...`, `Poly...` and `Constant...` reach their end in `end - begin - 1` steps, so that it
    is the last value of their window.

    Args:
      scheduler: the scheduler, or a list of all those of one parameter in mmengine's order.
        Nothing is changed.
      group: the index of the parameter group.
      faithful: whether to do as mmengine does, or as is meant.
      updates_per_epoch: if given, the count is that of updates; schedulers with `by_epoch` step
        at every so many, after those that count updates. Necessary if only some count epochs.
      steps: how many further steps to tabulate what has no formula: several schedulers at
        once of which one is not a factor. After them the value is held.

    Raises:
      TypeError: for any other class, or a derived one that redefines a method.
      ValueError: for an impossible attribute, schedulers of different parameters or at
        different steps, and without `steps` for what can only be tabulated.

    Example:
      >>> import types
      >>> module = {"__module__": "mmengine.optim.scheduler"}  # A stand-in for the real one.
      >>> scheduler = type("StepParamScheduler", (), module)()
      >>> scheduler.__dict__.update(param_name="lr", begin=0, end=10**9, by_epoch=True)
      >>> scheduler.__dict__.update(_global_step=0, last_step=0, step_size=2, gamma=0.5)
      >>> scheduler.optimizer = types.SimpleNamespace(param_groups=[{"lr": 1.0}])
      >>> rate = from_mmengine(scheduler)
      >>> print(rate(0), rate(2), rate(4))
      1.0 0.5 0.25
    """
    several = isinstance(scheduler, Sequence)
    schedulers = [(_kind(one), one) for one in (scheduler if several else [scheduler])]
    if not schedulers:
        checks.refuse("scheduler", scheduler, "a list of at least one")
    value = _value(schedulers, group)
    updates = updates_per_epoch and some_whole_steps("updates_per_epoch", updates_per_epoch)
    plateaus = [one for kind, one in schedulers if kind == "ReduceOnPlateau"]
    others = [pair for pair in schedulers if pair[0] != "ReduceOnPlateau"]
    if not plateaus:
        return _schedule(others, group, faithful, value, updates, steps)
    if len(plateaus) > 1 or any(not is_factor(_mover(pair, group, faithful)) for pair in others):
        raise ValueError("One `ReduceOnPlateau...` can be read with factors, and with no others.")
    rate = _schedule(others, group, faithful, value, updates, steps) if others else value
    return _reduced(plateaus[0], group, rate, value)


def _kind(scheduler: Any) -> str:
    name = class_of(scheduler, "mmengine", _SUPPORTED, _METHODS)
    return next(name.removesuffix(s) for s in _SUFFIXES if name.endswith(s))


def _mover(pair: tuple[str, Any], group: int, faithful: bool) -> Any:
    return MOVERS[pair[0]](pair[1], group, faithful)


def _value(schedulers: Sequence[tuple[str, Any]], group: int) -> float:
    """The value in force, of the one parameter of all schedulers."""
    names = {read(scheduler, "param_name") for _, scheduler in schedulers}
    if len(names) > 1:
        checks.refuse("scheduler", sorted(names), "schedulers of one parameter")
    entries = read_group(read(schedulers[0][1], "optimizer"), "param_groups", group)
    name = names.pop()
    return checks.number(name, float(entries[name]))


def _schedule(
    schedulers: Sequence[tuple[str, Any]],
    group: int,
    faithful: bool,
    value: float,
    updates: int | None,
    steps: int | None,
) -> Schedule:
    windows = [_window(pair, group, faithful) for pair in schedulers]
    epochs = [bool(read(scheduler, "by_epoch")) for _, scheduler in schedulers]
    clocks = [read(scheduler, "_global_step", whole_steps) for _, scheduler in schedulers]
    times = {(epoch, clock) for epoch, clock in zip(epochs, clocks, strict=True)}
    if len(times) > len(set(epochs)):
        checks.refuse("scheduler", sorted(clocks), "schedulers at one step")
    mixed = len(set(epochs)) > 1
    if mixed and updates is None:
        raise ValueError("Some schedulers count epochs, some updates: pass `updates_per_epoch=`.")
    try:
        if mixed:
            pairs = list(zip(windows, epochs, strict=True))
            return on_two_clocks(pairs, dict(times), value, updates or 1)
        schedule = windowed(windows, clocks[0], value)
        return by_epoch(schedule, updates) if epochs[0] and updates else schedule
    except NoNativeForm as missing:
        if steps is None:
            hint = "pass `steps=`, the number of steps to tabulate"
            raise ValueError(f"{missing}: {hint}.") from missing.__cause__
        return table_schedule(replay(schedulers, group, value, steps, updates))


def _window(pair: tuple[str, Any], group: int, faithful: bool) -> Window:
    kind, scheduler = pair
    begin, end = read(scheduler, "begin", whole_steps), read(scheduler, "end", whole_steps)
    last, now = read(scheduler, "last_step"), read(scheduler, "_global_step", whole_steps)
    expected = min(now, end - 1) - begin
    if last != max(expected, -1):
        label = f"{type(scheduler).__name__}.last_step"
        checks.refuse(label, last, f"{max(expected, -1)} at step {now} of a window from {begin}")
    return Window(begin, end, MOVERS[kind](scheduler, group, faithful))


def _reduced(scheduler: Any, group: int, rate: Any, value: float) -> Controller:
    for name, wanted in (("begin", 0), ("end", 10**9)):
        if read(scheduler, name) != wanted:
            checks.refuse(f"{type(scheduler).__name__}.{name}", read(scheduler, name), str(wanted))
    return reduced(
        rate,
        value,
        mode="min" if read(scheduler, "rule", one_of("less", "greater")) == "less" else "max",
        factor=read(scheduler, "factor", checks.positive),
        patience=read(scheduler, "patience", whole_steps),
        threshold=read(scheduler, "threshold", checks.non_negative),
        relative=read(scheduler, "threshold_rule", one_of("rel", "abs")) == "rel",
        cooldown=read(scheduler, "cooldown", whole_steps),
        least=read_item(scheduler, "min_values", group, checks.non_negative),
        eps=read(scheduler, "eps", checks.number),
    )
