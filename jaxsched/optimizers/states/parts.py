"""The parts that an optimizer's state is made of, and which of one state are which of another."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple, TypeGuard

import jax
from jax.tree_util import keystr, tree_flatten_with_path

from jaxsched.control.controllers.state import ControllerState


class Part(NamedTuple):
    """A named tuple in a state, with the arrays that are in no other one inside of it.

    Attributes:
      path: where it is.
      kind: its type, and where it is in the part that holds it.
      node: itself.
      arrays: its arrays, by their path from it.
    """

    path: str
    kind: tuple[type, str]
    node: Any
    arrays: dict[str, Any]


def parts_of(tree: Any, path: str = "", within: str = "") -> Iterator[Part]:
    """All parts, the outer ones first; a controller's state is one."""
    inner = own(tree)
    arrays = {keystr(key): leaf for key, leaf in inner if not is_part(leaf)}
    if is_controller(tree):
        yield Part(path, (type(tree), within), tree, {"": tree})
        return
    yield Part(path, (type(tree), within), tree, arrays)
    for key, node in inner:
        if is_part(node):
            inside = keystr(key)
            # In a plain tuple, as that of a chain, the place says nothing.
            yield from parts_of(node, path + inside, inside if is_part(tree) else "")


def own(tree: Any) -> list[tuple[Any, Any]]:
    """The arrays and the parts directly in a tree, with their paths."""
    return tree_flatten_with_path(tree, is_leaf=lambda node: node is not tree and is_part(node))[0]


def rebuilt(tree: Any, replace: Any, path: str = "") -> Any:
    """The tree with each part's arrays replaced: `replace(path, arrays) -> arrays`."""
    if is_controller(tree):
        return replace(path, {"": tree})[""]
    inner = own(tree)
    arrays = replace(path, {keystr(key): leaf for key, leaf in inner if not is_part(leaf)})
    leaves = [
        rebuilt(leaf, replace, path + keystr(key)) if is_part(leaf) else arrays[keystr(key)]
        for key, leaf in inner
    ]
    structure = jax.tree.structure(tree, is_leaf=lambda node: node is not tree and is_part(node))
    return structure.unflatten(leaves)


def is_part(node: Any) -> bool:
    """Whether it is a named tuple, as the states of all transformations are."""
    return isinstance(node, tuple) and hasattr(node, "_fields")


def is_controller(node: Any) -> TypeGuard[ControllerState]:
    """Whether it is the state of a controller."""
    return isinstance(node, ControllerState)


def counterparts(old: list[Part], new: list[Part]) -> dict[str, Part]:
    """For the paths of new parts the old ones: of the same kind, by place or else in order."""
    found: dict[str, Part] = {}
    in_order = _same_numbers(old, new)
    for same in (
        lambda ours, theirs: ours.kind == theirs.kind and ours.kind in in_order,
        lambda ours, theirs: ours.kind == theirs.kind and ours.path == theirs.path,
        lambda ours, theirs: ours.kind == theirs.kind,
        lambda ours, theirs: ours.kind[0] is theirs.kind[0],
    ):
        taken = {part.path for part in found.values()}
        left = [part for part in old if part.path not in taken]
        for part in (part for part in new if part.path not in found):
            chosen = next((theirs for theirs in left if same(part, theirs)), None)
            if chosen is not None:
                found[part.path] = chosen
                left.remove(chosen)
    return found


def _same_numbers(old: list[Part], new: list[Part]) -> set[tuple[type, str]]:
    """The kinds of which both states have as many."""
    ours, theirs = (Counter(part.kind for part in parts) for parts in (new, old))
    return {kind for kind in ours if ours[kind] == theirs[kind]}
