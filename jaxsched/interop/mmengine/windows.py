"""Several of mmengine's schedulers on one value, each within its window of steps."""

import functools
import math
import operator
from collections.abc import Sequence
from typing import NamedTuple

from jaxsched.core.schedule import Operand, Schedule
from jaxsched.interop.mmengine.movers import Mover
from jaxsched.interop.shared.parts import Part, joined
from jaxsched.interop.shared.reading import NoNativeForm

_FOREVER = 10**9
"""mmengine's infinity."""


class Window(NamedTuple):
    """A scheduler's steps from `begin` to before `end`."""

    begin: int
    end: int
    mover: Mover


def is_factor(mover: Mover) -> bool:
    """Whether it multiplies whatever it finds."""
    return mover.end == 0 and mover.base is None


def forgets(window: Window) -> bool:
    """Whether what it found no longer counts at some step."""
    return not _lasts(window, window.end)


def windowed(windows: Sequence[Window], now: int, value: float) -> Schedule:
    """All of them in their order, from a step at which there is some value on."""
    if len(windows) > 1 and all(is_factor(w.mover) and _lasts(w, w.end) for w in windows):
        # Each by itself and in one piece.
        factors = [windowed([w], now, value if w is windows[0] else 1.0) for w in windows]
        return functools.reduce(operator.mul, factors)
    bounds = {bound for w in windows for bound in (w.begin, w.end) if now + 1 < bound < _FOREVER}
    parts: list[Part] = []
    begins = [now + 1, *sorted(bounds)]
    for begin, end in zip(begins, [*begins[1:], _FOREVER], strict=True):
        active = [w for w in windows if w.begin <= begin < w.end]
        # If nothing begins at the next step, the value now is one of the first segment.
        lead = begin == now + 1 and all(w.begin <= now for w in active)
        if begin == now + 1 and not lead:
            parts.append(Part(0, value))
        schedule, passed, value = _segment(active, begin, end, value, int(lead))
        parts.append(Part(begin - now - lead, schedule, passed))
    return joined(parts)


def _segment(
    active: Sequence[Window], begin: int, end: int, value: float, lead: int
) -> tuple[Operand, float, float]:
    """A schedule from `lead` steps earlier on, where its clock stands, and its last value."""
    if not active:
        return value, 0, value
    if len(active) > 1 and not all(is_factor(w.mover) and _lasts(w, end) for w in active):
        raise NoNativeForm("There is no formula for several schedulers at once but for factors")
    found = [_found(w, begin, value if w is active[0] else 1.0) for w in active]
    curves = [w.mover.curve(init) for w, init in zip(active, found, strict=True)]
    last = [w.mover.value(init, end - 1 - w.begin) for w, init in zip(active, found, strict=True)]
    if len(active) == 1:
        return curves[0], begin - lead - active[0].begin, last[0]
    moved = [
        joined([Part(0, curve, begin - lead - w.begin)])
        for w, curve in zip(active, curves, strict=True)
    ]
    return functools.reduce(operator.mul, moved), 0, math.prod(last)


def _lasts(window: Window, end: int) -> bool:
    """Whether what it found counts up to the end of a segment."""
    return end - 1 - window.begin <= window.mover.limit


def _found(window: Window, begin: int, value: float) -> float:
    mover, before = window.mover, begin - 1 - window.begin
    if before < 0:
        return value
    if mover.base is None and before <= mover.limit:
        return mover.found(value, before)
    expected = mover.value(value, before)
    if not math.isclose(value, expected, rel_tol=1e-6):
        raise NoNativeForm(
            f"The value in force is {value!r} and not {expected:.7g}; it was changed"
        )
    return value
