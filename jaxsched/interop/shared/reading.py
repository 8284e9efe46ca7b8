"""Reading another library's object by the names of its class and attributes.

The library is not imported: what is read may as well be a stand-in with the same names.
"""

from collections.abc import Callable, Collection
from typing import Any

from jaxsched.core import checks


class NoNativeForm(Exception):
    """Why there is no formula for something, whose rates can then only be tabulated."""


def class_of(
    thing: object, package: str, supported: Collection[str], methods: Collection[str]
) -> str:
    """The name of the supported class of a package that an object is of, or derives from.

    Args:
      thing: the object.
      package: the package in which the class is defined.
      supported: the names of the classes that can be read.
      methods: what a derived class may not redefine.

    Raises:
      TypeError: for any other class, and for a derived one that redefines a method.
    """
    name = type(thing).__name__
    derived: list[type] = []
    for cls in type(thing).__mro__:
        if cls.__module__.split(".")[0] == package and cls.__name__ in supported:
            break
        derived.append(cls)
    else:
        known = ", ".join(sorted(supported))
        raise TypeError(f"`{name}` is none of the classes of {package} that can be read: {known}.")
    for method in methods:
        if any(method in vars(one) for one in derived):
            raise TypeError(f"`{name}` redefines `{method}` of {package}'s `{cls.__name__}`.")
    return cls.__name__


def read(thing: object, name: str, check: Callable[[str, Any], Any] | None = None) -> Any:
    """An attribute, as a Python number if it is one of a tensor, checked like an argument.

    Raises:
      ValueError: if there is none, or its value is impossible; it names class and attribute.
    """
    label = f"{type(thing).__name__}.{name}"
    if not hasattr(thing, name):
        raise ValueError(f"`{label}` is missing.")
    value = plain(getattr(thing, name))
    return check(label, value) if check else value


def read_item(thing: object, name: str, index: Any, check: Callable[[str, Any], Any]) -> Any:
    """An item of an attribute that is a list or a dict, checked like an argument."""
    label = f"{type(thing).__name__}.{name}[{index!r}]"
    try:
        value = read(thing, name)[index]
    except (LookupError, TypeError):
        raise ValueError(f"`{label}` is missing.") from None
    return check(label, plain(value))


def read_group(thing: object, name: str, group: int) -> Any:
    """One of the parameter groups that an attribute lists.

    Raises:
      ValueError: if there are not as many.
    """
    groups = read(thing, name)
    if not 0 <= group < len(groups):
        checks.refuse("group", group, f"below {len(groups)}, the number of parameter groups")
    return groups[group]


def plain(value: Any) -> Any:
    """A tensor or array of one number as that number; anything else as it is."""
    return value.item() if callable(getattr(value, "item", None)) else value


def whole_steps(name: str, value: Any) -> int:
    """A whole number of steps, 0 included."""
    if checks.steps(name, value) != int(value):
        checks.refuse(name, value, "a whole number of steps")
    return int(value)


def some_whole_steps(name: str, value: Any) -> int:
    """A positive whole number of steps."""
    return whole_steps(name, checks.positive(name, value))


def one_of(*choices: str) -> Callable[[str, Any], str]:
    """A reader of one of some strings."""

    def check(name: str, value: Any) -> str:
        if value not in choices:
            checks.refuse(name, value, "one of " + ", ".join(map(repr, choices)))
        return value

    return check
