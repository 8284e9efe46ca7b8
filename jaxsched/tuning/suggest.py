"""Learning rates read off the losses of a range test."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxsched.tuning.range_test import RangeTest

_APART, _ALIKE = 15, 0.005


class SuggestedRates(NamedTuple):
    """Learning rates by the rule that found them; NaN where a rule had too few steps.

    Attributes:
      valley: the rate half-way down the longest fall of the loss; a good first choice.
      slide: the highest rate before the slope of the loss begins to change for good.
      minimum: a tenth of the rate with the lowest loss; close to the highest that works.
      steep: the rate at which the loss falls most steeply.
    """

    valley: jax.Array
    slide: jax.Array
    minimum: jax.Array
    steep: jax.Array


def suggest_rates(result: RangeTest) -> SuggestedRates:
    """The learning rates that a range test suggests, by four rules.

        valley  = rates[e - d + d//3 + d//6]    d, e: the length of the longest falling subsequence
                                                and its last step
        slide   = rates[i - 15]                 i: the first of the last steps with
                                                |slope[i] - slope[i-15]| > 0.005
        minimum = rates[argmin(loss)] / 10
        steep   = rates[argmin(diff(loss) / diff(log(rates)))]

    They look at the smoothed losses, without the first tenth of the test and the five steps up
    to its end or to where the loss diverged, or the steps from a loss of NaN on. They are those
    of fastai 2.8, to the step: also where the longest fall is one of two steps at the very
    beginning, and `valley` is the last rate. Only among slopes that are equal but for rounding
    may `steep` be another. In one `jit`, without the host.

    Args:
      result: what `range_test` returned. `jax.vmap(jaxsched.suggest_rates)` takes that of several
        runs.

    Returns:
      Four scalars. `slide` needs 16 steps, `steep` 2, the others 1.

    Raises:
      ValueError: for the result of several runs.

    Example:
      >>> import jax.numpy as jnp
      >>> from jaxsched import range_test
      >>> def replay(state, loss, learning_rate):
      ...     return state, loss
      >>> losses = 1 / (1 + jnp.exp(jnp.arange(-12.1, 11.8, 0.25)))
      >>> losses = jnp.append(losses, jnp.array([0.1, 0.3, 0.9, 2.7]))
      >>> result = range_test(replay, None, losses, init_value=1e-5, end_value=1.0, smoothing=0.0)
      >>> for name, rate in suggest_rates(result)._asdict().items():
      ...     print(f"{name:8}{rate:.5f}")
      valley  0.00282
      slide   0.06310
      minimum 0.03548
      steep   0.00251
    """
    if result.smoothed.ndim != 1:
        shape = result.smoothed.shape
        raise ValueError(f"`result` must be of one run, got losses of shape {shape}; use `vmap`.")
    return _suggest(result)


@jax.jit
def _suggest(result: RangeTest) -> SuggestedRates:
    rates, (begin, end) = result.rates, considered(result)
    places = jnp.arange(rates.shape[0])
    within = (places >= begin) & (places < end)
    losses = jnp.where(within, result.smoothed, jnp.nan)

    def rate(index: jax.Array, least: int, divisor: float = 1.0) -> jax.Array:
        """The rate there, divided by what the compiler does not know and cannot invert."""
        return rates[index] / jnp.where(end - begin >= least, divisor, jnp.nan)

    return SuggestedRates(
        valley=rate(_valley(losses, begin, end), 1),
        slide=rate(_slide(losses, begin, end), _APART + 1),
        minimum=rate(jnp.argmin(jnp.where(within, losses, jnp.inf)), 1, 10.0),
        steep=rate(_steep(losses, rates), 2),
    )


@jax.jit
def considered(result: RangeTest) -> tuple[jax.Array, jax.Array]:
    """The first step whose loss the rules look at, and the one after the last."""
    number = result.smoothed.shape[0]
    known = jnp.sum(~jnp.isnan(result.smoothed))
    ended = jnp.where(known < result.steps, number, result.steps)
    return jnp.asarray(number // 10), jnp.clip(ended - 5, 0, known)


def _valley(losses: jax.Array, begin: jax.Array, end: jax.Array) -> jax.Array:
    def extend(lengths: jax.Array, step: jax.Array) -> tuple[jax.Array, None]:
        before = jnp.max(jnp.where(losses > losses[step], lengths, 0))
        return lengths.at[step].set(before + 1), None

    places = jnp.arange(losses.shape[0])
    lengths, _ = jax.lax.scan(extend, jnp.zeros_like(places), places)
    longest, last = lengths.max(), lengths.argmax()
    index = last - longest + longest // 3 + longest // 6
    index = jnp.where(index < begin, index + end - begin, index)
    return jnp.where(longest > 1, index, begin)


def _slide(losses: jax.Array, begin: jax.Array, end: jax.Array) -> jax.Array:
    places = jnp.arange(losses.shape[0])
    before = jnp.where(places == begin, losses, jnp.roll(losses, 1))
    after = jnp.where(places == end - 1, losses, jnp.roll(losses, -1))
    at_an_end = (places == begin) | (places == end - 1)
    slopes = (after - before) / jnp.where(at_an_end, 1, 2)
    changes = abs(slopes - jnp.roll(slopes, _APART)) > _ALIKE
    unchanged = (places < end) & ~(changes & (places >= begin + _APART))
    row = end - 1 - jnp.max(jnp.where(unchanged, places, -1))
    return end - 1 - _APART - jnp.maximum(row - 1, 0)


def _steep(losses: jax.Array, rates: jax.Array) -> jax.Array:
    slopes = jnp.diff(losses) / jnp.diff(jnp.log(rates))
    return jnp.argmin(jnp.where(jnp.isnan(slopes), jnp.inf, slopes))
