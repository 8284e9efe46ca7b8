"""Which of several metrics a monitor hears."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import jax
import jax.numpy as jnp

from jaxsched.core import checks
from jaxsched.core.bound import Bound

Made = TypeVar("Made")

UNNAMED = ""
"""The key of the metric for the monitors that name none."""


def hears(kind: str) -> Callable[[Made], Made]:
    """Marks a maker of monitors that hear "nothing", or what those "inside" of them hear."""

    def mark(made: Made) -> Made:
        vars(made)["hears"] = kind
        return made

    return mark


def inside(monitor: Bound) -> list[Bound]:
    """The monitors that one directly holds."""
    values = monitor.hyperparams.values()
    parts = [part for value in values for part in (value if isinstance(value, tuple) else (value,))]
    return [part for part in parts if isinstance(part, Bound)]


def metrics_of(monitor: Bound) -> set[str]:
    """The names of the metrics that it hears, or that those in it do."""
    kind = _kind(monitor)
    if kind == "inside":
        return set[str]().union(*map(metrics_of, inside(monitor)))
    return set() if kind == "nothing" else {_name(monitor)}


def heard(monitor: Bound, value: Any, observed: Any) -> tuple[Any, Any]:
    """The metric of a monitor and whether there is one; all by name, for those inside of it."""
    if isinstance(observed, dict):
        return _own(monitor, value, observed)
    if not isinstance(value, Mapping):
        return metric_value("value", value), jnp.asarray(observed)
    names = metrics_of(monitor)
    given = {name: value.get(name or "value") for name in names | {UNNAMED}}
    values = {
        name: jnp.zeros(()) if one is None else metric_value(name or "value", one)
        for name, one in given.items()
    }
    there = {name: jnp.asarray(observed) & (one is not None) for name, one in given.items()}
    return _own(monitor, values, there)


def _own(monitor: Bound, values: dict[str, Any], observed: dict[str, Any]) -> tuple[Any, Any]:
    if _kind(monitor) == "inside":
        return values, observed
    name = UNNAMED if _kind(monitor) == "nothing" else _name(monitor)
    return values[name], observed[name]


def _kind(monitor: Bound) -> str:
    return getattr(monitor.maker, "hears", "one")


def _name(monitor: Bound) -> str:
    return str(monitor.hyperparams.get("metric") or UNNAMED)


def metric_value(name: str, value: Any) -> jax.Array:
    """A metric as a floating scalar; anything else raises."""
    if not checks.is_number(value):
        checks.refuse(name, value, "a real scalar", TypeError)
    return jnp.asarray(value, jnp.result_type(float))
