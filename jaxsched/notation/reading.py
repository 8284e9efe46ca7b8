"""What the entries of a configuration describe, and where they are wrong."""

from collections.abc import Mapping, Sequence
from typing import Any

from jaxsched.core.bound import Maker
from jaxsched.tools.catalogue import hint, inside, makers


def made(path: str, entries: dict[Any, Any]) -> Any:
    """What the entries at a path describe; the path is empty for the outermost."""
    if "name" not in entries:
        raise ValueError(f"`{inside(path, 'name')}` is missing.")
    maker = _maker(inside(path, "name"), entries.pop("name"))
    for name in entries:
        if name not in maker.readers:
            raise TypeError(
                f"`{inside(path, str(name))}` is not an argument of `{maker}`,"
                f" whose arguments are {', '.join(maker.readers)}."
            )
    for name in maker.readers:
        if name not in entries and name not in maker.defaults:
            raise TypeError(f"`{inside(path, name)}` is missing: `{maker}` needs it.")
    arguments = {
        name: maker.readers[name](inside(path, name), _value(inside(path, name), value))
        for name, value in entries.items()
    }
    try:
        return maker(**arguments)
    except (TypeError, ValueError) as error:
        raise type(error)(f"`{path}`: {error}" if path else str(error)) from None


def _maker(path: str, name: Any) -> Maker[..., Any]:
    if not isinstance(name, str) or name not in makers():
        raise ValueError(
            f"`{path}` must be a schedule, a monitor or a controller of jaxsched's, got"
            f" {name!r}.{hint(str(name))}"
        )
    return makers()[name]


def _value(path: str, value: Any) -> Any:
    if is_mapping(value):
        entries = dict(value.items())
        return made(path, entries) if "name" in entries else _steps(path, entries)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_value(f"{path}[{i}]", item) for i, item in enumerate(value)]
    return value


def is_mapping(value: Any) -> bool:
    """Whether it is one, or has the items of one, as a `ConfigDict` has."""
    return isinstance(value, Mapping) or (hasattr(value, "items") and hasattr(value, "keys"))


def _steps(path: str, entries: dict[Any, Any]) -> dict[Any, Any]:
    """A dict from steps, which JSON turns into strings."""
    steps = {_step(path, key): value for key, value in entries.items()}
    if len(steps) < len(entries):
        raise ValueError(f"`{path}` has a step twice, got {list(entries)}.")
    return steps


def _step(path: str, key: Any) -> Any:
    if not isinstance(key, str):
        return key
    for kind in (int, float):
        try:
            return kind(key)
        except ValueError:
            pass
    raise ValueError(f"`{path}` needs a `name`, or has steps as keys, got {key!r}.")
