"""What cannot be read from Keras, Transformers and pytorch-warmup: without them."""

import math
import re
import sys
from types import SimpleNamespace
from typing import Any

import pytest

import jaxsched as js

KERAS = {"__module__": "keras.src.optimizers.schedules.learning_rate_schedule"}
CALLBACK = {"__module__": "keras.src.callbacks"}
WARMUP = {"__module__": "pytorch_warmup.base"}


def stand_in(name: str, module: dict[str, str], **attributes: Any) -> Any:
    made = type(name, (), module)()
    vars(made).update(attributes)
    return made


def decay(name: str, **attributes: Any) -> Any:
    return stand_in(name, KERAS, **{"initial_learning_rate": 0.1, **attributes})


def plateau(**attributes: Any) -> Any:
    usual = dict(
        monitor="val_loss", mode="auto", factor=0.5, patience=2, min_delta=0.0, cooldown=0, min_lr=0
    )
    return stand_in("ReduceLROnPlateau", CALLBACK, **{**usual, **attributes})


def restarts(**attributes: Any) -> Any:
    usual = dict(first_decay_steps=10, _t_mul=2.0, _m_mul=1.0, alpha=0.0)
    return decay("CosineDecayRestarts", **{**usual, **attributes})


CALLBACK_OF_EPOCHS = stand_in("LearningRateScheduler", CALLBACK, schedule=lambda epoch: 0.1)
CALLBACK_OF_RATES = stand_in("LearningRateScheduler", CALLBACK, schedule=lambda epoch, rate: rate)


