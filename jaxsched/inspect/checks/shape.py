"""Findings on the way from the first rate to the last: falls, jumps and cycles out of place."""

from itertools import pairwise
from typing import Any

import numpy as np

from jaxsched.core.schedule import Schedule, multiply
from jaxsched.inspect.checks.view import Finding, View
from jaxsched.inspect.phases import Phase, turns
from jaxsched.inspect.samples import number, sample

_WAYS = ("rises", "falls")


def falls_before_peak(view: View) -> list[Finding]:
    """A fall, by a tenth of the peak or more, before the peak; not one of many cycles."""
    if len(view.lows) > 1:
        return []
    steps, values = view.run
    peak = int(np.argmax(values >= 0.999 * values.max()))
    until = values[: peak + 1]
    pivots = turns(until, 0.1 * view.highest)
    falls = [(a, b) for a, b in pairwise(pivots) if until[b] < until[a]]
    if not falls:
        return []
    begin, end = falls[0]
    message = (
        f"The rate falls from {number(until[begin])} to {number(until[end])} at step {steps[end]}"
        f" before it is at its peak of {number(until[peak])} at step {steps[peak]}: a decay"
        " within the warm-up, or parts in the wrong order."
    )
    return [Finding(int(steps[begin]), message)]


def decay_in_warmup(view: View) -> list[Finding]:
    """A product of a warm-up with a decay that has lost a twentieth by the end of the warm-up."""
    factors = [sample(factor, view.run.steps).values for factor in _factors(view.schedule)]
    for place, rising in enumerate(factors):
        others = np.prod([*factors[:place], *factors[place + 1 :]], axis=0)
        end = int(np.argmax(rising >= 0.999 * rising.max()))
        warms = rising[0] < 0.5 * rising.max() and np.all(np.diff(rising[: end + 1]) >= 0)
        if not np.ndim(others) or not warms or not _falls(others[: end + 1]):
            continue
        lost = 1 - others[end] / others[0]
        message = (
            f"The decay begins at step 0, with the warm-up, and has taken {lost:.0%} off the rate"
            " here, where the warm-up ends: the schedule is a product of the two."
            " `with_warmup` has the decay begin afterwards."
        )
        return [Finding(int(view.run.steps[end]), message)]
    return []


def _factors(schedule: Any) -> list[Any]:
    if isinstance(schedule, Schedule) and schedule.maker is multiply:
        sides = schedule.hyperparams["left"], schedule.hyperparams["right"]
        return [factor for side in sides for factor in _factors(side)]
    return [schedule] if callable(schedule) else []


def _falls(values: np.ndarray) -> bool:
    """Whether the values fall by more than a twentieth, and nowhere rise."""
    return bool(np.all(np.diff(values) <= 0) and 0 <= values[-1] < 0.95 * values[0])


def jumps(view: View) -> list[Finding]:
    """The first jump by more than a factor of 2 that is no restart, and no stair."""
    wrong = _wrong_jumps(view.phases)
    if not wrong:
        return []
    first = wrong[0]
    others = f", the first of {len(wrong)} such jumps" if len(wrong) > 1 else ""
    message = (
        f"The rate jumps from {number(first.first)} at step {first.begin} to"
        f" {number(first.last)} at step {first.end}{others}: two parts of the schedule do not"
        " meet."
    )
    return [Finding(first.end, message)]


def _wrong_jumps(found: list[Phase]) -> list[Phase]:
    ends = Phase("constant", 0, 0, 0.0, 0.0)
    last_way = max((i for i, part in enumerate(found) if part.kind in _WAYS), default=-1)
    wrong, moved = [], ""
    for i, (before, part, after) in enumerate(
        zip([ends, *found], found, [*found[1:], ends], strict=False)
    ):
        stair = before.kind == after.kind == "constant"
        upwards = moved == "falls" and i < last_way
        restart = upwards if part.last > part.first else after.kind == "rises"
        if _is_far(part) and not stair and not restart:
            wrong.append(part)
        if part.kind != "constant":
            moved = "falls" if part.last < part.first else "rises"
    return wrong


def _is_far(part: Phase) -> bool:
    """Whether a phase is a jump by more than a factor of 2."""
    low, high = sorted((abs(part.first), abs(part.last)))
    return part.kind == "jumps" and high > 2 * low


def cut_off(view: View) -> list[Finding]:
    """A run that ends in the middle of a cycle, of those that go on after it."""
    pivots, values, steps = view.pivots, view.whole.values, view.whole.steps
    lows, last = view.lows, len(view.run.steps) - 1
    begin, end = next(pair for pair in pairwise(pivots) if last <= pair[1])
    way = abs(values[begin] - values[end])
    # The last step may also be the first of the next cycle.
    gone = min(abs(values[here] - values[begin]) for here in (last, last - 1))
    falling = values[end] < values[begin]
    ahead = min(values[last : last + 2]) - values[end] if falling else gone
    between = any(low < last for low in lows) and any(low >= last for low in lows)
    if not between or ahead <= 0.01 * way or _sinks(view.phases):
        return []
    following = min(low for low in lows if low >= last)
    start = max(low for low in lows if low < last)
    start += bool(values[start + 1] - values[start] > 0.5 * way)
    message = (
        f"The run ends at a rate of {number(values[last])} in the middle of a cycle, which began"
        f" at step {steps[start]} and goes on to about step {steps[following]}: the cycles do not"
        " fit into the run."
    )
    return [Finding(int(steps[last]), message)]


def _sinks(found: list[Phase]) -> bool:
    """Whether a rate jumps down and rises again: its cycles have no end that could be missed."""
    return any(
        here.kind == "jumps" and here.last < here.first and after.kind == "rises"
        for here, after in pairwise(found)
    )
