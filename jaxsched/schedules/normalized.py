"""An exponential decay that reaches its end."""

import jax

from jaxsched.core.arithmetic.curves import decaying_to, transition
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
    return transition(init_value, end_value, count, decay_steps, decaying_to(ratio))
