"""How often a length that need not be whole fits into a count, without a rounding.

A count is at a multiple of a length where their quotient is whole in float64: 1000 is at the
third one of `1000 / 3`, whose float is a little less than that. For counts within reach this
is division by a fraction of whole numbers, done here in two digits and unsigned integers.
What is taken off wraps, and what is left is right, as it is below twice the divisor.
"""

import math
from fractions import Fraction
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxsched.core.arithmetic import doubles
from jaxsched.core.arithmetic.chosen import Chosen, from_known
from jaxsched.core.arithmetic.lookup import take
from jaxsched.core.reach import reach, whole_dtype

# Below it the quotients of a digit are beyond what floats tell apart.
_SHORTEST = 1 / 16


def divide_by_real(count: jax.Array, steps: Any) -> tuple[jax.Array, jax.Array, jax.Array]:
    """How often `steps` fits into a whole count, held within its reach.

    And the steps since that multiple, and those to the next.
    """
    if whole_dtype() == np.int64:
        return _in_float64(count, steps)
    if isinstance(steps, (int, float)) and steps > reach():
        return jnp.zeros_like(count), count.astype(float), steps - count.astype(float)
    known = from_known(_known_divisor, steps)
    if known:
        parts, unit, bound = known
        times, rest = _fitting(count, parts, unit)
        times, rest = _as_in_float64(times, rest, parts, bound)
        passed, left = (part.astype(float) * (1 / unit) for part in (rest, _unsigned(parts) - rest))
        return times.astype(whole_dtype()), passed, left
    steps = jnp.asarray(steps, float)
    parts, unit = _as_fraction(jax.lax.stop_gradient(steps))
    times, rest = _fitting(count, parts, unit)
    passed, left = (part.astype(float) / unit.astype(float) for part in (rest, parts - rest))
    times = times.astype(whole_dtype())
    # Adds 0, and the slope: each whole one that was taken off is as long as `steps`.
    moved = times.astype(float) * (steps - jax.lax.stop_gradient(steps))
    return times, passed - moved, left + moved + (steps - jax.lax.stop_gradient(steps))


def _in_float64(count: jax.Array, steps: Any) -> tuple[jax.Array, jax.Array, jax.Array]:
    """The same where float64 is at hand: the quotient as it rounds it, and an exact rest."""
    length = jnp.asarray(steps, float)
    # A count is never negative, but XLA does not know: it would multiply by a rounded inverse.
    divisor = jax.lax.stop_gradient(jnp.where(count < 0, 1.0, length))
    quotient = count.astype(float) / divisor
    times = jnp.minimum(jnp.floor(quotient), float(reach()))
    zero = jnp.zeros_like(quotient)
    product, error = doubles.times((times, zero), (divisor, zero))
    rest = jnp.maximum((count.astype(float) - product) - error, 0.0)
    passed = jnp.where(quotient == times, 0.0, rest)
    moved = times * (length - divisor)
    left = divisor - passed
    return times.astype(whole_dtype()), passed - moved, left + moved + (length - divisor)


def _known_divisor(steps: float) -> tuple[int, int, float]:
    """A length as a fraction of whole numbers, and the bound of `_as_in_float64`."""
    if steps > reach():
        return reach() + 1, 1, math.inf
    fraction = fraction_of(float(steps), reach())
    excess = Fraction(steps) / fraction - 1
    rounded = excess > Fraction(1, 2**54)
    return *fraction.as_integer_ratio(), float(Fraction(1, 2**53) / excess) if rounded else math.inf


def _unsigned(number: Any) -> Any:
    """A whole number modulo 2^32."""
    if isinstance(number, int):
        return jnp.uint32(number % 2**32)
    if isinstance(number, Chosen):
        bits = number.table.astype(np.int64).astype(np.uint32).view(np.int32)
        return take(bits, number.index).astype(jnp.uint32)
    return number.astype(jnp.uint32)


