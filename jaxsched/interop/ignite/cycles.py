"""ignite's schedulers with cycles: lines and half cosines, with a warm-up at their end."""

from collections.abc import Callable
from typing import Any

from jaxsched.core import checks
from jaxsched.core.schedule import Schedule
from jaxsched.interop.shared.parts import Part, in_reach, joined
from jaxsched.interop.shared.reading import read, some_whole_steps
from jaxsched.schedules.compose import repeat, shift
from jaxsched.schedules.decay import linear_schedule
from jaxsched.schedules.warmup import warmup_cosine_decay_schedule

Curve = Callable[[float, float, int], list[Part]]
"""From one value to another, or there and back, in some steps."""


def _line(start: float, end: float, steps: int) -> list[Part]:
    return [Part(0, linear_schedule(start, end, steps))]


def _triangle(start: float, end: float, steps: int) -> list[Part]:
    half, middle = steps / 2, (steps + 1) // 2
    back = linear_schedule(end, start, half)
    return [Part(0, linear_schedule(start, end, half)), Part(middle, back, middle - half)]


def _cosine(start: float, end: float, steps: int) -> list[Part]:
    return [Part(0, warmup_cosine_decay_schedule(start, start, 0, steps, end))]


def cyclical(scheduler: Any, kind: str) -> Schedule:
    """All cycles of a scheduler from its next event on."""
    curve = _cosine
    if kind == "LinearCyclicalScheduler":
        curve = _line if read(scheduler, "monotonic") else _triangle
    start, end, start_mult, end_mult = (
        read(scheduler, name, checks.number)
        for name in ("start_value", "end_value", "start_value_mult", "end_value_mult")
    )
    size, warmup = (
        read(scheduler, "cycle_size", some_whole_steps),
        read(scheduler, "warmup_duration"),
    )
    mult, passed = read(scheduler, "cycle_mult", checks.positive), read(scheduler, "event_index")
    if passed > size:
        # The next cycle's value has been set for the warm-up to it.
        start = start / start_mult if start_mult else start
    begin, parts = 0, []
    while begin <= checks.MAX_COUNT:
        following = int(size * mult), int(warmup * mult)
        if following == (size, warmup):
            parts.append(Part(begin, _again(curve, start, end, size, warmup, start_mult, end_mult)))
            break
        parts += _cycle(curve, start, end, size, warmup, start * start_mult, begin)
        begin, start, end = begin + size + warmup, start * start_mult, end * end_mult
        size, warmup = following
        if size == 0:
            parts.append(Part(begin, start))
            break
    schedule = joined(parts)
    return shift(schedule, -passed) if passed else schedule


def _cycle(
    curve: Curve, start: float, end: float, size: int, warmup: int, after: float, begin: int
) -> list[Part]:
    if size > checks.MAX_COUNT:
        return [Part(begin, in_reach(lambda steps: joined(curve(start, end, int(steps))), size))]
    parts = [part._replace(begin=part.begin + begin) for part in curve(start, end, size)]
    return [*parts, Part(begin + size, linear_schedule(end, after, warmup))] if warmup else parts


def _again(
    curve: Curve,
    start: float,
    end: float,
    size: int,
    warmup: int,
    start_mult: float,
    end_mult: float,
) -> Schedule:
    """Cycles of one length. Where their ends change by different factors, the two are added."""

    def cycle(start: float, end: float, mult: float) -> Schedule:
        one = joined(_cycle(curve, start, end, size, warmup, start * start_mult, 0))
        return repeat(one, size + warmup, 1, checks.positive("value_mult", mult))

    if start_mult == end_mult or end == 0:
        return cycle(start, end, start_mult)
    if start == 0:
        return cycle(start, end, end_mult)
    return cycle(start, 0.0, start_mult) + cycle(0.0, end, end_mult)


CYCLICAL = ("LinearCyclicalScheduler", "CosineAnnealingScheduler")
