"""More formulas in the 60-digit arithmetic of `tests/formulas.py`."""

from itertools import pairwise

from mpmath import mp, mpf

from tests.formulas import blend, linear


def table(count, values, knots=None, interpolate_type="linear"):
    knots = list(range(len(values))) if knots is None else knots
    values = [mpf(value) for value in values]
    if count < knots[0]:
        return values[0]
    if count >= knots[-1]:
        return values[-1]
    i = sum(count >= knot for knot in knots) - 1
    gone = (mpf(count) - knots[i]) / (knots[i + 1] - knots[i])
    if interpolate_type == "constant":
        return values[i]
    if interpolate_type == "linear":
        return blend(values[i], values[i + 1], 1 - gone)
    return hermite(i, gone, values, knots)


def hermite(i, gone, values, knots):
    """The cubic of segment i of SciPy's `PchipInterpolator`, by values and slopes."""
    slopes = pchip_slopes(values, [mpf(knot) for knot in knots])
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
        inner.append((near + far) / (near / m + far / n) if m * n > 0 else mpf(0))
    first = end_slope(lengths[0], lengths[1], rises[0], rises[1])
    last = end_slope(lengths[-1], lengths[-2], rises[-1], rises[-2])
    return [first, *inner, last]


def end_slope(length, next_length, rise, next_rise):
    slope = ((2 * length + next_length) * rise - length * next_rise) / (length + next_length)
    if mp.sign(slope) != mp.sign(rise):
        return mpf(0)
    if mp.sign(rise) != mp.sign(next_rise) and abs(slope) > 3 * abs(rise):
        return 3 * rise
    return slope


def cyclic(count, init_value, peak_value, up_steps, down_steps=None, peak_mult=1.0, decay_rate=1.0):
    down_steps = up_steps if down_steps is None else down_steps
    number, passed = divmod(count, up_steps + down_steps)
    scale = mpf(peak_mult) ** number * mpf(decay_rate) ** mpf(count)
    height = (
        passed / mpf(up_steps) if passed < up_steps else 1 - mpf(passed - up_steps) / down_steps
    )
    return mpf(init_value) + (mpf(peak_value) - mpf(init_value)) * scale * height


def polynomial_cycles(count, init_value, period, power=1.0, end_value=0.0):
    last = mpf(period) * max(1, mp.ceil(mpf(count) / period))
    left = 1 - count / last
    return blend(init_value, end_value, left ** mpf(power) if left else mpf(0))


def rewarm(count, schedule, period, warmup_steps, init_value=0.0):
    number, passed = divmod(count, period)
    if number == 0 or passed >= warmup_steps:
        return schedule(count)
    target = schedule(min(number * period + warmup_steps, 2**31 - 1))
    return linear(passed, init_value, target, warmup_steps)


def cumulative_product(count, init_value, factor, transition_steps):
    value = mpf(init_value)
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
    uniform = (2 * mpf(bits >> 8) + 1) / 2**24 - 1
    if std is None:
        return 1 + limit * uniform
    scale = std * mp.sqrt(2)
    return 1 + scale * mp.erfinv(uniform * mp.erf(limit / scale))


def reflect(count, schedule, period):
    number, passed = divmod(count, period)
    return schedule(period - passed if number % 2 else passed)
