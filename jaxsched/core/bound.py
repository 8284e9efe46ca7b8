"""A function with its hyperparameters bound: what schedules, monitors and controllers are made of.

The function is static and every number is a leaf of a pytree. Leaves stay what the caller
gave: Python numbers are constants of the program that closes over them, they print as
written, and binding them touches no device.
"""

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, ParamSpec, Self, TypeVar, get_args

import jax

from jaxsched.core import leaves

P = ParamSpec("P")
Reader = Callable[[str, Any], Any]
Check = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, eq=False, repr=False)
class Bound:
    """A maker's function with its hyperparameters.

    Attributes:
      maker: what made it; static.
      hyperparams: the numbers and inner schedules by name; the leaves. Not to be changed
        in place: see `replace`.
    """

    maker: "Maker[..., Any]"
    hyperparams: dict[str, Any]

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
    def tree_unflatten(cls, maker: "Maker[..., Any]", children: Any) -> Self:
        """One of whatever leaves JAX puts into it, unchecked."""
        (hyperparams,) = children
        return cls(maker, hyperparams)

    def __repr__(self) -> str:
        return self.maker.show(self.hyperparams)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Bound) and leaves.identity(self) == leaves.identity(other)

    def __hash__(self) -> int:
        return hash(leaves.identity(self))


T = TypeVar("T", bound=Bound)


class Maker(Generic[P, T]):
    """A function that has lost its first arguments: called with the others, it binds them.

    Each hyperparameter is read by the check in its annotation (`jaxsched.core.types`), so a
    mistake raises when something is made.
    """

    __name__: str
    __qualname__: str

    def __init__(
        self,
        function: Callable[..., Any],
        kind: type[T],
        reader: Reader,
        *,
        first: int = 1,
        check: Check | None = None,
        template: str | None = None,
        start: Callable[..., Any] | None = None,
    ):
        functools.update_wrapper(self, function)
        signature = inspect.signature(function, eval_str=True)
        hyperparameters = list(signature.parameters.values())[first:]
        self.function = function
        self.kind = kind
        self.check = check
        self.template = template
        self.start = start
        self.readers = {p.name: _reader(p, reader) for p in hyperparameters}
        self.__signature__ = signature.replace(parameters=hyperparameters, return_annotation=kind)
        self.defaults = {
            p.name: self.readers[p.name](p.name, p.default)
            for p in hyperparameters
            if p.default is not p.empty
        }

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T:
        """The function with these hyperparameters."""
        try:
            bound = self.__signature__.bind(*args, **kwargs).arguments
        except TypeError as error:
            raise TypeError(f"{self.__name__}: {error}") from None
        read = {name: self.readers[name](name, value) for name, value in bound.items()}
        hyperparams = {**self.defaults, **read}
        if self.check:
            self.check(hyperparams)
        return self.kind(self, hyperparams)

    def show(self, hyperparams: dict[str, Any]) -> str:
        """The call that makes the same; arguments equal to their default are left out."""
        shown = {name: leaves.show(hyperparams[name]) for name in self.readers}
        if self.template:
            return self.template.format(**shown)
        given = [
            f"{name}={shown[name]}" for name in shown if not self.is_default(name, hyperparams)
        ]
        return f"{self.__name__}({', '.join(given)})"

    def is_default(self, name: str, hyperparams: dict[str, Any]) -> bool:
        """Whether a hyperparameter is what it is when it is left out."""
        default = self.defaults.get(name, inspect.Parameter.empty)
        return leaves.identity(hyperparams[name]) == leaves.identity(default)

    def __reduce__(self) -> str:
        return self.__qualname__

    def __repr__(self) -> str:
        return self.__name__


def _reader(parameter: inspect.Parameter, default: Reader) -> Reader:
    kinds = (parameter.annotation, *get_args(parameter.annotation))
    reader = next(
        (kind.__metadata__[0] for kind in kinds if hasattr(kind, "__metadata__")), default
    )
    if parameter.default is not None:
        return reader
    return lambda name, value: None if value is None else reader(name, value)
