"""The states of `scale_by_path` by rule, and in the order of another transformation."""

from typing import Any

import jax
import jax.numpy as jnp

from jaxsched.optimizers.by_path import ScaleByPathState, by_rule, rules_of


def keyed_by_rule(tree: Any) -> Any:
    """The states of `scale_by_path` with their parts in dicts, whatever the order of rules."""

    def keyed(node: Any) -> Any:
        if not isinstance(node, ScaleByPathState):
            return node
        parts = dict(zip(rules_of(node), node.controllers, strict=True))
        return node._replace(controllers=parts, rules=(), learning_rates=by_rule(node))

    return jax.tree.map(keyed, tree, is_leaf=_is_by_path)


def in_order_of(tree: Any, like: Any) -> Any:
    """The inverse, in the order of the rules of another tree."""

    def placed(node: Any, keyed: Any) -> Any:
        if not isinstance(node, ScaleByPathState):
            return keyed
        rules = rules_of(node)
        parts = tuple(keyed.controllers[rule] for rule in rules)
        rates = jnp.stack([keyed.learning_rates[rule] for rule in rules], axis=-1)
        return keyed._replace(controllers=parts, rules=node.rules, learning_rates=rates)

    return jax.tree.map(placed, like, tree, is_leaf=_is_by_path)


def _is_by_path(node: Any) -> bool:
    return isinstance(node, ScaleByPathState)
