"""What the entries of a configuration describe, and where they are wrong."""

from collections.abc import Mapping
from typing import Any

from jaxsched.core.checks import is_list, quoted
from jaxsched.core.maker import Maker, Reader, did_you_mean
from jaxsched.notation.catalogue import hint, inside
from jaxsched.notation.registering import known_by_name
from jaxsched.planning.said import counts_steps, in_steps
from jaxsched.planning.units import Run


def made(path: str, entries: dict[Any, Any], run: Run | None = None) -> Any:
    """What the entries at a path describe; the path is empty for the outermost.

    Lengths in other units than steps are those of the run.
    """
    if "name" not in entries:
        raise ValueError(f"`{inside(path, 'name')}` is missing.")
    maker = _maker(inside(path, "name"), entries.pop("name"))
    for name in entries:
        if name not in maker.readers:
            shown = inside(path, quoted(name).strip("'")[:80])
            raise TypeError(
                f"`{shown}` is not an argument of `{maker.__name__}`,"
                f" whose arguments are {', '.join(maker.readers)}{did_you_mean(maker, str(name))}"
            )
    for name in maker.readers:
        if name not in entries and name not in maker.defaults:
            raise TypeError(f"`{inside(path, name)}` is missing: `{maker.__name__}` needs it.")
    arguments = {
        name: _argument(inside(path, name), value, maker.readers[name], run)
        for name, value in entries.items()
    }
    try:
        return maker(**arguments)
    except (TypeError, ValueError) as error:
        raise type(error)(f"`{path}`: {error}" if path else str(error)) from None


def _argument(path: str, value: Any, reader: Reader, run: Run | None) -> Any:
    if counts_steps(reader):
        value = in_steps(path, value, run)
    return reader(path, _value(path, value, run))


def _maker(path: str, name: Any) -> Maker[..., Any]:
    if not isinstance(name, str) or name not in known_by_name():
        raise ValueError(
            f"`{path}` must be a schedule, a monitor or a controller of jaxsched's, got"
            f" {quoted(name)}.{hint(str(name))}"
        )
    return known_by_name()[name]


def _value(path: str, value: Any, run: Run | None) -> Any:
    if is_mapping(value):
        entries = dict(value.items())
        return made(path, entries, run) if "name" in entries else _steps(path, entries)
    if is_list(value):
        return [_value(f"{path}[{i}]", item, run) for i, item in enumerate(value)]
    return value


def is_mapping(value: Any) -> bool:
    """Whether it is one, or has the items of one, as a `ConfigDict` has."""
    return isinstance(value, Mapping) or (hasattr(value, "items") and hasattr(value, "keys"))


def _steps(path: str, entries: dict[Any, Any]) -> dict[Any, Any]:
    """A dict from steps, which JSON turns into strings."""
    steps = {_step(path, key): value for key, value in entries.items()}
    if len(steps) < len(entries):
        raise ValueError(f"`{path}` has a step twice, got {quoted(list(entries))}.")
    return steps


def _step(path: str, key: Any) -> Any:
    if not isinstance(key, str):
        return key
    for kind in (int, float):
        try:
            return kind(key)
        except ValueError:
            pass
    raise ValueError(f"`{path}` needs a `name`, or has steps as keys, got {quoted(key)}.")
