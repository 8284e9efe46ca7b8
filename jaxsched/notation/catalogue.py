"""The makers that a configuration or an expression may name."""

import difflib
import functools
from typing import Any

from jaxsched import control, schedules
from jaxsched.core.maker import Maker, is_maker
from jaxsched.core.schedule import add, divide, multiply, negative, subtract

OPERATORS: dict[str, Maker[..., Any]] = {
    maker.__name__: maker for maker in (add, subtract, multiply, divide, negative)
}


@functools.cache
def public() -> dict[str, Maker[..., Any]]:
    """Every public schedule, monitor and controller by name."""
    named = {**vars(schedules), **vars(control)}
    return {name: maker for name, maker in named.items() if is_maker(maker)}


@functools.cache
def makers() -> dict[str, Maker[..., Any]]:
    """The public ones and the operators."""
    return {**public(), **OPERATORS}


def hint(name: str) -> str:
    """A sentence with the name that may have been meant, or nothing."""
    near = difflib.get_close_matches(name, public(), n=1)
    return f" Did you mean `{near[0]}`?" if near else ""


def inside(path: str, name: str) -> str:
    """The path of an entry of what stands at a path."""
    return f"{path}.{name}" if path else name
