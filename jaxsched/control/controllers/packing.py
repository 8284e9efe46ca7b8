"""Many scalars in two vectors: a compiled step pays for each array of its state."""

import itertools
from typing import Any

import jax
import jax.numpy as jnp


def pack(tree: Any) -> tuple[jax.Array, jax.Array]:
    """The whole numbers of a tree of scalars as one vector, the real ones as another.

    Of one length, filled up with the first number: a GPU then makes both in one kernel.
    """
    leaves = jax.tree.leaves(tree)
    whole = [leaf for leaf in leaves if _is_whole(leaf)]
    real = [leaf for leaf in leaves if not _is_whole(leaf)]
    size = max(len(whole), len(real))
    return vector(whole, size), vector(real, size)


def unpack(like: Any, whole: jax.Array, real: jax.Array) -> Any:
    """The tree with the structure of `like` that was packed into two vectors."""
    leaves, structure = jax.tree.flatten(like)
    number = sum(map(_is_whole, leaves))
    size = max(number, len(leaves) - number)
    if whole.shape != (size,) or real.shape != (size,):
        raise ValueError(
            f"This state has vectors of {whole.shape} and {real.shape} numbers, and its rule needs"
            f" {size}: it is of the same rule with another window, or of another version."
        )
    wholes, reals = iter(whole), iter(real)
    return structure.unflatten(next(wholes if _is_whole(leaf) else reals) for leaf in leaves)


def places(like: Any) -> Any:
    """Where in its vector each scalar of a tree with the structure of `like` is."""
    whole, real = itertools.count(), itertools.count()
    return jax.tree.map(lambda leaf: next(whole if _is_whole(leaf) else real), like)


def vector(scalars: list[jax.Array], size: int) -> jax.Array:
    """Scalars of one dtype as a vector of a size, filled up with the first."""
    # By selection: a concatenation would become a kernel for each of its parts.
    place = jnp.arange(size)
    filled = jnp.broadcast_to(scalars[0], size)
    for i, scalar in enumerate(scalars[1:], start=1):
        filled = jnp.where(place == i, scalar, filled)
    return filled


def once(scalar: jax.Array, count: jax.Array) -> jax.Array:
    """The same scalar, computed once in a program and not in each kernel that reads it.

    XLA copies what is cheap into all its consumers, with all that it is made of; a quotient
    is not cheap to it. `count` is any number that is not negative, which XLA cannot know.
    """
    one = jnp.where(count < 0, jnp.asarray(2, scalar.dtype), jnp.asarray(1, scalar.dtype))
    return scalar / one


def in_place(new: Any, old: Any, count: jax.Array) -> Any:
    """The new arrays, written where the old ones were.

    What a program does not read is not donated to it. The new array then lies elsewhere at
    each step, and a GPU, which replays a step as one graph, must change the graph each time: a
    third of a small step. `count` is as for `once`.
    """
    return jax.tree.map(
        lambda to, of: jnp.where(count < 0, jnp.asarray(of, to.dtype), to), new, old
    )


def together(arrays: Any, count: jax.Array) -> Any:
    """The same arrays of one shape; a GPU makes all of them in one kernel of their own.

    It would otherwise copy each vector of a donated state, which it reads while it writes the
    next, and take each scalar out of a vector in a kernel for itself. `count` is as for `once`.
    """
    return jax.lax.platform_dependent(
        arrays, count, cuda=_selected, rocm=_selected, default=lambda arrays, _: arrays
    )


def _selected(arrays: Any, count: jax.Array) -> Any:
    # What all of them read holds them together, and the barrier keeps what reads them apart.
    same = jax.tree.map(lambda array: jnp.where(count < 0, jnp.zeros_like(array), array), arrays)
    return jax.lax.optimization_barrier(same)


def _is_whole(leaf: Any) -> bool:
    return jnp.issubdtype(leaf.dtype, jnp.integer)
