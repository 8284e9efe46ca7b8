"""The schedules of Transformers that react to a metric."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from jaxsched.control.controllers.controller import Controller
from jaxsched.control.controllers.greedy import follow, greedy
from jaxsched.core import checks
from jaxsched.interop.shared.reading import one_of, some_whole_steps, whole_steps
from jaxsched.interop.torch.plateau import reduced_on_plateau

Take = Callable[..., Any]
"""From the name of an argument and its default to its value, checked as asked."""


def _mode(take: Take) -> str:
    return take("mode", "min", one_of("min", "max"))


def _threshold_mode(take: Take, default: str) -> str:
    return take("threshold_mode", default, one_of("rel", "abs"))


def reduced_rate(rate: float, take: Take) -> Controller:
    """PyTorch's `ReduceLROnPlateau`, by its arguments and their defaults."""
    arguments = {
        "mode": _mode(take),
        "factor": take("factor", 0.1),
        "patience": take("patience", 10),
        "threshold": take("threshold", 1e-4),
        "threshold_mode": _threshold_mode(take, "rel"),
        "cooldown": take("cooldown", 0),
        "min_lrs": [_bound(take, "min_lr", 0.0)],
        "eps": take("eps", 1e-8),
        "optimizer": SimpleNamespace(param_groups=[{"lr": rate}]),
    }
    return reduced_on_plateau(type("ReduceLROnPlateau", (), arguments)(), 0)


def greedy_rate(rate: float, take: Take) -> Controller:
    """`GreedyLR`, by its arguments and their defaults."""
    relative = _threshold_mode(take, "abs") == "rel"
    threshold = take("threshold", 1e-6, checks.non_negative)
    window = take("window_size", 50, some_whole_steps)
    take("verbose", False, checks.flag)
    rule = greedy(
        # Transformers acts at one observation more than its patience.
        patience=take("patience", 10, whole_steps) + 1,
        factor=take("factor", 0.95),
        min_scale=_bound(take, "min_lr", 1e-3) / rate,
        max_scale=_bound(take, "max_lr", 1.0) / rate,
        rtol=threshold if relative else 0.0,
        atol=0.0 if relative else threshold,
        mode=_mode(take),
        window=window if take("smooth", False, checks.flag) else 1,
        cooldown=take("cooldown", 0, whole_steps),
        raise_cooldown=take("warmup", 0, whole_steps),
        reset_after=max(take("reset_start", 500), 1),
        min_change=take("eps", 1e-8, checks.non_negative) / rate,
    )
    return follow(rule, rate)


def _bound(take: Take, name: str, default: float) -> float:
    """A bound of one parameter group, which may stand in a list of one."""
    return take(name, default, _one_number)


def _one_number(name: str, value: Any) -> Any:
    one = value[0] if isinstance(value, (list, tuple)) and len(value) == 1 else value
    return checks.non_negative(name, one)
