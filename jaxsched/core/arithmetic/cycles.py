"""Where a count stands in a sequence of cycles without end, each longer than the last.

Cycle i begins at step `period (mult^i - 1) / (mult - 1)`, or `i period` if `mult` is 1. A
logarithm of the count would put some restarts one step off; instead the steps
at which cycles begin are computed, and compared with the count.
"""

import math
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxsched.core.arithmetic.chosen import Chosen, from_known, whole
from jaxsched.core.arithmetic.doubles import double_of, nearest, over, plus, power_of, times
from jaxsched.core.arithmetic.lookup import locate, since_begin, take
from jaxsched.core.arithmetic.powers import as_exponential_of, exponential
from jaxsched.core.arithmetic.steps import divide
from jaxsched.core.checks import known
from jaxsched.core.reach import reach, whole_dtype

MAX_CYCLES = 100_000


class Cycle(NamedTuple):
    """A place in a sequence of cycles.

    Attributes:
      number: how many cycles have ended.
      passed: the steps taken in the current one.
      steps: its length, or 2^31-1 if that is shorter.
      factor: its length over the first one's.
      cycles: how many there are within the reach of a count, if that is known.
    """

    number: jax.Array
    passed: jax.Array
    steps: Any
    factor: Any
    cycles: int | None


def cycle(count: jax.Array, period: Any, period_mult: Any) -> Cycle:
    """The place of `count` among cycles of `period`, `period * period_mult`, ... steps."""
    known = from_known(_number_of_cycles, period, period_mult)
    if isinstance(known, Chosen):
        growing = _among_known(count, period, period_mult, known)
        return _unless_equal(count, whole(period), period_mult, growing)
    period, mult = whole(period), whole(period_mult)
    if isinstance(mult, int) and mult == 1:
        return _equal(count, period)
    if isinstance(mult, (int, float)) and isinstance(period, (int, float)):
        return _among(count, starts(period, mult), mult)
    count = jnp.asarray(count)
    integers = jnp.issubdtype(jnp.result_type(period, mult), jnp.integer)
    growing = (_growing_by_whole if integers else _growing)(count, period, mult)
    return _unless_equal(count, period, mult, growing)


def _unless_equal(count: jax.Array, period: Any, mult: Any, growing: Cycle) -> Cycle:
    """Growing cycles where `mult` is not 1."""
    equal = _equal(count, period)
    return jax.tree.map(
        lambda one, other: jnp.where(mult == 1, jnp.asarray(one), other), equal, growing
    )


def scaled(value: Any, mult: Any, place: Cycle) -> Any:
    """`value * mult ** place.number`; from a table where all factors are known."""
    if isinstance(mult, (int, float)) and mult == 1:
        return value
    if isinstance(mult, (int, float)) and place.cycles:
        return value * take(np.power(float(mult), np.arange(place.cycles)), place.number)
    return exponential(value, mult, place.number, 1)


def covered(place: Cycle, period: Any, warmup_steps: Any) -> Any:
    """How much of a cycle after its warm-up a count can reach, as a fraction."""
    if isinstance(place.factor, int):
        return 1
    length = period * place.factor - warmup_steps
    whole_cycle = (place.steps < reach()) | (place.steps >= period * place.factor)
    return jnp.where(whole_cycle, 1, (reach() - warmup_steps) / length)


def _equal(count: jax.Array, period: Any) -> Cycle:
    number, rest = divide(count, period)
    return Cycle(number, rest, period, 1, None)


def starts(period: float, mult: float) -> np.ndarray:
    """The first steps of all cycles within the reach of a count, and one beyond."""
    if mult == 1:
        return np.zeros(1)
    cycles = math.ceil(math.log1p(reach() * (mult - 1) / period) / math.log(mult)) + 1
    if cycles > MAX_CYCLES:
        raise ValueError(
            f"`period_mult` must be 1 or make fewer than {MAX_CYCLES} cycles that a count reaches,"
            f" got {mult!r} with `period`={period!r}."
        )
    with np.errstate(over="ignore"):
        return np.round(period * (np.power(float(mult), np.arange(cycles + 1)) - 1) / (mult - 1))


def check_cycles(hyperparams: dict[str, Any]) -> None:
    """Raises where a known `period_mult` makes too many cycles of a known `period`."""
    period, mult = known(hyperparams["period"]), known(hyperparams["period_mult"])
    if period is not None and mult is not None:
        starts(period, mult)


def _among(count: jax.Array, table: np.ndarray, mult: Any) -> Cycle:
    begins = table[table <= reach()].astype(whole_dtype())
    lengths = np.minimum(np.diff(table), reach())[: begins.size].astype(whole_dtype())
    factors = np.power(float(mult), np.arange(begins.size))
    number = locate(count, begins[1:])
    passed, factor = since_begin(count, begins, number), take(factors, number)
    return Cycle(number, passed, take(lengths, number), factor, begins.size)


