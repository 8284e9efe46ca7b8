"""Many schedules as one: those of the same form share one formula over stacked numbers."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxsched.core import checks
from jaxsched.core.arithmetic.between import where
from jaxsched.core.arithmetic.chosen import chosen
from jaxsched.core.arithmetic.lookup import take
from jaxsched.core.leaves import identity
from jaxsched.core.schedule import Schedule, at, operand
from jaxsched.core.tables import array_of
from jaxsched.core.types import ScheduleFn


@jax.tree_util.register_pytree_node_class
@dataclass(frozen=True, eq=False, repr=False)
class Stack:
    """A sequence of schedules, grouped by form. Prints as the list it was made of.

    Attributes:
      groups: one schedule a form, with an added leading axis on the leaves that differ; as it is
        where it is the only one, so that its known numbers stay known.
      shared: for each group, the hyperparameters that all its members leave at their default;
        those are kept as they are, so that known numbers stay known.
      forms: the group of each member, as bytes of int32: static, and quick to compare.
      ndim: the axes of the first number when it was made. In a population it has more.
    """

    groups: tuple[Any, ...]
    shared: tuple[frozenset[str], ...]
    forms: bytes
    ndim: int

    def tree_flatten(self):
        """The arrays as leaves."""
        return (self.groups,), (self.shared, self.forms, self.ndim)

    @classmethod
    def tree_unflatten(cls, static: tuple[Any, bytes, int], children: Any) -> "Stack":
        """A stack of the given groups."""
        (groups,) = children
        return cls(groups, *static)

    def __len__(self) -> int:
        return len(self.forms) // 4

    def places(self) -> tuple[np.ndarray, np.ndarray]:
        """The group of each member, and its row in the group."""
        forms = np.frombuffer(self.forms, np.int32)
        rows = np.zeros_like(forms)
        for group in range(len(self.groups)):
            rows[forms == group] = np.arange(np.sum(forms == group))
        return forms, rows

    def at(self, index: jax.Array, count: jax.Array) -> jax.Array:
        """The value at `count` of the member `index`: one evaluation a form.

        A form that is not asked for is evaluated at its step 0, where it is finite, so it
        poisons no gradient.
        """
        if len(self.groups) == 1:
            return at(self._member(0, lambda leaf: chosen(leaf, index)), count)
        forms, rows = self.places()
        form, row = take(forms, index), take(rows, index)

        def value(group: int) -> Any:
            # Where the group has fewer rows, the last of them, as `dynamic_slice` clamps.
            member = self._member(group, lambda leaf: chosen(leaf, row))
            return at(member, where(form == group, count, 0))

        values = [value(group) for group in range(len(self.groups))]
        return functools.reduce(
            lambda other, group: jnp.where(form == group, values[group], other),
            range(1, len(values)),
            values[0],
        )

    def _member(self, group: int, choose: Callable[[Any], Any]) -> Any:
        members, shared = self.groups[group], self.shared[group]
        if np.sum(np.frombuffer(self.forms, np.int32) == group) == 1:
            return members
        if not shared:
            return jax.tree.map(choose, members)
        hyperparams = {
            name: value if name in shared else jax.tree.map(choose, value)
            for name, value in members.hyperparams.items()
        }
        return Schedule(members.maker, hyperparams)

    def members(self) -> list[Any]:
        """The schedules it was made of, one by one."""
        return [self._host_member(*place) for place in self._places_of_host()]

    def member(self, index: int) -> Any:
        """One of the schedules it was made of."""
        return self._host_member(*self._places_of_host()[index])

    def _places_of_host(self) -> list[tuple[int, int]]:
        forms, rows = self.places()
        return list(zip(forms.tolist(), rows.tolist(), strict=True))

    def _host_member(self, form: int, row: int) -> Any:
        axes = _ndim(self.groups) - self.ndim
        return self._member(form, functools.partial(_of_host, row=row, axes=axes))

    def __repr__(self) -> str:
        return repr(self.members())


def _ndim(groups: Any) -> int:
    return np.ndim(next(iter(jax.tree.leaves(groups)), 0))


def _of_host(leaf: Any, row: int, axes: int) -> Any:
    """A row behind some axes of a population; a number alone as a Python number."""
    chosen = leaf[(slice(None),) * axes + (row,)]
    return chosen.item() if isinstance(leaf, np.ndarray) and leaf.ndim == 1 else chosen


def _shared(members: Sequence[Any]) -> frozenset[str]:
    """The hyperparameters that every one of some schedules of the same form leaves as made."""
    if not isinstance(members[0], Schedule):
        return frozenset()
    defaults = {name: identity(value) for name, value in members[0].maker.defaults.items()}
    return frozenset(
        name
        for name, default in defaults.items()
        if all(identity(member.hyperparams[name]) == default for member in members)
    )


def _stacked(members: Sequence[Any], shared: frozenset[str]) -> Any:
    return members[0] if len(members) == 1 else _in_arrays(members, shared)


def _in_arrays(members: Sequence[Any], shared: frozenset[str]) -> Any:
    if shared:
        maker, names = members[0].maker, members[0].hyperparams
        varying = [{n: m.hyperparams[n] for n in names if n not in shared} for m in members]
        kept = {name: maker.defaults[name] for name in shared}
        return Schedule(maker, {**kept, **_in_arrays(varying, frozenset())})
    leaves = zip(*map(jax.tree.leaves, members), strict=True)
    return jax.tree.unflatten(jax.tree.structure(members[0]), map(array_of, leaves))


def read_stack(name: str, value: Any) -> Stack:
    """A non-empty sequence of schedules, as a stack."""
    if isinstance(value, Stack):
        return value
    if not checks.is_list(value):
        checks.refuse(name, value, "a list of schedules", TypeError)
    if not value:
        checks.refuse(name, value, "a list of at least one schedule")
    members = [operand(f"{name}[{i}]", member) for i, member in enumerate(value)]
    keys = [form_of(member) for member in members]
    groups: dict[Any, list[Any]] = {}
    for key, member in zip(keys, members, strict=True):
        groups.setdefault(key, []).append(member)
    numbers = {key: number for number, key in enumerate(groups)}
    forms = np.array([numbers[key] for key in keys], np.int32)
    shared = tuple(map(_shared, groups.values()))
    stacked = tuple(map(_stacked, groups.values(), shared))
    return Stack(stacked, shared, forms.tobytes(), _ndim(stacked))


def form_of(member: Any) -> Any:
    """What schedules have in common whose numbers can be stacked: the structure and the shapes."""
    leaves, structure = jax.tree.flatten(member)
    return structure, *map(np.shape, leaves)


Schedules = Annotated[Sequence[Schedule | ScheduleFn | float], read_stack]
