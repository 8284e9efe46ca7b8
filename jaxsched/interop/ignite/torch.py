"""PyTorch's schedulers as ignite steps them: by their `get_lr`, at their step 0 once more."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from jaxsched.core.schedule import Schedule
from jaxsched.interop.shared.parts import Part, as_schedule, joined
from jaxsched.interop.shared.reading import read, whole_steps
from jaxsched.interop.torch.compose import COMPOSED, from_start, kind_of, multiplies_rate
from jaxsched.interop.torch.entry import Entry, group_rate
from jaxsched.schedules.compose import shift


def wrapped(
    wrapper: Any, group: int, faithful: bool, horizon: int | None, found: Callable[[], float]
) -> Schedule:
    """An `LRScheduler` of ignite from its next event on, which finds a rate in force."""
    scheduler = read(wrapper, "lr_scheduler")
    if type(scheduler).__name__ == "_CosineAnnealingWarmRestarts":
        return _restarts(read(scheduler, "_lr_scheduler"), group, faithful)
    kind = kind_of(scheduler)
    if kind in COMPOSED or kind == "ReduceLROnPlateau":
        raise ValueError(f"ignite's `LRScheduler` raises for a `{kind}`, which has no `get_lr`.")
    if kind == "SWALR" and faithful:
        # It counts its own steps, of which ignite makes none.
        anneals = read(scheduler, "anneal_epochs")
        return as_schedule(found() if anneals else group_rate(scheduler, group, "swa_lr"))
    now = read(scheduler, "last_epoch", whole_steps)
    entry = Entry(group, 0.0, faithful=faithful, horizon=None if horizon is None else now + horizon)
    entry = replace(entry, init=entry.base(scheduler))
    if faithful and now == 0:
        return _stepped(scheduler, replace(entry, init=found(), how="stepped"))
    if faithful and multiplies_rate(scheduler):
        return _going_on(scheduler, entry, now, found())
    schedule = from_start(scheduler, entry)
    return shift(schedule, -now) if now else schedule


def _stepped(scheduler: Any, entry: Entry) -> Schedule:
    """A scheduler that is stepped to its step 0 at its first event."""
    schedule = from_start(scheduler, entry)
    if kind_of(scheduler) != "CosineAnnealingLR":
        return schedule
    # As its own steps are not counted, it is in closed form from its step 1 on.
    closed = from_start(scheduler, replace(entry, how="set"))
    return joined([Part(0, float(schedule(0))), Part(1, closed, 1)])


def _going_on(scheduler: Any, entry: Entry, now: int, rate: float) -> Schedule:
    """The factors of a scheduler from a step on, on the rate in force before it."""
    schedule = from_start(scheduler, entry)
    expected = float(schedule(now - 1))
    if expected == 0:
        return as_schedule(rate)
    if not math.isclose(rate, expected, rel_tol=2e-6):
        schedule = from_start(scheduler, replace(entry, init=entry.init * rate / expected))
    return shift(schedule, -now)


def _restarts(scheduler: Any, group: int, faithful: bool) -> Schedule:
    first, length, mult = (read(scheduler, name, whole_steps) for name in ("T_0", "T_i", "T_mult"))
    done = read(scheduler, "T_cur") + ((length - first) // (mult - 1) if mult > 1 else 0)
    schedule = from_start(scheduler, Entry(group, 0.0, faithful=faithful))
    # Each event steps first, so the rate of the step in force is left out.
    begun = done + 1 if faithful and read(scheduler, "last_epoch") >= 0 else done
    return shift(schedule, -begun) if begun else schedule
