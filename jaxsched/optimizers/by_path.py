"""A rate for each part of the parameters, by the paths of its leaves."""

from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from jaxsched.control.controllers.inbox import require
from jaxsched.control.controllers.packing import in_place, once, vector
from jaxsched.core import checks
from jaxsched.core.arithmetic.steps import unfused
from jaxsched.core.leaves import identity
from jaxsched.core.reach import whole_dtype
from jaxsched.optimizers.applying import Driver, RateLike, driver, product
from jaxsched.optimizers.matching import check_used, checked_rules, matched, paths_of

Rules = tuple[dict[str, tuple[()]], ...]


class ScaleByPathState(NamedTuple):
    """The state of `scale_by_path`.

    Attributes:
      count: the number of updates so far, one for all rates; int32 held at 2^31-1, or int64
        under `jax_enable_x64`.
      learning_rates: a vector of the rates that the last update applied, one for each rule in
        their order, 0 where it freezes; before the first, the rates to come. float32 (float64
        under `jax_enable_x64`) whatever the parameters are.
      rules: the regular expressions, as the keys of dicts without leaves.
      controllers: the state of the rate of each rule; empty for numbers, schedules and None.
      base: that of the learning rate that all are multiplied by.
    """

    count: jax.Array
    learning_rates: jax.Array
    rules: Rules
    controllers: tuple[Any, ...] = ()
    base: Any = ()


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

    Each distinct schedule is computed once, not once for each leaf. Products are taken in
    float32 and then cast to the dtype of the update. A state has a place for each rule, found by
    its text: other numbers, another order, or None may take its place when a run goes on.

    Args:
      rates: from regular expressions to numbers, schedules, functions of the step count, or
        controllers; None freezes: the updates are 0, whatever the gradients. Their order
        counts, which a dict that is an argument of `jit` loses.
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
    plan = _plan(rates, learning_rate, flip_sign, require_value)
    return optax.GradientTransformationExtraArgs(partial(_init, plan), partial(_update, plan))


class _Part(NamedTuple):
    """The rate of a rule, or of all of them.

    Attributes:
      key: equal for equal rates.
      driver: how it goes on; None where the rule freezes.
    """

    key: Any
    driver: Driver | None

    def start(self) -> Any:
        """Its first state; empty for what has none."""
        return self.driver[0]() if self.driver else ()


class _Plan(NamedTuple):
    """What a transformation does, whatever its state."""

    rules: tuple[str, ...]
    parts: tuple[_Part, ...]
    base: _Part
    sign: int
    require_value: bool


def _plan(rates: Any, learning_rate: Any, flip_sign: bool, require_value: bool) -> _Plan:
    checked = checked_rules(rates)
    parts = tuple(_part(f"rates[{rule!r}]", rate) for rule, rate in checked.items())
    base = _part("learning_rate", learning_rate)
    sign = -1 if checks.switch("flip_sign", flip_sign) else 1
    return _Plan(tuple(checked), parts, base, sign, checks.switch("require_value", require_value))


def _part(name: str, rate: Any) -> _Part:
    return _Part(identity(rate), None if rate is None else driver(name, rate))


def _init(plan: _Plan, params: optax.Params) -> ScaleByPathState:
    paths = paths_of(params)
    check_used(plan.rules, paths, matched(plan.rules, paths))
    slots, base = tuple(part.start() for part in plan.parts), plan.base.start()
    count = jnp.zeros((), whole_dtype())
    rates, _, _ = _advance(plan, count, slots, base, {})
    return ScaleByPathState(count, jnp.array(rates), _named(plan.rules), slots, base)


def _update(
    plan: _Plan, updates: optax.Updates, state: Any, params: Any = None, **extra_args: Any
) -> tuple[optax.Updates, ScaleByPathState]:
    del params
    if plan.require_value:
        require(state, extra_args)
    slots = _slots(plan, state)
    rates, slots, base = _advance(plan, state.count, slots, state.base, extra_args)
    count = jnp.asarray(optax.safe_increment(state.count))
    rates = once(in_place(rates, state.learning_rates, count), count)
    after = ScaleByPathState(count, rates, _named(plan.rules), slots, base)
    return _scaled(plan, updates, rates), after


def _scaled(plan: _Plan, updates: optax.Updates, rates: jax.Array) -> optax.Updates:
    leaves, structure = jax.tree.flatten(updates)
    return structure.unflatten(
        product(plan.sign * rates[rule], leaf) if plan.parts[rule].driver else jnp.zeros_like(leaf)
        for leaf, rule in zip(leaves, matched(plan.rules, paths_of(updates)), strict=True)
    )


def _advance(
    plan: _Plan, count: jax.Array, slots: tuple[Any, ...], base: Any, extra_args: Any
) -> tuple[jax.Array, tuple[Any, ...], Any]:
    """The rates at an update, and the states after it. Equal schedules are computed once."""
    known: dict[Any, jax.Array] = {}

    def advanced(part: _Part, slot: Any) -> tuple[jax.Array, Any]:
        if part.driver is None:
            return jnp.zeros((), jnp.result_type(float)), slot
        if jax.tree.leaves(slot) or part.key not in known:
            known[part.key], slot = part.driver[1](count, slot, extra_args)
        return known[part.key], slot

    common, base = advanced(plan.base, base)
    both = [advanced(part, slot) for part, slot in zip(plan.parts, slots, strict=True)]
    rates = [
        unfused(common) * rate if part.driver else rate
        for part, (rate, _) in zip(plan.parts, both, strict=True)
    ]
    return vector(rates, len(rates)), tuple(slot for _, slot in both), base


def _slots(plan: _Plan, state: ScaleByPathState) -> tuple[Any, ...]:
    """The states of the rules, found by their texts."""
    found = dict(zip(rules_of(state), state.controllers, strict=True))
    if set(found) != set(plan.rules):
        raise ValueError(
            f"This state of `scale_by_path` is of the rules {list(found)}, and not of"
            f" {list(plan.rules)}: `jaxsched.carry_over` goes on with those that are in both."
        )
    slots = tuple(found[rule] for rule in plan.rules)
    pairs = zip(
        (*plan.rules, "learning_rate"), (*plan.parts, plan.base), (*slots, state.base), strict=True
    )
    for name, part, slot in pairs:
        if jax.tree.structure(slot) != jax.tree.structure(jax.eval_shape(part.start)):
            raise ValueError(
                f"The state of {name!r} in this `scale_by_path` is of another kind of rate:"
                " `jaxsched.carry_over` goes on from it."
            )
    return slots


def rules_of(state: ScaleByPathState) -> tuple[str, ...]:
    """The regular expressions in a state, in their order."""
    return tuple(rule for (rule,) in state.rules)


def by_rule(state: ScaleByPathState) -> dict[str, jax.Array]:
    """The rates in a state of `scale_by_path`, by the regular expressions."""
    rates = jnp.asarray(state.learning_rates)
    return {rule: rates[..., i] for i, rule in enumerate(rules_of(state))}


def _named(rules: tuple[str, ...]) -> Rules:
    return tuple({rule: ()} for rule in rules)
