"""What turns a function into one that binds its hyperparameters.

A maker is a plain function of the hyperparameters, with their types and defaults, so that
whatever reads signatures reads it: configuration tools, command lines, editors. What it was
made of is kept in its attributes.
"""

import difflib
import functools
import inspect
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ParamSpec, Protocol, TypeVar, Union, get_args, get_origin

import jax
import numpy as np

from jaxsched.core import leaves

P = ParamSpec("P")
T = TypeVar("T", covariant=True)
Reader = Callable[[str, Any], Any]
Check = Callable[[dict[str, Any]], None]


class Maker(Protocol[P, T]):
    """A function that has lost its first arguments: called with the others, it binds them.

    Attributes:
      function: the one that it was made of.
      kind: the class of what it makes.
      readers: the check of each hyperparameter, by name (`jaxsched.core.types`).
      defaults: the hyperparameters that may be left out.
      template: how what it makes prints, if not as a call.
      start: of a monitor, from the hyperparameters to the first state.
      anew: of a monitor, from a state to that after a restart, if it is not the first one.
    """

    __name__: str
    __module__: str
    __signature__: inspect.Signature
    function: Callable[..., Any]
    kind: type[Any]
    readers: dict[str, Reader]
    defaults: dict[str, Any]
    template: str | None
    start: Callable[..., Any] | None
    anew: Callable[..., Any] | None

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T:
        """What it makes, with these hyperparameters."""
        ...


DEEPEST = 128
"""How many may be inside of one another."""


def is_maker(value: Any) -> bool:
    """Whether a value is a maker, and not yet what it makes."""
    return inspect.isfunction(value) and hasattr(value, "readers")


def maker(
    function: Callable[..., Any],
    kind: Callable[[Any, dict[str, Any]], Any],
    reader: Reader,
    *,
    first: int = 1,
    check: Check | None = None,
    template: str | None = None,
    start: Callable[..., Any] | None = None,
    anew: Callable[..., Any] | None = None,
) -> Maker[..., Any]:
    """The maker of a function: it binds all arguments but the `first` ones.

    Each hyperparameter is read by the check in its annotation, or else by `reader`, so a
    mistake raises when something is made.
    """
    signature = inspect.signature(function, eval_str=True)
    hyperparameters = list(signature.parameters.values())[first:]
    readers = {p.name: _reader(p, reader) for p in hyperparameters}
    defaults = {
        p.name: readers[p.name](p.name, p.default)
        for p in hyperparameters
        if p.default is not p.empty
    }

    def make(*args: Any, **kwargs: Any) -> Any:
        given = bound(make, args, kwargs)
        read = {name: leaves.held(readers[name](name, value)) for name, value in given.items()}
        hyperparams = {**defaults, **read}
        if check:
            check(hyperparams)
        if _depth(hyperparams) >= DEEPEST:
            raise ValueError(
                f"{make.__name__}: more than {DEEPEST} schedules inside of one another, such as a"
                " sum of as many terms, are too deep for Python to walk through. A"
                " `table_schedule` or `join_schedules` has any number side by side."
            )
        return kind(make, hyperparams)

    functools.update_wrapper(make, function)
    shown = [p.replace(annotation=_shown(p.annotation)) for p in hyperparameters]
    make.__signature__ = signature.replace(parameters=shown, return_annotation=kind)
    make.__annotations__ = {p.name: p.annotation for p in shown if p.annotation is not p.empty}
    make.__annotations__["return"] = kind
    vars(make)["__wrapped__"] = _source(function, make)
    made_of = dict(function=function, kind=kind, readers=readers, defaults=defaults)
    vars(make).update(made_of, template=template, start=start, anew=anew)
    return typing.cast(Maker[..., Any], make)


def show(maker: Maker[..., Any], hyperparams: dict[str, Any]) -> str:
    """The call that makes the same; arguments equal to their default are left out."""
    shown = {name: leaves.show(hyperparams[name]) for name in maker.readers}
    if maker.template:
        return maker.template.format(**shown)
    given = [f"{name}={shown[name]}" for name in shown if not is_default(maker, name, hyperparams)]
    return f"{maker.__name__}({', '.join(given)})"


def is_default(maker: Maker[..., Any], name: str, hyperparams: dict[str, Any]) -> bool:
    """Whether a hyperparameter is what it is when it is left out."""
    default = maker.defaults.get(name, inspect.Parameter.empty)
    return leaves.identity(hyperparams[name]) == leaves.identity(default)


def bound(make: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a call by name; an unknown one is told before a missing one."""
    for name in kwargs:
        if name not in make.readers:
            meant = did_you_mean(make, name)
            raise TypeError(f"{make.__name__}: got an unexpected keyword argument {name!r}{meant}")
    try:
        return make.__signature__.bind(*args, **kwargs).arguments
    except TypeError as error:
        raise TypeError(f"{make.__name__}: {error}") from None


def _source(function: Any, make: Any) -> Any:
    """What is looked at for the source of a maker, with the maker's signature and types."""
    if not inspect.isfunction(function):
        return function
    code, names = function.__code__, function.__globals__
    source = types.FunctionType(code, names, function.__name__, closure=function.__closure__)
    vars(source)["__signature__"] = make.__signature__
    source.__annotations__ = make.__annotations__
    return source


def did_you_mean(make: Any, name: str) -> str:
    """The question after an unknown argument that is like a known one, or nothing."""
    near = difflib.get_close_matches(name, make.readers, n=1, cutoff=0.5)
    return f"; did you mean `{near[0]}`?" if near else ""


def _depth(value: Any) -> int:
    """How many bound functions are inside of one another in a value."""
    if isinstance(value, dict):
        return max(map(_depth, value.values()), default=0)
    if isinstance(value, tuple):
        return max(map(_depth, value), default=0)
    if hasattr(value, "hyperparams"):
        return 1 + _depth(value.hyperparams)
    return _depth(value.groups) if hasattr(value, "groups") else 0


def _reader(parameter: inspect.Parameter, default: Reader) -> Reader:
    kinds = (parameter.annotation, *get_args(parameter.annotation))
    reader = next(
        (kind.__metadata__[0] for kind in kinds if hasattr(kind, "__metadata__")), default
    )
    if parameter.default is not None:
        return reader

    @functools.wraps(reader)
    def or_none(name: str, value: Any) -> Any:
        return None if value is None else reader(name, value)

    return or_none


_ARRAYS = (jax.Array, np.ndarray, Any)


def _shown(annotation: Any) -> Any:
    """A type as people write it: without its check, and without the arrays it may be as well."""
    if hasattr(annotation, "__metadata__"):
        return _shown(annotation.__origin__)
    origin = get_origin(annotation)
    if origin is Callable:
        return Callable
    if origin in (Sequence, Mapping):
        return types.GenericAlias(origin, tuple(map(_shown, get_args(annotation))))
    if origin not in (Union, types.UnionType):
        return annotation
    members = [_shown(member) for member in get_args(annotation)]
    return Union[*(m for m in members if m not in _ARRAYS)]
