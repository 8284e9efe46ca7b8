"""A clock of tokens: a rate that follows how much data has been seen, in batches of any size."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from jaxsched.control.controllers.packing import in_place, once
from jaxsched.core import checks
from jaxsched.core.arithmetic.steps import as_count, divide, host_count, ratio
from jaxsched.core.lenient import lenient
from jaxsched.core.reach import reach, whole_dtype
from jaxsched.core.schedule import operand
from jaxsched.optimizers.applying import as_float, is_stateful, rate_at, scaled

_EXACT = 2**12
"""Steps of which float32 tells a part in 2^12; what is above them is a multiple, and exact."""


class ScaleByTokensState(NamedTuple):
    """The state of `scale_by_learning_rate` with `clock="tokens"`.

    The tokens seen so far are `count * tokens_per_step + remainder`, exactly.

    Attributes:
      count: the whole nominal steps in the tokens seen so far; int32 held at 2^31-1, or
        int64 under `jax_enable_x64`.
      remainder: the tokens beyond them, fewer than `tokens_per_step`; likewise.
      learning_rate: the rate that the last update applied; before the first, the rate to
        come. float32 (float64 under `jax_enable_x64`) whatever the parameters are.
    """

    count: jax.Array
    remainder: jax.Array
    learning_rate: jax.Array


def scale_by_tokens(
    name: str, rate: Any, sign: int, tokens_per_step: Any
) -> optax.GradientTransformationExtraArgs:
    """Multiplies updates by a rate at the nominal step that the tokens seen so far make."""
    if is_stateful(name, rate):
        wanted = 'a number or a schedule where `clock="tokens"`, as controllers count updates'
        checks.refuse(name, rate, wanted, TypeError)
    rate, size = operand(name, rate), nominal_size(tokens_per_step)

    def applied(count: jax.Array, remainder: jax.Array) -> jax.Array:
        return as_float(rate_at(rate, position(count, remainder, size)))

    def init(params: optax.Params) -> ScaleByTokensState:
        del params
        count, remainder = jnp.zeros((), whole_dtype()), jnp.zeros((), whole_dtype())
        return ScaleByTokensState(count, remainder, jnp.array(applied(count, remainder)))

    def update(
        updates: optax.Updates, state: Any, params: Any = None, **extra_args: Any
    ) -> tuple[optax.Updates, ScaleByTokensState]:
        del params
        count, remainder = advance(state.count, state.remainder, tokens_of(extra_args), size)
        factor = applied(state.count, state.remainder)
        factor = once(in_place(factor, state.learning_rate, count), count)
        return scaled(updates, sign * factor), ScaleByTokensState(count, remainder, factor)

    return optax.GradientTransformationExtraArgs(lenient(init), lenient(update))


def nominal_size(value: Any) -> int:
    """The tokens of a nominal step, known when the transformation is made."""
    if value is None:
        raise TypeError('`clock="tokens"` needs `tokens_per_step`, got none.')
    size = checks.known(checks.reached("tokens_per_step", checks.period("tokens_per_step", value)))
    if size is None or size != int(size):
        checks.refuse("tokens_per_step", value, "a known whole number")
    return int(size)


def tokens_of(extra_args: Mapping[str, Any]) -> jax.Array:
    """The tokens of an update among its arguments."""
    tokens = extra_args.get("tokens")
    if tokens is None:
        raise TypeError('`update` must be given `tokens=`, as the `clock` is "tokens".')
    return as_count(host_count(checks.reached("tokens", checks.whole_number("tokens", tokens))))


def advance(
    count: jax.Array, remainder: jax.Array, tokens: jax.Array, size: int
) -> tuple[jax.Array, jax.Array]:
    """The whole steps and the tokens beyond them, so many tokens later."""
    # A state restored from a run with other numbers may have counts of another dtype.
    count, remainder = (jnp.asarray(part, whole_dtype()) for part in (count, remainder))
    steps, rest = divide(tokens, size)
    missing = size - remainder
    full = rest >= missing
    steps = steps + full
    count = jnp.where(steps > reach() - count, reach(), count + steps)
    return count, jnp.where(full, rest - missing, remainder + rest)


def position(count: jax.Array, remainder: jax.Array, size: int) -> jax.Array:
    """`count + remainder / size`, rounded once, to a part in 2^24."""
    low = count % _EXACT
    part = jnp.minimum(ratio(remainder, size), 1)
    return as_float(count - low) + (as_float(low) + part)
