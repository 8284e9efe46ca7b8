"""The formulas of the schedules in 60-digit arithmetic, written independently of the library."""

import gmpy2
from gmpy2 import mpfr

gmpy2.get_context().precision = 200


def blend(init, end, weight):
    return mpfr(end) + (mpfr(init) - mpfr(end)) * weight


def progress(count, steps):
    """The fraction of a transition behind, from 0 to 1; a length of 0 is at its end at once."""
    if count >= steps:
        return mpfr(1)
    return max(mpfr(count), 0) / mpfr(steps)


def constant(count, value):
    return mpfr(value)


def linear(count, init_value, end_value, transition_steps, transition_begin=0):
    if count < transition_begin:
        return mpfr(init_value)
    return blend(init_value, end_value, 1 - progress(count - transition_begin, transition_steps))


def polynomial(count, init_value, end_value, power, transition_steps, transition_begin=0):
    if count < transition_begin:
        return mpfr(init_value)
    left = 1 - progress(count - transition_begin, transition_steps)
    return blend(init_value, end_value, left ** mpfr(power) if left else mpfr(0))


def half_cosine(count, steps, exponent=1):
    gone = progress(count, steps)
    weight = (1 + gmpy2.cos(gmpy2.const_pi() * gone)) / 2
    return weight ** mpfr(exponent) if gone < 1 else mpfr(0)


def cosine(count, init_value, decay_steps, alpha=0.0, exponent=1.0):
    end_value = mpfr(alpha) * mpfr(init_value)
    return blend(init_value, end_value, half_cosine(count, decay_steps, exponent))


def exponential(
    count,
    init_value,
    transition_steps,
    decay_rate,
    transition_begin=0,
    staircase=False,
    end_value=None,
):
    passed = max(mpfr(count) - mpfr(transition_begin), 0)
    periods = passed / mpfr(transition_steps)
    periods = gmpy2.floor(periods) if staircase else periods
    value = mpfr(init_value) * mpfr(decay_rate) ** periods
    if end_value is None:
        return value
    return max(value, mpfr(end_value)) if decay_rate < 1 else min(value, mpfr(end_value))


def warmup_constant(count, init_value, peak_value, warmup_steps):
    return linear(count, init_value, peak_value, warmup_steps)


def warmup_cosine(
    count, init_value, peak_value, warmup_steps, decay_steps, end_value=0.0, exponent=1.0
):
    if count < warmup_steps:
        return linear(count, init_value, peak_value, warmup_steps)
    weight = half_cosine(count - warmup_steps, decay_steps - warmup_steps, exponent)
    return blend(peak_value, end_value, weight)


def warmup_exponential(count, init_value, peak_value, warmup_steps, *args, **kwargs):
    if count < warmup_steps:
        return linear(count, init_value, peak_value, warmup_steps)
    return exponential(count - warmup_steps, peak_value, *args, **kwargs)


def through(count, knots, values, weight):
    """Values at knots, joined by a curve."""
    for begin, end, before, after in zip(knots, knots[1:], values, values[1:], strict=False):
        if begin <= count < end:
            return blend(before, after, weight(count - begin, end - begin))
    return mpfr(values[-1]) if count >= knots[-1] else mpfr(values[0])


def line(count, steps):
    return 1 - progress(count, steps)


def linear_onecycle(
    count,
    transition_steps,
    peak_value,
    pct_start=0.3,
    pct_final=0.85,
    div_factor=25.0,
    final_div_factor=1e4,
):
    low = mpfr(peak_value) / mpfr(div_factor)
    peak = min(max(int(pct_start * transition_steps), int(pct_start > 0)), transition_steps)
    foot = max(int(pct_final * transition_steps), peak + int(pct_final > 0))
    foot = min(foot, transition_steps)
    values = [low, mpfr(peak_value), low, low / mpfr(final_div_factor)]
    return through(count, [0, peak, foot, transition_steps], values, line)


def cosine_onecycle(
    count, transition_steps, peak_value, pct_start=0.3, div_factor=25.0, final_div_factor=1e4
):
    low = mpfr(peak_value) / mpfr(div_factor)
    peak = min(max(int(pct_start * transition_steps), int(pct_start > 0)), transition_steps)
    values = [low, mpfr(peak_value), low / mpfr(final_div_factor)]
    return through(count, [0, peak, transition_steps], values, half_cosine)


def piecewise_constant(count, init_value, boundaries_and_scales):
    value = mpfr(init_value)
    for step, scale in boundaries_and_scales.items():
        value *= mpfr(scale) if count >= step else 1
    return value


def piecewise_interpolate(count, interpolate_type, init_value, boundaries_and_scales):
    knots, values = [0], [mpfr(init_value)]
    for step, scale in sorted(boundaries_and_scales.items()):
        knots.append(step)
        values.append(values[-1] * mpfr(scale))
    return through(count, knots, values, {"linear": line, "cosine": half_cosine}[interpolate_type])


def join(count, members, boundaries):
    index = sum(count >= step for step in boundaries)
    return members[index](count - ([0, *boundaries])[index])


def sgdr(count, cosine_kwargs):
    for kwargs in cosine_kwargs[:-1]:
        if count < kwargs["decay_steps"]:
            return warmup_cosine(count, **kwargs)
        count -= kwargs["decay_steps"]
    return warmup_cosine(count, **cosine_kwargs[-1])


def cycle_of(count, period, period_mult):
    """The cycle's number, the steps taken in it, and its length."""
    if period_mult == 1:
        return int(count // period), count % period, period
    number, mult = 0, mpfr(period_mult)

    def first(number):
        return int(gmpy2.rint(mpfr(period) * (mult**number - 1) / (mult - 1)))

    while count >= first(number + 1):
        number += 1
    return number, count - first(number), first(number + 1) - first(number)


def cosine_restarts(
    count, init_value, period, period_mult=1, peak_mult=1.0, warmup_steps=0, end_value=0.0
):
    number, passed, length = cycle_of(count, period, period_mult)
    peak = mpfr(init_value) * mpfr(peak_mult) ** number
    peak = min(peak, mpfr(end_value)) if init_value < end_value else max(peak, mpfr(end_value))
    return warmup_cosine(passed, end_value, peak, warmup_steps, length, end_value)


def repeat(count, schedule, period, period_mult=1, peak_mult=1.0):
    number, passed, _ = cycle_of(count, period, period_mult)
    return schedule(mpfr(passed) / mpfr(period_mult) ** number) * mpfr(peak_mult) ** number


def with_warmup(count, schedule, warmup_steps, init_value=0.0):
    if count < warmup_steps:
        return linear(count, init_value, schedule(0), warmup_steps)
    return schedule(count - warmup_steps)


def with_cooldown(count, schedule, begin, cooldown_steps, end_value=0.0):
    if count < begin:
        return schedule(count)
    return linear(count - begin, schedule(begin), end_value, cooldown_steps)


def mirror(rate, low, high, floor, peak):
    low, high, floor, peak = map(mpfr, (low, high, floor, peak))
    return high - (high - low) * min(max((rate - floor) / (peak - floor), 0), 1)
