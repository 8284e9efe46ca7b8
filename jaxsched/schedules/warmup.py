"""A linear warm-up, then a schedule of one phase. `with_warmup` puts one before any schedule."""

from typing import Any

import jax
import jax.numpy as jnp

from jaxsched.core.arithmetic.curves import cosine, raised, transition
from jaxsched.core.arithmetic.steps import after, reached, since
from jaxsched.core.checks import in_order
from jaxsched.core.schedule import schedule
from jaxsched.core.types import Flag, NonNegative, Number, Positive, SomeSteps, Steps
from jaxsched.schedules.decay import exponential_decay


@schedule
def warmup_constant_schedule(
    count: jax.Array, init_value: Number, peak_value: Number, warmup_steps: Steps
):
    """A linear warm-up, then a constant.

        rate = init_value + (peak_value - init_value) min(count / warmup_steps, 1)

    Args:
      init_value: the value at step 0.
      peak_value: the value from step `warmup_steps` on.
      warmup_steps: the length of the warm-up. With 0 the value is `peak_value` at once;
        Optax stays at `init_value` for ever.

    Example:
      >>> rate = warmup_constant_schedule(0.0, 1.0, warmup_steps=4)
      >>> print(rate(0), rate(1), rate(4), rate(5))
      0.0 0.25 1.0 1.0
    """
    return transition(init_value, peak_value, count, warmup_steps)


def _warmup_within_decay(hyperparams: dict[str, Any]) -> None:
    warmup_steps, decay_steps = hyperparams["warmup_steps"], hyperparams["decay_steps"]
    in_order("warmup_steps", warmup_steps, "decay_steps", decay_steps)


@schedule(check=_warmup_within_decay)
def warmup_cosine_decay_schedule(
    count: jax.Array,
    init_value: Number,
    peak_value: Number,
    warmup_steps: Steps,
    decay_steps: Steps,
    end_value: Number = 0.0,
    exponent: NonNegative = 1.0,
):
    """A linear warm-up, then half a cosine.

        rate = init_value + (peak_value - init_value) count / warmup_steps   before warmup_steps
        rate = end_value + (peak_value - end_value) w                        from there on
        w    = ((1 + cos(pi t / (decay_steps - warmup_steps))) / 2) ** exponent
        t    = min(count, decay_steps) - warmup_steps

    Args:
      init_value: the value at step 0.
      peak_value: the value at step `warmup_steps`.
      warmup_steps: the length of the warm-up; 0 for none.
      decay_steps: the length of the whole, the warm-up included.
      end_value: the value from step `decay_steps` on, also where `peak_value` is 0.
      exponent: reshapes the curve; above 1 it falls sooner.

    Raises:
      ValueError: if the warm-up is longer than the whole.

    Example:
      >>> rate = warmup_cosine_decay_schedule(0.0, 1.0, warmup_steps=2, decay_steps=6)
      >>> print(*(f"{rate(count):.3f}" for count in range(8)))
      0.000 0.500 1.000 0.854 0.500 0.146 0.000 0.000
    """
    rising = transition(init_value, peak_value, count, warmup_steps)
    decayed, length = after(count, warmup_steps), decay_steps - warmup_steps
    falling = transition(peak_value, end_value, decayed, length, raised(exponent, cosine))
    return jnp.where(reached(count, warmup_steps), falling, rising)


@schedule
def warmup_exponential_decay_schedule(
    count: jax.Array,
    init_value: Number,
    peak_value: Number,
    warmup_steps: Steps,
    transition_steps: SomeSteps,
    decay_rate: Positive,
    transition_begin: Steps = 0,
    staircase: Flag = False,
    end_value: Number | None = None,
):
    """A linear warm-up, then an exponential decay.

        rate = init_value + (peak_value - init_value) count / warmup_steps   before warmup_steps
        rate = peak_value decay_rate ** (t / transition_steps)               from there on
        t    = max(count - warmup_steps - transition_begin, 0)

    Args:
      init_value: the value at step 0.
      peak_value: the value at step `warmup_steps`.
      warmup_steps: the length of the warm-up; 0 for none.
      transition_steps: the steps in which the value is multiplied by `decay_rate` once.
      decay_rate: the factor; above 1 the value grows.
      transition_begin: how long after the warm-up the decay begins.
      staircase: whether to hold the value between multiples of `transition_steps`.
      end_value: where the decay stops, as in `exponential_decay`.

    Example:
      >>> rate = warmup_exponential_decay_schedule(0.0, 1.0, 2, 4, 0.5)
      >>> print(rate(1), rate(2), rate(6))
      0.5 1.0 0.5
    """
    rising = transition(init_value, peak_value, count, warmup_steps)
    falling = exponential_decay.function(
        since(count, warmup_steps),
        peak_value,
        transition_steps,
        decay_rate,
        transition_begin,
        staircase,
        end_value,
    )
    return jnp.where(reached(count, warmup_steps), falling, rising)
