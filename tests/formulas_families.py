"""The formulas of the further families in 60-digit arithmetic, written independently."""

from mpmath import mp, mpf

from tests.formulas import blend, half_cosine, progress


def inverse_sqrt(count, init_value, timescale):
    return mpf(init_value) / mp.sqrt(1 + mpf(count) / mpf(timescale))


def inverse_time(
    count, init_value, transition_steps, decay_rate=1.0, transition_begin=0, staircase=False
):
    periods = max(mpf(count) - mpf(transition_begin), 0) / mpf(transition_steps)
    periods = mp.floor(periods) if staircase else periods
    return mpf(init_value) / (1 + mpf(decay_rate) * periods)


def power(count, init_value, power, timescale=1):
    return mpf(init_value) * (1 + mpf(count) / mpf(timescale)) ** mpf(power)


def rex(count, init_value, decay_steps, end_value=0.0, beta=0.5):
    p = progress(count, decay_steps)
    return blend(init_value, end_value, (1 - p) / (1 - p + mpf(beta) * p))


def tanh(count, init_value, decay_steps, end_value=0.0, lower=-7.0, upper=3.0):
    r = progress(count, decay_steps)
    weight = (1 - mp.tanh(mpf(lower) * (1 - r) + mpf(upper) * r)) / 2
    return blend(init_value, end_value, weight if count < decay_steps else 0)


def k_decay(count, init_value, decay_steps, k, end_value=0.0, exponent=1.0, curve="cosine"):
    p = progress(count, decay_steps)
    p = p ** mpf(k) if 0 < p < 1 else p
    weight = half_cosine(p, 1) if curve == "cosine" else 1 - p
    return blend(init_value, end_value, weight ** mpf(exponent) if p < 1 else 0)