@cache
def fraction_of(steps: float, most: int) -> Fraction:
    """The fraction that divides all counts up to `most` as a length does, rounded in float64."""
    return 1 / _greatest_up_to((1 + Fraction(1, 2**53)) / Fraction(steps), most)


def _greatest_up_to(bound: Fraction, most: int) -> Fraction:
    """The greatest fraction of at most `bound` whose denominator is at most `most`.

    Its neighbours on both sides, each moved towards the other as far as may be in turns.
    """
    (a, b), (c, d) = (math.floor(bound), 1), (1, 0)
    while (low := bound * b - a) > 0:
        high = c - bound * d
        steps = math.floor(low / high) if not d else min(math.floor(low / high), (most - b) // d)
        a, b = a + steps * c, b + steps * d
        if (low := bound * b - a) == 0:
            break
        further = min(math.ceil(high / low) - 1, (most - d) // b)
        c, d = c + further * a, d + further * b
        if not steps and not further:
            break
    return Fraction(a, b)


def _fitting(count: jax.Array, parts: Any, unit: Any) -> tuple[jax.Array, jax.Array]:
    """`count unit / parts`, rounded down, and the rest in parts."""
    unsigned, digit = jnp.uint32, 16
    known = isinstance(parts, int)
    inverse = 1 / (parts if known else parts.astype(float))
    size = float(unit) if known else unit.astype(float)
    parts, unit = _unsigned(parts), _unsigned(unit)
    if not known or size * inverse > 1:
        # Of a length below 1 there are more than a count can tell.
        limit = reach() * 0.999 / jnp.maximum(size * inverse, 1)
        limited = jnp.minimum(count, limit.astype(whole_dtype()))
        count = jnp.where(size * inverse > 1, limited, count)

    def times(high: Any, low: jax.Array, rest: Any) -> tuple[jax.Array, jax.Array]:
        about = (high * 2.0**digit + low.astype(float) * size) * inverse
        fits = jnp.maximum(jnp.floor(about - 0.25), 0).astype(unsigned)
        rest = (rest << digit) + low * unit - fits * parts
        more = rest >= parts
        return fits + more, jnp.where(more, rest - parts, rest)

    count = count.astype(unsigned)
    first, rest = times(0.0, count >> digit, unsigned(0))
    second, rest = times(rest.astype(float), count & (2**digit - 1), rest)
    return (first << digit) + second, rest


def _as_in_float64(
    times: jax.Array, rest: jax.Array, parts: Any, bound: Any
) -> tuple[jax.Array, jax.Array]:
    """Without the multiples whose quotient float64 rounds to what is just below them.

    Where a length is rounded up by between 2^-54 and 2^-53 of itself that is so for those n
    of which `n / 2^k`, within 1 and 2, exceeds a bound.
    """
    if isinstance(bound, float) and bound == math.inf:
        return times, rest
    mantissa, _ = jnp.frexp(times.astype(float))
    beyond = (2 * mantissa > bound) | ((mantissa == 0.5) & (bound < math.inf))
    below = (rest == 0) & (times > 0) & beyond
    return times - below, jnp.where(below, _unsigned(parts), rest)


def _as_fraction(steps: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The whole numbers whose quotient a float is, the second a power of 2."""
    unsigned = jnp.uint32
    format = jnp.finfo(steps.dtype)
    steps = jnp.clip(steps, _SHORTEST, reach() + 1.0)
    bits = jax.lax.bitcast_convert_type(steps, unsigned)
    hidden = 2**format.nmant
    mantissa = (bits & (hidden - 1)) | hidden
    # `minexp` is the exponent of the bits 1.
    shift = format.nmant + 1 - int(format.minexp) - (bits >> format.nmant).astype(whole_dtype())
    left, right = (jnp.maximum(x, 0).astype(unsigned) for x in (-shift, shift))
    return mantissa << left, unsigned(1) << right
