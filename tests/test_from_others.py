"""Importers of other libraries given what they cannot read, without these libraries."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import jaxsched as js

GROUPS = SimpleNamespace(param_groups=[{"lr": 0.1}])


def stand_in(module: str, name: str, base: tuple[type, ...] = (), **attributes: Any) -> Any:
    thing = type(name, base, {"__module__": module})()
    vars(thing).update(attributes)
    return thing


TIMM = {"optimizer": GROUPS, "base_values": [0.1], "warmup_t": 0, "warmup_prefix": True}
WINDOW = {"begin": 0, "end": 10**9, "last_step": 0, "_global_step": 0, "by_epoch": True}
MMENGINE = {"optimizer": GROUPS, "param_name": "lr", **WINDOW}


@pytest.mark.parametrize(
    ("importer", "package"),
    [
        (js.from_timm, "timm"),
        (js.from_mmengine, "mmengine"),
        (lambda s: js.from_fvcore(s, 10), "fvcore"),
        (js.from_ignite, "ignite"),
        (js.from_paddle, "paddle"),
    ],
)
def test_another_class_is_refused_by_name(importer: Any, package: str):
    for module in ("elsewhere", package):
        with pytest.raises(TypeError, match=rf"`Mine` is none of the classes of {package}"):
            importer(stand_in(module, "Mine"))


def test_a_class_that_redefines_a_method_is_refused():
    base = type(stand_in("timm.scheduler", "StepLRScheduler"))
    mine = type("Mine", (base,), {"_get_lr": lambda self, t: [0.1]})()
    with pytest.raises(TypeError, match="`Mine` redefines `_get_lr`"):
        js.from_timm(mine)


def step(**attributes: Any) -> Any:
    return stand_in("timm.scheduler", "StepLRScheduler", **{**TIMM, **attributes})


def window(**attributes: Any) -> Any:
    attributes = {**MMENGINE, "step_size": 3, "gamma": 0.5, **attributes}
    return stand_in("mmengine.optim", "StepLR", **attributes)


def test_a_cosine_of_epochs_begins_again_beside_a_factor_of_updates():
    constant = window(end=2, by_epoch=False, factor=1.0, total_iters=1)
    constant = stand_in("mmengine.optim", "ConstantLR", **vars(constant))
    cosine = {"T_max": 2, "eta_min": 0.0, "eta_min_ratio": None, "base_values": [0.1]}
    cosine = stand_in("mmengine.optim", "CosineAnnealingLR", **MMENGINE, **cosine)
    rate = js.from_mmengine([constant, cosine], updates_per_epoch=2)
    wanted = [0.1, 0.1, 0.05, 0.05, 0.0, 0.0, 0.05, 0.05, 0.1, 0.1]
    np.testing.assert_allclose(rate(np.arange(10)), wanted, rtol=1e-6, atol=1e-9)


ERRORS = {
    "no attribute": (lambda: js.from_timm(step()), "StepLRScheduler.decay_t"),
    "no length": (lambda: js.from_timm(step(decay_t=0, decay_rate=0.1)), "decay_t"),
    "no such group": (lambda: js.from_timm(step(), group=1), "`group`"),
    "an empty list": (lambda: js.from_mmengine([]), "at least one"),
    "a last step of another window": (lambda: js.from_mmengine(window(last_step=4)), "last_step"),
    "two parameters": (
        lambda: js.from_mmengine([window(), window(param_name="momentum")]),
        "one parameter",
    ),
    "no gamma": (lambda: js.from_mmengine(window(gamma=0)), "StepLR.gamma"),
    "no updates": (
        lambda: js.from_fvcore(stand_in("fvcore", "ConstantParamScheduler", _value=1.0), 0),
        "num_updates",
    ),
    "no value": (
        lambda: js.from_fvcore(stand_in("fvcore", "ConstantParamScheduler"), 9),
        "ConstantParamScheduler._value",
    ),
    "a function that JAX cannot trace": (
        lambda: js.from_ignite(
            stand_in(
                "ignite", "LambdaStateScheduler", event_index=0, lambda_obj=lambda e: range(e)[0]
            )
        ),
        "pass `steps=`",
    ),
    "a group that is not scheduled": (
        lambda: js.from_ignite(
            stand_in("ignite", "PiecewiseLinear", optimizer=GROUPS, param_group_index=1)
        ),
        "`group`",
    ),
    "factors without steps": (
        lambda: js.from_paddle(
            stand_in(
                "paddle",
                "MultiplicativeDecay",
                base_lr=1.0,
                last_lr=1.0,
                last_epoch=0,
                lr_lambda=abs,
            )
        ),
        "pass `steps=`",
    ),
    "a rate changed by hand": (
        lambda: js.from_paddle(
            stand_in(
                "paddle", "ExponentialDecay", base_lr=1.0, last_lr=0.7, last_epoch=0, gamma=0.5
            )
        ),
        r"0\.7, but",
    ),
}


@pytest.mark.parametrize("name", ERRORS)
def test_what_is_impossible_raises_and_names_it(name: str):
    make, message = ERRORS[name]
    with pytest.raises(ValueError, match=message):
        make()
