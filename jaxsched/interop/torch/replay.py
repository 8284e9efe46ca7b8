"""PyTorch's recursion in plain Python, from where a scheduler stands: for what has no formula."""

import math
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from jaxsched.interop.shared.reading import NoNativeForm, read
from jaxsched.interop.torch.compose import kind_of, members_of, milestones_of
from jaxsched.interop.torch.entry import group_rate
from jaxsched.interop.torch.onecycle import phases_of, rate_at


@dataclass
class _Stepper:
    """A scheduler's clock, apart from it, with those that it holds."""

    scheduler: Any
    group: int
    time: int
    members: list["_Stepper"] = field(default_factory=list)

    def read(self, name: str) -> Any:
        return read(self.scheduler, name)

    def base(self) -> float:
        return self.read("base_lrs")[self.group]


def replay(scheduler: Any, group: int, steps: int) -> list[float]:
    """The rate in force, and those after each of some steps more."""
    stepper = _stepper(scheduler, group)
    rates = [group_rate(scheduler, group, "lr")]
    for _ in range(steps):
        rates.append(_advance(stepper, rates[-1]))
    return rates


def position(scheduler: Any) -> int:
    """The step at which a scheduler stands, by its own clock."""
    kind = kind_of(scheduler)
    if kind == "ChainedScheduler":
        steps = {position(member) for member in members_of(scheduler)}
        if len(steps) > 1:
            raise NoNativeForm(
                f"The members of this `{type(scheduler).__name__}` stand at different steps,"
                f" {sorted(steps)}"
            )
        return steps.pop()
    if kind == "SWALR":
        return read(scheduler, "_step_count") - 1
    if kind == "CosineAnnealingWarmRestarts":
        first, length, mult = (read(scheduler, name) for name in ("T_0", "T_i", "T_mult"))
        # The cycles so far: first, first mult, ..., length / mult.
        return read(scheduler, "T_cur") + ((length - first) // (mult - 1) if mult > 1 else 0)
    return read(scheduler, "last_epoch")


def _stepper(scheduler: Any, group: int) -> _Stepper:
    kind = kind_of(scheduler)
    if kind in ("SequentialLR", "ChainedScheduler"):
        members = [_stepper(member, group) for member in members_of(scheduler)]
        time = 0 if kind == "ChainedScheduler" else read(scheduler, "last_epoch")
        return _Stepper(scheduler, group, time, members)
    return _Stepper(scheduler, group, position(scheduler))


def _advance(stepper: _Stepper, rate: float) -> float:
    stepper.time += 1
    kind = kind_of(stepper.scheduler)
    if kind == "ChainedScheduler":
        for member in stepper.members:
            rate = _advance(member, rate)
        return rate
    if kind != "SequentialLR":
        return _RULES[kind](stepper, rate)
    milestones = milestones_of(stepper.scheduler)
    member = stepper.members[bisect_right(milestones, stepper.time)]
    return (_begin if stepper.time in milestones else _advance)(member, rate)


def _begin(stepper: _Stepper, rate: float) -> float:
    """The rate at a milestone, which sets the clock to 0."""
    kind, stepper.time = kind_of(stepper.scheduler), 0
    if kind in ("SequentialLR", "ChainedScheduler"):
        raise ValueError(f"PyTorch raises where a `{kind}` begins at a milestone.")
    if kind in ("StepLR", "ExponentialLR", "PolynomialLR", "CosineAnnealingLR"):
        return stepper.base()
    if kind == "ConstantLR" and stepper.read("total_iters") == 0:
        return stepper.base()
    if kind in ("MultiStepLR", "ConstantLR", "LinearLR"):
        return _RULES[kind](stepper, stepper.base())
    return _RULES[kind](stepper, rate)


def _step(s: _Stepper, rate: float) -> float:
    return rate * s.read("gamma") if s.time and s.time % s.read("step_size") == 0 else rate


def _multi_step(s: _Stepper, rate: float) -> float:
    return rate * s.read("gamma") ** s.read("milestones").get(s.time, 0)


def _constant(s: _Stepper, rate: float) -> float:
    if s.time == 0:
        return rate * s.read("factor")
    return rate / s.read("factor") if s.time == s.read("total_iters") else rate


def _linear(s: _Stepper, rate: float) -> float:
    start, steps = s.read("start_factor"), s.read("total_iters")
    change = s.read("end_factor") - start
    if s.time == 0:
        return rate * start
    if s.time > steps:
        return rate
    return rate * (1 + change / (steps * start + (s.time - 1) * change))


def _polynomial(s: _Stepper, rate: float) -> float:
    steps = s.read("total_iters")
    if s.time > steps:
        return rate
    return rate * ((1 - s.time / steps) / (1 - (s.time - 1) / steps)) ** s.read("power")


def _cosine(s: _Stepper, rate: float) -> float:
    steps, end = s.read("T_max"), s.read("eta_min")
    if (s.time - 1 - steps) % (2 * steps) == 0:
        return rate + (s.base() - end) * (1 - math.cos(math.pi / steps)) / 2
    now, before = (1 + math.cos(math.pi * time / steps) for time in (s.time, s.time - 1))
    return end + (rate - end) * now / before


def _restarts(s: _Stepper, _: float) -> float:
    length, end, time = s.read("T_0"), s.read("eta_min"), s.time
    while time >= length:
        time -= length
        length *= s.read("T_mult")
    return end + (s.base() - end) * (1 + math.cos(math.pi * time / length)) / 2


def _cyclic(s: _Stepper, _: float) -> float:
    ratio, passed = s.read("step_ratio"), s.time / s.read("total_size")
    cycle = math.floor(1 + passed)
    x = 1 + passed - cycle
    height = x / ratio if x <= ratio else (x - 1) / (ratio - 1)
    scale = _scale(s)(cycle if s.read("scale_mode") == "cycle" else s.time)
    return s.base() + (s.read("max_lrs")[s.group] - s.base()) * height * scale


def _scale(s: _Stepper) -> Callable[[int], float]:
    custom, bases = s.read("_scale_fn_custom"), {"triangular": 1.0, "triangular2": 0.5}
    if custom is not None:
        return custom
    base = bases.get(s.read("mode"), s.read("gamma"))
    return lambda number: base ** (number - (s.read("scale_mode") == "cycle"))


def _onecycle(s: _Stepper, _: float) -> float:
    total = s.read("total_steps")
    step = s.time if s.time <= total else total - 1
    return rate_at(s.scheduler, phases_of(s.scheduler, s.group), step)


def _averaging(s: _Stepper, rate: float) -> float:
    steps, end = s.read("anneal_epochs"), group_rate(s.scheduler, s.group, "swa_lr")

    def share(step: int) -> float:
        done = max(0, min(1, step / max(1, steps)))
        if s.read("_anneal_strategy") == "linear":
            return done
        return (1 - math.cos(math.pi * done)) / 2

    step = max(1, s.time) if steps == 0 else s.time
    before, now = share(step - 1), share(step)
    begun = end if before == 1 else (rate - before * end) / (1 - before)
    return end * now + begun * (1 - now)


def _function(s: _Stepper) -> float:
    return float(s.read("lr_lambdas")[s.group](s.time))


_RULES: dict[str, Callable[[_Stepper, float], float]] = {
    "LambdaLR": lambda s, _: s.base() * _function(s),
    "MultiplicativeLR": lambda s, rate: rate * _function(s),
    "ExponentialLR": lambda s, rate: rate * s.read("gamma"),
    "StepLR": _step,
    "MultiStepLR": _multi_step,
    "ConstantLR": _constant,
    "LinearLR": _linear,
    "PolynomialLR": _polynomial,
    "CosineAnnealingLR": _cosine,
    "CosineAnnealingWarmRestarts": _restarts,
    "CyclicLR": _cyclic,
    "OneCycleLR": _onecycle,
    "SWALR": _averaging,
}
