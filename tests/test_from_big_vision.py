"""big_vision's rates, against its rules in float64."""

import itertools
import math
from types import SimpleNamespace
from typing import Any

import jax
import numpy as np
import pytest

import jaxsched as js

T = 400
CURVES: dict[str, dict[str, Any]] = {
    "cosine": {},
    "linear": {"linear_end": 0.1},
    "polynomial": {"power": 2.5, "end": 0.05},
    "rsqrt": {"timescale": 30, "shift": 12},
    "stair": {"steps": [100, 250], "mults": [0.3, 1.5]},
}


def wanted(step: int, kind: str, warmup: float, cooldown: float, scale: float = 1.0) -> float:
    """The factor at a step."""
    given = CURVES[kind]
    u = min(max((step - warmup) / (T - warmup), 0.0), 1.0)
    if kind == "cosine":
        value = scale * (1 + math.cos(math.pi * u)) / 2
    elif kind in ("linear", "polynomial"):
        end = given.get("end", given.get("linear_end", 0.0))
        value = end + (scale - end) * (1 - u) ** given.get("power", 1)
    elif kind == "rsqrt":
        passed = given["shift"] + (step - warmup if step >= warmup else 0)
        value = scale / math.sqrt(1 + passed / given["timescale"])
    else:
        value = scale * [1.0, *given["mults"]][sum(step >= s for s in given["steps"])]
    if warmup:
        value *= min(1.0, step / warmup)
    if cooldown:
        value *= min(1.0, (T - step) / cooldown)
    return value


WARMUPS = [
    ({}, 0), ({"warmup_steps": 37}, 37), ({"warmup_steps": 0.1}, 0.1), ({"warmup_epochs": 0.5}, 16),
    ({"warmup_examples": 300}, 5), ({"warmup_percent": 0.1}, 40), ({"warmup_epochs": 1e-5}, 1),
    ({"warmup_steps": 1}, 1), ({"warmup_steps": -1, "warmup_percent": 0.1}, 40),
]  # fmt: skip
COOLDOWNS = [
    ({}, 0), ({"cooldown_steps": 100}, 100), ({"cooldown_epochs": 2.49}, 80),
    ({"cooldown_examples": 64}, 1), ({"cooldown_percent": 1.0}, T), ({"cooldown_steps": 600}, 600),
]  # fmt: skip
RUN: dict[str, Any] = {"total_steps": T, "batch_size": 64, "data_size": 2048}


@pytest.mark.parametrize("kind", CURVES)
def test_same_rate_at_every_step(kind: str):
    steps = range(T + 60)
    for (warmup, w), (cooldown, c) in itertools.product(WARMUPS, COOLDOWNS):
        schedule = {"decay_type": kind, **CURVES[kind], **warmup, **cooldown}
        for config in (schedule, {"lr": 0.3, "schedule": schedule}):
            rate = 0.3 if "lr" in config else 1.0
            found = jax.jit(js.from_big_vision(config, **RUN))(np.arange(len(steps)))
            rates = [rate * wanted(step, kind, w, c) for step in steps]
            message = f"{warmup} {cooldown}"
            np.testing.assert_allclose(found, rates, rtol=2e-6, atol=5e-8, err_msg=message)


@pytest.mark.parametrize("kind", CURVES)
def test_the_rate_that_goes_with_the_batch(kind: str):
    schedule = {"decay_type": kind, **CURVES[kind], "scale_with_batchsize": True}
    rate = js.from_big_vision(schedule, **RUN)
    rates = [wanted(step, kind, 0, 0, 0.25) for step in range(T)]
    np.testing.assert_allclose(rate(np.arange(T)), rates, rtol=2e-6, atol=5e-8)


def test_lengths_of_the_run_in_other_units():
    schedule = {"decay_type": "cosine", "warmup_percent": 0.1}
    config = {"lr": 0.3, "schedule": schedule, "input": {"batch_size": 64}}
    wholes = [{"total_epochs": 12.5}, {"total_examples": 64 * T}, {"total_steps": T}]
    for whole in wholes:
        rate = js.from_big_vision({**config, **whole}, data_size=2048)
        rates = [0.3 * wanted(step, "cosine", 40, 0) for step in range(T)]
        np.testing.assert_allclose(rate(np.arange(T)), rates, rtol=2e-6, atol=5e-8)


def test_timescale_in_epochs():
    rate = js.from_big_vision({"decay_type": "rsqrt", "timescale_epochs": 3}, **RUN)
    assert float(rate(3 * 96)) == pytest.approx(0.5, rel=1e-6)


def test_no_schedule_is_a_constant():
    assert float(js.from_big_vision({"lr": 0.3}, total_steps=9)(5)) == pytest.approx(0.3, rel=1e-6)


def test_frozen_parameters_leave_one_schedule():
    moving = {"decay_type": "cosine"}
    config = SimpleNamespace(lr=1.0, total_steps=10, schedule=[("img/.*", None), (".*", moving)])
    assert float(js.from_big_vision(config)(5)) == pytest.approx(0.5, rel=1e-6)
    config.schedule = [("img/.*", moving), (".*", moving)]
    with pytest.raises(ValueError, match=r"`schedule` has 2 schedules, \['img"):
        js.from_big_vision(config)


def test_what_is_meant():
    config = {"decay_type": "rsqrt", "cooldown_steps": 100}
    below, held = (
        js.from_big_vision(config, total_steps=T, faithful=faithful) for faithful in (True, False)
    )
    assert float(below(T)) == float(held(T)) == float(held(T + 50)) == 0
    assert float(below(T + 50)) < -0.4


ERRORS = {
    "unknown type": ({"decay_type": "exp"}, RUN, "`decay_type` must be one of 'stair',"),
    "no total": ({"decay_type": "cosine"}, {}, "`total_steps` is missing, or `total_epochs` or"),
    "two units": (
        {"warmup_steps": 3, "warmup_percent": 0.1},
        RUN,
        "Only one of `warmup_steps` and `warmup_percent`",
    ),
    "no batch": (
        {"warmup_examples": 9},
        {"total_steps": T},
        "`warmup_examples` needs `batch_s",
    ),
    "no epoch": (
        {"warmup_epochs": 9},
        {"total_steps": T, "batch_size": 4},
        "`warmup_epochs` needs `data_size`",
    ),
    "a long warm-up": ({"warmup_steps": T}, RUN, "`warmup` must be shorter than the run, 400"),
    "percents": ({"warmup_percent": 10}, RUN, "`warmup_percent` must be between 0 and 1"),
    "stairs": ({"steps": [1, 2], "mults": [0.1]}, RUN, "`mults` must be as many as `steps`, 2"),
    "no rate": ({"schedule": {}}, RUN, "`lr` is missing from what `from_big_vision`"),
    "another trainer": ({"lr_schedule": "cosine"}, RUN, "`lr_schedule` is not read by `from_big_"),
    "a scale without a batch": (
        {"scale_with_batchsize": True},
        {"total_steps": T},
        "`scale_with_batchsize` needs `batch_size`",
    ),
}


@pytest.mark.parametrize("name", ERRORS)
def test_what_is_impossible_names_the_field(name: str):
    config, run, message = ERRORS[name]
    with pytest.raises(ValueError, match=message):
        js.from_big_vision(config, **run)
