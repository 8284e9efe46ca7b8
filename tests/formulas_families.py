"""The formulas of the further families in 60-digit arithmetic, written independently."""

import gmpy2
from gmpy2 import mpfr

from tests.formulas import blend, half_cosine, progress


def inverse_sqrt(count, init_value, timescale):
    return mpfr(init_value) / gmpy2.sqrt(1 + mpfr(count) / mpfr(timescale))


def inverse_time(
    count, init_value, transition_steps, decay_rate=1.0, transition_begin=0, staircase=False
):
    periods = max(mpfr(count) - mpfr(transition_begin), 0) / mpfr(transition_steps)
    periods = gmpy2.floor(periods) if staircase else periods
    return mpfr(init_value) / (1 + mpfr(decay_rate) * periods)


def power(count, init_value, power, timescale=1):
    return mpfr(init_value) * (1 + mpfr(count) / mpfr(timescale)) ** mpfr(power)


def rex(count, init_value, decay_steps, end_value=0.0, beta=0.5):
    p = progress(count, decay_steps)
    return blend(init_value, end_value, (1 - p) / (1 - p + mpfr(beta) * p))


def tanh(count, init_value, decay_steps, end_value=0.0, lower=-7.0, upper=3.0):
    r = progress(count, decay_steps)
    weight = (1 - gmpy2.tanh(mpfr(lower) * (1 - r) + mpfr(upper) * r)) / 2
    return blend(init_value, end_value, weight if count < decay_steps else 0)


SHAPES = {
    "linear": lambda u: 1 - u,
    "cosine": lambda u: (1 + gmpy2.cos(gmpy2.const_pi() * u)) / 2,
    "mirror_cosine": lambda u: 2 * (1 - u) - (1 + gmpy2.cos(gmpy2.const_pi() * u)) / 2,
    "square": lambda u: 1 - u**2,
    "sqrt": lambda u: 1 - gmpy2.sqrt(u),
    "exponential": lambda u: 2 * mpfr("0.5") ** u - 1,
}


def ramp(shape, init, end, count, steps):
    u, init, end = progress(count, steps), mpfr(init), mpfr(end)
    if u in (0, 1):
        return end if u else init
    if shape == "geometric":
        return init * (end / init) ** u
    if shape == "inverse":
        return 1 / (u / end + (1 - u) / init)
    return blend(init, end, SHAPES[shape](u))


def warmup_stable_decay(
    count,
    init_value,
    peak_value,
    warmup_steps,
    decay_begin,
    decay_steps,
    end_value=0.0,
    shape="linear",
    warmup_shape="linear",
):
    if count < warmup_steps:
        return ramp(warmup_shape, init_value, peak_value, count, warmup_steps)
    return ramp(shape, peak_value, end_value, count - decay_begin, decay_steps)


def with_warmup(count, schedule, warmup_steps, init_value, shape):
    if count < warmup_steps:
        return ramp(shape, init_value, schedule(0), count, warmup_steps)
    return schedule(count - warmup_steps)


def with_cooldown(count, schedule, begin, cooldown_steps, end_value, shape):
    if count < begin:
        return schedule(count)
    return ramp(shape, schedule(begin), end_value, count - begin, cooldown_steps)


def untuned_warmup(count, b2, shape="exponential"):
    if shape == "linear":
        return min(mpfr(count + 1) / int(2.0 / (1.0 - b2)), mpfr(1))
    return -gmpy2.expm1(-mpfr(count + 1) / int(1.0 / (1.0 - b2)))


def exponential_warmup(count, timescale):
    return -gmpy2.expm1(-mpfr(count + 1) / timescale)


def radam_length(t, b2):
    return 2 / (1 - b2) - 1 - 2 * t * b2**t / (1 - b2**t)


def radam_begin(b2):
    """The first step with a length above 4."""
    t = 1
    while radam_length(t, mpfr(b2)) <= 4:
        t += 1
    return t


def radam_warmup(count, b2):
    b2 = mpfr(b2)
    limit, r = 2 / (1 - b2) - 1, radam_length(count + radam_begin(b2), b2)
    return gmpy2.sqrt((r - 4) * (r - 2) * limit / ((limit - 4) * (limit - 2) * r))


def k_decay(count, init_value, decay_steps, k, end_value=0.0, exponent=1.0, curve="cosine"):
    p = progress(count, decay_steps)
    p = p ** mpfr(k) if 0 < p < 1 else p
    weight = half_cosine(p, 1) if curve == "cosine" else 1 - p
    return blend(init_value, end_value, weight ** mpfr(exponent) if p < 1 else 0)


def normalized_exponential(count, init_value, decay_steps, end_value=0.0, ratio=0.1):
    p, ratio = progress(count, decay_steps), mpfr(ratio)
    weight = (ratio**p - ratio) / (1 - ratio) if ratio != 1 else 1 - p
    return blend(init_value, end_value, weight if p < 1 else 0)
