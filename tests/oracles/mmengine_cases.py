"""mmengine's schedulers as plain data: a class and its arguments, and how to build one."""

import random
from collections.abc import Iterator
from functools import partial
from typing import Any

from hypothesis import strategies as st

from tests.oracles.torch_cases import Case, decays, factors, optimizer_of

FUNCTIONS: dict[str, Any] = {}
NESTED = ("optimizer",)


def build(cases: list[Case], *rates: float) -> list[Any]:
    """Live schedulers on one optimizer."""
    import torch
    from mmengine.optim import scheduler

    optimizer = optimizer_of(torch, *rates)
    return [getattr(scheduler, name)(optimizer, **arguments) for name, arguments in cases]


def rates_of(
    schedulers: list[Any], steps: int, group: int = 0, updates_per_epoch: int = 1
) -> list[float]:
    """The value in force and those after each further step, up to where mmengine raises."""
    groups, name = schedulers[0].optimizer.param_groups, schedulers[0].param_name
    rates = [float(groups[group][name])]
    done = max((s._global_step for s in schedulers if not s.by_epoch), default=0)
    for step in range(done + 1, done + steps + 1):
        try:
            # The order of mmengine's hook.
            for scheduler in sorted(schedulers, key=lambda one: one.by_epoch):
                if not scheduler.by_epoch or step % updates_per_epoch == 0:
                    scheduler.step()
        except ValueError:  # `OneCycle...` beyond its end.
            break
        rates.append(float(groups[group][name]))
    return rates


lengths = st.one_of(st.integers(1, 12), st.integers(1, 1200))
floors = st.sampled_from([0.0, 1e-5, 1e-3, 0.02])
powers = st.sampled_from([0.5, 1.0, 2.0, 3.5])


def _least(**arguments: Any) -> Any:
    value = st.fixed_dictionaries({**arguments, "eta_min": floors})
    ratio = st.fixed_dictionaries({**arguments, "eta_min_ratio": st.sampled_from([0.0, 0.01])})
    return st.one_of(value, ratio)


def _restarts(periods: list[int]) -> Any:
    weights = st.lists(factors, min_size=len(periods), max_size=len(periods))
    return _least(periods=st.just(periods), restart_weights=weights)


def _of(**arguments: Any) -> Any:
    return st.fixed_dictionaries(arguments)


FACTORS = {
    "Step": _of(step_size=lengths, gamma=decays),
    "MultiStep": _of(milestones=st.lists(lengths, max_size=5).map(sorted), gamma=decays),
    "Constant": _of(factor=factors),
    "Linear": _of(start_factor=factors, end_factor=factors),
    "Exponential": _of(gamma=st.sampled_from([0.5, 0.9, 0.99, 0.999])),
    "Poly": _of(power=powers),
}
OTHERS = {
    "Poly": _of(power=powers, eta_min=floors),
    "CosineAnnealing": _least(T_max=lengths),
    "CosineRestart": st.lists(lengths, min_size=1, max_size=5).flatmap(_restarts),
    "OneCycle": _of(
        eta_max=st.sampled_from([0.1, 0.5]),
        total_steps=st.integers(10, 1200),
        pct_start=st.sampled_from([0.25, 0.3, 0.45]),
        anneal_strategy=st.sampled_from(["cos", "linear"]),
        final_div_factor=st.sampled_from([1.0, 1e4]),
        three_phase=st.booleans(),
    ),
}
LEAVES = {**FACTORS, **OTHERS}

WARMUP: Case = ("LinearLR", {"start_factor": 0.001, "end": 50})
COSINE: Case = ("CosineAnnealingLR", {"T_max": 450, "begin": 50, "end": 500, "eta_min": 1e-4})
SAMPLES: list[tuple[list[Case], int]] = [
    ([("StepLR", {"step_size": 30})], 0),
    ([("MultiStepLR", {"milestones": [30, 60, 60], "begin": 5, "end": 50})], 3),
    ([("ConstantLR", {"factor": 0.25, "end": 5})], 0),
    ([("LinearLR", {"end": 100})], 40),
    ([("ExponentialLR", {"gamma": 0.99, "begin": 10, "end": 300})], 0),
    ([("PolyLR", {"power": 0.9, "eta_min": 1e-4, "end": 400})], 7),
    ([("CosineAnnealingLR", {"T_max": 90, "eta_min_ratio": 0.01})], 0),
    ([("CosineAnnealingMomentum", {"T_max": 90, "end": 90, "eta_min": 0.5})], 0),
    ([("CosineRestartLR", {"periods": [50, 100], "restart_weights": [1, 0.5], "eta_min": 0})], 60),
    ([("OneCycleLR", {"eta_max": 0.3, "total_steps": 400})], 0),
    ([("OneCycleLR", {"eta_max": 0.3, "total_steps": 300, "three_phase": True})], 100),
    ([WARMUP, COSINE], 0),
    ([WARMUP, COSINE], 70),
    ([WARMUP, ("MultiStepLR", {"milestones": [20, 200], "gamma": 0.3})], 0),
]
PLATEAUS: list[dict[str, Any]] = [
    {"patience": 2, "factor": 0.5},
    {"patience": 0, "rule": "greater", "cooldown": 3, "threshold": 0.01, "threshold_rule": "abs"},
    {"patience": 1, "min_value": 0.003, "factor": 0.3},
]


def plateau_rates(scheduler: Any, metrics: list[float]) -> list[float]:
    """The rate in force, and those after each observation."""
    rates = [float(scheduler.optimizer.param_groups[0]["lr"])]
    for metric in metrics:
        scheduler.step({"loss": metric})
        rates.append(float(scheduler.optimizer.param_groups[0]["lr"]))
    return rates


def recorded(_: Any) -> Iterator[tuple[Any, dict[str, Any], list[float], Any]]:
    """For each sample live schedulers, the importer's arguments, metrics, and how to run."""
    for cases, done in SAMPLES:
        schedulers = build(cases, 0.1)
        rates_of(schedulers, done)
        yield schedulers, {}, [], partial(rates_of, schedulers, 1000)
    noise = random.Random(1)
    metrics = [round(1 / (1 + step) + noise.random(), 3) for step in range(60)]
    for arguments in PLATEAUS:
        schedulers = build([("ReduceOnPlateauLR", arguments)], 0.1)
        yield schedulers, {}, metrics, partial(plateau_rates, schedulers[0], metrics)
