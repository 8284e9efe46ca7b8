"""What controllers are made of: monitors, and perhaps a controller in place of a schedule."""

from typing import Any

from jaxsched.control.controllers.state import NO_MONITOR, Memory, first_memory, joined_rules
from jaxsched.control.monitors.hearing import UNNAMED, metrics_of
from jaxsched.control.monitors.monitor import Monitor, name_of
from jaxsched.core.bound import Bound


def monitors_of(hyperparams: dict[str, Any]) -> dict[str, Monitor]:
    """The monitors by the names of the arguments, in the order of a tree's."""
    return {n: value for n, value in sorted(hyperparams.items()) if isinstance(value, Monitor)}


def nested_in(hyperparams: dict[str, Any]) -> dict[str, Bound]:
    """The controller by the name of the argument, if one stands for the schedule."""
    return {
        name: value
        for name, value in hyperparams.items()
        if isinstance(value, Bound) and hasattr(type(value), "advance")
    }


def check_one(hyperparams: dict[str, Any]) -> None:
    """Raises for more than one controller inside of another."""
    found = list(nested_in(hyperparams))
    if len(found) > 1:
        raise TypeError(f"One of {found} at most may be a controller; the others are schedules.")


def levels_of(controller: Bound) -> list[Bound]:
    """The controller and those inside of one another in it, from without to within."""
    inner = nested_in(controller.hyperparams).values()
    return [controller, *(level for one in inner for level in levels_of(one))]


def rule_of(controller: Bound) -> str:
    """What the states of a controller belong to: the names of its monitors, at each level."""
    return joined_rules(map(_own_rule, levels_of(controller)))


def _own_rule(level: Bound) -> str:
    return ", ".join(map(name_of, monitors_of(level.hyperparams).values())) or NO_MONITOR


def own_metric(controller: Bound) -> str:
    """The name of the metric of those of its monitors that name none."""
    return str(controller.hyperparams.get("metric", "value"))


def own_metrics(controller: Bound) -> set[str]:
    """The metrics of its own monitors."""
    monitors = monitors_of(controller.hyperparams).values()
    named = set[str]().union(*map(metrics_of, monitors))
    return {own_metric(controller) if name == UNNAMED else name for name in named}


def all_metrics(controller: Bound) -> tuple[str, ...]:
    """The metrics of all of its levels."""
    heard = set[str]().union(*map(own_metrics, levels_of(controller)))
    return tuple(sorted(heard or {own_metric(controller)}))


def axis_of(controller: Bound) -> Any:
    """The mapped axes over which metrics are averaged, the same at all levels."""
    named = [level.hyperparams.get("axis_name") for level in levels_of(controller)]
    found = {axis for axis in named if axis is not None}
    if len(found) > 1:
        raise ValueError(f"`axis_name` must be the same at all levels, got {sorted(found)}.")
    return next(iter(found), None)


def beginning(controller: Bound) -> Memory:
    """What is remembered before the first update."""
    monitors = {name: m.init() for name, m in monitors_of(controller.hyperparams).items()}
    inner = nested_in(controller.hyperparams).values()
    return first_memory(monitors, tuple(map(beginning, inner)))
