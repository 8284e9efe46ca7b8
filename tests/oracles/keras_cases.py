"""Keras' schedules as plain data: a class and its arguments, and how to build one."""

import contextlib
import copy
import importlib
import random
from collections.abc import Iterator
from functools import partial
from types import SimpleNamespace
from typing import Any
from unittest import mock

import jax
import numpy as np
from hypothesis import strategies as st

Case = tuple[str, dict[str, Any]]

NESTED, FUNCTIONS = (), {}


def build(keras: Any, case: Case) -> Any:
    """A live schedule, or a callback that belongs to a model."""
    name, arguments = case
    if name != "ReduceLROnPlateau":
        return getattr(keras.optimizers.schedules, name)(**arguments)
    arguments = dict(arguments)
    optimizer = SimpleNamespace(learning_rate=arguments.pop("learning_rate"))
    callback = keras.callbacks.ReduceLROnPlateau(**arguments)
    callback.set_model(SimpleNamespace(optimizer=optimizer))
    return callback


@contextlib.contextmanager
def doubles(keras: Any) -> Iterator[None]:
    """Keras computes in float64 within this, which on the JAX backend it has a table against."""
    kind = keras.config.floatx()
    narrowed = importlib.import_module("keras.src.backend.common.dtypes").BIT64_TO_BIT32_DTYPE
    keras.config.set_floatx("float64")
    try:
        with jax.enable_x64(True), mock.patch.dict(narrowed, float64="float64"):
            yield
    finally:
        keras.config.set_floatx(kind)


def rates_of(schedule: Any, steps: np.ndarray) -> list[float]:
    """Its values, each as if it were called with one step."""

    def rate(step: Any, lengths: dict[str, Any]) -> Any:
        one = copy.copy(schedule)
        vars(one).update(lengths)
        return one(step)

    # One length a step: a division of many numbers by one becomes a product with its inverse.
    lengths = {name: value for name, value in vars(schedule).items() if name.endswith("_steps")}
    rates = jax.vmap(rate)(steps, {k: np.full(len(steps), v) for k, v in lengths.items()})
    return [float(rate) for rate in np.asarray(rates)]


def rates_in_doubles(keras: Any, schedule: Any, steps: np.ndarray) -> list[float]:
    """The same without the roundings of float32."""
    with doubles(keras):
        return rates_of(schedule, steps)


def on_metrics(callback: Any, metrics: list[float]) -> list[float]:
    """The rate in force, and those after each epoch."""
    optimizer = callback.model.optimizer
    rates = [float(optimizer.learning_rate)]
    callback.on_train_begin()
    for epoch, metric in enumerate(metrics):
        callback.on_epoch_end(epoch, {"val_loss": metric})
        rates.append(float(optimizer.learning_rate))
    return rates


def restart_steps(case: Case, last: int) -> list[int]:
    """The steps next to those where `CosineDecayRestarts` is to restart."""
    arguments = case[1]
    length, begin, steps = float(arguments["first_decay_steps"]), 0.0, []
    while begin <= last:
        steps += [int(np.floor(begin)), int(np.ceil(begin)), int(np.rint(begin))]
        begin, length = begin + length, length * arguments.get("t_mul", 2.0)
    return [step for step in sorted(set(steps)) if 0 < step <= last]


rates = st.floats(1e-4, 1.0).map(lambda x: round(x, 5))
lengths = st.one_of(st.integers(1, 12), st.integers(1, 2500))
fractions = st.sampled_from([0.0, 0.1, 0.25, 0.9, 1.0])
decays = st.sampled_from([0.1, 0.5, 0.96, 1.0, 1.01])
boundaries = st.lists(st.integers(0, 3000), min_size=1, max_size=6, unique=True).map(sorted)


def _case(name: str, **arguments: Any) -> st.SearchStrategy[Case]:
    return st.tuples(st.just(name), st.fixed_dictionaries(arguments))


