"""Where a count stands in a sequence of cycles without end, each longer than the last.

Cycle i begins at step `period (mult^i - 1) / (mult - 1)`, or `i period` if `mult` is 1. A
logarithm of the count would put some restarts one step off; instead the steps
at which cycles begin are computed, and compared with the count.
"""

import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxsched.core.checks import MAX_COUNT, known
from jaxsched.core.leaves import whole
from jaxsched.core.powers import exponential
from jaxsched.core.steps import divide
from jaxsched.core.tables import locate, take

MAX_CYCLES = 100_000


class Cycle(NamedTuple):
    """A place in a sequence of cycles.

    Attributes:
      number: how many cycles have ended.
      passed: the steps taken in the current one.
      steps: its length, or 2^31-1 if that is shorter.
      factor: its length over the first one's.
      cycles: how many there are within the reach of an int32 count, if that is known.
    """

    number: jax.Array
    passed: jax.Array
    steps: Any
    factor: Any
    cycles: int | None


def cycle(count: jax.Array, period: Any, period_mult: Any) -> Cycle:
    """The place of `count` among cycles of `period`, `period * period_mult`, ... steps."""
    period, mult = whole(period), whole(period_mult)
    if isinstance(mult, int) and mult == 1:
        return _equal(count, period)
    if isinstance(mult, (int, float)) and isinstance(period, (int, float)):
        return _among(count, starts(period, mult), mult)
    integers = jnp.issubdtype(jnp.result_type(period, mult), jnp.integer)
    growing = (_growing_by_whole if integers else _growing)(count, period, mult)
    equal = _equal(count, period)
    return jax.tree.map(lambda one, other: jnp.where(mult == 1, one, other), equal, growing)


def scaled(value: Any, mult: Any, place: Cycle) -> Any:
    """`value * mult ** place.number`; from a table where all factors are known."""
    if isinstance(mult, (int, float)) and mult == 1:
        return value
    if isinstance(mult, (int, float)) and place.cycles:
        return value * take(np.power(float(mult), np.arange(place.cycles)), place.number)
    return exponential(value, mult, place.number, 1)


def covered(place: Cycle, period: Any, warmup_steps: Any) -> Any:
    """How much of a cycle after its warm-up an int32 count can reach, as a fraction."""
    if isinstance(place.factor, int):
        return 1
    length = period * place.factor - warmup_steps
    return jnp.where(place.steps < MAX_COUNT, 1, (MAX_COUNT - warmup_steps) / length)


def _equal(count: jax.Array, period: Any) -> Cycle:
    number, rest = divide(count, period)
    return Cycle(number, rest, period, 1, None)


def starts(period: float, mult: float) -> np.ndarray:
    """The first steps of all cycles within the reach of an int32 count, and one beyond."""
    if mult == 1:
        return np.zeros(1)
    cycles = math.ceil(math.log1p(MAX_COUNT * (mult - 1) / period) / math.log(mult)) + 1
    if cycles > MAX_CYCLES:
        raise ValueError(
            f"`period_mult` must be 1 or make fewer than {MAX_CYCLES} cycles of an int32 count,"
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
    begins = table[table <= MAX_COUNT].astype(np.int32)
    lengths = np.minimum(np.diff(table), MAX_COUNT)[: begins.size].astype(np.int32)
    factors = np.power(float(mult), np.arange(begins.size))
    number = locate(count, begins[1:])
    passed, factor = count - take(begins, number), take(factors, number)
    return Cycle(number, passed, take(lengths, number), factor, begins.size)


def _growing_by_whole(count: jax.Array, period: Any, mult: Any) -> Cycle:
    """Cycles for a traced whole `mult` of at least 2, of which int32 holds at most 32."""
    powers = _powers_of_whole(mult)
    first = period * (jnp.cumsum(powers) - powers)
    # Sums that wrapped are recognized by their size in float32 and, near 2^31, by their sign.
    floats = jnp.power(jnp.asarray(mult, float), jnp.arange(32))
    size = period * (floats - 1) / jnp.maximum(mult - 1, 1)
    reached = (count >= first) & (first >= 0) & (size < 1.5 * MAX_COUNT)
    number = jnp.sum(reached, dtype=jnp.int32) - 1
    factor = take(floats, number)
    fits = period * factor < MAX_COUNT
    steps = jnp.where(fits, period * take(powers, number), MAX_COUNT)
    return Cycle(number, count - take(first, number), steps, factor, None)


def _powers_of_whole(base: Any) -> jax.Array:
    """`base ** k` for k from 0 to 31 in int32, wrapping, by repeated squaring."""
    exponent = jnp.arange(32, dtype=jnp.int32)
    powers, square = jnp.ones(32, jnp.int32), jnp.asarray(base, jnp.int32)
    for bit in range(5):
        powers = powers * jnp.where((exponent >> bit) & 1, square, 1)
        square = square * square
    return powers


def _growing(count: jax.Array, period: Any, mult: Any) -> Cycle:
    """Cycles for a traced real `mult` above 1: a logarithm, corrected by comparing steps."""
    mult = jnp.where(mult == 1, 2.0, mult)
    log = jnp.log(mult)

    def first(number: jax.Array) -> jax.Array:
        step = jnp.round(period * jnp.expm1(number * log) / (mult - 1))
        return jnp.where(step < MAX_COUNT, step, MAX_COUNT).astype(jnp.int32)

    guess = jnp.floor(jnp.log1p(count * (mult - 1) / period) / log).astype(jnp.int32)
    number = jnp.maximum(guess - 1, 0)
    number = number + (count >= first(number + 1)) + (count >= first(number + 2))
    begin, end = first(number), first(number + 1)
    return Cycle(number, count - begin, end - begin, jnp.exp(number * log), None)
