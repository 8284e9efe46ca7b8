"""The factor strings of t5x, and of the Flax examples they come from."""

import functools
import operator
from collections.abc import Callable

from jaxsched.core.schedule import Schedule
from jaxsched.interop.shared.factors import names_of
from jaxsched.schedules.compose import maximum, shift
from jaxsched.schedules.cycles import cosine_restarts_schedule
from jaxsched.schedules.decay import constant_schedule, exponential_decay, linear_schedule
from jaxsched.schedules.inverse import inverse_sqrt_schedule


def from_t5x(
    factors: str = "constant * linear_warmup * rsqrt_decay",
    base_learning_rate: float = 0.5,
    warmup_steps: int = 1000,
    decay_factor: float = 0.5,
    steps_per_decay: int = 20000,
    steps_per_cycle: int = 100000,
    step_offset: int = 0,
    min_learning_rate: float = 1e-8,
) -> Schedule:
    """The schedule of t5x's `create_learning_rate_scheduler`, from the same arguments.

        rate = max(product of the factors at t, min_learning_rate),  t = max(count - step_offset, 0)

    | factor | value |
    |---|---|
    | `constant` | base_learning_rate |
    | `linear_warmup` | min(t / warmup_steps, 1) |
    | `linear_decay` | base_learning_rate min(t / W, 1 - decay_factor (t - W)), W = warmup_steps |
    | `rsqrt_decay` | 1 / sqrt(max(t, warmup_steps)) |
    | `rsqrt_normalized_decay` | sqrt(warmup_steps / max(t, warmup_steps)) |
    | `decay_every` | decay_factor ** floor(t / steps_per_decay) |
    | `cosine_decay` | half a cosine every steps_per_cycle steps, from warmup_steps on |

    The Flax examples (`wmt`, `lm1b`, `nlp_seq`) have the same factors and no
    `min_learning_rate`: give 0.

    Args:
      factors: names from the table, joined by `*`.
      base_learning_rate: the number that `constant` and `linear_decay` stand for.
      warmup_steps: the length of the warm-up, at least 1 where a factor divides by it.
      decay_factor: the factor of `decay_every`, or the slope of `linear_decay`.
      steps_per_decay: the length of a stair of `decay_every`.
      steps_per_cycle: the length of a cycle of `cosine_decay`.
      step_offset: the steps by which everything is delayed.
      min_learning_rate: the least value.

    Raises:
      ValueError: for a factor that t5x does not have.

    Example:
      >>> rate = from_t5x("constant * linear_warmup * rsqrt_normalized_decay", 0.5, 100)
      >>> print(rate(50), rate(100), rate(400))
      0.25 0.5 0.25
    """
    warmup = linear_schedule(0.0, 1.0, warmup_steps)

    def root() -> Schedule:
        return shift(inverse_sqrt_schedule(1.0, warmup_steps), warmup_steps)

    makers: dict[str, Callable[[], Schedule]] = {
        "constant": lambda: constant_schedule(base_learning_rate),
        "linear_warmup": lambda: warmup,
        "linear_decay": lambda: (
            base_learning_rate
            * warmup
            * linear_schedule(1.0, 0.0, 1 / decay_factor, transition_begin=warmup_steps)
        ),
        "rsqrt_decay": lambda: root() * warmup_steps**-0.5,
        "rsqrt_normalized_decay": root,
        "decay_every": lambda: exponential_decay(
            1.0, steps_per_decay, decay_factor, staircase=True
        ),
        "cosine_decay": lambda: shift(cosine_restarts_schedule(1.0, steps_per_cycle), warmup_steps),
    }
    rate = functools.reduce(operator.mul, [makers[name]() for name in names_of(factors, makers)])
    return maximum(shift(rate, step_offset) if step_offset else rate, min_learning_rate)