SCHEDULES = {
    "ExponentialDecay": _case(
        "ExponentialDecay",
        initial_learning_rate=rates,
        decay_steps=st.integers(100, 2500),
        decay_rate=st.one_of(decays, st.just(0.0)),
        staircase=st.booleans(),
    ),
    "PiecewiseConstantDecay": boundaries.flatmap(
        lambda steps: _case(
            "PiecewiseConstantDecay",
            boundaries=st.just(steps),
            values=st.lists(rates, min_size=len(steps) + 1, max_size=len(steps) + 1),
        )
    ),
    "PolynomialDecay": _case(
        "PolynomialDecay",
        initial_learning_rate=rates,
        decay_steps=lengths,
        end_learning_rate=st.sampled_from([0.0, 1e-4, 0.01]),
        power=st.sampled_from([0.0, 0.5, 1.0, 2.0, 3.3]),
        cycle=st.booleans(),
    ),
    "InverseTimeDecay": _case(
        "InverseTimeDecay",
        initial_learning_rate=rates,
        decay_steps=st.one_of(lengths, st.sampled_from([1.2, 2.4, 7.1, 1000 / 3])),
        decay_rate=st.sampled_from([0.0, 0.5, 1.0, 7.3]),
        staircase=st.booleans(),
    ),
    "CosineDecay": _case(
        "CosineDecay",
        initial_learning_rate=st.one_of(rates, st.just(0.0)),
        decay_steps=lengths,
        alpha=fractions,
        warmup_target=st.one_of(st.none(), rates),
        warmup_steps=st.one_of(st.just(0), lengths),
    ),
    "CosineDecayRestarts": _case(
        "CosineDecayRestarts",
        initial_learning_rate=rates,
        first_decay_steps=lengths,
        t_mul=st.sampled_from([1.0, 2.0, 3.0, 1.5, 1.1]),
        m_mul=st.sampled_from([1.0, 0.9, 0.5, 1.1]),
        alpha=fractions,
    ),
}
PLATEAUS = _case(
    "ReduceLROnPlateau",
    learning_rate=st.sampled_from([0.1, 1e-3]),
    mode=st.sampled_from(["min", "max"]),
    factor=st.sampled_from([0.1, 0.5, 0.9]),
    patience=st.integers(0, 4),
    min_delta=st.sampled_from([0.0, 0.0303, 0.5071]),
    cooldown=st.integers(0, 3),
    min_lr=st.sampled_from([0.0, 0.0021, 1.0]),
)

SAMPLES: list[Case] = [
    (
        "ExponentialDecay",
        {"initial_learning_rate": 0.1, "decay_steps": 100, "decay_rate": 0.96, "staircase": True},
    ),
    ("ExponentialDecay", {"initial_learning_rate": 0.1, "decay_steps": 30, "decay_rate": 0.9}),
    ("PiecewiseConstantDecay", {"boundaries": [100, 2000], "values": [1.0, 0.3, 0.05]}),
    (
        "PolynomialDecay",
        {
            "initial_learning_rate": 0.1,
            "decay_steps": 1000,
            "end_learning_rate": 0.01,
            "power": 2.0,
        },
    ),
    (
        "PolynomialDecay",
        {
            "initial_learning_rate": 0.1,
            "decay_steps": 70,
            "end_learning_rate": 0.0,
            "power": 0.5,
            "cycle": True,
        },
    ),
    (
        "InverseTimeDecay",
        {"initial_learning_rate": 0.1, "decay_steps": 9, "decay_rate": 0.5, "staircase": True},
    ),
    *(
        (
            name,
            {"initial_learning_rate": 1.0, "decay_steps": 1.2, "decay_rate": r, "staircase": True},
        )
        for name, r in (("ExponentialDecay", 0.99), ("InverseTimeDecay", 1.0))
    ),
    ("CosineDecay", {"initial_learning_rate": 0.1, "decay_steps": 1000, "alpha": 0.1}),
    (
        "CosineDecay",
        {
            "initial_learning_rate": 0.01,
            "decay_steps": 700,
            "alpha": 0.0,
            "warmup_target": 0.2,
            "warmup_steps": 100,
        },
    ),
    (
        # At later restarts Keras is late, in float64 too.
        "CosineDecayRestarts",
        {"initial_learning_rate": 0.1, "first_decay_steps": 1500, "m_mul": 0.8, "alpha": 0.1},
    ),
    (
        "CosineDecayRestarts",
        {"initial_learning_rate": 0.1, "first_decay_steps": 64, "t_mul": 1.5, "m_mul": 0.8},
    ),
]
CALLBACKS: list[Case] = [
    ("ReduceLROnPlateau", {"learning_rate": 0.1, "patience": 2, "factor": 0.5, "cooldown": 2}),
    ("ReduceLROnPlateau", {"learning_rate": 0.1, "patience": 1, "mode": "max", "min_lr": 0.01}),
]
LENGTH = 4000


def recorded(keras: Any) -> Iterator[tuple[Any, dict[str, Any], list[float], Any]]:
    """For each sample a live object, the arguments of `from_keras`, metrics, and how to run."""
    for case in SAMPLES:
        schedule = build(keras, case)
        yield schedule, {}, [], partial(rates_in_doubles, keras, schedule, np.arange(LENGTH))
    for case in CALLBACKS:
        callback = build(keras, case)
        noise = random.Random(1)
        metrics = [round(1 / (1 + step) + noise.random(), 3) for step in range(60)]
        rate = {"learning_rate": case[1]["learning_rate"]}
        yield callback, rate, metrics, partial(on_metrics, callback, metrics)
