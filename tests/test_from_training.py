"""`from_transformers` from `TrainingArguments`, by the rules of the `Trainer`."""

import math
from types import SimpleNamespace
from typing import Any

import pytest

import jaxsched as js

T = 333
STATED = dict(learning_rate=0.1, num_training_steps=T)


def training(**fields: Any) -> SimpleNamespace:
    defaults = dict(lr_scheduler_type="linear", learning_rate=0.1, lr_scheduler_kwargs=None)
    return SimpleNamespace(**{**defaults, "warmup_steps": 0, "max_steps": -1, **fields})


@pytest.mark.parametrize("name", ["linear", "cosine", "inverse_sqrt", "constant_with_warmup"])
@pytest.mark.parametrize("ratio", [0.0, 0.001, 0.1, 0.3])
def test_a_ratio_is_rounded_up_to_whole_updates(name: str, ratio: float):
    steps = math.ceil(T * ratio)
    wanted = js.from_transformers(name, num_warmup_steps=steps, **STATED)
    assert js.from_transformers(name, warmup_ratio=ratio, **STATED) == wanted
    for fields in ({"warmup_ratio": ratio}, {"warmup_steps": ratio}, {"warmup_steps": steps}):
        given = training(lr_scheduler_type=name, **fields)
        assert js.from_transformers(given, num_training_steps=T) == wanted
        assert js.from_transformers(vars(given), num_training_steps=T) == wanted


def test_steps_go_before_a_ratio_and_what_is_given_before_both():
    both = training(warmup_steps=7, warmup_ratio=0.5, max_steps=T)
    seven = js.from_transformers("linear", num_warmup_steps=7, **STATED)
    assert js.from_transformers(both) == seven
    nine = js.from_transformers("linear", num_warmup_steps=9, **STATED)
    assert js.from_transformers(both, num_warmup_steps=9) == nine
    assert js.from_transformers(both, warmup_ratio=9 / T - 1e-9) == nine
    double = js.from_transformers(both, learning_rate=0.2)
    assert float(double(7)) == pytest.approx(0.2, rel=1e-6)


def test_arguments_of_one_schedule_and_an_enumeration():
    kind = SimpleNamespace(value="cosine_with_min_lr")
    given = training(lr_scheduler_type=kind, lr_scheduler_kwargs={"min_lr_rate": 0.5}, max_steps=T)
    wanted = js.from_transformers(
        "cosine_with_min_lr",
        num_warmup_steps=0,
        scheduler_specific_kwargs={"min_lr_rate": 0.5},
        **STATED,
    )
    assert js.from_transformers(given) == wanted


def test_defaults():
    assert js.from_transformers({}, num_training_steps=T) == js.from_transformers(
        "linear", learning_rate=5e-5, num_warmup_steps=0, num_training_steps=T
    )


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("linear", {"num_training_steps": T, "num_warmup_steps": 3}, "'linear' needs `learning_r"),
        ("linear", {**STATED, "num_warmup_steps": 3, "warmup_ratio": 0.1}, "cannot both be given"),
        ("linear", {"learning_rate": 0.1, "warmup_ratio": 0.1}, "`num_training_steps` is missing"),
        ("linear", {**STATED, "warmup_ratio": 10}, "`warmup_ratio` must be between 0 and 1"),
        (training(warmup_ratio=0.1), {}, "`num_training_steps` is missing, of which the warm-up"),
        (training(), {}, "'linear' needs `num_training_steps`"),
        (training(warmup_steps=-1, max_steps=T), {}, "`warmup_steps` must be at least 0, got -1"),
        (
            {"lr_decay_style": "cosine"},
            {},
            "is not read by `from_transformers`, but by `from_megat",
        ),
    ],
)
def test_what_is_impossible_names_the_argument(name: Any, given: dict[str, Any], message: str):
    with pytest.raises(ValueError, match=message):
        js.from_transformers(name, **given)