@pytest.mark.parametrize(
    ("made", "arguments", "message"),
    [
        (decay("ExponentialDecay", decay_steps=0), {}, "`ExponentialDecay.decay_steps` must be"),
        (decay("ExponentialDecay", decay_steps=9), {}, "`ExponentialDecay.decay_rate` is missing."),
        (
            decay("InverseTimeDecay", decay_steps=9, decay_rate=-1.0),
            {},
            "`InverseTimeDecay.decay_rate` must be at least 0, got -1.0.",
        ),
        (
            decay("PiecewiseConstantDecay", boundaries=[], values=[1.0]),
            {},
            "`PiecewiseConstantDecay.boundaries` must be a list in ascending order, got [].",
        ),
        (
            decay("PiecewiseConstantDecay", boundaries=[2, 1], values=[1.0, 2.0, 3.0]),
            {},
            "in ascending order, got [2, 1].",
        ),
        (
            decay("PolynomialDecay", decay_steps=9, end_learning_rate=0.0, power=-1.0),
            {},
            "`PolynomialDecay.power` must be at least 0",
        ),
        (decay("CosineDecay", decay_steps=9, initial_learning_rate=1), {}, "a float: Keras rounds"),
        (restarts(_t_mul=0.5), {}, "`CosineDecayRestarts._t_mul` must be at least 1, got 0.5."),
        (restarts(_t_mul=1.000001), {}, "`t_mul` must be such that there are at most"),
        (restarts(_m_mul=0.0), {}, "`CosineDecayRestarts._m_mul` must be positive"),
        (plateau(), {}, "`ReduceLROnPlateau` belongs to no model; pass `learning_rate=`"),
        (plateau(monitor="auc"), {"learning_rate": 0.1}, "'min' or 'max': it says nothing of"),
        (plateau(patience=-1), {"learning_rate": 0.1}, "`ReduceLROnPlateau.patience` must be"),
        (CALLBACK_OF_EPOCHS, {}, "pass `steps=`, the number of epochs to tabulate."),
        (CALLBACK_OF_RATES, {"steps": 3}, "belongs to no model; pass `learning_rate=`"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_keras_cannot_have_raises(made: Any, arguments: dict[str, Any], message: str):
    with pytest.raises(ValueError, match=re.escape(message)):
        js.from_keras(made, **arguments)


def test_restarts_whose_last_cycle_no_count_ends():
    rate = js.from_keras(restarts(first_decay_steps=1000, _t_mul=2.5))
    begins = [1000 * (2.5**i - 1) / 1.5 for i in range(18)]
    for count in (0, 999, 1000, 3499, 3500, 10**6, 10**9, 2**31 - 1):
        cycle = max(i for i, begin in enumerate(begins) if begin <= count)
        gone = (count - begins[cycle]) / (1000 * 2.5**cycle)
        wanted = 0.1 * (1 + math.cos(math.pi * gone)) / 2
        assert float(rate(count)) == pytest.approx(wanted, rel=2e-6)


def test_functions_of_epochs_are_tabulated():
    falling = stand_in("LearningRateScheduler", CALLBACK, schedule=lambda epoch: 1 / (epoch + 1))
    assert js.from_keras(falling, steps=3) == js.table_schedule([1.0, 0.5, 1 / 3, 0.25])
    halved = stand_in("LearningRateScheduler", CALLBACK, schedule=lambda epoch, rate: rate / 2)
    assert js.from_keras(halved, steps=1, learning_rate=1) == js.table_schedule([0.5, 0.25])


def test_the_rate_of_a_plateau_is_that_of_its_model():
    model = SimpleNamespace(optimizer=SimpleNamespace(learning_rate=0.25))
    controller = js.from_keras(plateau(model=model))
    assert controller(controller.init()) == 0.25


@pytest.mark.parametrize("read", [js.from_keras, js.from_warmup])
def test_other_classes_raise(read: Any):
    with pytest.raises(TypeError, match="`int` is none of the classes of"):
        read(3)


def asked(name: str, **given: Any) -> dict[str, Any]:
    steps = {"num_warmup_steps": 10, "num_training_steps": 100}
    return {"name": name, "learning_rate": 0.1, **steps, "scheduler_specific_kwargs": given}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (asked("sine"), "`name` must be one of linear, cosine"),
        ({**asked("linear"), "num_warmup_steps": None}, "'linear' needs `num_warmup_steps`."),
        ({**asked("cosine"), "num_training_steps": None}, "'cosine' needs `num_training_steps`."),
        ({**asked("linear"), "num_warmup_steps": 1.5}, "`num_warmup_steps` must be a whole number"),
        ({**asked("linear"), "learning_rate": 0.0}, "`learning_rate` must be positive"),
        (asked("cosine_with_restarts", num_cycles=0), "`num_cycles` must be positive"),
        (asked("cosine_with_restarts", num_cycles=2**0.5), "`num_cycles` must be a fraction"),
        (asked("polynomial", lr_end=0.2), "`lr_end` must be below the learning rate, 0.1"),
        ({**asked("polynomial"), "num_warmup_steps": 100}, "Transformers divides by 0"),
        (asked("cosine_with_min_lr"), "needs either `min_lr` or `min_lr_rate`."),
        (asked("cosine_with_min_lr", min_lr=0.0, min_lr_rate=0.0), "needs either"),
        (asked("warmup_stable_decay"), "'warmup_stable_decay' needs `num_decay_steps`."),
        (
            asked("warmup_stable_decay", num_decay_steps=9, decay_type="sqrt"),
            "`decay_type` must be one of 'linear', 'cosine', '1-sqrt', got 'sqrt'.",
        ),
        (
            {**asked("warmup_stable_decay", num_decay_steps=95), "faithful": False},
            "`num_decay_steps` must be at most 90, the steps after the warm-up, got 95.",
        ),
        (asked("reduce_lr_on_plateau", mode="low"), "`mode` must be one of 'min', 'max'"),
        (asked("greedy", factor=1.0), "`factor` must be between 0 and 1"),
        (asked("greedy", min_lr=[0.1, 0.2]), "min_lr"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_transformers_cannot_have_raises(arguments: dict[str, Any], message: str):
    with pytest.raises((ValueError, TypeError), match=re.escape(message)):
        js.from_transformers(**arguments)


def test_arguments_that_a_schedule_does_not_have_raise():
    with pytest.raises(TypeError, match=r"'linear' has no 'num_cycles' that could be read\."):
        js.from_transformers(**asked("linear", num_cycles=2))
    assert js.from_transformers(**asked("constant", num_cycles=2)) == js.constant_schedule(0.1)


def meant(name: str, **given: Any) -> Any:
    return js.from_transformers(**asked(name, **given), faithful=False)


def test_cosines_are_meant_to_stay_at_their_end():
    assert meant("cosine")(2**30) == 0
    assert meant("cosine", num_cycles=1)(150) == meant("cosine", num_cycles=1)(100)
    assert meant("cosine_with_min_lr", min_lr_rate=0.5)(120) == meant("constant")(0) / 2
    assert meant("cosine_warmup_with_min_lr", min_lr_rate=0.5)(99) == meant("constant")(0) / 2
    assert meant("cosine_warmup_with_min_lr", min_lr_rate=0.5)(150) == meant("constant")(0) / 2


def test_a_polynomial_without_steps_is_meant_to_be_at_its_end():
    arguments = {**asked("polynomial", lr_end=0.01), "num_warmup_steps": 100}
    rate = js.from_transformers(**arguments, faithful=False)
    assert [round(float(rate(step)), 6) for step in (50, 99, 100, 101)] == [0.05, 0.099, 0.01, 0.01]


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"last_step": 0}, "`LinearWarmup.warmup_params` is missing."),
        ({"warmup_params": [], "last_step": 0}, "`group` must be below 0, the number of"),
        ({"warmup_params": [{}], "last_step": 0}, "warmup_params[0]` has no 'warmup_period'."),
        (
            {"warmup_params": [{"warmup_period": 0}], "last_step": 0},
            "warmup_params[0]['warmup_period']` must be positive, got 0.",
        ),
        ({"warmup_params": [{"warmup_period": 3}]}, "`LinearWarmup.last_step` is missing."),
        (
            {"warmup_params": [{"warmup_period": 3}], "last_step": -1},
            "`LinearWarmup.last_step` must be at least 0, got -1.",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_a_warmup_cannot_have_raises(attributes: dict[str, Any], message: str):
    with pytest.raises(ValueError, match=re.escape(message)):
        js.from_warmup(stand_in("LinearWarmup", WARMUP, **attributes))


def test_to_keras_says_what_it_needs(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "keras", None)
    with pytest.raises(ImportError, match="`pip install keras`"):
        js.to_keras(js.constant_schedule(0.1))
    other = SimpleNamespace(backend=SimpleNamespace(backend=lambda: "torch"))
    monkeypatch.setitem(sys.modules, "keras", other)
    with pytest.raises(RuntimeError, match="on the JAX backend, not 'torch'"):
        js.to_keras(js.constant_schedule(0.1))
    with pytest.raises(TypeError, match="not a stateful schedule"):
        js.to_keras(js.reduce_on(js.plateau(), 0.1))


def test_a_bare_schedule_in_keras_names_what_to_write():
    with pytest.raises(
        TypeError, match=r"missing 1 .* argument: 'count'\..* `to_keras\(schedule\)`"
    ):
        js.constant_schedule(0.1)()
