"""Schedules, monitors and controllers of one's own, known by name to configurations and text."""

from typing import Any, TypeVar

from jaxsched.core.checks import refuse
from jaxsched.core.maker import Maker, is_maker
from jaxsched.notation.catalogue import makers, public

M = TypeVar("M", bound=Maker[..., Any])

_REGISTERED: dict[str, Maker[..., Any]] = {}


def register(maker: M) -> M:
    """Lets `parse`, `from_config` and `to_config` know a maker of one's own by its name.

    For what `schedule`, `monitor` or `controller` returned; above it as a decorator, too. The
    command line knows it with `--import MODULE`, which runs the module that registers it. To
    register it again, as a notebook does, replaces what has the same name and module.

    Args:
      maker: the maker; its name is that of its function.

    Returns:
      The same maker.

    Raises:
      TypeError: for what is no maker.
      ValueError: if the name is that of something of jaxsched's, or of another module's.

    Example:
      >>> import jaxsched
      >>> @jaxsched.register
      ... @jaxsched.schedule
      ... def halving(count, init_value, half_life):
      ...     return init_value * 0.5 ** (count / half_life)
      >>> rate = jaxsched.parse("halving(0.1, half_life=10) * 2")
      >>> print(rate(10))
      0.1
      >>> jaxsched.to_config(rate)["left"]
      {'name': 'halving', 'init_value': 0.1, 'half_life': 10}
    """
    if not is_maker(maker):
        wanted = "what `schedule`, `monitor` or `controller` returned"
        refuse("maker", maker, wanted, TypeError)
    name = maker.__name__
    other = makers().get(name) or _REGISTERED.get(name)
    if other is not None and other is not maker and other.__module__ != maker.__module__:
        raise ValueError(f"`{name}` is already the name of one in `{other.__module__}`.")
    _REGISTERED[name] = maker
    return maker


def callable_by_name() -> dict[str, Maker[..., Any]]:
    """Every public schedule, monitor and controller, and those that are registered."""
    return {**public(), **_REGISTERED}


def known_by_name() -> dict[str, Maker[..., Any]]:
    """These and the operators."""
    return {**makers(), **_REGISTERED}
