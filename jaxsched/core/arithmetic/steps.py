"""Exact arithmetic on step counts.

Counts are int32 where they are integers, int64 under `jax_enable_x64`, and so are differences,
remainders and quotients: float32 cannot tell 2^24 from 2^24 + 1, and XLA turns a division by a
constant into a multiplication by its rounded inverse, which puts ends and stairs one step off.
"""

import math
from typing import Any, TypeGuard

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from jaxsched.core import checks
from jaxsched.core.arithmetic.between import Between, where
from jaxsched.core.arithmetic.chosen import from_known, whole, within_reach
from jaxsched.core.arithmetic.division import divide_by_real
from jaxsched.core.arithmetic.rounding import unfused as unfused
from jaxsched.core.reach import reach, whole_dtype


def host_count(count: ArrayLike) -> np.ndarray | jax.Array:
    """A count of the host as an array of at least 0, before JAX could wrap it."""
    if isinstance(count, jax.Array):
        return count
    array = np.asarray(count)
    if array.dtype.kind in "iu" or type(count) is int:
        if np.any(array > reach()):
            x64 = "" if whole_dtype() == np.int64 else "; `jax_enable_x64` takes them to 2^53"
            checks.refuse("count", count, f"at most {reach()}, or a float{x64}")
        return np.asarray(np.maximum(array, 0), whole_dtype())
    if not checks.is_real(array.dtype):
        checks.refuse("count", count, "an integer or a float, or an array of them", TypeError)
    return array


def as_count(count: np.ndarray | jax.Array) -> jax.Array:
    """A count of any type as a whole number from 0 to `reach()`, or as a non-negative float."""
    count, whole = jnp.asarray(count), whole_dtype()
    if jnp.issubdtype(count.dtype, jnp.floating):
        count = count.astype(jnp.result_type(float))
    elif jnp.issubdtype(count.dtype, jnp.integer):
        wide = count.dtype.itemsize >= whole.itemsize
        count = (jnp.minimum(count, reach()) if wide else count).astype(whole)
    else:
        checks.refuse("count", count, "of an integer or floating dtype", TypeError)
    return not_negative(count)


def not_negative(count: Any) -> Any:
    """The count, or 0 where it is negative; at 0 a float count keeps its slope."""
    if isinstance(count, Between):
        return where(count.whole < 0, 0, count)
    if jnp.issubdtype(count.dtype, jnp.integer):
        return jnp.maximum(count, 0)
    return jnp.where(count < 0, 0, count)


def ratio(count: Any, steps: Any) -> Any:
    """`count / steps`, where 0 steps count as 1; correctly rounded but for known `steps`."""
    count = jnp.asarray(count, jnp.result_type(float))
    inverse = from_known(lambda steps: 1 / (steps or 1), steps)
    if inverse is not None:
        # As it is, XLA would combine the constant with others, but not in every program.
        return unfused(count * inverse)
    if jnp.issubdtype(steps.dtype, jnp.integer):
        return count / jnp.maximum(steps, 1)
    return count / jnp.where(steps == 0, 1, steps)


def after(count: Any, begin: Any) -> Any:
    """The steps from `begin` to `count`, negative before it."""
    begin = whole(begin)
    if _in_whole_steps(count, begin):
        return count.back(begin)
    if isinstance(count, Between):
        first, part = parted(begin)
        return (count.whole - first).astype(part.dtype) + (count.gone - part)
    if not _between_steps(count, begin):
        return count - begin
    first, part = parted(begin)
    return (count - first).astype(part.dtype) - part


def until(count: jax.Array, end: Any) -> jax.Array:
    """The steps from `count` to `end`, negative after it."""
    end = whole(end)
    if _in_whole_steps(count, end):
        return (end - count.whole - 1).astype(count.dtype) + count.left
    if isinstance(count, Between):
        first, part = parted(end)
        return (first - count.whole).astype(part.dtype) + (part - count.gone)
    if not _between_steps(count, end):
        return end - count
    first, part = parted(end)
    return (first - count).astype(part.dtype) + part


def reached(count: jax.Array, place: Any) -> jax.Array:
    """Whether a count is at a place or behind it."""
    place = whole(place)
    if _in_whole_steps(count, place):
        return count.whole >= place
    parts = isinstance(count, Between) or _between_steps(count, place)
    return until(count, place) <= 0 if parts else count >= place


def _in_whole_steps(count: Any, place: Any) -> TypeGuard[Between]:
    """Whether a count is between steps, and the place is at one."""
    return isinstance(count, Between) and jnp.issubdtype(jnp.result_type(place), jnp.integer)


def _between_steps(count: jax.Array, place: Any) -> bool:
    """Whether a count is whole and the place need not be."""
    whole_count = jnp.issubdtype(count.dtype, jnp.integer)
    return whole_count and jnp.issubdtype(jnp.result_type(place), jnp.floating)


