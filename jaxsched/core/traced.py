"""Whether something is known, or only traced: the one place that asks JAX."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import jax
from jax.core import Tracer


def is_traced(value: Any) -> bool:
    """Whether a value is known only when the program runs."""
    return isinstance(value, Tracer)


def any_traced(tree: Any) -> bool:
    """Whether any leaf of a tree is."""
    return any(map(is_traced, jax.tree.leaves(tree)))


@contextmanager
def saying_how_to_branch() -> Iterator[None]:
    """Adds to JAX's error for a Python `if` on a traced value what to write instead."""
    try:
        yield
    except jax.errors.TracerBoolConversionError as error:
        error.add_note(
            "In a formula write `jnp.where(condition, yes, no)` for `yes if condition else no`;"
            " for values by step, see `jaxsched.table_schedule`."
        )
        raise
