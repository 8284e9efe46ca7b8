"""Real powers to the last digits of float32: `rate ** (count / steps)`, `base ** exponent`.

In plain float32 the rounding of the logarithm is multiplied by the exponent: after 100
halvings two digits are gone. Here the exponent `log2(rate) count / steps` is held to 36
bits, as sums of 12-bit floats whose products are exact, before its fractional part is taken.
That rests on the exactness of each product, not on the order of operations, so fused
multiply-adds do it no harm.
"""

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxsched.core.arithmetic.between import Between
from jaxsched.core.arithmetic.chosen import from_known, whole
from jaxsched.core.arithmetic.steps import ratio

Chunks = tuple[Any, Any, Any]
"""A number as an unevaluated sum; the first two have 12 significant bits."""

_KEEP_12_BITS = np.int32(-(2**12))
_INVERSES = np.arange(90, 183) / 128
_LOG2_INVERSES = np.log2(_INVERSES)
_LOG2_HIGH = np.round(_LOG2_INVERSES * 2**16) / 2**16
_LOG2_LOW = _LOG2_INVERSES - _LOG2_HIGH


def exponential(init: Any, rate: Any, count: jax.Array, steps: Any) -> jax.Array:
    """`init * rate ** (count / steps)` for `rate > 0`; exactly `init` at count 0."""
    known = from_known(lambda rate, steps: _chunks_of_known(math.log2(rate) / steps), rate, steps)
    steps = whole(steps)
    log = jnp.log(jnp.asarray(rate)) * ratio(count, steps)
    if jnp.result_type(float) == jnp.float64:
        # In two factors, which are finite: 0 stays 0 however much it grows.
        root = jnp.exp(jnp.minimum(log / 2, 709.0))
        return init * root * root
    if known:
        exponent = _product(known, _chunks(count))
    else:
        exponent = _product(_log2(rate), _quotient(count, steps))
    return _scaled(init, exponent, log)


def power(base: jax.Array, exponent: Any, init: Any = 1.0) -> jax.Array:
    """`init * base ** exponent` for `base > 0`."""
    if jnp.result_type(float) == jnp.float64:
        return init * jnp.minimum(base**exponent, jnp.finfo(float).max)
    return _scaled(init, _product(_log2(base), _chunks(exponent)), exponent * jnp.log(base))


def _scaled(value: Any, exponent: tuple[jax.Array, jax.Array], log: jax.Array) -> jax.Array:
    """`value * 2 ** exponent`, in three factors none of which overflows."""
    doublings, fraction = exponent
    half = doublings // 2
    value = value * as_exponential_of(log, jnp.exp2(fraction))
    return value * _power_of_two(half) * _power_of_two(doublings - half)


def _product(a: Chunks, b: Chunks) -> tuple[jax.Array, jax.Array]:
    """`a * b` as a whole number, held within the reach of float32, and a fraction."""
    main = a[0] * b[0]
    nearest = jnp.round(main)
    rest = a[0] * b[2] + a[1] * (b[1] + b[2]) + a[2] * (b[0] + b[1])
    fraction = (main - nearest) + ((a[0] * b[1] + a[1] * b[0]) + rest)
    return jnp.clip(nearest, -252, 252).astype(jnp.int32), jnp.clip(fraction, -1.0, 1.0)


def _high(x: jax.Array) -> jax.Array:
    """The leading 12 bits of a float."""
    bits = jax.lax.bitcast_convert_type(x, jnp.int32)
    return jax.lax.bitcast_convert_type(bits & _KEEP_12_BITS, jnp.float32)


def _chunks_of_known(x: float) -> Chunks:
    high = np.float32(x).view(np.int32) & _KEEP_12_BITS
    high = float(high.view(np.float32))
    middle = np.float32(x - high).view(np.int32) & _KEEP_12_BITS
    middle = float(middle.view(np.float32))
    return high, middle, x - high - middle


def _chunks(count: Any) -> Chunks:
    known = from_known(_chunks_of_known, count)
    if known:
        return known
    part = jax.lax.stop_gradient(count.gone) if isinstance(count, Between) else 0
    count = count.whole if isinstance(count, Between) else jnp.asarray(count)
    count = jax.lax.stop_gradient(count)
    if jnp.issubdtype(count.dtype, jnp.integer):
        # Cut to 24 bits first: 2^31 - 1 would round up to what int32 cannot hold.
        cut = jnp.where(count < 2**24, count, count & ~0xFF)
        high = _high(cut.astype(jnp.float32))
        rest = count - high.astype(jnp.int32)
    else:
        count = count.astype(jnp.float32)
        high = _high(count)
        rest = count - high
    rest = rest.astype(jnp.float32) + part
    middle = _high(rest)
    return high, middle, rest - middle


def _quotient(count: Any, steps: Any) -> Chunks:
    """`count / steps`: one division for the leading bits, one of the exact remainder."""
    (c0, c1, c2), (s0, s1, s2) = _chunks(count), _chunks(steps)
    divisor = s0 + (s1 + s2)
    high = _high((c0 + (c1 + c2)) / divisor)
    rest = ((c0 - high * s0) + (c1 - high * s1) + (c2 - high * s2)) / divisor
    middle = _high(rest)
    return high, middle, rest - middle


def _log2(x: Any) -> Chunks:
    """The binary logarithm of a positive float32, by a table and a short series.

    `x = 2^e m` with m near 1, and `m r = 1 + z` with a tabulated 8-bit r near 1/m, so that
    `log2 x = e - log2 r + log2(1 + z)` with an exact z below 2^-7.
    """
    x = jax.lax.stop_gradient(jnp.asarray(x, jnp.float32))
    bits = jax.lax.bitcast_convert_type(x, jnp.int32)
    mantissa = jax.lax.bitcast_convert_type((bits & 0x7FFFFF) | 0x3F800000, jnp.float32)
    large = mantissa > math.sqrt(2)
    mantissa = jnp.where(large, mantissa / 2, mantissa)
    power = ((bits >> 23) - 127 + large).astype(jnp.float32)

    index = jnp.round(128 / mantissa)
    inverse = index / 128
    row = (index - 90).astype(jnp.uint32)
    high = _high(mantissa)
    z = (high * inverse - 1, (mantissa - high) * inverse)
    z_high = _high(z[0] + z[1])
    z_low = (z[0] - z_high) + z[1]
    z = z_high + z_low

    scale = _chunks_of_known(1 / math.log(2))
    base = power - jnp.asarray(_LOG2_HIGH, jnp.float32)[row]
    main = scale[0] * z_high
    series = z * z * (0.5 - z * (1 / 3 - z * (0.25 - z * 0.2))) / math.log(2)
    rest = scale[0] * z_low + (scale[1] + scale[2]) * z - series
    rest = rest - jnp.asarray(_LOG2_LOW, jnp.float32)[row]
    result = _high(base + (main + rest))
    rest = ((base - result) + main) + rest
    middle = _high(rest)
    return result, middle, rest - middle


def _power_of_two(exponent: jax.Array) -> jax.Array:
    """`2 ** exponent` exactly, for whole exponents from -126 to 127."""
    return jax.lax.bitcast_convert_type((exponent + 127) << 23, jnp.float32)


@jax.custom_jvp
def as_exponential_of(log: jax.Array, value: jax.Array) -> jax.Array:
    """`value`, differentiated as the exponential of `log`: bit operations have no slope."""
    del log
    return value


@as_exponential_of.defjvp
def _(primals, tangents):
    log, value = primals
    return as_exponential_of(log, value), value * tangents[0]
