"""The shapes of ramps: how a value moves from one end to the other, by name.

A shape is a transition with a curve of its own: it maps the two ends, a count, and the
number of steps to the value, which has the exact ends and stays between them.
"""

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, Literal

import jax
import jax.numpy as jnp

from jaxsched.core import checks
from jaxsched.core.arithmetic.chosen import whole
from jaxsched.core.arithmetic.curves import (
    between,
    cosine,
    decaying_to,
    linear,
    rational,
    transition,
)
from jaxsched.core.arithmetic.powers import exponential as geometric_sequence
from jaxsched.core.arithmetic.steps import choose, reached, unfused

Weights = tuple[jax.Array, jax.Array]

# An end that must be positive counts as no less than this, where it is only known in a
# program: so 0 gives no NaN.
_SMALLEST = 1e-18


def mirror_cosine(left: jax.Array, gone: jax.Array) -> Weights:
    """Half a cosine mirrored at the straight line: fast, slow, fast."""
    near, far = cosine(left, gone)
    return unfused(2 * left) - unfused(near), unfused(2 * gone) - unfused(far)


def square(left: jax.Array, gone: jax.Array) -> Weights:
    """`1 - gone ** 2`: slowly at first."""
    return left * (1 + unfused(gone)), gone**2


def sqrt(left: jax.Array, gone: jax.Array) -> Weights:
    """`1 - gone ** 0.5`: fast at first."""
    moving = gone > 0
    root = jnp.where(moving, jnp.sqrt(jnp.where(moving, gone, 1)), 0)
    return left / (1 + root), root


def exponential(init: Any, end: Any, count: jax.Array, steps: Any) -> jax.Array:
    """`2 * 0.5 ** gone - 1`: a halving that ends at 0."""
    return transition(init, end, count, steps, decaying_to(0.5))


def geometric(init: Any, end: Any, count: jax.Array, steps: Any) -> jax.Array:
    """The same factor at each step, between two positive ends."""
    steps = whole(steps)
    passed, length = jnp.clip(count, 0, steps), choose(steps == 0, 1, steps)
    value = geometric_sequence(_positive(init), _positive(end) / _positive(init), passed, length)
    value = between(value, init, end)
    return jnp.where(reached(count, steps), end, jnp.where(count > 0, value, init))


def inverse(init: Any, end: Any, count: jax.Array, steps: Any) -> jax.Array:
    """A straight line of the inverse, between two positive ends."""
    bent = rational(_positive(init) / _positive(end))
    return transition(init, end, count, steps, bent)


def _positive(end: Any) -> Any:
    return end if isinstance(end, (int, float)) else jnp.maximum(end, _SMALLEST)


SHAPES: dict[str, Callable[[Any, Any, jax.Array, Any], jax.Array]] = {
    "linear": partial(transition, curve=linear),
    "cosine": partial(transition, curve=cosine),
    "mirror_cosine": partial(transition, curve=mirror_cosine),
    "square": partial(transition, curve=square),
    "sqrt": partial(transition, curve=sqrt),
    "exponential": exponential,
    "geometric": geometric,
    "inverse": inverse,
}


def ramp(shape: str, init: Any, end: Any, count: jax.Array, steps: Any) -> jax.Array:
    """From `init`, up to count 0, to `end`, from count `steps` on, in the shape of that name."""
    return SHAPES[shape](init, end, count, steps)


def check_ends(shape: str, **ends: Any) -> None:
    """Raises where a shape that needs positive ends has one that is known not to be."""
    if shape not in ("geometric", "inverse"):
        return
    for name, value in ends.items():
        concrete = checks.known(value) if checks.is_number(value) else None
        if concrete is not None and not concrete > 0:
            checks.refuse(name, value, f"positive for the shape '{shape}'")


Shape = Annotated[
    Literal[
        "linear",
        "cosine",
        "mirror_cosine",
        "square",
        "sqrt",
        "exponential",
        "geometric",
        "inverse",
    ],
    checks.choice(*SHAPES),
]
