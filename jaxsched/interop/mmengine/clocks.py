"""mmengine's schedulers of which some count updates and some epochs."""

import functools
import operator
from collections.abc import Mapping, Sequence

from jaxsched.core.schedule import Schedule
from jaxsched.interop.mmengine.windows import Window, forgets, is_factor, windowed
from jaxsched.interop.shared.parts import Part, joined
from jaxsched.interop.shared.reading import NoNativeForm
from jaxsched.schedules.compose import shift
from jaxsched.schedules.epochs import by_epoch


def on_two_clocks(
    windows: Sequence[tuple[Window, bool]], clocks: Mapping[bool, int], value: float, updates: int
) -> Schedule:
    """Factors of which some change with the update and some with the epoch.

    Args:
      windows: the schedulers, and whether each counts epochs.
      clocks: the epoch, and the update, at which they stand.
      value: the one in force.
      updates: those in an epoch.
    """
    if not all(is_factor(window.mover) for window, _ in windows):
        raise NoNativeForm("There is no formula for epochs and updates at once but for factors")
    now, epoch = clocks[False], clocks[True]
    if epoch != now // updates:
        raise ValueError(f"Epoch {epoch} does not begin or go on at update {now}.")
    forgetting = [pair for pair in windows if forgets(pair[0])]
    if not forgetting:
        return _product(windows, clocks, value, updates)
    (window, epochs), *more = forgetting
    unit = updates if epochs else 1
    limit = window.begin + int(window.mover.limit)
    others = [(one.end, updates if own else 1) for one, own in windows if one is not window]
    if more or any(end * own > limit * unit for end, own in others):
        raise NoNativeForm("There is no formula for factors behind a cosine that begins again")
    begun = max(limit, clocks[epochs])
    alone = windowed([window], begun, 0.0 if begun == limit else value)
    after = by_epoch(shift(alone, begun), unit) if epochs else shift(alone, begun)
    if begun * unit <= now:
        return shift(after, -now)
    before = _product(
        [(_cut(one, window, limit), own) for one, own in windows], clocks, value, updates
    )
    return joined([Part(0, before), Part(begun * unit - now, after, begun * unit)])


def _cut(one: Window, window: Window, limit: int) -> Window:
    return one._replace(end=limit) if one is window else one


def _product(
    windows: Sequence[tuple[Window, bool]], clocks: Mapping[bool, int], value: float, updates: int
) -> Schedule:
    by_update, by_epochs = ([w for w, own in windows if own is epochs] for epochs in (False, True))
    now, epoch = clocks[False], clocks[True]
    slow = by_epoch(shift(windowed(by_epochs, epoch, 1.0), epoch), updates)
    return functools.reduce(operator.mul, [windowed(by_update, now, value), shift(slow, -now)])