def parted(place: Any) -> tuple[Any, Any]:
    """The last whole step before a place, and how far behind it the place is."""
    first = from_known(lambda place: min(math.floor(place), reach()), place)
    if first is not None:
        return first, jnp.asarray(place - first).astype(float)
    first = jnp.floor(place).astype(whole_dtype())
    return first, place - first.astype(place.dtype)


def since(count: jax.Array, begin: Any) -> jax.Array:
    """The steps taken since `begin`, 0 before it."""
    return not_negative(after(count, begin))


def moved(count: jax.Array, steps: Any) -> jax.Array:
    """`count - steps` for steps of either sign, held within 0 and the reach of a count."""
    steps = whole(steps)
    if _between_steps(count, steps) and within_reach(steps):
        return not_negative(_moved_between(count, steps))
    if jnp.issubdtype(jnp.result_type(steps), jnp.floating):
        steps = jnp.asarray(steps)
        forward = not_negative(count - jnp.minimum(steps, 0))
        return jnp.where(steps < 0, forward, since(count, jnp.maximum(steps, 0)))
    passed = after(count, steps)
    if jnp.issubdtype(passed.dtype, jnp.floating):
        return not_negative(passed)
    wrapped = (passed < 0) & (steps < 0)
    return jnp.minimum(jnp.where(wrapped, reach(), not_negative(passed)), reach())


def _moved_between(count: jax.Array, steps: Any) -> Between:
    """`count - steps`, of which the whole steps and what is between them are kept apart."""
    first, part = parted(steps)
    before = count - first - (part > 0)
    before = jnp.where((before < 0) & (jnp.asarray(first) < 0), reach(), before)
    return Between(before, jnp.where(part > 0, 1 - part, 0), jnp.where(part > 0, part, 1))


def divide(count: Any, steps: Any) -> tuple[jax.Array, Any]:
    """The whole number of times that `steps` fits into `count`, and the remainder."""
    steps = whole(steps)
    if _in_whole_steps(count, steps):
        times = jnp.floor_divide(count.whole, steps)
        return times, count.back(times * steps)
    if _between_steps(count, steps):
        times, passed, _ = divide_by_real(count, steps)
        return times, passed
    count = jnp.asarray(count)
    times = jnp.floor_divide(*jax.lax.stop_gradient((count, steps)))
    return times, count - times * steps


def slowed(count: jax.Array, factor: Any) -> Any:
    """`count / factor`, whose whole steps are exact, and so is what is left between them."""
    factor = whole(factor)
    if isinstance(factor, int) and factor == 1:
        return count
    if not jnp.issubdtype(count.dtype, jnp.integer):
        return _nearly_whole(jnp.asarray(count), factor)
    if isinstance(factor, float) and factor < 1:
        return _nearly_whole(count, factor)
    if jnp.issubdtype(jnp.result_type(factor), jnp.integer):
        times, passed = divide(count, factor)
        return _parts(times, passed, factor - passed, factor)
    parted = _parts(*divide_by_real(count, factor), factor)
    if isinstance(factor, float):
        return parted
    quotient = _nearly_whole(count, factor)
    before = jnp.floor(quotient)
    gone = quotient - before
    return where(factor < 1, Between(before.astype(whole_dtype()), gone, 1 - gone), parted)


def _parts(times: jax.Array, passed: jax.Array, left: jax.Array, factor: Any) -> Between:
    gone = ratio(passed, factor)
    below_1 = 1 - float(jnp.finfo(gone.dtype).epsneg)
    return Between(times, jnp.where(gone > below_1, below_1, gone), ratio(left, factor))


def _nearly_whole(count: jax.Array, factor: Any) -> jax.Array:
    """The quotient in floats, a whole number where its product is the count."""
    quotient = ratio(count, factor)
    nearest = jax.lax.stop_gradient(jnp.round(quotient))
    rounded = quotient - jax.lax.stop_gradient(quotient)
    return jnp.where(nearest * factor == count, nearest + rounded, quotient)


def stairs(count: jax.Array, steps: Any, staircase: Any) -> tuple[jax.Array, Any]:
    """What to divide by what for `count / steps`, rounded down if `staircase` holds."""
    times, _ = divide(count, steps)
    return _choose_count(staircase, times, count), choose(staircase, 1, steps)


def _choose_count(condition: Any, yes: Any, no: Any) -> Any:
    return (yes if condition else no) if isinstance(condition, bool) else where(condition, yes, no)


def choose(condition: Any, yes: Any, no: Any) -> Any:
    """`yes` if the condition holds, else `no`; decided at once where it is known."""
    if isinstance(condition, bool):
        return yes if condition else no
    return jnp.where(condition, jnp.asarray(yes), jnp.asarray(no))
