"""timm's schedulers with cycles: cosine, polynomial, hyperbolic tangent."""

import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from jaxsched.core import checks
from jaxsched.core.schedule import Schedule
from jaxsched.interop.shared.parts import (
    Part,
    as_schedule,
    first_step,
    in_reach,
    joined,
    whole_if_near,
)
from jaxsched.interop.shared.reading import read
from jaxsched.schedules.compose import repeat
from jaxsched.schedules.decay import polynomial_schedule
from jaxsched.schedules.shaped import k_decay_schedule, tanh_schedule
from jaxsched.schedules.warmup import warmup_cosine_decay_schedule

Cycle = Callable[[float, float, float], Schedule]
"""One cycle: from its peak, in so many steps, to its end."""

MOST_CYCLES = 100_000


def cosine(scheduler: Any) -> Cycle:
    """The cycle of a `CosineLRScheduler`."""
    k = read(scheduler, "k_decay", checks.positive)
    if k == 1:
        return lambda peak, steps, end: warmup_cosine_decay_schedule(peak, peak, 0, steps, end)
    return lambda peak, steps, end: k_decay_schedule(peak, steps, k, end)


def polynomial(scheduler: Any) -> Cycle:
    """The cycle of a `PolyLRScheduler`."""
    k, power = (
        read(scheduler, "k_decay", checks.positive),
        read(scheduler, "power", checks.positive),
    )
    if k == 1:
        return lambda peak, steps, end: polynomial_schedule(peak, end, power, steps)
    return lambda peak, steps, end: k_decay_schedule(peak, steps, k, end, power, "linear")


def tanh(scheduler: Any) -> Cycle:
    """The cycle of a `TanhLRScheduler`."""
    lower, upper = read(scheduler, "lb", checks.number), read(scheduler, "ub", checks.number)
    return lambda peak, steps, end: tanh_schedule(peak, steps, end, lower, upper)


def last_of_tanh(scheduler: Any, peak: float, end: float) -> float:
    """The value of a `TanhLRScheduler` at the very end of a cycle, where timm restarts late."""
    return end + (peak - end) * (1 - math.tanh(read(scheduler, "ub"))) / 2


CYCLES: dict[str, Callable[[Any], Cycle]] = {
    "CosineLRScheduler": cosine,
    "PolyLRScheduler": polynomial,
    "TanhLRScheduler": tanh,
}


def cycles(scheduler: Any, kind: str, base: float, faithful: bool) -> Schedule:
    """All cycles of a scheduler, from the end of its warm-up on."""
    one, end = CYCLES[kind](scheduler), read(scheduler, "lr_min", checks.number)
    steps = read(scheduler, "t_initial", checks.some_steps)
    mult, decay = (read(scheduler, name, checks.positive) for name in ("cycle_mul", "cycle_decay"))
    limit = read(scheduler, "cycle_limit", checks.non_negative)
    if limit == 0:
        return as_schedule(end)
    if limit <= 1:
        return one(base, steps, end)
    if mult == 1 and steps == int(steps):
        again = _again(one, base, int(steps), end, decay)
        return joined([Part(0, again), Part(min(math.ceil(limit) * int(steps), _NEVER), end)])
    parts = []
    for number, begin, passed in _begins(steps, mult, limit, faithful):
        if number >= limit:
            parts.append(Part(begin, end))
            break
        peak, length = base * decay**number, steps * mult**number
        late = faithful and parts and passed >= 1
        if kind == "TanhLRScheduler" and late:
            parts.append(
                Part(begin - 1, last_of_tanh(scheduler, base * decay ** (number - 1), end))
            )
        parts.append(
            Part(begin, in_reach(partial(_between, one, peak, end), length), max(passed, 0))
        )
    return joined(parts)


_NEVER = checks.MAX_COUNT + 1


def _between(one: Cycle, peak: float, end: float, steps: float) -> Schedule:
    return one(peak, steps, end)


def _again(one: Cycle, base: float, steps: int, end: float, decay: float) -> Schedule:
    """Cycles of one length. Their peaks decay and their end does not, so the two are added."""
    if end == 0 or decay == 1:
        return repeat(one(base, steps, end), steps, 1, decay)
    return repeat(one(base, steps, 0.0), steps, 1, decay) + repeat(one(0.0, steps, end), steps)


def _begins(
    steps: float, mult: float, limit: float, faithful: bool
) -> Iterator[tuple[int, int, float]]:
    """For each cycle its number, its first step, and how far into it that is."""

    def begin(number: int) -> float:
        return steps * number if mult == 1 else steps * (1 - mult**number) / (1 - mult)

    def meant(step: int) -> int:
        number = max(0, _number(steps, mult, step) - 1)
        while whole_if_near(begin(number + 1)) <= step:
            number += 1
        return number

    number_at = (lambda step: _number(steps, mult, step)) if faithful else meant
    # Where the cycles get ever shorter they come to an end, and timm raises.
    high = checks.MAX_COUNT if mult >= 1 else math.ceil(whole_if_near(steps / (1 - mult)))
    step, number = 0, 0
    for _ in range(MOST_CYCLES):
        yield number, step, whole_if_near(step - begin(number))
        if number >= limit:
            return
        step = first_step(lambda later, now=number: number_at(later) > now, step + 1, high)
        if step >= checks.MAX_COUNT:
            return
        number = number_at(step) if step < high else math.ceil(limit)
    checks.refuse("cycle_mul", mult, f"1 or make fewer than {MOST_CYCLES} cycles")


def _number(steps: float, mult: float, step: int) -> int:
    """The number of the cycle at a step, in timm's words, with its rounding."""
    if mult == 1:
        return int(step // steps)
    return math.floor(math.log(1 - step / steps * (1 - mult), mult))
