"""Any of PyTorch's schedulers as a schedule: those that hold others, from their step 0."""

import functools
import operator
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from jaxsched.core import checks
from jaxsched.core.schedule import Schedule
from jaxsched.interop.shared.reading import (
    NoNativeForm,
    class_of,
    read,
    whole_steps,
)
from jaxsched.interop.torch.entry import Entry, group_rate
from jaxsched.interop.torch.leaves import ABSOLUTE, AFFINE, MULTIPLICATIVE
from jaxsched.interop.torch.onecycle import onecycle
from jaxsched.schedules.compose import shift
from jaxsched.schedules.piecewise import join_schedules

COMPOSED = ("SequentialLR", "ChainedScheduler")
RESETTING = (*ABSOLUTE, "OneCycleLR")
LEAVES = {**MULTIPLICATIVE, **ABSOLUTE, **AFFINE, "OneCycleLR": onecycle}
SUPPORTED = (*LEAVES, *COMPOSED, "ReduceLROnPlateau")
_METHODS = ("get_lr", "_get_closed_form_lr", "_update_lr", "_initial_step", "step")


def kind_of(scheduler: Any) -> str:
    """The name of its class, or of PyTorch's class that it derives from."""
    return class_of(scheduler, "torch", SUPPORTED, _METHODS)


def members_of(scheduler: Any) -> list[Any]:
    """The schedulers that one holds."""
    members = list(read(scheduler, "_schedulers"))
    if not members:
        checks.refuse(f"{type(scheduler).__name__}._schedulers", members, "at least one scheduler")
    return members


def from_start(scheduler: Any, entry: Entry) -> Schedule:
    """The schedule of a scheduler from its step 0."""
    kind = kind_of(scheduler)
    if kind == "SequentialLR":
        return _sequential(scheduler, entry)
    if kind == "ChainedScheduler":
        return _chained(scheduler, entry)
    return LEAVES[kind](scheduler, entry)


def base_of(scheduler: Any, group: int) -> float:
    """The base rate of a scheduler, or of the first that it holds."""
    while kind_of(scheduler) in COMPOSED:
        scheduler = members_of(scheduler)[0]
    return Entry(group, init=0.0).base(scheduler)


def multiplies_rate(scheduler: Any) -> bool:
    """Whether its steps multiply whatever rate they find."""
    if kind_of(scheduler) == "ChainedScheduler":
        return all(map(multiplies_rate, members_of(scheduler)))
    return kind_of(scheduler) in MULTIPLICATIVE


def sets_rate(scheduler: Any) -> bool:
    """Whether its steps ignore the rate they find."""
    if kind_of(scheduler) == "ChainedScheduler":
        return sets_rate(members_of(scheduler)[-1])
    return kind_of(scheduler) in RESETTING


def milestones_of(scheduler: Any) -> list[int]:
    """The steps at which each member after the first begins."""
    label = f"{type(scheduler).__name__}._milestones"
    steps = [whole_steps(label, step) for step in read(scheduler, "_milestones")]
    if steps != sorted(steps):
        checks.refuse(label, steps, "in ascending order")
    if len(steps) != len(members_of(scheduler)) - 1:
        checks.refuse(label, steps, "one fewer than the members")
    return steps


def _sequential(scheduler: Any, entry: Entry) -> Schedule:
    members, milestones = members_of(scheduler), milestones_of(scheduler)
    # As the first member of another it is stepped once when that one is made.
    clock = entry.depth if entry.faithful else 0
    first = bisect_right(milestones, clock)
    boundaries = [step - clock for step in milestones[first:]]
    if entry.faithful and not (clock and clock in milestones):
        begun = _as_first(members[first], replace(entry, init=_initial(scheduler, entry)))
    else:
        begun = _as_later(members[first], entry, 0)
    schedules = [from_start(members[first], begun)]
    ends, begins = [*boundaries, None], [0, *boundaries]
    for i, member in enumerate(members[first + 1 :], start=1):
        if begins[i] != ends[i]:
            before = _last(schedules, begins, i) if kind_of(member) in _FOLLOWING else 0.0
            following = _as_later(member, replace(entry, init=before), milestones[first + i - 1])
            schedules.append(from_start(member, following))
        else:
            schedules.append(schedules[-1])
    return join_schedules(schedules, boundaries)


