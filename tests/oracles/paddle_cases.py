"""Paddle's schedulers as plain data: a class and its arguments, and how to build one."""

import random
from collections.abc import Iterator
from functools import partial
from typing import Any

from hypothesis import strategies as st

from tests.oracles import torch_cases
from tests.oracles.torch_cases import Case

FUNCTIONS = torch_cases.FUNCTIONS
NESTED = ("learning_rate",)


def build(case: Case) -> Any:
    """A live scheduler."""
    from paddle.optimizer import lr

    name, arguments = case
    arguments = {
        key: FUNCTIONS[value] if key in ("lr_lambda", "scale_fn") else value
        for key, value in arguments.items()
    }
    if isinstance(arguments.get("learning_rate"), (tuple, list)):
        arguments["learning_rate"] = build(arguments["learning_rate"])
    return getattr(lr, name)(**arguments)


def rates_of(scheduler: Any, steps: int) -> list[float]:
    """The rate in force and those after each further step, up to where Paddle raises."""
    rates = [float(scheduler())]
    for _ in range(steps):
        try:
            scheduler.step()
        except ValueError:  # `OneCycleLR` beyond its end.
            break
        rates.append(float(scheduler()))
    return rates


rates = st.sampled_from([1e-3, 0.03, 0.1, 1.0])
lengths = st.one_of(st.integers(1, 12), st.integers(1, 1500))
floors = st.sampled_from([0.0, 1e-5, 1e-3, 0.02])
decays = st.sampled_from([0.1, 0.5, 0.9, 0.99, 0.999])
factors = st.sampled_from([0.05, 0.3, 0.5, 1.0])
powers = st.sampled_from([0.5, 0.9, 1.0, 2.0, 3.5])


def _case(name: str, **arguments: Any) -> st.SearchStrategy[Case]:
    return st.tuples(st.just(name), st.fixed_dictionaries(arguments))


def _pieces(boundaries: list[int]) -> st.SearchStrategy[Case]:
    count = len(boundaries) + 1
    values = st.lists(rates, min_size=count, max_size=count)
    return _case("PiecewiseDecay", boundaries=st.just(boundaries), values=values)


LEAVES = {
    "NoamDecay": _case("NoamDecay", d_model=st.sampled_from([64, 512]), warmup_steps=lengths),
    "PiecewiseDecay": st.lists(lengths, min_size=1, max_size=5).flatmap(_pieces),
    "NaturalExpDecay": _case(
        "NaturalExpDecay", learning_rate=rates, gamma=st.sampled_from([0.1, 1e-3])
    ),
    "InverseTimeDecay": _case(
        "InverseTimeDecay", learning_rate=rates, gamma=st.sampled_from([0.1, 1e-3])
    ),
    "PolynomialDecay": _case(
        "PolynomialDecay",
        learning_rate=rates,
        decay_steps=lengths,
        end_lr=floors,
        power=powers,
        cycle=st.booleans(),
    ),
    "ExponentialDecay": _case("ExponentialDecay", learning_rate=rates, gamma=decays),
    "MultiStepDecay": _case(
        "MultiStepDecay",
        learning_rate=rates,
        milestones=st.lists(lengths, min_size=1, max_size=5, unique=True).map(sorted),
        gamma=decays,
    ),
    "StepDecay": _case("StepDecay", learning_rate=rates, step_size=lengths, gamma=decays),
    "LambdaDecay": _case(
        "LambdaDecay",
        learning_rate=rates,
        lr_lambda=st.sampled_from(["inverse root", "halved every 30", "ramp by branches"]),
    ),
    "CosineAnnealingDecay": _case(
        "CosineAnnealingDecay", learning_rate=rates, T_max=lengths, eta_min=floors
    ),
    "OneCycleLR": _case(
        "OneCycleLR",
        max_learning_rate=rates,
        total_steps=st.integers(20, 1500),
        divide_factor=st.sampled_from([4.0, 25.0]),
        end_learning_rate=st.sampled_from([1e-4, 1e-6]),
        phase_pct=st.sampled_from([0.25, 0.3, 0.45]),
        anneal_strategy=st.sampled_from(["cos", "linear"]),
        three_phase=st.booleans(),
    ),
    "CyclicLR": _case(
        "CyclicLR",
        base_learning_rate=rates,
        max_learning_rate=rates,
        step_size_up=lengths,
        step_size_down=st.one_of(st.none(), lengths),
        mode=st.sampled_from(["triangular", "triangular2", "exp_range"]),
        exp_gamma=st.sampled_from([0.99, 0.9999]),
    ),
    "LinearLR": _case(
        "LinearLR",
        learning_rate=rates,
        total_steps=lengths,
        start_factor=factors,
        end_factor=factors,
    ),
    "CosineAnnealingWarmRestarts": _case(
        "CosineAnnealingWarmRestarts",
        learning_rate=rates,
        T_0=lengths,
        T_mult=st.integers(1, 5),
        eta_min=floors,
    ),
}
STRATEGIES = {
    **LEAVES,
    "MultiplicativeDecay": _case(
        "MultiplicativeDecay", learning_rate=rates, lr_lambda=st.just("slow decay")
    ),
    "LinearWarmup": _case(
        "LinearWarmup",
        learning_rate=st.one_of(rates, *LEAVES.values()),
        warmup_steps=st.integers(1, 300),
        start_lr=st.sampled_from([0.0, 1e-5]),
        end_lr=rates,
    ),
}

