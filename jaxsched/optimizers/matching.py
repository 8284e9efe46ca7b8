"""Which rule is for which leaf: the first regular expression that is found in its path."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from jax.tree_util import keystr, tree_flatten_with_path, tree_leaves_with_path

from jaxsched.core import checks

REST = ".*"
_SHOWN = 5


def checked_rules(rates: Any) -> dict[str, Any]:
    """The mapping that rates were given as, if its keys are regular expressions."""
    if not isinstance(rates, Mapping):
        checks.refuse("rates", rates, "a mapping from regular expressions to rates", TypeError)
    if not rates:
        checks.refuse("rates", rates, "a mapping with at least one rule")
    for rule in rates:
        if not isinstance(rule, str):
            checks.refuse("rates", rule, "a mapping from strings", TypeError)
        try:
            re.compile(rule)
        except re.error as error:
            raise ValueError(f"`rates` has {rule!r}, no regular expression: {error}.") from None
    return dict(rates)


def paths_of(tree: Any) -> list[str]:
    """The path of each leaf, its keys joined by slashes.

    Flax NNX wraps arrays in variables in some places and not in others: paths end there.
    """
    nodes = tree_flatten_with_path(tree, is_leaf=_is_variable)[0]
    variables = {path for path, node in nodes if _is_variable(node)}
    paths = [path for path, _ in tree_leaves_with_path(tree)]
    paths = [path[:-1] if path[:-1] in variables else path for path in paths]
    return [keystr(path, simple=True, separator="/") for path in paths]


def _is_variable(node: Any) -> bool:
    return hasattr(node, "get_metadata")


def matched(rules: Sequence[str], paths: Sequence[str]) -> list[int]:
    """For each path the number of the first rule for it; an error names those without one."""
    found = [first_match(rules, path) for path in paths]
    missed = [repr(path) for path, rule in zip(paths, found, strict=True) if rule is None]
    if missed:
        more = f" and {len(missed) - _SHOWN} more" if len(missed) > _SHOWN else ""
        raise ValueError(
            f"No regular expression of `rates` is found in {', '.join(missed[:_SHOWN])}{more}."
            f" A last {REST!r} is for all the others."
        )
    return [rule for rule in found if rule is not None]


def first_match(rules: Sequence[str], path: str) -> int | None:
    """The number of the first rule that is found in a path, or None."""
    return next((i for i, rule in enumerate(rules) if re.search(rule, path)), None)


def check_used(rules: Sequence[str], paths: Sequence[str], found: Sequence[int]) -> None:
    """Raises for a rule that no leaf is left for; only a last ".*" may go without."""
    for i, rule in enumerate(rules):
        if i in found or (rule == REST and i == len(rules) - 1):
            continue
        first = next((path for path in paths if re.search(rule, path)), None)
        if first is None:
            among = ", ".join(map(repr, paths[:_SHOWN])) + (", ..." if paths[_SHOWN:] else "")
            raise ValueError(
                f"{rule!r} of `rates` is found in no path: {among or 'there is none'}."
            )
        taken = rules[found[paths.index(first)]]
        raise ValueError(
            f"{rule!r} of `rates` has no leaf left: {taken!r} before it takes {first!r}."
        )