_FOLLOWING = ("SWALR", "MultiplicativeLR")


def _last(schedules: list[Schedule], begins: list[int], i: int) -> float:
    """The rate in force before segment i."""
    j = max(j for j in range(i) if begins[j] < begins[i])
    return float(schedules[j](begins[i] - begins[j] - 1))


def _initial(scheduler: Any, entry: Entry) -> float:
    return group_rate(scheduler, entry.group, "initial_lr") / entry.unit


def _as_first(member: Any, entry: Entry) -> Entry:
    if kind_of(member) in COMPOSED:
        return replace(entry, how="stepped", depth=entry.depth + 1)
    return replace(entry, how="stepped" if entry.depth else "made")


def _as_later(member: Any, entry: Entry, milestone: int) -> Entry:
    if kind_of(member) not in COMPOSED:
        return replace(entry, how="set")
    if entry.faithful:
        raise ValueError(
            f"PyTorch raises at step {milestone}, where a `{type(member).__name__}` is to begin"
            " that is not the first of a `SequentialLR`; `faithful=False` gives what is meant."
        )
    return replace(entry, how="set", depth=0, init=base_of(member, entry.group) / entry.unit)


def _chained(scheduler: Any, entry: Entry) -> Schedule:
    members = members_of(scheduler)
    if not entry.faithful:
        return _product(members, replace(entry, how="set"))
    if len(members) == 1 or sets_rate(members[-1]):
        return from_start(members[-1], entry)
    if multiplies_rate(scheduler):
        return _product(members, entry)
    cosines = [member for member in members if kind_of(member) == "CosineAnnealingLR"]
    if len(cosines) == 1 and entry.how == "made":
        return _with_cosine(members, cosines[0], entry)
    raise NoNativeForm(_NO_CHAIN)


_NO_CHAIN = "There is no formula for the `ChainedScheduler` of these members"


def _with_cosine(members: list[Any], cosine: Any, entry: Entry) -> Schedule:
    """Factors and one cosine to 0: a product up to its end, after which only the cosine is left."""
    steps = read(cosine, "T_max", checks.some_steps)
    others = [member for member in members if member is not cosine]
    over = all(multiplies_rate(m) and _last_change(m) <= steps for m in others)
    if not over or read(cosine, "eta_min", checks.number) != 0:
        raise NoNativeForm(_NO_CHAIN)
    if steps != int(steps):
        # It is at 0 between two steps, and so a factor for ever.
        return _product(members, entry)
    steps = int(steps)
    again = from_start(cosine, replace(entry, how="set"))
    return join_schedules([_product(members, entry), shift(again, -steps)], [steps])


def _last_change(scheduler: Any) -> float:
    """The last step at which a multiplicative scheduler changes the rate."""
    if hasattr(scheduler, "total_iters"):
        return read(scheduler, "total_iters", checks.steps)
    if hasattr(scheduler, "milestones"):
        return max(read(scheduler, "milestones"), default=0)
    return float("inf")


def _product(members: list[Any], entry: Entry) -> Schedule:
    """The factors of all members, times the rate of the first, or of one that sets its own."""
    own = [member for member in members if kind_of(member) in ("CyclicLR", "OneCycleLR")]
    carrier = own[0] if own else members[0]
    others = (member for member in members if member is not carrier)
    return functools.reduce(operator.mul, _factors(carrier, others, entry))


def _factors(carrier: Any, others: Iterator[Any], entry: Entry) -> Iterator[Schedule]:
    yield from_start(carrier, entry)
    for member in others:
        yield from_start(member, entry.factor_of(base_of(member, entry.group)))
