"""fvcore's schedulers as plain data: a class and its arguments, and how to build one."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from hypothesis import strategies as st

from tests.oracles.torch_cases import Case

FUNCTIONS: dict[str, Any] = {}
NESTED = ("_schedulers",)


def build(case: Case) -> Any:
    """A live scheduler."""
    from fvcore.common import param_scheduler

    name, arguments = case
    if "schedulers" in arguments:
        members = [build(member) for member in arguments["schedulers"]]
        arguments = {**arguments, "schedulers": members, "lengths": list(arguments["lengths"])}
    return getattr(param_scheduler, name)(**arguments)


def values_of(scheduler: Any, updates: int) -> list[float]:
    """The value at every step of a run."""
    return [float(scheduler(step / updates)) for step in range(updates)]


values = st.sampled_from([1e-5, 1e-3, 0.1, 0.42, 1.0])
ends = st.one_of(st.just(0.0), values)


def _case(name: str, **arguments: Any) -> st.SearchStrategy[Case]:
    return st.tuples(st.just(name + "ParamScheduler"), st.fixed_dictionaries(arguments))


def _steps(ascending: list[int]) -> st.SearchStrategy[Case]:
    several = st.lists(values, min_size=len(ascending), max_size=len(ascending))
    return _case("MultiStep", milestones=st.just(ascending), values=several)


LEAVES = {
    "ConstantParamScheduler": _case("Constant", value=values),
    "CosineParamScheduler": _case("Cosine", start_value=values, end_value=ends),
    "ExponentialParamScheduler": _case(
        "Exponential", start_value=values, decay=st.sampled_from([0.02, 0.5, 0.99, 2.0])
    ),
    "LinearParamScheduler": _case("Linear", start_value=ends, end_value=ends),
    "PolynomialDecayParamScheduler": _case(
        "PolynomialDecay", base_value=values, power=st.sampled_from([0.5, 0.9, 1.0, 2.0])
    ),
    "MultiStepParamScheduler": st.lists(
        st.integers(10, 1000), min_size=1, max_size=6, unique=True
    ).flatmap(lambda steps: _steps(sorted(steps))),
    "StepParamScheduler": _case(
        "Step", num_updates=st.integers(1, 100), values=st.lists(values, min_size=1, max_size=7)
    ),
    "StepWithFixedGammaParamScheduler": _case(
        "StepWithFixedGamma",
        base_value=values,
        num_decays=st.integers(1, 8),
        gamma=st.sampled_from([0.1, 0.5, 1.1]),
        num_updates=st.integers(1, 100),
    ),
}


def _composite(parts: list[tuple[int, Case, str]]) -> Case:
    whole = sum(share for share, _, _ in parts)
    arguments = {
        "schedulers": [case for _, case, _ in parts],
        "lengths": [share / whole for share, _, _ in parts],
        "interval_scaling": [scaling for _, _, scaling in parts],
    }
    return "CompositeParamScheduler", arguments


def composites(member: st.SearchStrategy[Case]) -> st.SearchStrategy[Case]:
    """Composites of some members."""
    scaling = st.sampled_from(["rescaled", "fixed"])
    part = st.tuples(st.integers(1, 9), member, scaling)
    return st.lists(part, min_size=1, max_size=4).map(_composite)


leaf = st.one_of(*LEAVES.values())
STRATEGIES = {
    **LEAVES,
    "CompositeParamScheduler": composites(leaf),
    "nested CompositeParamScheduler": composites(st.one_of(leaf, composites(leaf))),
}

WARMUP: Case = ("LinearParamScheduler", {"start_value": 1e-5, "end_value": 0.1})
COSINE: Case = ("CosineParamScheduler", {"start_value": 0.1, "end_value": 1e-4})
STEPS: Case = ("MultiStepParamScheduler", {"values": [1, 0.1, 0.01], "milestones": [3, 6, 9]})
SAMPLES: list[Case] = [
    ("ConstantParamScheduler", {"value": 0.3}),
    ("ExponentialParamScheduler", {"start_value": 2.0, "decay": 0.02}),
    ("PolynomialDecayParamScheduler", {"base_value": 0.1, "power": 0.9}),
    ("StepParamScheduler", {"values": [0.1, 0.01, 0.001, 0.0001], "num_updates": 120}),
    (
        "StepWithFixedGammaParamScheduler",
        {"base_value": 0.1, "gamma": 0.1, "num_decays": 3, "num_updates": 120},
    ),
    WARMUP,
    COSINE,
    STEPS,
    *(
        (
            "CompositeParamScheduler",
            {
                "schedulers": [WARMUP, COSINE, STEPS],
                "lengths": [0.1, 0.6, 0.3],
                "interval_scaling": ["rescaled", scaling, scaling],
            },
        )
        for scaling in ("rescaled", "fixed")
    ),
]


def recorded(_: Any) -> Iterator[tuple[Any, dict[str, Any], list[float], Any]]:
    """For each sample a live scheduler, the importer's arguments, metrics, and how to run."""
    for case in SAMPLES:
        for updates in (10, 1000):
            scheduler = build(case)
            yield scheduler, {"num_updates": updates}, [], partial(values_of, scheduler, updates)
