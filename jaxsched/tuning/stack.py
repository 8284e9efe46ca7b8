"""Many schedules of one formula as one schedule, whose numbers have a leading axis."""

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

import jax
import numpy as np

from jaxsched.core import checks
from jaxsched.core.bound import Bound
from jaxsched.core.leaves import show
from jaxsched.core.stack import form_of
from jaxsched.core.tables import array_of

T = TypeVar("T", bound=Bound)


def stack(schedules: Sequence[T]) -> T:
    """Schedules of the same form as one, to be mapped over: `jax.vmap(train)(stack(schedules))`.

    Each number becomes an array with a leading axis as long as the list: whole numbers int32,
    others float32 in the program. `jax.tree.map(lambda leaf: leaf[i], stack(schedules))` is
    the i-th of them again. Outside of `vmap` the result is not to be called.

    The same form means the same formulas in the same places, with flags, names and lengths of
    tables alike, so that only numbers differ. For schedules that differ in more, see
    `select`.

    Args:
      schedules: schedules, or controllers or monitors.

    Raises:
      TypeError: for anything else in the list.
      ValueError: for an empty list, or one that is not all of the same form; says which and where.

    Example:
      >>> import jax
      >>> from jaxsched import linear_schedule
      >>> rates = stack([linear_schedule(1.0, 0.0, 4), linear_schedule(2.0, 1.0, 8)])
      >>> rates
      linear_schedule(init_value=[1.0, 2.0], end_value=[0.0, 1.0], transition_steps=[4, 8],
      transition_begin=[0, 0])
      >>> print(jax.vmap(lambda rate: rate(2))(rates))
      [0.5  1.75]
    """
    if not checks.is_list(schedules):
        checks.refuse("schedules", schedules, "a list of schedules", TypeError)
    if not schedules:
        checks.refuse("schedules", schedules, "a list of at least one schedule")
    for i, item in enumerate(schedules):
        if not isinstance(item, Bound):
            checks.refuse(f"schedules[{i}]", item, "a schedule or a controller", TypeError)
        for place, ours, first in _differences("", item, schedules[0]):
            raise ValueError(
                f"`schedules[{i}]{place}` must be of the same form as `schedules[0]{place}`,"
                f" which is {show(first)}, got {show(ours)}."
            )
    leaves = zip(*map(jax.tree.leaves, schedules), strict=True)
    return jax.tree.unflatten(jax.tree.structure(schedules[0]), map(_column, leaves))


def _column(values: Sequence[Any]) -> Any:
    array = array_of(values)
    whole = isinstance(array, np.ndarray) and array.dtype.kind in "iu"
    return array.astype(np.int32) if whole else array


def _differences(place: str, ours: Any, first: Any) -> Iterator[tuple[str, Any, Any]]:
    """The innermost places where two differ in form, and what is there."""
    if form_of(ours) == form_of(first):
        return
    if isinstance(ours, Bound) and isinstance(first, Bound) and ours.maker is first.maker:
        for name, value in ours.hyperparams.items():
            yield from _differences(f"{place}.{name}", value, first.hyperparams[name])
    else:
        yield place, ours, first
