"""An object of another library as JSON, and from JSON a stand-in with the same names."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from numbers import Number
from typing import Any

Functions = Mapping[str, Callable[..., Any]]
_DROPPED = object()


def snapshot(value: Any, nested: Sequence[str], functions: Functions) -> Any:
    """An object with those of its attributes that are plain, functions, or nested objects.

    Args:
      value: the object.
      nested: the attributes that are objects, or lists of objects, to be taken along.
      functions: those that objects may hold, by name.
    """
    attributes = {
        name: _encoded(item, name in nested, nested, functions)
        for name, item in vars(value).items()
    }
    return {
        "class": type(value).__name__,
        "bases": [cls.__name__ for cls in type(value).__mro__[1:-1]],
        "module": type(value).__module__,
        "attributes": _kept(attributes),
    }


def _encoded(value: Any, is_nested: bool, nested: Sequence[str], functions: Functions) -> Any:
    if value is None or isinstance(value, (bool, str, Number)):
        return value
    if isinstance(value, Mapping):
        pairs = {k: _encoded(v, False, nested, functions) for k, v in value.items()}
        return {"pairs": [[k, v] for k, v in _kept(pairs).items()]}
    if isinstance(value, (list, tuple)):
        items = [_encoded(item, is_nested, nested, functions) for item in value]
        return _DROPPED if _DROPPED in items else items
    if value in functions.values():
        return {"function": next(k for k, v in functions.items() if v == value)}
    if inspect.isroutine(value):
        return {"named": value.__name__}
    return snapshot(value, nested, functions) if is_nested else _DROPPED


def _kept(items: dict[Any, Any]) -> dict[Any, Any]:
    return {name: item for name, item in items.items() if item is not _DROPPED}


def stand_in(record: Any, functions: Functions) -> Any:
    """What a snapshot was taken of, as far as it goes."""
    if isinstance(record, list):
        return [stand_in(item, functions) for item in record]
    if not isinstance(record, dict):
        return record
    if "pairs" in record:
        return {key: stand_in(item, functions) for key, item in record["pairs"]}
    if "function" in record:
        return functions[record["function"]]
    if "named" in record:
        return type(record["named"], (), {})
    module, bases = {"__module__": record["module"]}, ()
    for name in reversed(record["bases"]):
        bases = (type(name, bases, module),)
    made = type(record["class"], bases, module)()
    for name, item in record["attributes"].items():
        setattr(made, name, stand_in(item, functions))
    return made
