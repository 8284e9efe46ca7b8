"""An exponential decay that reaches its end."""

from typing import Any

import jax
import jax.numpy as jnp

from jaxsched.core.curves import Curve, transition
from jaxsched.core.schedule import schedule
from jaxsched.core.types import Number, Positive, Steps


@schedule
def normalized_exponential_schedule(
    count: jax.Array,
    init_value: Number,
    decay_steps: Steps,
    end_value: Number = 0.0,
    ratio: Positive = 0.1,
):
    """An exponential decay to a fraction of its beginning, stretched so that it ends at a value.

        rate = end_value + (init_value - end_value) (ratio ** u - ratio) / (1 - ratio)
        u    = min(count / decay_steps, 1)

    With a ratio of 1 it is a straight line, the limit; above 1 it falls slowly at first.

    Args:
      init_value: the value at step 0.
      decay_steps: the number of steps to the end; 0 is at the end at once.
      end_value: the value from step `decay_steps` on.
      ratio: what the exponential has fallen to at the end, of its beginning.

    Example:
      >>> rate = normalized_exponential_schedule(1.0, decay_steps=4, ratio=0.25)
      >>> print(*(f"{rate(count):.3f}" for count in range(6)))
      1.000 0.609 0.333 0.138 0.000 0.000

    Reference:
      `WSDLRScheduler(decay_fn="exp")` of timm; with the ratio 1/2, `2 * 0.5 ** u - 1`, the
      exponential cooldown of Megatron-LM.
    """
    return transition(init_value, end_value, count, decay_steps, _decaying_to(ratio))


def _decaying_to(ratio: Any) -> Curve:
    log = -jnp.log(ratio)
    log = jnp.clip(jnp.where(jnp.abs(log) < 1e-8, 1e-8, log), -80.0, 80.0)

    def weights(left: jax.Array, gone: jax.Array) -> tuple[jax.Array, jax.Array]:
        # Beyond the end, where nothing asks for it, the exponential could overflow.
        left, gone = jnp.clip(left, 0, 1), jnp.clip(gone, 0, 1)
        return jnp.expm1(log * left) / jnp.expm1(log), jnp.expm1(-log * gone) / jnp.expm1(-log)

    return weights
