"""The schedules of Transformers as plain data: the arguments of `get_scheduler`."""

import random
import warnings
from collections.abc import Iterator
from functools import partial
from typing import Any

from hypothesis import strategies as st

from tests.oracles.torch_cases import rates_of

Case = tuple[str, dict[str, Any]]

NESTED, FUNCTIONS = (), {}


def build(package: Any, case: Case) -> Any:
    """A live scheduler."""
    import torch

    name, arguments = case
    arguments = dict(arguments)
    weight = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.SGD([weight], lr=arguments.pop("learning_rate"))
    with warnings.catch_warnings(action="ignore"):
        return package.get_scheduler(name, optimizer, **arguments)


def on_metrics(scheduler: Any, metrics: list[float]) -> list[float]:
    """The rate in force, and those after each observation."""
    group = scheduler.optimizer.param_groups[0]
    rates = [float(group["lr"])]
    for metric in metrics:
        scheduler.step(metric)
        rates.append(float(group["lr"]))
    return rates


rates = st.one_of(st.sampled_from([0.1, 1e-3, 5e-5]), st.floats(1e-5, 1.0))
lengths = st.one_of(st.integers(0, 12), st.integers(0, 2500))
some_lengths = st.one_of(st.integers(1, 12), st.integers(1, 2500))
floors = st.one_of(st.sampled_from([0.0, 0.1, 0.5]), st.floats(0.0, 1.0))
waves = st.one_of(
    st.just(0.5),
    st.sampled_from([0.25, 1.0, 1.5, 2.0, 3.0, 7.0, 0.3, 0.45]),
    st.integers(1, 40),
)
least = st.one_of(
    st.builds(lambda value: {"min_lr": value}, st.sampled_from([0.0, 1e-6, 1e-5])),
    st.builds(lambda value: {"min_lr_rate": value}, floors),
)


def _case(
    name: str,
    lengths: dict[str, Any],
    given: st.SearchStrategy[dict[str, Any]] | None = None,
) -> st.SearchStrategy[Case]:
    def joined(rate: float, steps: dict[str, int], given: dict[str, Any] | None) -> Case:
        more = {} if given is None else {"scheduler_specific_kwargs": given}
        return name, {"learning_rate": rate, **steps, **more}

    return st.builds(
        joined, rates, st.fixed_dictionaries(lengths), st.none() if given is None else given
    )


WARMUP = {"num_warmup_steps": lengths}
WHOLE = {"num_warmup_steps": lengths, "num_training_steps": st.integers(1, 3000)}


def _with(**optional: Any) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=optional)


