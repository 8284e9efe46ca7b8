"""PyTorch's schedulers as plain data: a class and its arguments, and how to build one."""

import random
import warnings
from collections.abc import Iterator
from functools import partial
from typing import Any

from hypothesis import strategies as st

Case = tuple[str, dict[str, Any]]

FUNCTIONS = {
    "halved every 30": lambda step: 0.5 ** (step // 30),
    "inverse root": lambda step: (step + 1) ** -0.5,
    "ramp by branches": lambda step: step / 10 if step < 10 else 1.0,
    "up and down": lambda step: 1.05 if step % 2 else 0.95,
    "slow decay": lambda step: 1 - 1 / (step + 100),
    "tenth less a cycle": lambda cycle: 0.9**cycle,
}


def build(torch: Any, optimizer: Any, case: Case) -> Any:
    """A live scheduler."""
    name, arguments = case
    arguments = {
        key: FUNCTIONS[value] if key in ("lr_lambda", "scale_fn") else value
        for key, value in arguments.items()
    }
    if "schedulers" in arguments:
        arguments["schedulers"] = [build(torch, optimizer, c) for c in arguments["schedulers"]]
    module = torch.optim.swa_utils if name == "SWALR" else torch.optim.lr_scheduler
    with warnings.catch_warnings(action="ignore"):
        return getattr(module, name)(optimizer=optimizer, **arguments)


def optimizer_of(torch: Any, *rates: float) -> Any:
    """An optimizer of one parameter group a rate."""
    groups = [{"params": [torch.zeros(1, requires_grad=True)], "lr": rate} for rate in rates]
    return torch.optim.SGD(groups, lr=rates[0], momentum=0.9)


def rates_of(scheduler: Any, steps: int, group: int = 0) -> list[float]:
    """The rate in force and those after each further step, up to where PyTorch raises."""
    groups = scheduler.optimizer.param_groups
    rates = [float(groups[group]["lr"])]
    with warnings.catch_warnings(action="ignore"):
        for _ in range(steps):
            try:
                scheduler.step()
            except ValueError:  # `OneCycleLR` beyond its end.
                break
            rates.append(float(groups[group]["lr"]))
    return rates


factors = st.floats(0.05, 1.0).map(lambda x: round(x, 4))
decays = st.sampled_from([0.1, 0.5, 0.9, 0.99, 0.999, 1.0])
lengths = st.one_of(st.integers(1, 12), st.integers(1, 2500))
floors = st.sampled_from([0.0, 1e-5, 1e-3, 0.02])
rates = st.floats(1e-3, 1.0).map(lambda x: round(x, 5))


def _case(name: str, **arguments: Any) -> st.SearchStrategy[Case]:
    return st.tuples(st.just(name), st.fixed_dictionaries(arguments))


MULTIPLICATIVE = {
    "StepLR": _case("StepLR", step_size=lengths, gamma=decays),
    "MultiStepLR": _case("MultiStepLR", milestones=st.lists(lengths, max_size=5), gamma=decays),
    "ConstantLR": _case("ConstantLR", factor=factors, total_iters=lengths),
    "LinearLR": _case("LinearLR", start_factor=factors, end_factor=factors, total_iters=lengths),
    "ExponentialLR": _case("ExponentialLR", gamma=decays),
    "PolynomialLR": _case(
        "PolynomialLR", total_iters=lengths, power=st.sampled_from([0.5, 0.9, 1.0, 2.0, 3.5])
    ),
    "MultiplicativeLR": _case(
        "MultiplicativeLR", lr_lambda=st.sampled_from(["up and down", "slow decay"])
    ),
}
COSINE = {"CosineAnnealingLR": _case("CosineAnnealingLR", T_max=lengths, eta_min=floors)}
ABSOLUTE = {
    "LambdaLR": _case(
        "LambdaLR",
        lr_lambda=st.sampled_from(["halved every 30", "inverse root", "ramp by branches"]),
    ),
    "CyclicLR": _case(
        "CyclicLR",
        base_lr=rates,
        max_lr=rates,
        step_size_up=lengths,
        step_size_down=st.one_of(st.none(), lengths),
        mode=st.sampled_from(["triangular", "triangular2", "exp_range"]),
        gamma=st.sampled_from([0.99, 0.9999]),
    ),
    "CosineAnnealingWarmRestarts": _case(
        "CosineAnnealingWarmRestarts", T_0=lengths, T_mult=st.integers(1, 4), eta_min=floors
    ),
    "OneCycleLR": _case(
        "OneCycleLR",
        max_lr=rates,
        total_steps=st.integers(7, 3500),
        pct_start=st.sampled_from([0.0, 0.1, 0.25, 0.3, 0.45, 0.7]),
        anneal_strategy=st.sampled_from(["cos", "linear"]),
        div_factor=st.sampled_from([1.0, 4.0, 25.0]),
        final_div_factor=st.sampled_from([1.0, 100.0, 1e4]),
        three_phase=st.booleans(),
    ).filter(lambda case: _can_begin(**case[1])),
}
SWA = {
    "SWALR": _case(
        "SWALR",
        swa_lr=rates,
        anneal_epochs=st.one_of(st.just(0), lengths),
        anneal_strategy=st.sampled_from(["cos", "linear"]),
    )
}
LEAVES = {**MULTIPLICATIVE, **COSINE, **ABSOLUTE, **SWA}


def _can_begin(pct_start: float, total_steps: int, **_: Any) -> bool:
    """Whether PyTorch does not divide by 0 in the first step or beyond a phase of no steps."""
    return pct_start * total_steps != 1


def _sequence(first: st.SearchStrategy[Case], later: st.SearchStrategy[Case]):
    def joined(members: list[Case]) -> st.SearchStrategy[Case]:
        count = len(members) - 1
        steps = st.lists(st.integers(1, 1500), min_size=count, max_size=count, unique=True)
        milestones = steps.map(sorted)
        return _case("SequentialLR", schedulers=st.just(members), milestones=milestones)

    members = st.tuples(first, st.lists(later, max_size=3)).map(lambda pair: [pair[0], *pair[1]])
    return members.flatmap(joined)


def _chain(member: st.SearchStrategy[Case]) -> st.SearchStrategy[Case]:
    return _case("ChainedScheduler", schedulers=st.lists(member, min_size=1, max_size=3))


leaf = st.one_of(*LEAVES.values())
multiplicative = st.one_of(*MULTIPLICATIVE.values())
COMPOSED = {
    "SequentialLR": _sequence(leaf, leaf),
    "ChainedScheduler": st.one_of(
        _chain(multiplicative), _chain(st.one_of(multiplicative, *COSINE.values())), _chain(leaf)
    ),
    "nested SequentialLR": _sequence(
        st.one_of(_sequence(leaf, leaf), _chain(multiplicative), _sequence(_chain(leaf), leaf)),
        leaf,
    ),
    "nested ChainedScheduler": _chain(
        st.one_of(leaf, _sequence(leaf, leaf), _chain(multiplicative))
    ),
}
STRATEGIES = {**LEAVES, **COMPOSED}

TABULATED = 4000
"""How many steps are tabulated where there is no formula."""

NESTED = ("_schedulers", "optimizer")
WARMUP = ("LinearLR", {"start_factor": 0.01, "total_iters": 100})
DECAY = ("CosineAnnealingLR", {"T_max": 900, "eta_min": 0.001})

SAMPLES: list[tuple[Case, int]] = [
    (("StepLR", {"step_size": 30, "gamma": 0.1}), 0),
    (("StepLR", {"step_size": 7, "gamma": 0.97}), 100),
    (("MultiStepLR", {"milestones": [300, 500, 500, 900], "gamma": 0.3}), 0),
    (("ConstantLR", {"factor": 0.25, "total_iters": 5}), 2),
    (("LinearLR", {"start_factor": 0.2, "end_factor": 0.9, "total_iters": 300}), 0),
    (("ExponentialLR", {"gamma": 0.9995}), 10),
    (("PolynomialLR", {"total_iters": 1000, "power": 0.9}), 0),
    (("PolynomialLR", {"total_iters": 0}), 0),
    (("MultiplicativeLR", {"lr_lambda": "slow decay"}), 3),
    (("LambdaLR", {"lr_lambda": "ramp by branches"}), 0),
    (("CosineAnnealingLR", {"T_max": 1000, "eta_min": 0.001}), 0),
    (("CosineAnnealingLR", {"T_max": 13}), 40),
    (("CosineAnnealingWarmRestarts", {"T_0": 10, "T_mult": 3}), 25),
    (("CyclicLR", {"base_lr": 0.01, "max_lr": 0.3, "step_size_up": 20, "step_size_down": 33}), 0),
    (
        ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.3, "step_size_up": 9, "mode": "triangular2"}),
        11,
    ),
    (
        (
            "CyclicLR",
            {"base_lr": 0.1, "max_lr": 1.0, "step_size_up": 50, "scale_fn": "tenth less a cycle"},
        ),
        0,
    ),
    (("OneCycleLR", {"max_lr": 0.5, "total_steps": 1000}), 0),
    (
        (
            "OneCycleLR",
            {
                "max_lr": 0.5,
                "total_steps": 333,
                "three_phase": True,
                "anneal_strategy": "linear",
            },
        ),
        50,
    ),
    (("SWALR", {"swa_lr": 0.05, "anneal_epochs": 20}), 0),
    (("SWALR", {"swa_lr": 0.05, "anneal_epochs": 20, "anneal_strategy": "linear"}), 7),
    (("SequentialLR", {"schedulers": [WARMUP, DECAY], "milestones": [100]}), 0),
    (
        (
            "SequentialLR",
            {
                "schedulers": [
                    (
                        "SequentialLR",
                        {
                            "schedulers": [("CosineAnnealingLR", {"T_max": 9}), DECAY],
                            "milestones": [30],
                        },
                    ),
                    ("SWALR", {"swa_lr": 0.01, "anneal_epochs": 40}),
                ],
                "milestones": [700],
            },
        ),
        60,
    ),
    (("ChainedScheduler", {"schedulers": [WARMUP, ("ExponentialLR", {"gamma": 0.999})]}), 0),
    (("ChainedScheduler", {"schedulers": [WARMUP, ("CosineAnnealingLR", {"T_max": 400})]}), 5),
    (("ChainedScheduler", {"schedulers": [DECAY, ("ExponentialLR", {"gamma": 0.999})]}), 1000),
]


