"""The learning-rate range test: the loss of a short run whose rate grows at every step."""

import functools
from collections.abc import Callable, Hashable
from typing import Any, NamedTuple, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from jaxsched.core import checks
from jaxsched.inspect.samples import run_length
from jaxsched.schedules.decay import exponential_decay

State = TypeVar("State")


class RangeTest(NamedTuple):
    """What a range test saw, by step; NaN after the step at which the loss diverged.

    Attributes:
      rates: the learning rate of each step; never NaN.
      losses: the loss that `step` returned.
      smoothed: the running mean of the losses.
      steps: the number of steps up to the end or to where the loss diverged, that one included.
    """

    rates: jax.Array
    losses: jax.Array
    smoothed: jax.Array
    steps: jax.Array


def range_test(
    step: Callable[[State, Any, jax.Array], tuple[State, ArrayLike]],
    state: State,
    batches: Any,
    *,
    init_value: float | jax.Array = 1e-7,
    end_value: float | jax.Array = 10.0,
    num_steps: int = 100,
    smoothing: float = 0.98,
    divergence: float | jax.Array = 4.0,
) -> RangeTest:
    """Trains with a rate that grows from step to step, and records the losses.

        rate[i]     = init_value (end_value / init_value) ** (i / num_steps)
        smoothed[i] = sum_j smoothing**(i-j) loss[j] / sum_j smoothing**(i-j),    j = 0 ... i
        diverged    : smoothed - best > (divergence - 1) |best|,  or smoothed is not finite

    where `best` is the lowest of the smoothed losses so far. With positive losses they may
    grow to `divergence` times the best. These are the rates, the mean and the end of fastai's
    `lr_find`, with the same defaults. `suggest_rates` reads learning rates off the result.

    The test is one `scan`, compiled once for each `step`; new numbers compile nothing. It runs
    inside `jit`, and under `vmap` over seeds: a loss that diverges hides what follows and stops
    no other. The state it ends with is of no use and is not returned; the one given is as before.

    Args:
      step: a pure function of a state, a batch and a learning rate, a float scalar; it returns the
        next state and the loss, a scalar.
      state: what `step` starts from: parameters and the optimizer's state, say.
      batches: a tree of arrays with the batches along their first axis, which are gone through
        again from the first if they are fewer than `num_steps`. None if `step` needs none.
      init_value: the first rate, above 0.
      end_value: the rate that a step after the last would have.
      num_steps: the number of steps.
      smoothing: the weight of the past in the mean of the losses, from 0 to below 1.
      divergence: how often the best loss the mean may be, above 1; infinity sets no bound.

    Raises:
      TypeError: for a `step` that is not a function, or whose loss is not a real scalar.
      ValueError: for numbers out of these ranges, an `end_value` below `init_value`, or batches
        of different numbers.

    Example:
      >>> import jax, jax.numpy as jnp
      >>> def step(weight, batch, learning_rate):
      ...     loss, grad = jax.value_and_grad(lambda w: jnp.mean((w - batch) ** 2))(weight)
      ...     return weight - learning_rate * grad, loss
      >>> result = range_test(step, jnp.zeros(()), jnp.ones((8, 4)), end_value=100.0)
      >>> print(f"{result.rates[0]:.0e} {result.rates[50]:.3f} {result.losses[0]:.3f}")
      1e-07 0.003 1.000
      >>> last = result.steps - 1
      >>> print(last, f"{result.rates[last]:.1f}", result.smoothed[last] > 4 * result.smoothed[0])
      88 8.3 True

    Reference:
      Smith, Cyclical Learning Rates for Training Neural Networks, 2017, section 3.3.
    """
    if not callable(step) or not isinstance(step, Hashable):
        checks.refuse("step", step, "a function", TypeError)
    checks.positive("init_value", init_value)
    checks.positive("end_value", end_value)
    checks.in_order("init_value", init_value, "end_value", end_value)
    checks.below_one("smoothing", smoothing)
    _above_one("divergence", divergence)
    counts = np.arange(run_length("num_steps", num_steps))
    rates = exponential_decay(init_value, num_steps, end_value / init_value)(counts)
    # The weight of each loss in the mean up to it, so that the mean needs no correction.
    gains = (1 - smoothing) / (1 - smoothing ** (counts + 1.0))
    plan = counts % _number_of(batches), rates, gains.astype(rates.dtype)
    return _run(step, state, batches, plan, divergence)


@functools.partial(jax.jit, static_argnums=0)
def _run(step: Any, state: Any, batches: Any, plan: Any, divergence: Any) -> RangeTest:
    def advance(carry: Any, planned: Any) -> Any:
        state, smoothed, best, running = carry
        index, rate, gain = planned
        batch = jax.tree.map(lambda leaf: jnp.asarray(leaf)[index], batches)
        state, loss = step(state, batch, rate)
        if not checks.is_number(loss):
            checks.refuse("step", loss, "a function that returns a state and a scalar", TypeError)
        loss = jnp.asarray(loss, rates.dtype)
        smoothed += gain * (loss - smoothed)
        best = jnp.minimum(best, smoothed)
        seen = running, jnp.where(running, loss, jnp.nan), jnp.where(running, smoothed, jnp.nan)
        # Not the reverse: an infinite bound of nothing is NaN, and no bound.
        diverged = smoothed - best > (divergence - 1) * abs(best)
        running &= jnp.isfinite(smoothed) & ~diverged
        return (state, smoothed, best, running), seen

    rates = plan[1]
    start = state, jnp.zeros((), rates.dtype), jnp.full((), jnp.inf, rates.dtype), jnp.array(True)
    _, (running, losses, smoothed) = jax.lax.scan(advance, start, plan)
    return RangeTest(rates, losses, smoothed, running.sum(dtype=jnp.int32))


def _number_of(batches: Any) -> int:
    shapes = [np.shape(leaf) for leaf in jax.tree.leaves(batches)]
    numbers = {shape[0] if shape else 0 for shape in shapes} or {1}
    if len(numbers) > 1 or 0 in numbers:
        raise ValueError(
            f"`batches` must be arrays with as many batches each, at least 1, got shapes {shapes}."
        )
    return numbers.pop()


def _above_one(name: str, value: Any) -> None:
    if not checks.is_number(value):
        checks.refuse(name, value, "a real number", TypeError)
    known = checks.known(value)
    if known is not None and not known > 1:
        checks.refuse(name, value, "above 1")
