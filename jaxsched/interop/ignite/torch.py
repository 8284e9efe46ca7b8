"""PyTorch's schedulers as ignite steps them: by their `get_lr`, at their step 0 once more."""

import math
from collections.abc import Callable
from typing import Any

from jaxsched.core import checks
from jaxsched.core.schedule import Schedule
from jaxsched.interop._parts import Part, as_schedule, joined
from jaxsched.interop._torch_compose import COMPOSED, from_start, kind_of, multiplies_rate
from jaxsched.interop._torch_entry import Entry, group_rate
from jaxsched.interop.reading import read, whole_steps
from jaxsched.schedules.compose import shift

_FIRST: dict[str, Callable[[Any], float]] = {
    "LinearLR": lambda s: read(s, "start_factor", checks.positive),
    "ConstantLR": lambda s: read(s, "factor", checks.positive),
    "MultiStepLR": lambda s: read(s, "gamma") ** read(s, "milestones").get(0, 0),
}
"""What the constructors of these have multiplied the rate by."""


def wrapped(wrapper: Any, group: int, faithful: bool, horizon: int | None, alone: bool) -> Schedule:
    """An `LRScheduler` of ignite from its next event on."""
    scheduler = read(wrapper, "lr_scheduler")
    if type(scheduler).__name__ == "_CosineAnnealingWarmRestarts":
        return _restarts(read(scheduler, "_lr_scheduler"), group, faithful)
    kind = kind_of(scheduler)
    if kind in COMPOSED or kind == "ReduceLROnPlateau":
        raise ValueError(f"ignite's `LRScheduler` raises for a `{kind}`, which has no `get_lr`.")
    if kind == "SWALR" and faithful:
        # It counts its own steps, of which ignite makes none.
        key = "lr" if read(scheduler, "anneal_epochs") else "swa_lr"
        return as_schedule(group_rate(scheduler, group, key))
    now = read(scheduler, "last_epoch", whole_steps)
    ahead = now > read(wrapper, "event_index", whole_steps)
    entry = Entry(group, 0.0, faithful=faithful, horizon=None if horizon is None else now + horizon)
    base = entry.base(scheduler)
    if ahead or not faithful:
        schedule = from_start(scheduler, _with(entry, base, "made"))
    else:
        found = base * _FIRST.get(kind, lambda _: 1.0)(scheduler)
        schedule = from_start(scheduler, _with(entry, found, "stepped"))
        if kind == "CosineAnnealingLR":
            # As its own steps are not counted, it is in closed form from its step 1 on.
            closed = from_start(scheduler, _with(entry, base, "set"))
            schedule = joined([Part(0, float(schedule(0))), Part(1, closed, 1)])
    if alone and now and faithful and multiplies_rate(scheduler):
        rate, expected = group_rate(scheduler, group, "lr"), float(schedule(now - 1))
        if not math.isclose(rate, expected, rel_tol=2e-6, abs_tol=1e-8 * abs(base)):
            raise ValueError(
                f"The rate in force is {rate!r}, but that of `{kind}` at its step {now - 1} is"
                f" {expected:.7g}; it was changed from outside."
            )
    return shift(schedule, -now) if now else schedule


def _with(entry: Entry, init: float, how: Any) -> Entry:
    return Entry(entry.group, init, how, faithful=entry.faithful, horizon=entry.horizon)


def _restarts(scheduler: Any, group: int, faithful: bool) -> Schedule:
    first, length, mult = (read(scheduler, name, whole_steps) for name in ("T_0", "T_i", "T_mult"))
    done = read(scheduler, "T_cur") + ((length - first) // (mult - 1) if mult > 1 else 0)
    schedule = from_start(scheduler, Entry(group, 0.0, faithful=faithful))
    # Each event steps first, so the rate of the step in force is left out.
    begun = done + 1 if faithful and read(scheduler, "last_epoch") >= 0 else done
    return shift(schedule, -begun) if begun else schedule
