"""Gradient transformations that apply a rate, and keep the rate they applied in their state."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from jaxsched.control.controllers.inbox import require
from jaxsched.control.controllers.packing import in_place, once
from jaxsched.core import checks
from jaxsched.core.lenient import lenient
from jaxsched.core.reach import whole_dtype
from jaxsched.optimizers.applying import RateLike, driver, scaled
from jaxsched.optimizers.tokens import nominal_size, scale_by_tokens


class _Fields(NamedTuple):
    count: jax.Array
    learning_rate: jax.Array
    controller: Any = ()


# Both are tuples with a `count` first; Optax's has no other field.
class ScaleByLearningRateState(  # pyright: ignore[reportGeneralTypeIssues, reportIncompatibleVariableOverride]
    _Fields, optax.ScaleByScheduleState
):
    """The state of `scale_by_learning_rate` and `scale_by_schedule`, whatever the rate is.

    One of Optax's `ScaleByScheduleState` too, for programs that look for the step by its type.

    Attributes:
      count: the number of updates so far; int32 held at 2^31-1, or int64 under
        `jax_enable_x64`.
      learning_rate: the rate that the last update applied; before the first, the rate to
        come. float32 (float64 under `jax_enable_x64`) whatever the parameters are.
      controller: the state of a controller; empty for numbers and schedules.
    """

    __slots__ = ()


def scale_by_learning_rate(
    learning_rate: RateLike | None = None,
    *,
    flip_sign: bool = True,
    require_value: bool = False,
    clock: str = "steps",
    tokens_per_step: int | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Multiplies updates by minus a learning rate.

    The product is taken in float32 and then cast to the dtype of the update, so that a
    rate is as exact for bfloat16 parameters as for any other.

    With `clock="tokens"` the schedule goes on by the tokens in each batch, and not by updates:
    with batches of any size, growing ones too, it is where it should be in the data.

        rate = learning_rate(tokens seen before this update / tokens_per_step)

    It is called with this nominal step as a float, right to a part in 2^24. The tokens are
    counted exactly, up to 2^31-1 nominal steps.

    Args:
      learning_rate: a number, a schedule, a function of the step count, or a controller (any
        stateful schedule of Optax). None means no scaling, and no state, as in Optax.
      flip_sign: whether to multiply by minus the rate, so that updates descend.
      require_value: whether an update without the metric that a controller listens to is
        a `TypeError`. If not, it is an update without an observation.
      clock: "steps" to count updates, or "tokens" to count the tokens given to each as
        `update(..., tokens=n)`: a whole number from 0 to 2^31-1, of all devices and
        micro-batches together. Not for controllers.
      tokens_per_step: for `clock="tokens"`, the tokens in the steps that the schedule is written
        in; a known whole number.

    Returns:
      A transformation whose state is the same for a constant and for a schedule; with
      `clock="tokens"` it is a `ScaleByTokensState`.

    Raises:
      TypeError: for what is not a rate; with `clock="tokens"` for a controller, without
        `tokens_per_step`, and in `update` without `tokens=`.
      ValueError: for a number that is not finite, another clock, `tokens_per_step` below 1
        or with `clock="steps"`.

    Example:
      >>> import jax.numpy as jnp, optax, jaxsched
      >>> rate = jaxsched.linear_schedule(1.0, 0.0, 4)
      >>> optimizer = optax.chain(
      ...     optax.scale_by_adam(), jaxsched.scale_by_learning_rate(rate)
      ... )
      >>> params = jnp.ones(2)
      >>> state = optimizer.init(params)
      >>> updates, state = optimizer.update(jnp.ones(2), state, params)
      >>> updates, state = optimizer.update(jnp.ones(2), state, params)
      >>> print(jaxsched.learning_rate(state))
      0.75
      >>> scale = jaxsched.scale_by_learning_rate(rate, clock="tokens", tokens_per_step=1000)
      >>> state = scale.init(params)
      >>> for tokens in (500, 500, 2000, 2000):
      ...     updates, state = scale.update(params, state, tokens=tokens)
      ...     print(jaxsched.learning_rate(state), end=" ")
      1.0 0.875 0.75 0.25
    """
    _check_clock(clock, tokens_per_step)
    if learning_rate is None:
        return optax.with_extra_args_support(optax.identity())
    sign = -1 if checks.switch("flip_sign", flip_sign) else 1
    if clock == "tokens":
        return scale_by_tokens("learning_rate", learning_rate, sign, tokens_per_step)
    return _scale("learning_rate", learning_rate, sign, require_value)


def _check_clock(clock: str, tokens_per_step: Any) -> None:
    checks.choice("steps", "tokens")("clock", clock)
    if clock == "tokens":
        nominal_size(tokens_per_step)
    elif tokens_per_step is not None:
        raise ValueError(f'`tokens_per_step` is for `clock="tokens"` only, got {tokens_per_step}.')


def scale_by_schedule(
    step_size_fn: RateLike, *, require_value: bool = False
) -> optax.GradientTransformationExtraArgs:
    """Multiplies updates by a schedule, with its sign.

    `scale_by_learning_rate` without the minus; the state is the same.

    Args:
      step_size_fn: a schedule, a number, a function of the step count, or a controller.
      require_value: as for `scale_by_learning_rate`.

    Example:
      >>> import jax.numpy as jnp, jaxsched
      >>> optimizer = jaxsched.scale_by_schedule(jaxsched.linear_schedule(1.0, 0.0, 4))
      >>> updates, state = optimizer.update(jnp.ones(2), optimizer.init(jnp.ones(2)))
      >>> print(updates, state.count)
      [1. 1.] 1
    """
    return _scale("step_size_fn", step_size_fn, 1, require_value)


def _scale(
    name: str, rate: Any, sign: int, require_value: bool
) -> optax.GradientTransformationExtraArgs:
    start, advance = driver(name, rate)
    require_value = checks.switch("require_value", require_value)

    def init(params: optax.Params) -> ScaleByLearningRateState:
        del params
        count, controller = jnp.zeros((), whole_dtype()), start()
        # A copy: donating the state must not delete an array the caller holds.
        value = jnp.array(advance(count, controller, {})[0])
        return ScaleByLearningRateState(count, value, controller)

    def update(
        updates: optax.Updates, state: Any, params: Any = None, **extra_args: Any
    ) -> tuple[optax.Updates, ScaleByLearningRateState]:
        del params
        if require_value:
            require(state, extra_args)
        applied, controller = advance(state.count, state.controller, extra_args)
        count = jnp.asarray(optax.safe_increment(state.count))
        # Divided by what depends on the new count, so that on a GPU one kernel makes both.
        applied = once(in_place(applied, state.learning_rate, count), count)
        return scaled(updates, sign * applied), ScaleByLearningRateState(count, applied, controller)

    return optax.GradientTransformationExtraArgs(lenient(init), lenient(update))
