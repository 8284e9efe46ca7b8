"""A function with its hyperparameters bound: what schedules, monitors and controllers are made of.

The function is static and every number is a leaf of a pytree. Leaves stay what the caller
gave: Python numbers are constants of the program that closes over them, they print as
written, and binding them touches no device.
"""

from typing import Any, NamedTuple, NoReturn, Self

import jax

from jaxsched.core import leaves
from jaxsched.core.maker import Maker, show
from jaxsched.core.traced import any_traced


class Key(NamedTuple):
    """The structure and the leaves of something bound, their hash, and whether any is traced."""

    identity: tuple[Any, ...]
    hash: int
    traced: bool


class Bound:
    """A maker's function with its hyperparameters.

    Attributes:
      maker: what made it; static.
      hyperparams: the numbers and inner schedules by name; the leaves. Not to be changed
        in place: see `replace`.
    """

    __slots__ = ("__weakref__", "_key", "hyperparams", "maker")

    maker: Maker[..., Any]
    hyperparams: dict[str, Any]
    _key: Key | None

    def __init__(self, maker: Maker[..., Any], hyperparams: dict[str, Any]):
        object.__setattr__(self, "maker", maker)
        object.__setattr__(self, "hyperparams", hyperparams)
        object.__setattr__(self, "_key", None)

    @property
    def __name__(self) -> str:
        """The name of what made it."""
        return self.maker.__name__

    def replace(self, **changes: Any) -> Self:
        """The same with some hyperparameters changed, checked like new ones."""
        return self.maker(**{**self.hyperparams, **changes})

    def known(self) -> dict[str, Any]:
        """The hyperparameters with NumPy scalars as the Python numbers they are."""
        return {name: leaves.plain(value) for name, value in self.hyperparams.items()}

    def tree_flatten_with_keys(self):
        """The hyperparameters as leaves, the maker as static data."""
        return [(jax.tree_util.GetAttrKey("hyperparams"), self.hyperparams)], self.maker

    @classmethod
    def tree_unflatten(cls, maker: Maker[..., Any], children: Any) -> Self:
        """One of whatever leaves JAX puts into it, unchecked."""
        (hyperparams,) = children
        return cls(maker, hyperparams)

    def key(self) -> "Key":
        """What it is compared by, found at the first comparison: nothing in it changes."""
        key = self._key
        if key is None:
            identity = leaves.identity(self)
            key = Key(identity, hash(identity), any_traced(self.hyperparams))
            object.__setattr__(self, "_key", key)
        return key

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        raise AttributeError(
            f"`{name}` cannot be set: `.replace({name}=...)` makes another one with it."
        )

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"`{name}` cannot be deleted.")

    def __getattr__(self, name: str) -> NoReturn:
        kind = type(self).__name__
        if not name.startswith("__") and name in self.hyperparams:
            raise AttributeError(f"This `{kind}` has `{name}` in `.hyperparams[{name!r}]`.")
        raise AttributeError(f"`{kind}` has no attribute `{name}`; see `.hyperparams`.")

    def __reduce__(self):
        return type(self), (self.maker, self.hyperparams)

    def __repr__(self) -> str:
        return show(self.maker, self.hyperparams)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Bound) and self.key().identity == other.key().identity

    def __hash__(self) -> int:
        return self.key().hash
