"""The warm-ups of pytorch-warmup as plain data: a class and its arguments."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from hypothesis import strategies as st

Case = tuple[str, dict[str, Any]]

NESTED, FUNCTIONS = (), {}


def build(package: Any, case: Case, *groups: Any) -> Any:
    """A live warm-up of an Adam with a parameter group for each b2."""
    import torch

    name, arguments = case
    arguments = dict(arguments)
    betas = [arguments.pop("b2"), *groups] if "b2" in arguments else [0.999, *groups]
    weight = [torch.zeros(1, requires_grad=True) for _ in betas]
    optimizer = torch.optim.Adam(
        [{"params": [w], "betas": (0.9, b2)} for w, b2 in zip(weight, betas, strict=True)], lr=1.0
    )
    return getattr(package, name)(optimizer, **arguments)


def factors_of(warmup: Any, steps: int, group: int = 0) -> list[float]:
    """The factor in force and those after each further step, of a constant rate of 1."""
    groups = warmup.optimizer.param_groups
    factors = [groups[group]["lr"] / warmup.lrs[group]]
    for _ in range(steps):
        with warmup.dampening():
            pass
        factors.append(groups[group]["lr"])
    return factors


periods = st.one_of(st.integers(1, 12), st.integers(1, 3000))
b2s = st.one_of(
    st.sampled_from([0.9, 0.95, 0.98, 0.99, 0.999, 0.9995]),
    st.floats(0.65, 0.9995),
)


def _case(name: str, **arguments: Any) -> st.SearchStrategy[Case]:
    return st.tuples(st.just(name), st.fixed_dictionaries(arguments))


WARMUPS = {
    "LinearWarmup": _case("LinearWarmup", warmup_period=periods),
    "ExponentialWarmup": _case("ExponentialWarmup", warmup_period=periods),
    "UntunedLinearWarmup": _case("UntunedLinearWarmup", b2=b2s),
    "UntunedExponentialWarmup": _case("UntunedExponentialWarmup", b2=b2s),
    "RAdamWarmup": _case("RAdamWarmup", b2=b2s),
}
SAMPLES: list[tuple[Case, int]] = [
    (("LinearWarmup", {"warmup_period": 100}), 0),
    (("LinearWarmup", {"warmup_period": 7}), 3),
    (("ExponentialWarmup", {"warmup_period": 200}), 0),
    (("UntunedLinearWarmup", {"b2": 0.999}), 0),
    (("UntunedExponentialWarmup", {"b2": 0.99}), 20),
    (("RAdamWarmup", {"b2": 0.999}), 0),
    (("RAdamWarmup", {"b2": 0.9}), 5),
]
LENGTH = 3000


def recorded(package: Any) -> Iterator[tuple[Any, dict[str, Any], list[float], Any]]:
    """For each sample a live warm-up, the arguments of `from_warmup`, and how to run."""
    for case, done in SAMPLES:
        warmup = build(package, case)
        factors_of(warmup, done)
        yield warmup, {}, [], partial(factors_of, warmup, LENGTH)
