"""timm's schedulers as plain data: a class and its arguments, and how to build one."""

import importlib.util
import random
import warnings
from collections.abc import Iterator
from functools import partial
from typing import Any

from hypothesis import strategies as st

from tests.oracles.timm_package import schedulers as package
from tests.oracles.torch_cases import Case, decays, optimizer_of

__all__ = ["package"]

if importlib.util.find_spec("timm"):
    package()

FUNCTIONS = {"squared": lambda done: (1 - done) ** 2}
NESTED = ("optimizer", "lr_scheduler")


def build(case: Case, *rates: float, scale: float | None = None) -> Any:
    """A live scheduler on its own optimizer."""
    import torch

    name, arguments = case
    optimizer = optimizer_of(torch, *rates)
    if scale is not None:
        optimizer.param_groups[0]["lr_scale"] = scale
    if "decay_fn" in arguments:
        shape = arguments["decay_fn"]
        arguments = {**arguments, "decay_fn": FUNCTIONS.get(shape, shape)}
    with warnings.catch_warnings(action="ignore"):
        return getattr(package(), name)(optimizer, **arguments)


def rates_of(scheduler: Any, steps: int, group: int = 0) -> list[float]:
    """The rate in force and those at each further step, up to where timm raises."""
    groups = scheduler.optimizer.param_groups
    rates = [float(groups[group]["lr"])]
    for step in range(1, steps + 1):
        try:
            (scheduler.step if scheduler.t_in_epochs else scheduler.step_update)(step)
        except ValueError:  # Where cycles that shrink come to an end.
            break
        rates.append(float(groups[group]["lr"]))
    return rates


lengths = st.one_of(st.integers(2, 12), st.integers(13, 1500))
floors = st.sampled_from([0.0, 1e-5, 1e-3, 0.02])
warmups = {
    "warmup_t": st.one_of(st.just(0), st.integers(1, 40)),
    "warmup_lr_init": st.sampled_from([0.0, 1e-4]),
    "t_in_epochs": st.booleans(),
}
prefixed = {**warmups, "warmup_prefix": st.booleans()}


def _cycles(name: str, **arguments: Any) -> st.SearchStrategy[Case]:
    return _case(
        name,
        t_initial=lengths,
        lr_min=floors,
        cycle_mul=st.sampled_from([1.0, 1.0, 1.5, 2.0, 3.0, 0.5, 0.9, 1.37]),
        cycle_decay=st.sampled_from([1.0, 0.5, 0.1]),
        cycle_limit=st.integers(0, 6),
        **prefixed,
        **arguments,
    )


def _case(name: str, **arguments: Any) -> st.SearchStrategy[Case]:
    return st.tuples(st.just(name), st.fixed_dictionaries(arguments))


periods = st.one_of(lengths, st.sampled_from([2.4, 1000 / 3, 7.1, 0.7]))
powers = st.sampled_from([0.5, 1.0, 1.51, 3.0])
STRATEGIES = {
    "CosineLRScheduler": _cycles("CosineLRScheduler", k_decay=powers),
    "PolyLRScheduler": _cycles("PolyLRScheduler", k_decay=powers, power=powers),
    "TanhLRScheduler": _cycles(
        "TanhLRScheduler", lb=st.sampled_from([-7.0, -2.0]), ub=st.sampled_from([1.0, 3.0])
    ),
    "StepLRScheduler": _case("StepLRScheduler", decay_t=periods, decay_rate=decays, **prefixed),
    "MultiStepLRScheduler": _case(
        "MultiStepLRScheduler",
        decay_t=st.lists(lengths, max_size=5).map(sorted),
        decay_rate=decays,
        **prefixed,
    ),
    "WSDLRScheduler": _case(
        "WSDLRScheduler",
        t_initial=st.integers(500, 1500),
        decay_t=st.integers(1, 500),
        lr_min=floors,
        stable_fn=st.sampled_from(["constant", "rsqrt", "power"]),
        stable_timescale=st.integers(1, 300),
        stable_power=powers,
        decay_fn=st.sampled_from(["linear", "1-sqrt", "cosine", "power", "exp", "squared"]),
        decay_power=powers,
        decay_ratio=st.sampled_from([0.5, 0.1, 0.001]),
        **warmups,
    ),
}

