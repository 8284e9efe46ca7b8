"""A rate for each part of the parameters, by the paths of its leaves."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from jaxsched.control.applying import Driver, RateLike, driver, product
from jaxsched.control.inbox import require
from jaxsched.control.matching import check_used, checked_rules, matched, paths_of
from jaxsched.control.packing import once, vector
from jaxsched.core.leaves import identity
from jaxsched.core.steps import unfused

Rules = tuple[dict[str, tuple[()]], ...]


class ScaleByPathState(NamedTuple):
    """The state of `scale_by_path`.

    Attributes:
      count: the number of updates so far, one for all rates; int32, held at 2^31-1.
      learning_rates: a vector of the rates that the last update applied, one for each rule in
        their order, 0 where it freezes; before the first, the rates to come. float32 (float64
        under `jax_enable_x64`) whatever the parameters are.
      rules: the regular expressions, as the keys of dicts without leaves.
      controllers: the state of each distinct rate; empty for numbers and schedules.
    """

    count: jax.Array  # pyright: ignore[reportIncompatibleMethodOverride]
    learning_rates: jax.Array
    rules: Rules
    controllers: tuple[Any, ...] = ()


def scale_by_path(
    rates: Mapping[str, RateLike | None],
    learning_rate: RateLike = 1.0,
    *,
    flip_sign: bool = True,
    require_value: bool = False,
) -> optax.GradientTransformationExtraArgs:
    """Multiplies the updates of each part of the parameters by minus a rate of its own.

        rate of a leaf = learning_rate(count) rates[first regular expression for it](count)

    So with the default `learning_rate` of 1 the mapping has the rates themselves, and with a
    schedule there it has factors of that schedule; see `layerwise_decay` for some.

    The path of a leaf is its keys joined by slashes, as in "decoder/layers/3/kernel": those of
    dicts, the indices of lists, the fields of named tuples, and for Flax NNX the names up to
    the variable. A regular expression is for a path if `re.search` finds it there, so "head" is for
    "overhead/bias" too and "^head/" is not; of several the first one counts.

    Each distinct rate is computed once, not once for each leaf. Products are taken in
    float32 and then cast to the dtype of the update.

    Args:
      rates: from regular expressions to numbers, schedules, functions of the step count, or
        controllers; None freezes: the updates are 0, whatever the gradients. Equal controllers
        are one. Their order counts, which a dict that is an argument of `jit` loses.
      learning_rate: what all of them are multiplied by; a number, a schedule, or a controller.
      flip_sign: whether to multiply by minus the rate, so that updates descend. Not behind an
        optimizer that has done so: `optax.chain(optax.adamw(1e-3), scale_by_path(factors,
        flip_sign=False))`.
      require_value: whether an update without a metric that a controller listens to is
        a `TypeError`. If not, it is an update without an observation.

    Returns:
      A transformation with a `ScaleByPathState`; `learning_rates` reads the rates in it.

    Raises:
      TypeError: for what is not a mapping from strings to rates.
      ValueError: for a mapping that is empty or has something else than regular expressions;
        and in `init`, naming it, for a leaf that none of them is for, or one that is for
        no leaf, unless that is a last ".*".

    Example:
      >>> import jax.numpy as jnp, jaxsched
      >>> rate = jaxsched.linear_schedule(1.0, 0.0, 4)
      >>> optimizer = jaxsched.scale_by_path({"embed": None, "head": 1.0, ".*": 0.5}, rate)
      >>> params = {"embed": jnp.ones(1), "layers": [jnp.ones(1)], "head": jnp.ones(1)}
      >>> state = optimizer.init(params)
      >>> for _ in range(2):
      ...     updates, state = optimizer.update(params, state)
      >>> print(updates["embed"], updates["layers"][0], updates["head"])
      [0.] [-0.375] [-0.75]
      >>> {rule: float(rate) for rule, rate in jaxsched.learning_rates(state).items()}
      {'embed': 0.0, 'head': 0.75, '.*': 0.375}
    """
    checked = checked_rules(rates)
    rules, sign = tuple(checked), -1 if flip_sign else 1
    frozen = [rate is None for rate in checked.values()]
    base, *parts = (identity(rate) for rate in (learning_rate, *checked.values()))
    drivers = {base: driver("learning_rate", learning_rate)}
    for part, (rule, rate) in zip(parts, checked.items(), strict=True):
        if rate is not None and part not in drivers:
            drivers[part] = driver(f"rates[{rule!r}]", rate)

    def applied(count: jax.Array, states: Any, extra_args: Any) -> tuple[jax.Array, Any]:
        found, states = _advance(drivers, count, states, extra_args)
        zero = jnp.zeros((), jnp.result_type(float))
        return vector(
            [unfused(found[base]) * found[part] if part in found else zero for part in parts],
            len(parts),
        ), states

    def init(params: optax.Params) -> ScaleByPathState:
        paths = paths_of(params)
        check_used(rules, paths, matched(rules, paths))
        count, states = jnp.zeros((), jnp.int32), tuple(start() for start, _ in drivers.values())
        names: Rules = tuple({rule: ()} for rule in rules)
        return ScaleByPathState(count, jnp.array(applied(count, states, {})[0]), names, states)

    def update(
        updates: optax.Updates, state: Any, params: Any = None, **extra_args: Any
    ) -> tuple[optax.Updates, ScaleByPathState]:
        del params
        if require_value:
            require(state, extra_args)
        factors, states = applied(state.count, state.controllers, extra_args)
        count = jnp.asarray(optax.safe_increment(state.count))
        factors = once(factors, count)
        leaves, structure = jax.tree.flatten(updates)
        scaled = [
            jnp.zeros_like(leaf) if frozen[rule] else product(sign * factors[rule], leaf)
            for leaf, rule in zip(leaves, matched(rules, paths_of(updates)), strict=True)
        ]
        return structure.unflatten(scaled), ScaleByPathState(count, factors, state.rules, states)

    return optax.GradientTransformationExtraArgs(init, update)


def _advance(
    drivers: dict[Any, Driver], count: jax.Array, states: Any, extra_args: Any
) -> tuple[dict[Any, jax.Array], tuple[Any, ...]]:
    """The distinct rates at an update, and the states after it."""
    both = [
        advance(count, state, extra_args)
        for (_, advance), state in zip(drivers.values(), states, strict=True)
    ]
    rates = {key: rate for key, (rate, _) in zip(drivers, both, strict=True)}
    return rates, tuple(state for _, state in both)