def _both(*parts: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.tuples(*parts).map(lambda dicts: {k: v for part in dicts for k, v in part.items()})


def _divides_by_0(case: Case) -> bool:
    return case[1]["num_warmup_steps"] == case[1]["num_training_steps"]


STEPS = {
    "constant": _case("constant", {}),
    "constant_with_warmup": _case("constant_with_warmup", WARMUP),
    "linear": _case("linear", WHOLE),
    "cosine": _case("cosine", WHOLE, _with(num_cycles=waves)),
    "cosine_with_restarts": _case(
        "cosine_with_restarts", WHOLE, _with(num_cycles=st.integers(1, 60))
    ),
    "polynomial": _case(
        "polynomial",
        WHOLE,
        _with(lr_end=st.sampled_from([0.0, 1e-6]), power=st.sampled_from([0.5, 1.0, 2.0, 3.3])),
    ).filter(lambda case: not _divides_by_0(case)),
    "inverse_sqrt": _case("inverse_sqrt", WARMUP, _with(timescale=some_lengths)),
    "cosine_with_min_lr": _case("cosine_with_min_lr", WHOLE, _both(least, _with(num_cycles=waves))),
    "cosine_warmup_with_min_lr": _case(
        "cosine_warmup_with_min_lr",
        WHOLE,
        _both(least, _with(num_cycles=waves, warmup_lr_rate=floors)),
    ),
    "warmup_stable_decay": _case(
        "warmup_stable_decay",
        WHOLE,
        _both(
            st.fixed_dictionaries({"num_decay_steps": lengths}),
            _with(
                num_stable_steps=lengths,
                warmup_type=st.sampled_from(["linear", "cosine", "1-sqrt"]),
                decay_type=st.sampled_from(["linear", "cosine", "1-sqrt"]),
                min_lr_ratio=floors,
                num_cycles=waves,
            ),
        ),
    ),
}

metric_rates = st.sampled_from([0.1, 1e-2, 5e-5])
PLATEAU = _case(
    "reduce_lr_on_plateau",
    {},
    _with(
        mode=st.sampled_from(["min", "max"]),
        factor=st.sampled_from([0.1, 0.5]),
        patience=st.integers(0, 4),
        threshold=st.sampled_from([0.0, 0.0303]),
        threshold_mode=st.sampled_from(["rel", "abs"]),
        cooldown=st.integers(0, 3),
        min_lr=st.sampled_from([0.0, 0.02, [1e-3]]),
    ),
)
# Up and down again by a factor of 1/2 is exact; by others Transformers may be above its floor by
# a rounding, where it never begins anew.
greedy_factors = st.one_of(
    st.fixed_dictionaries(
        {"factor": st.just(0.5), "reset_start": st.sampled_from([0, 1, 3])},
    ),
    st.fixed_dictionaries({}, optional={"factor": st.sampled_from([0.95, 0.7, 0.45])}),
)
GREEDY = _case(
    "greedy",
    {},
    _both(
        greedy_factors,
        _with(
            mode=st.sampled_from(["min", "max"]),
            patience=st.integers(0, 3),
            threshold=st.sampled_from([0.0303, 0.00507, 1e-4]),
            threshold_mode=st.sampled_from(["rel", "abs"]),
            cooldown=st.integers(0, 3),
            warmup=st.integers(0, 3),
            min_lr=st.sampled_from([0.0123, 1e-5, [0.03]]),
            max_lr=st.sampled_from([1.0, 0.23]),
            eps=st.sampled_from([1e-8, 0.0, 0.003]),
            smooth=st.booleans(),
            window_size=st.sampled_from([1, 3, 50]),
        ),
    ),
)
ON_METRICS = {"reduce_lr_on_plateau": PLATEAU, "greedy": GREEDY}

SAMPLES: list[Case] = [
    ("constant", {"learning_rate": 0.1}),
    ("constant_with_warmup", {"learning_rate": 0.1, "num_warmup_steps": 100}),
    ("linear", {"learning_rate": 5e-5, "num_warmup_steps": 100, "num_training_steps": 1000}),
    ("linear", {"learning_rate": 0.1, "num_warmup_steps": 500, "num_training_steps": 300}),
    ("cosine", {"learning_rate": 3e-4, "num_warmup_steps": 50, "num_training_steps": 1000}),
    (
        "cosine",
        {
            "learning_rate": 3e-4,
            "num_warmup_steps": 7,
            "num_training_steps": 1008,
            "scheduler_specific_kwargs": {"num_cycles": 1.5},
        },
    ),
    (
        # Of its 49 restarts one is rounded away.
        "cosine_with_restarts",
        {
            "learning_rate": 0.1,
            "num_warmup_steps": 10,
            "num_training_steps": 500,
            "scheduler_specific_kwargs": {"num_cycles": 49},
        },
    ),
    (
        "cosine_with_restarts",
        {
            "learning_rate": 0.1,
            "num_warmup_steps": 0,
            "num_training_steps": 1000,
            "scheduler_specific_kwargs": {"num_cycles": 7},
        },
    ),
    (
        "polynomial",
        {
            "learning_rate": 0.1,
            "num_warmup_steps": 20,
            "num_training_steps": 800,
            "scheduler_specific_kwargs": {"power": 2.0, "lr_end": 1e-3},
        },
    ),
    ("inverse_sqrt", {"learning_rate": 0.1, "num_warmup_steps": 200}),
    (
        "cosine_with_min_lr",
        {
            "learning_rate": 0.1,
            "num_warmup_steps": 30,
            "num_training_steps": 900,
            "scheduler_specific_kwargs": {"min_lr": 0.01},
        },
    ),
    (
        "cosine_warmup_with_min_lr",
        {
            "learning_rate": 0.1,
            "num_warmup_steps": 30,
            "num_training_steps": 900,
            "scheduler_specific_kwargs": {"min_lr_rate": 0.05, "warmup_lr_rate": 0.2},
        },
    ),
    (
        "warmup_stable_decay",
        {
            "learning_rate": 0.1,
            "num_warmup_steps": 100,
            "num_training_steps": 1000,
            "scheduler_specific_kwargs": {
                "num_decay_steps": 300,
                "decay_type": "1-sqrt",
                "min_lr_ratio": 0.1,
            },
        },
    ),
    (
        # The decay begins within the warm-up.
        "warmup_stable_decay",
        {
            "learning_rate": 0.1,
            "num_warmup_steps": 300,
            "num_training_steps": 500,
            "scheduler_specific_kwargs": {"num_decay_steps": 400},
        },
    ),
]
SAMPLES_ON_METRICS: list[Case] = [
    (
        "reduce_lr_on_plateau",
        {"learning_rate": 0.1, "scheduler_specific_kwargs": {"patience": 2, "factor": 0.5}},
    ),
    (
        "greedy",
        {
            "learning_rate": 0.1,
            "scheduler_specific_kwargs": {"patience": 1, "factor": 0.7, "min_lr": 0.03},
        },
    ),
    (
        "greedy",
        {
            "learning_rate": 0.01,
            "scheduler_specific_kwargs": {
                "patience": 0,
                "smooth": True,
                "window_size": 5,
                "reset_start": 3,
                "min_lr": 0.005,
                "threshold": 0.0071,
                "cooldown": 1,
                "factor": 0.5,
            },
        },
    ),
]
LENGTH = 4000


def recorded(package: Any) -> Iterator[tuple[Any, dict[str, Any], list[float], Any]]:
    """For each sample its name and arguments, metrics, and how to run."""
    for case in SAMPLES:
        yield *case, [], partial(rates_of, build(package, case), LENGTH)
    for case in SAMPLES_ON_METRICS:
        noise = random.Random(1)
        metrics = [round(1 / (1 + step) + noise.random(), 3) for step in range(120)]
        yield *case, metrics, partial(on_metrics, build(package, case), metrics)
