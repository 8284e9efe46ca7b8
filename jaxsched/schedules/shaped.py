"""Decays of less common shapes: tanh, REX, k-decay."""

from typing import Annotated, Any, Literal

import jax
import jax.numpy as jnp

from jaxsched.core import checks
from jaxsched.core.arithmetic.chosen import whole
from jaxsched.core.arithmetic.curves import (
    cosine,
    delayed,
    linear,
    mixture,
    raised,
    rational,
    sigmoid,
    transition,
)
from jaxsched.core.arithmetic.steps import ratio, reached, unfused, until
from jaxsched.core.checks import choice
from jaxsched.core.schedule import schedule
from jaxsched.core.types import NonNegative, Number, Positive, Steps


@schedule
def rex_schedule(
    count: jax.Array,
    init_value: Number,
    decay_steps: Steps,
    end_value: Number = 0.0,
    beta: Positive = 0.5,
):
    """A hyperbola that falls slowly at first and fast at the end.

        rate = end_value + (init_value - end_value) (1 - p) / (1 - p + beta p)
        p    = min(count / decay_steps, 1)

    The paper's REX is `beta=0.5`: (1 - p) / (1/2 + (1 - p) / 2).

    Args:
      init_value: the value at step 0.
      decay_steps: the number of steps to the end; 0 is at the end at once.
      end_value: the value from step `decay_steps` on.
      beta: 1 is a straight line, below 1 the value stays high for longer, above 1 it falls
        sooner.

    Example:
      >>> rate = rex_schedule(1.0, decay_steps=4)
      >>> print(*(f"{rate(count):.3f}" for count in range(6)))
      1.000 0.857 0.667 0.400 0.000 0.000

    Reference:
      Chen, Wolfe and Kyrillidis, REX: Revisiting Budgeted Training with an Improved
      Schedule, 2022.
    """
    return transition(init_value, end_value, count, decay_steps, rational(beta))


CURVES = {"cosine": cosine, "linear": linear}


@schedule
def k_decay_schedule(
    count: jax.Array,
    init_value: Number,
    decay_steps: Steps,
    k: Positive,
    end_value: Number = 0.0,
    exponent: NonNegative = 1.0,
    curve: Annotated[Literal["cosine", "linear"], choice(*CURVES)] = "cosine",
):
    """A decay on a clock of its own, which runs slowly at first and fast at the end.

        rate = end_value + (init_value - end_value) w ** exponent
        w    = (1 + cos(pi p)) / 2   for the curve 'cosine'
        w    = 1 - p                 for the curve 'linear'
        p    = min(count / decay_steps, 1) ** k

    Args:
      init_value: the value at step 0.
      decay_steps: the number of steps to the end; 0 is at the end at once.
      k: 1 is the plain decay; the larger, the longer the value stays high.
      end_value: the value from step `decay_steps` on.
      exponent: reshapes the curve; above 1 it falls sooner.
      curve: 'cosine' or 'linear'; the latter with an exponent is a polynomial.

    Example:
      >>> rate = k_decay_schedule(1.0, decay_steps=4, k=2)
      >>> print(*(f"{rate(count):.3f}" for count in range(6)))
      1.000 0.990 0.854 0.402 0.000 0.000

    Reference:
      Zhang and Li, k-decay: A New Method for Learning Rate Schedule, 2020.
    """
    shape = delayed(k, raised(exponent, CURVES[curve]))
    return transition(init_value, end_value, count, decay_steps, shape)


def _lower_first(hyperparams: dict[str, Any]) -> None:
    checks.in_order("lower", hyperparams["lower"], "upper", hyperparams["upper"])


@schedule(check=_lower_first)
def tanh_schedule(
    count: jax.Array,
    init_value: Number,
    decay_steps: Steps,
    end_value: Number = 0.0,
    lower: Number = -7.0,
    upper: Number = 3.0,
):
    """A hyperbolic tangent: a plateau, a fall, and an end.

        rate = end_value + (init_value - end_value) (1 - tanh(x)) / 2   before decay_steps
        rate = end_value                                                from there on
        x    = lower (1 - r) + upper r,  r = count / decay_steps

    The tangent reaches 1 and -1 only in the limit. So the value at step 0 is not quite
    `init_value`: with `lower=-7` it is less by 8e-7 of the way. And the last step is a
    fall: with `upper=3` by 0.0025 of the way.

    Args:
      init_value: the value that the beginning is near to.
      decay_steps: the number of steps to the end; 0 is at the end at once.
      end_value: the value from step `decay_steps` on.
      lower: the argument of the tangent at step 0.
      upper: its argument at the end.

    Raises:
      ValueError: if `lower` is above `upper`.

    Example:
      >>> rate = tanh_schedule(1.0, decay_steps=10)
      >>> print(*(f"{rate(count):.4f}" for count in (0, 5, 7, 9, 10)))
      1.0000 0.9820 0.5000 0.0180 0.0000

    Reference:
      Hsueh, Li and Wu, Stochastic Gradient Descent with Hyperbolic-Tangent Decay on
      Classification, 2019.
    """
    steps = whole(decay_steps)
    near, far = sigmoid(lower, upper)(ratio(until(count, steps), steps), ratio(count, steps))
    value = mixture(init_value, end_value, unfused(init_value * near), far)
    return jnp.where(reached(count, steps), end_value, value)