TABULATED = 2000
B = {"learning_rate": 0.1}
WARMUP = {"warmup_steps": 50, "start_lr": 0.0, "end_lr": 0.1}
SAMPLES: list[tuple[Case, int]] = [
    (("NoamDecay", {"d_model": 512, "warmup_steps": 40}), 0),
    (("PiecewiseDecay", {"boundaries": [30, 60], "values": [0.1, 0.05, 0.2]}), 0),
    (("NaturalExpDecay", {**B, "gamma": 0.01}), 10),
    (("InverseTimeDecay", {**B, "gamma": 0.1}), 0),
    (("PolynomialDecay", {**B, "decay_steps": 90, "power": 0.9}), 0),
    (("PolynomialDecay", {**B, "decay_steps": 90, "cycle": True}), 100),
    (("ExponentialDecay", {**B, "gamma": 0.99}), 0),
    (("MultiStepDecay", {**B, "milestones": [30, 60], "gamma": 0.3}), 0),
    (("StepDecay", {**B, "step_size": 30, "gamma": 0.3}), 40),
    (("LambdaDecay", {**B, "lr_lambda": "ramp by branches"}), 0),
    (("MultiplicativeDecay", {**B, "lr_lambda": "slow decay"}), 3),
    (("CosineAnnealingDecay", {**B, "T_max": 90, "eta_min": 1e-3}), 0),
    (("OneCycleLR", {"max_learning_rate": 0.1, "total_steps": 300}), 0),
    (("OneCycleLR", {"max_learning_rate": 0.1, "total_steps": 300, "three_phase": True}), 90),
    (("CyclicLR", {"base_learning_rate": 0.01, "max_learning_rate": 0.3, "step_size_up": 20}), 0),
    (
        (
            "CyclicLR",
            {
                "base_learning_rate": 0.01,
                "max_learning_rate": 0.3,
                "step_size_up": 20,
                "scale_fn": "tenth less a cycle",
            },
        ),
        7,
    ),
    (("LinearLR", {**B, "total_steps": 30}), 10),
    (("CosineAnnealingWarmRestarts", {**B, "T_0": 10, "T_mult": 2}), 35),
    *(
        (
            (
                "LinearWarmup",
                {"learning_rate": rate, "warmup_steps": 50, "start_lr": 0, "end_lr": 0.1},
            ),
            0,
        )
        for rate in (
            0.1,
            ("CosineAnnealingDecay", {**B, "T_max": 90}),
            ("CosineAnnealingWarmRestarts", {**B, "T_0": 1, "T_mult": 5}),
            ("LinearLR", {**B, "total_steps": 30}),
        )
    ),
]
PLATEAUS: list[dict[str, Any]] = [
    {**B, "patience": 2, "factor": 0.5},
    {**B, "patience": 0, "mode": "max", "threshold": 0.01, "threshold_mode": "abs"},
    {**B, "patience": 1, "min_lr": 0.003, "factor": 0.3},
]


def plateau_rates(scheduler: Any, metrics: list[float]) -> list[float]:
    """The rate in force, and those after each observation."""
    rates = [float(scheduler())]
    for metric in metrics:
        scheduler.step(metric)
        rates.append(float(scheduler()))
    return rates


def recorded(_: Any) -> Iterator[tuple[Any, dict[str, Any], list[float], Any]]:
    """For each sample a live scheduler, the importer's arguments, metrics, and how to run."""
    for case, done in SAMPLES:
        scheduler = build(case)
        rates_of(scheduler, done)
        yield scheduler, {"steps": TABULATED}, [], partial(rates_of, scheduler, 1000)
    noise = random.Random(1)
    metrics = [round(1 / (1 + step) + noise.random(), 3) for step in range(60)]
    for arguments in PLATEAUS:
        scheduler = build(("ReduceOnPlateau", arguments))
        yield scheduler, {}, metrics, partial(plateau_rates, scheduler, metrics)