CYCLES = {"t_initial": 100, "warmup_t": 5, "warmup_lr_init": 1e-4, "lr_min": 1e-5}
SAMPLES: list[Case] = [
    ("CosineLRScheduler", CYCLES),
    ("CosineLRScheduler", {**CYCLES, "warmup_prefix": True, "t_in_epochs": False}),
    ("CosineLRScheduler", {**CYCLES, "cycle_limit": 5, "cycle_decay": 0.5}),
    ("CosineLRScheduler", {**CYCLES, "cycle_limit": 5, "cycle_mul": 2.0, "k_decay": 1.5}),
    ("CosineLRScheduler", {**CYCLES, "cycle_limit": 5, "cycle_mul": 0.5}),
    ("CosineLRScheduler", {**CYCLES, "cycle_limit": 8, "cycle_mul": 0.9, "k_decay": 1.51}),
    ("PolyLRScheduler", {**CYCLES, "power": 0.9, "warmup_t": 0}),
    ("PolyLRScheduler", {**CYCLES, "cycle_limit": 3, "cycle_mul": 3.0, "cycle_decay": 0.5}),
    ("TanhLRScheduler", CYCLES),
    ("TanhLRScheduler", {**CYCLES, "t_initial": 125, "cycle_limit": 9, "cycle_mul": 5.0}),
    ("TanhLRScheduler", {"t_initial": 40}),
    ("StepLRScheduler", {"decay_t": 30, "decay_rate": 0.1, "warmup_t": 5}),
    ("StepLRScheduler", {"decay_t": 2.4, "decay_rate": 0.97, "t_in_epochs": False}),
    ("MultiStepLRScheduler", {"decay_t": [1, 30, 60, 60, 90], "decay_rate": 0.3}),
    ("MultiStepLRScheduler", {"decay_t": [30, 60], "decay_rate": 0.1, "warmup_t": 3}),
    *(
        ("WSDLRScheduler", {"t_initial": 300, "decay_t": 60, "warmup_t": 20, **other})
        for other in (
            {},
            {"lr_min": 0.01, "stable_fn": "rsqrt"},
            {"stable_fn": "power", "stable_power": 0.3, "decay_fn": "cosine"},
            {"decay_fn": "exp", "decay_ratio": 0.01, "lr_min": 1e-3},
            {"decay_fn": "power", "decay_power": 2.0},
            {"decay_fn": "squared"},
        )
    ),
]
PLATEAUS: list[dict[str, Any]] = [
    {"decay_rate": 0.5, "patience_t": 2, "mode": "min"},
    {"decay_rate": 0.1, "patience_t": 0, "cooldown_t": 2, "lr_min": 1e-3},
    {"decay_rate": 0.3, "patience_t": 1, "threshold": 0.1},
]


def plateau_rates(scheduler: Any, metrics: list[float]) -> list[float]:
    """The rate in force, and those after each epoch."""
    rates = [float(scheduler.optimizer.param_groups[0]["lr"])]
    for epoch, metric in enumerate(metrics, start=1):
        scheduler.step(epoch, metric)
        rates.append(float(scheduler.optimizer.param_groups[0]["lr"]))
    return rates


def recorded(_: Any) -> Iterator[tuple[Any, dict[str, Any], list[float], Any]]:
    """For each sample a live scheduler, the importer's arguments, metrics, and how to run."""
    for case in SAMPLES:
        scheduler = build(case, 0.1)
        yield scheduler, {}, [], partial(rates_of, scheduler, 1500)
    noise = random.Random(1)
    metrics = [round(1 / (1 + step) + noise.random(), 3) for step in range(60)]
    for arguments in PLATEAUS:
        scheduler = build(("PlateauLRScheduler", arguments), 0.1)
        yield scheduler, {}, metrics, partial(plateau_rates, scheduler, metrics)
