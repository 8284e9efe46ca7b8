"""Schedules of one phase: constant, linear, polynomial, exponential, cosine."""

import jax
import jax.numpy as jnp

from jaxsched.core.arithmetic.curves import cosine, raised, transition
from jaxsched.core.arithmetic.powers import exponential
from jaxsched.core.arithmetic.steps import after, since, stairs
from jaxsched.core.schedule import schedule
from jaxsched.core.types import Flag, NonNegative, Number, Positive, SomeSteps, Steps


@schedule
def constant_schedule(count: jax.Array, value: Number):
    """The same value at every step.

    Args:
      value: the value.

    Example:
      >>> print(constant_schedule(0.1)(100))
      0.1
    """
    return jnp.broadcast_to(value, count.shape)


@schedule
def linear_schedule(
    count: jax.Array,
    init_value: Number,
    end_value: Number,
    transition_steps: Steps,
    transition_begin: Steps = 0,
):
    """A straight line from one value to another, held at both ends.

        rate = init_value + (end_value - init_value) t / transition_steps
        t    = count - transition_begin, held within 0 and transition_steps

    Args:
      init_value: the value up to step `transition_begin`.
      end_value: the value from step `transition_begin + transition_steps` on.
      transition_steps: the number of steps between the two. With 0 the value is
        `end_value` from `transition_begin` on; Optax stays at `init_value` for ever.
      transition_begin: the step at which the line begins.

    Raises:
      ValueError: for a negative or unreachable number of steps, where Optax logs.

    Example:
      >>> rate = linear_schedule(1.0, 0.0, transition_steps=4, transition_begin=2)
      >>> print(*(f"{rate(count):.2f}" for count in range(8)))
      1.00 1.00 1.00 0.75 0.50 0.25 0.00 0.00
    """
    return transition(init_value, end_value, after(count, transition_begin), transition_steps)


@schedule
def polynomial_schedule(
    count: jax.Array,
    init_value: Number,
    end_value: Number,
    power: NonNegative,
    transition_steps: Steps,
    transition_begin: Steps = 0,
):
    """A power of the remaining fraction, from one value to another.

        rate = end_value + (init_value - end_value) (1 - t / transition_steps) ** power
        t    = count - transition_begin, held within 0 and transition_steps

    Args:
      init_value: the value up to step `transition_begin`.
      end_value: the value from step `transition_begin + transition_steps` on.
      power: 1 is a straight line; above 1 most of the way is early, below 1 late.
      transition_steps: the number of steps between the two; 0 is at the end at once.
      transition_begin: the step at which the transition begins.

    Example:
      >>> rate = polynomial_schedule(1.0, 0.0, power=2, transition_steps=4)
      >>> print(*(f"{rate(count):.4f}" for count in range(6)))
      1.0000 0.5625 0.2500 0.0625 0.0000 0.0000
    """
    curve = raised(power)
    return transition(
        init_value, end_value, after(count, transition_begin), transition_steps, curve
    )


@schedule
def exponential_decay(
    count: jax.Array,
    init_value: Number,
    transition_steps: SomeSteps,
    decay_rate: Positive,
    transition_begin: Steps = 0,
    staircase: Flag = False,
    end_value: Number | None = None,
):
    """Multiplication by the same factor in the same number of steps.

        rate = init_value decay_rate ** (t / transition_steps)
        t    = max(after(count, transition_begin), 0)

    With `staircase` the quotient is rounded down, by integer division: the step decay.
    Accurate to the last digits of float32 after any number of steps.

    Args:
      init_value: the value up to step `transition_begin`.
      transition_steps: the steps in which the value is multiplied by `decay_rate` once.
      decay_rate: the factor; above 1 the value grows.
      transition_begin: the step at which the decay begins.
      staircase: whether to hold the value between multiples of `transition_steps`.
      end_value: where the value stops: a lower bound if `decay_rate` is below 1, else an
        upper one. None is no bound.

    Raises:
      ValueError: for a `decay_rate` that is not positive or no `transition_steps`, where
        Optax is silently constant.

    Example:
      >>> rate = exponential_decay(1.0, 10, 0.5, staircase=True)
      >>> print(rate(9), rate(10), rate(20))
      1.0 0.5 0.25
    """
    passed, steps = stairs(since(count, transition_begin), transition_steps, staircase)
    value = exponential(init_value, decay_rate, passed, steps)
    if end_value is None:
        return value
    falling, rising = jnp.maximum(value, end_value), jnp.minimum(value, end_value)
    return jnp.where(decay_rate < 1, falling, rising)


@schedule
def cosine_decay_schedule(
    count: jax.Array,
    init_value: Number,
    decay_steps: Steps,
    alpha: Number = 0.0,
    exponent: NonNegative = 1.0,
):
    """Half a cosine, from a value down to a fraction of it.

        rate = init_value ((1 - alpha) w + alpha)
        w    = ((1 + cos(pi t / decay_steps)) / 2) ** exponent
        t    = min(count, decay_steps)

    Computed as a squared sine of the remaining fraction, whose digits do not cancel
    near the end.

    Args:
      init_value: the value at step 0.
      decay_steps: the number of steps to the end; 0 is at the end at once.
      alpha: the last value as a fraction of `init_value`.
      exponent: reshapes the curve; above 1 it falls sooner.

    Example:
      >>> rate = cosine_decay_schedule(1.0, decay_steps=4, alpha=0.1)
      >>> print(*(f"{rate(count):.3f}" for count in range(6)))
      1.000 0.868 0.550 0.232 0.100 0.100

    Reference:
      Loshchilov and Hutter, SGDR: Stochastic Gradient Descent with Warm Restarts, 2017.
    """
    end_value = 0.0 if isinstance(alpha, float) and alpha == 0 else alpha * init_value
    return transition(init_value, end_value, count, decay_steps, raised(exponent, cosine))
