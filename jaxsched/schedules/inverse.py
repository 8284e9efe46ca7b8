"""Decays without an end: inverse roots, inverse times and powers of the time."""

import jax
import jax.numpy as jnp

from jaxsched.core.arithmetic.powers import power as powered
from jaxsched.core.arithmetic.steps import ratio, since, stairs, unfused
from jaxsched.core.schedule import schedule
from jaxsched.core.types import Flag, NonNegative, Number, SomeSteps, Steps


@schedule
def inverse_sqrt_schedule(count: jax.Array, init_value: Number, timescale: SomeSteps):
    """The inverse square root of the time, without an end.

        rate = init_value / sqrt(1 + count / timescale)

    Half of `init_value` is left after `3 timescale` steps. With a warm-up as long as the
    timescale, `with_warmup(inverse_sqrt_schedule(peak, steps), steps)`, this is the schedule
    of the Transformer: from the end of the warm-up on, `peak sqrt(steps / count)`.

    Args:
      init_value: the value at step 0.
      timescale: the steps after which the value is `init_value / sqrt(2)`.

    Example:
      >>> rate = inverse_sqrt_schedule(1.0, timescale=100)
      >>> print(*(f"{rate(count):.3f}" for count in (0, 100, 300, 9900)))
      1.000 0.707 0.500 0.100

    Reference:
      Vaswani et al., Attention Is All You Need, 2017; Zhai et al., Scaling Vision
      Transformers, 2022.
    """
    begin = jnp.asarray(timescale, jnp.result_type(float))
    return init_value * jnp.sqrt(begin / (begin + count))


@schedule
def inverse_time_schedule(
    count: jax.Array,
    init_value: Number,
    transition_steps: SomeSteps,
    decay_rate: NonNegative = 1.0,
    transition_begin: Steps = 0,
    staircase: Flag = False,
):
    """The inverse of a time that grows from 1, without an end.

        rate = init_value / (1 + decay_rate t / transition_steps)
        t    = max(count - transition_begin, 0)

    With `staircase` the quotient `t / transition_steps` is rounded down, by integer division.

    Args:
      init_value: the value up to step `transition_begin`.
      transition_steps: the steps in which the denominator grows by `decay_rate`.
      decay_rate: how fast the denominator grows; 0 is a constant.
      transition_begin: the step at which the decay begins.
      staircase: whether to hold the value between multiples of `transition_steps`.

    Example:
      >>> rate = inverse_time_schedule(1.0, 10, decay_rate=0.5, staircase=True)
      >>> print(*(f"{rate(count):.3f}" for count in (0, 9, 10, 20, 60)))
      1.000 1.000 0.667 0.500 0.250

    Reference:
      `InverseTimeDecay` of Keras.
    """
    passed, steps = stairs(since(count, transition_begin), transition_steps, staircase)
    return init_value / (1 + unfused(decay_rate * ratio(passed, steps)))


@schedule
def power_schedule(count: jax.Array, init_value: Number, power: Number, timescale: SomeSteps = 1):
    """A power of the time, without an end.

        rate = init_value (1 + count / timescale) ** power

    With the timescale of 1 this is `init_value * n ** power` in the n-th step, counted from
    1: the step sizes `a n ** -b` of stochastic approximation are `power_schedule(a, -b)`.

    Args:
      init_value: the value at step 0.
      power: the exponent. A negative one decays, a positive one grows.
      timescale: the steps in which the base grows by 1.

    Example:
      >>> rate = power_schedule(1.0, -2, timescale=100)
      >>> print(*(f"{rate(count):.4f}" for count in (0, 100, 300, 900)))
      1.0000 0.2500 0.0625 0.0100

    Reference:
      Robbins and Monro, A Stochastic Approximation Method, 1951.
    """
    return powered(1 + unfused(ratio(count, timescale)), power, init_value)
