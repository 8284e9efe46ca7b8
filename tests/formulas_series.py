"""More formulas in the 60-digit arithmetic of `tests/formulas.py`."""

from itertools import pairwise

import gmpy2
from gmpy2 import mpfr
from scipy.special import erfinv

from tests.formulas import blend, linear


def table(count, values, knots=None, interpolate_type="linear"):
    knots = list(range(len(values))) if knots is None else knots
    values = [mpfr(value) for value in values]
    if count < knots[0]:
        return values[0]
    if count >= knots[-1]:
        return values[-1]
    i = sum(count >= knot for knot in knots) - 1
    gone = (mpfr(count) - knots[i]) / (knots[i + 1] - knots[i])
    if interpolate_type == "constant":
        return values[i]
    if interpolate_type == "linear":
        return blend(values[i], values[i + 1], 1 - gone)
    return hermite(i, gone, values, knots)


def hermite(i, gone, values, knots):
    """The cubic of segment i of SciPy's `PchipInterpolator`, by values and slopes."""
    slopes = pchip_slopes(values, [mpfr(knot) for knot in knots])
    length = knots[i + 1] - knots[i]
    return (
        values[i] * (2 * gone**3 - 3 * gone**2 + 1)
        + slopes[i] * length * (gone**3 - 2 * gone**2 + gone)
        + values[i + 1] * (3 * gone**2 - 2 * gone**3)
        + slopes[i + 1] * length * (gone**3 - gone**2)
    )


def pchip_slopes(values, knots):
    lengths = [b - a for a, b in pairwise(knots)]
    rises = [(b - a) / h for a, b, h in zip(values, values[1:], lengths, strict=False)]
    if len(rises) == 1:
        return rises * 2
    inner = []
    for h, k, m, n in zip(lengths, lengths[1:], rises, rises[1:], strict=False):
        near, far = 2 * k + h, k + 2 * h
        inner.append((near + far) / (near / m + far / n) if m * n > 0 else mpfr(0))
    first = end_slope(lengths[0], lengths[1], rises[0], rises[1])
    last = end_slope(lengths[-1], lengths[-2], rises[-1], rises[-2])
    return [first, *inner, last]


def end_slope(length, next_length, rise, next_rise):
    slope = ((2 * length + next_length) * rise - length * next_rise) / (length + next_length)
    if gmpy2.sign(slope) != gmpy2.sign(rise):
        return mpfr(0)
    if gmpy2.sign(rise) != gmpy2.sign(next_rise) and abs(slope) > 3 * abs(rise):
        return 3 * rise
    return slope


def cyclic(count, init_value, peak_value, up_steps, down_steps=None, peak_mult=1.0, decay_rate=1.0):
    down_steps = up_steps if down_steps is None else down_steps
    number, passed = divmod(count, up_steps + down_steps)
    scale = mpfr(peak_mult) ** number * mpfr(decay_rate) ** mpfr(count)
    height = (
        passed / mpfr(up_steps) if passed < up_steps else 1 - mpfr(passed - up_steps) / down_steps
    )
    return mpfr(init_value) + (mpfr(peak_value) - mpfr(init_value)) * scale * height


def polynomial_cycles(count, init_value, period, power=1.0, end_value=0.0):
    last = mpfr(period) * max(1, gmpy2.ceil(mpfr(count) / period))
    left = 1 - count / last
    return blend(init_value, end_value, left ** mpfr(power) if left else mpfr(0))


def rewarm(count, schedule, period, warmup_steps, init_value=0.0):
    number, passed = divmod(count, period)
    if number == 0 or passed >= warmup_steps:
        return schedule(count)
    target = schedule(min(number * period + warmup_steps, 2**31 - 1))
    return linear(passed, init_value, target, warmup_steps)


def cumulative_product(count, init_value, factor, transition_steps):
    value = mpfr(init_value)
    for step in range(1, min(int(count), transition_steps) + 1):
        value *= factor(step)
    return value


WORD = 2**32


def threefry(key, counter):
    """Threefry-2x32 with 20 rounds, by Python's integers."""
    keys = [*key, key[0] ^ key[1] ^ 0x1BD11BDA]
    x, y = ((c + k) % WORD for c, k in zip(counter, key, strict=True))
    for turn in range(20):
        rotation = (13, 15, 26, 6, 17, 29, 16, 24)[turn % 8]
        x = (x + y) % WORD
        y = ((y << rotation | y >> (32 - rotation)) % WORD) ^ x
        if turn % 4 == 3:
            group = turn // 4 + 1
            x = (x + keys[group % 3]) % WORD
            y = (y + keys[(group + 1) % 3] + group) % WORD
    return x, y


def noise(count, limit, std=None, seed=0):
    bits, _ = threefry((0, seed), (0, int(count)))
    uniform = (2 * mpfr(bits >> 8) + 1) / 2**24 - 1
    if std is None:
        return 1 + limit * uniform
    scale = std * gmpy2.sqrt(2)
    return 1 + scale * inverse_erf(uniform * gmpy2.erf(limit / scale))


def inverse_erf(y):
    """SciPy's 16 digits, and Newton's method for the others."""
    x = mpfr(float(erfinv(float(y))))
    for _ in range(3):
        x -= (gmpy2.erf(x) - y) * gmpy2.sqrt(gmpy2.const_pi()) / 2 * gmpy2.exp(x * x)
    return x


def reflect(count, schedule, period):
    number, passed = divmod(count, period)
    return schedule(period - passed if number % 2 else passed)
