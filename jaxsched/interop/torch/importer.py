"""PyTorch's learning-rate schedulers as schedules, and schedules as PyTorch's."""

import math
from dataclasses import replace
from typing import Any

from jaxsched.control.controllers.controller import Controller
from jaxsched.core.schedule import Operand, Schedule, multiply
from jaxsched.interop.shared.reading import NoNativeForm, read, read_group, whole_steps
from jaxsched.interop.torch.compose import (
    base_of,
    from_start,
    kind_of,
    multiplies_rate,
    sets_rate,
)
from jaxsched.interop.torch.entry import Entry, group_rate
from jaxsched.interop.torch.live import is_own, stepped
from jaxsched.interop.torch.plateau import reduced_on_plateau
from jaxsched.interop.torch.replay import position, replay
from jaxsched.schedules.compose import shift
from jaxsched.schedules.piecewise import join_schedules
from jaxsched.schedules.table import table_schedule


def from_torch(
    scheduler: Any, *, group: int = 0, faithful: bool = True, steps: int | None = None
) -> Schedule | Controller:
    """A live PyTorch scheduler as a schedule: the same rate at every step.

        rate(k) = scheduler.optimizer.param_groups[group]["lr"] after k more scheduler.step()

    Every class of `torch.optim.lr_scheduler` and `swa_utils.SWALR`, nested ones included, and
    classes derived from them that redefine nothing. PyTorch is not imported. `ReduceLROnPlateau`
    becomes a controller, `reduce_on(plateau(...), rate)`, that starts at the current rate;
    `state_from_torch` gives the best value, the patience and the cooldown at which it stands.

    What PyTorch does is reproduced where it is not what is meant; `faithful=False` gives that:

    - `CosineAnnealingLR` rises again after `T_max`. Meant: held at `eta_min`.
    - `OneCycleLR` has one rate too many, at `total_steps`: negative for lines, a rebound for
      cosines. Meant: the last rate, which is held in both cases where PyTorch would raise.
    - `SequentialLR` starts its first member from the optimizer's `initial_lr`, which a
      `OneCycleLR` made later has overwritten. Meant: from the member's own base rate.
    - `SequentialLR` as the first member of another is one step ahead, as is the first member
      of both: an exponential has decayed once, a cosine begins above its base. Meant: not so.
      As a later member PyTorch raises at its milestone, and so does this. Meant: it begins.
    - `ChainedScheduler` forgets what stands before a member that sets the rate itself
      (`LambdaLR`, `CyclicLR`, `OneCycleLR`, `CosineAnnealingWarmRestarts`), and a
      `CosineAnnealingLR` brings the rate to `eta_min` and back by itself. Meant: the product of
      all factors, each the member's rate over its base rate. `CyclicLR` and `OneCycleLR`, which
      set their own rates, give the rate that the others multiply.

    Two things are not reproduced. `ReduceLROnPlateau` with "rel" takes a slightly worse negative
    metric for a better one; and an infinite metric on the better side for the best, which no
    later one improves on. Here what is not finite never is the best.

    Args:
      scheduler: the scheduler. Its state says where it stands; nothing is changed.
      group: the index of the parameter group.
      faithful: whether to do as PyTorch does, or as is meant.
      steps: how many further steps to tabulate what has no formula: functions of a `LambdaLR`
        that JAX cannot trace (those it can are computed in float32 if this is None), a
        `MultiplicativeLR`, a `scale_fn`, some chains, and classes of your own, of which a copy
        is stepped. After them the rate is held.

    Raises:
      TypeError: for any other class, or without `steps` a derived one that redefines a method.
      ValueError: for an impossible attribute, and without `steps` for what can only be
        tabulated. That includes a cosine or a sequence whose rate was changed by hand or by another
        scheduler; other classes multiply any rate they find, or set theirs at the next step.

    Example:
      >>> import types
      >>> module = {"__module__": "torch.optim.lr_scheduler"}  # A stand-in for the real one.
      >>> scheduler = type("ExponentialLR", (), module)()
      >>> scheduler.gamma, scheduler.base_lrs, scheduler.last_epoch = 0.5, [1.0], 1
      >>> scheduler.optimizer = types.SimpleNamespace(param_groups=[{"lr": 0.5}])
      >>> rate = from_torch(scheduler)
      >>> print(rate(0), rate(1))
      0.5 0.25
    """
    if steps is not None and is_own(scheduler):
        read_group(read(scheduler, "optimizer"), "param_groups", group)
        return table_schedule(stepped(scheduler, group, steps))
    kind = kind_of(scheduler)
    read_group(read(scheduler, "optimizer"), "param_groups", group)
    if kind == "ReduceLROnPlateau":
        return reduced_on_plateau(scheduler, group)
    try:
        return _native(scheduler, group, faithful, steps)
    except NoNativeForm as missing:
        if steps is None:
            hint = "pass `steps=`, the number of steps to tabulate"
            raise ValueError(f"{missing}: {hint}.") from missing.__cause__
        return table_schedule(replay(scheduler, group, steps))


