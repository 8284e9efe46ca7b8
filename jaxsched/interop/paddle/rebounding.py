"""The schedulers of Paddle that go on behind their end."""

from collections.abc import Callable
from typing import Any

from jaxsched.core import checks
from jaxsched.core.schedule import Schedule
from jaxsched.interop.paddle.base import base_rate
from jaxsched.interop.shared.reading import (
    read,
    some_whole_steps,
)
from jaxsched.interop.torch.descendants import one_cycle
from jaxsched.schedules.reflect import reflect
from jaxsched.schedules.warmup import warmup_cosine_decay_schedule


def _cosine(scheduler: Any, faithful: bool) -> Schedule:
    base, end = base_rate(scheduler), read(scheduler, "eta_min", checks.number)
    steps = read(scheduler, "T_max", some_whole_steps)
    half = warmup_cosine_decay_schedule(base, base, 0, steps, end)
    return reflect(half, steps) if faithful else half


def _onecycle(scheduler: Any, faithful: bool) -> Schedule:
    total = read(scheduler, "total_steps", some_whole_steps)
    values = [checks.number("_lr_config", value) for value in read(scheduler, "_lr_config")]
    ends = [checks.number("_step_config", step) for step in read(scheduler, "_step_config")]
    curve = "cos" if "cos" in read(scheduler, "anneal_func").__name__ else "linear"
    return one_cycle(total, ends[1 : len(values)], values, curve, faithful)


REBOUNDING: dict[str, Callable[[Any, bool], Schedule]] = {
    "CosineAnnealingDecay": _cosine,
    "OneCycleLR": _onecycle,
}