PLATEAUS: list[dict[str, Any]] = [
    {"patience": 2, "factor": 0.5},
    {"patience": 0, "mode": "max", "cooldown": 3, "threshold": 0.01, "threshold_mode": "abs"},
    {"patience": 1, "min_lr": 0.003, "factor": 0.3},
    {"patience": 1, "factor": 0.5, "eps": 0.01},
]


def plateau_rates(scheduler: Any, metrics: list[float]) -> list[float]:
    """The rate in force, and those after each observation."""
    rates = [float(scheduler.optimizer.param_groups[0]["lr"])]
    for metric in metrics:
        scheduler.step(metric)
        rates.append(float(scheduler.optimizer.param_groups[0]["lr"]))
    return rates


def recorded(torch: Any) -> Iterator[tuple[Any, dict[str, Any], list[float], Any]]:
    """For each sample a live scheduler, the arguments of `from_torch`, metrics, and how to run."""
    for case, done in SAMPLES:
        scheduler = build(torch, optimizer_of(torch, 0.1), case)
        rates_of(scheduler, done)
        yield scheduler, {"steps": TABULATED}, [], partial(rates_of, scheduler, TABULATED)
    for arguments in PLATEAUS:
        scheduler = build(torch, optimizer_of(torch, 0.1), ("ReduceLROnPlateau", arguments))
        noise = random.Random(1)
        metrics = [round(1 / (1 + step) + noise.random(), 3) for step in range(60)]
        yield scheduler, {}, metrics, partial(plateau_rates, scheduler, metrics)
