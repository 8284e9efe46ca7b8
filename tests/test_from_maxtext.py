"""MaxText's rates and batches, against its rules in float64."""

import itertools
import math
from types import SimpleNamespace
from typing import Any

import jax
import numpy as np
import pytest

import jaxsched as js

LR = 0.3


def wanted(c: dict[str, Any], step: int) -> float:
    """The rate at a step: one after another, each piece from its own step 0."""
    whole = c["learning_rate_schedule_steps"]
    warmup = int(whole * c["warmup_steps_fraction"])
    end = LR * c["learning_rate_final_fraction"]
    if step < warmup:
        return LR * step / warmup
    if step >= whole and c["steps"] > whole:
        return 0.0
    decay, shape = whole - warmup, "cosine"
    if c["lr_schedule_type"] == "wsd":
        decay, shape = int(whole * c["wsd_decay_steps_fraction"]), c["wsd_decay_style"]
    if decay == 0 or step < whole - decay:
        return LR
    passed = step - (whole - decay)
    if shape == "linear":
        return LR + (end - LR) * min(passed / (decay - 1), 1) if decay > 1 else LR
    part = passed / (decay - 1) if decay > 1 else 1.0
    weight = 0.5 * (math.cos(math.pi * part) + 1)
    return LR * weight + end * (1 - weight)


GRID = [
    dict(
        learning_rate=LR, learning_rate_final_fraction=end, warmup_steps_fraction=warmup,
        wsd_decay_steps_fraction=decay, lr_schedule_type=kind, wsd_decay_style=style,
        learning_rate_schedule_steps=whole, steps=steps,
    )
    for end, warmup, decay, (kind, style), (whole, steps) in itertools.product(
        [0.1, 0.0, 1.5],
        [0.0, 0.1, 0.29],
        [0.0, 0.1, 0.5],
        [("cosine", "linear"), ("wsd", "linear"), ("wsd", "cosine")],
        [(100, 100), (97, 130), (100, 40), (1, 1), (11, 12), (2, 5)],
    )
]  # fmt: skip
GRID += [{**GRID[0], "warmup_steps_fraction": 1.0}]


def test_same_rate_at_every_step():
    for config in GRID:
        rates = [wanted(config, step) for step in range(140)]
        found = np.asarray(jax.jit(js.from_maxtext(config))(np.arange(140)), np.float64)
        np.testing.assert_allclose(found, rates, rtol=2e-6, atol=3e-8, err_msg=str(config))


def test_defaults_and_objects():
    config = {"learning_rate": LR, "steps": 50, "learning_rate_schedule_steps": -1}
    rates = [
        wanted(
            {
                **config,
                "learning_rate_schedule_steps": 50,
                "warmup_steps_fraction": 0.1,
                "learning_rate_final_fraction": 0.1,
                "lr_schedule_type": "cosine",
            },
            step,
        )
        for step in range(50)
    ]
    swapped = {**config, "steps": -1, "learning_rate_schedule_steps": 50}
    enumerated = SimpleNamespace(**config, lr_schedule_type=SimpleNamespace(value="cosine"))
    for given in (config, swapped, enumerated):
        np.testing.assert_allclose(js.from_maxtext(given)(np.arange(50)), rates, rtol=2e-6)


def test_what_is_meant():
    held = js.from_maxtext({"learning_rate": LR, "steps": 50}, faithful=False)
    assert float(held(60)) == float(held(49)) == pytest.approx(LR / 10, rel=1e-6)
    one = {"learning_rate": LR, "steps": 50, "lr_schedule_type": "wsd"}
    one["wsd_decay_steps_fraction"] = 0.02
    done, meant = (js.from_maxtext(one, faithful=faithful)(49) for faithful in (True, False))
    assert float(done) == pytest.approx(LR, rel=1e-6)
    assert float(meant) == pytest.approx(LR / 10, rel=1e-6)


def batches(start: float, end: float, increment: float, samples: int, devices: int) -> list[int]:
    """The size of each of 300 batches, as the one who counts them goes on."""
    each = samples / ((end - start) // increment)
    size, seen, found = int(devices * start), 0, []
    for _ in range(300):
        found.append(size)
        seen += size
        if seen >= each:
            size, seen = min(size + int(devices * increment), int(devices * end)), 0
    return found


@pytest.mark.parametrize(
    "numbers",
    [(4.0, 8.0, 2.0, 500, 4), (1, 9, 1, 7777, 3), (0.5, 2.0, 0.5, 10, 8), (2, 4, 2, 1, 1)],
)
def test_the_plan_of_batches(numbers: tuple[float, float, float, int, int]):
    start, end, increment, samples, devices = numbers
    plan = js.maxtext_batches(
        {
            "steps": 300,
            "enable_rampup_batch_size": True,
            "per_device_batch_size_start": start,
            "per_device_batch_size": end,
            "per_device_batch_size_increment": increment,
            "global_rampup_samples": samples,
            "num_target_devices": devices,
        }
    )
    assert [size for steps, size in plan for _ in range(steps)] == batches(*numbers)


def test_one_size():
    config = {"steps": 9, "per_device_batch_size": 0.5, "num_target_devices": 8}
    assert js.maxtext_batches({**config, "gradient_accumulation_steps": 3}) == ((9, 12),)
    grown = {**config, "per_device_batch_size": 6.0, "enable_rampup_batch_size": True, "steps": 3}
    assert js.maxtext_batches(grown) == ((3, 32),)


BASE = {"learning_rate": LR, "steps": 50}
ERRORS = {
    "unknown type": ({"lr_schedule_type": "linear"}, "`lr_schedule_type` must be one of 'cosine'"),
    "unknown style": (
        {"lr_schedule_type": "wsd", "wsd_decay_style": "sqrt"},
        "`wsd_decay_style` must be one of 'linear', 'cosine'",
    ),
    "more than all": (
        {"lr_schedule_type": "wsd", "wsd_decay_steps_fraction": 0.95},
        r"`wsd_decay_steps_fraction` must be at most 1 - 0\.1, the rest, got 0\.95",
    ),
    "no rate": ({"learning_rate": None}, "`learning_rate` is missing from what `from_maxtext`"),
    "no length": ({"steps": -1}, "`steps` or `learning_rate_schedule_steps` is missing"),
    "a part above 1": ({"warmup_steps_fraction": 10}, "`warmup_steps_fraction` must be between"),
    "half a step": ({"steps": 2.5}, "`steps` must be a whole number of steps"),
    "another trainer": ({"train_iters": 9}, "`train_iters` is not read by `from_maxtext`, but by"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_what_is_impossible_names_the_field(name: str):
    changes, message = ERRORS[name]
    with pytest.raises(ValueError, match=message):
        js.from_maxtext({**BASE, **changes})


def test_impossible_batches_name_the_field():
    config = {"steps": 9, "per_device_batch_size": 7.0, "num_target_devices": 8}
    config["enable_rampup_batch_size"] = True
    with pytest.raises(ValueError, match=r"`per_device_batch_size` must be 4\.0 and a whole"):
        js.maxtext_batches(config)
    with pytest.raises(ValueError, match="`gradient_accumulation_steps` must be 1 where"):
        js.maxtext_batches({**config, "gradient_accumulation_steps": 2})
    with pytest.raises(ValueError, match="`num_target_devices` is missing"):
        js.maxtext_batches({"steps": 9, "per_device_batch_size": 7.0})