def _native(scheduler: Any, group: int, faithful: bool, steps: int | None) -> Schedule:
    """The schedule by formulas, without its steps before now, if it is what is in force."""
    now = position(scheduler)
    horizon = None if steps is None else math.ceil(now) + whole_steps("steps", steps)
    entry = Entry(group, _init(scheduler, group, now), faithful=faithful, horizon=horizon)
    schedule = from_start(scheduler, entry)
    rate, expected = group_rate(scheduler, group, "lr"), float(schedule(now))
    tolerance = 1e-8 * abs(base_of(scheduler, group))
    if not faithful or math.isclose(rate, expected, rel_tol=2e-6, abs_tol=tolerance):
        return _from(schedule, now)
    if sets_rate(scheduler):
        return join_schedules([rate, _from(schedule, now + 1)], [1])
    if expected and multiplies_rate(scheduler):
        entry = replace(entry, init=entry.init * rate / expected)
        return _from(from_start(scheduler, entry), now)
    raise NoNativeForm(
        f"The rate in force is {rate!r}, but that of `{type(scheduler).__name__}` at its step"
        f" {now} is {expected:.7g}; it was changed from outside. To go on from it"
    )


def _from(schedule: Schedule, step: float) -> Schedule:
    return shift(schedule, -step) if step else schedule


def _init(scheduler: Any, group: int, now: float) -> float:
    """The rate from which a scheduler began."""
    if kind_of(scheduler) != "SWALR":
        return base_of(scheduler, group)
    # It anneals from whatever rate it finds, which is told from where it is on its way.
    rate, end = group_rate(scheduler, group, "lr"), group_rate(scheduler, group, "swa_lr")
    steps = read(scheduler, "anneal_epochs", whole_steps)
    done = min(1.0, now / max(1, steps))
    if read(scheduler, "_anneal_strategy") == "cos":
        done = (1 - math.cos(math.pi * done)) / 2
    return end if done == 1 else (rate - done * end) / (1 - done)


def to_torch(schedule: Operand, optimizer: Any) -> Any:
    """A schedule as a `torch.optim.lr_scheduler.LambdaLR`, in all parameter groups.

    Its rates are those of the schedule to the bit: it sets the base rates to 1.

    Args:
      schedule: any schedule, number or function of the count.
      optimizer: a PyTorch optimizer.

    Raises:
      ImportError: if PyTorch is not installed.
      TypeError: for a controller, whose rate depends on more than the step.

    Example:
      >>> import jaxsched
      >>> rate = jaxsched.cosine_decay_schedule(0.1, 100)
      >>> scheduler = to_torch(rate, optimizer)  # doctest: +SKIP
    """
    rate = multiply(schedule, 1.0)
    # PyTorch is not among the packages that types are checked with.
    try:
        from torch.optim.lr_scheduler import LambdaLR  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise ImportError(
            "`to_torch` needs PyTorch, which `pip install torch` installs."
        ) from error
    for group in optimizer.param_groups:
        group["initial_lr"] = 1.0
    return LambdaLR(optimizer, lambda step: float(rate(step)))