def _number_of_cycles(period: float, mult: float) -> int:
    return int(np.sum(starts(period, mult) <= reach()))


def _of_member(size: int, period: float, mult: float) -> tuple[np.ndarray, ...]:
    """Begins, lengths and factors of the cycles within reach, filled up to a size."""
    table = starts(period, mult)
    begins = table[table <= reach()]
    lengths = np.minimum(np.diff(table, append=np.inf), reach())[: begins.size]
    fill = [(0, size - begins.size)]
    return (
        np.pad(begins, fill, constant_values=reach()).astype(np.int64),
        np.pad(lengths, fill).astype(np.int64),
        np.power(float(mult), np.minimum(np.arange(size), begins.size)),
    )


def _among_known(count: jax.Array, period: Any, mult: Any, cycles: Chosen) -> Cycle:
    """Cycles of whichever member of a stack is asked for: each has tables of its own."""
    size = int(np.max(cycles.table))
    tables = from_known(partial(_of_member, size), period, mult)
    begins, lengths, factors = (take(table.table, table.index) for table in tables)
    number = jnp.minimum(locate(count, begins[1:]), cycles.astype(np.int32) - 1)
    passed = since_begin(count, begins, number)
    return Cycle(number, passed, take(lengths, number), take(factors, number), None)


def _growing_by_whole(count: jax.Array, period: Any, mult: Any) -> Cycle:
    """Cycles for a traced whole `mult` of at least 2: no more than a count has bits."""
    powers = _powers_of_whole(mult)
    first = period * (jnp.cumsum(powers) - powers)
    # Sums that wrapped are recognized by their size as floats and, near 2^31, by their sign.
    floats = jnp.power(jnp.asarray(mult, float), jnp.arange(powers.size))
    size = period * (floats - 1) / jnp.maximum(mult - 1, 1)
    reached = (count >= first) & (first >= 0) & (size < 1.5 * reach())
    number = jnp.sum(reached, dtype=jnp.int32) - 1
    factor = take(floats, number)
    fits = period * factor < reach()
    steps = jnp.where(fits, period * take(powers, number), reach())
    return Cycle(number, count - take(first, number), steps, factor, None)


def _powers_of_whole(base: Any) -> jax.Array:
    """`base ** k` for as many k as a count has bits, wrapping, by repeated squaring."""
    bits = 8 * whole_dtype().itemsize
    exponent = jnp.arange(bits, dtype=whole_dtype())
    powers, square = jnp.ones(bits, whole_dtype()), jnp.asarray(base, whole_dtype())
    for bit in range(5 if bits == 32 else 6):
        powers = powers * jnp.where((exponent >> bit) & 1, square, 1)
        square = square * square
    return powers


def _growing(count: jax.Array, period: Any, mult: Any) -> Cycle:
    """Cycles for a traced real `mult` above 1: a logarithm, corrected by comparing steps."""
    mult = jnp.where(mult == 1, 2.0, mult)
    log = jnp.log1p(mult - 1)
    fixed_period, fixed, fixed_log = jax.lax.stop_gradient((period, mult, log))
    # By more than that no second cycle is reached.
    held = jnp.minimum(fixed, 2.0**31)
    guess = jnp.floor(jnp.log1p(count * (fixed - 1) / fixed_period) / fixed_log)
    guess = jnp.clip(guess - 1, 0, MAX_CYCLES).astype(jnp.int32)
    # The cycle is this one or one of the next two; then a fourth one begins.
    few = power_of(held, jnp.arange(4), bits=2)
    factors = times(power_of(held, guess, bits=17), few)
    firsts, ends, beyond = _first(factors, fixed_period, held)
    more = jnp.sum((count >= firsts[1:3]) & ~beyond[1:3], dtype=jnp.int32)
    begin, end = take(firsts, more), take(firsts, more + 1)
    # Where counts end the next begin is beyond them: the last cycle is not cut off there.
    beyond = jnp.minimum(take(ends, more + 1) - begin, reach()).astype(whole_dtype())
    steps = jnp.where(end < reach(), end - begin, beyond)
    number = guess + more
    size = jnp.where(number == 1, fixed, take(factors[0], more))
    factor = as_exponential_of(number * log, size)
    return Cycle(number.astype(whole_dtype()), count - begin, steps, factor, None)


def _first(factor: Any, period: Any, mult: Any) -> tuple[jax.Array, jax.Array, jax.Array]:
    """The first step of a cycle, held within reach and as a float, and whether it is beyond."""
    grown = times(plus(factor, -1.0), double_of(period, mult.dtype))
    high, low = over(grown, mult - 1)
    beyond = (high - (reach() + 1.0)) + low >= -0.5
    return jnp.where(high < reach(), nearest((high, low)), reach()), high, beyond
