"""What cannot be read from a PyTorch scheduler, with stand-ins for the real classes."""

import re
import sys
from types import SimpleNamespace
from typing import Any

import pytest

import jaxsched as js
from jaxsched.interop import torch as interop

MODULE = {"__module__": "torch.optim.lr_scheduler"}


def scheduler(name: str, bases: tuple[type, ...] = (), **attributes: Any) -> Any:
    """A stand-in for one that has just been made."""
    groups = [{"lr": 1.0, "initial_lr": 1.0}]
    attributes = {
        "optimizer": SimpleNamespace(param_groups=groups),
        "base_lrs": [1.0],
        "last_epoch": 0,
        **attributes,
    }
    made = type(name, bases, MODULE)()
    vars(made).update({k: v for k, v in attributes.items() if v is not None})
    return made


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (scheduler("CosineAnnealingLR", T_max=0, eta_min=0.0), "`CosineAnnealingLR.T_max` must be"),
        (scheduler("CosineAnnealingLR", T_max=9.5, eta_min=0.0), "T_max` must be a whole number"),
        (scheduler("CosineAnnealingLR", T_max=9), "`CosineAnnealingLR.eta_min` is missing."),
        (scheduler("StepLR", step_size=-1, gamma=0.1), "`StepLR.step_size` must be positive"),
        (scheduler("StepLR", step_size=1, gamma=-0.1), "`StepLR.gamma` must be at least 0"),
        (scheduler("StepLR", step_size=1, gamma=0.1, base_lrs=[]), "`StepLR.base_lrs[0]` is miss"),
        (scheduler("MultiStepLR", gamma=0.1), "`MultiStepLR.milestones` is missing."),
        (scheduler("ExponentialLR", gamma=0.1, optimizer=None), "optimizer` is missing."),
        (
            scheduler(
                "SequentialLR", _schedulers=[scheduler("ExponentialLR", gamma=1)], _milestones=[3]
            ),
            "`SequentialLR._milestones` must be one fewer",
        ),
        (scheduler("ChainedScheduler", _schedulers=[]), "`ChainedScheduler._schedulers` must be"),
        (scheduler("LambdaLR", lr_lambdas=["x"]), "`LambdaLR.lr_lambdas[0]` must be a function"),
        (
            scheduler("LambdaLR", lr_lambdas=[lambda step: 1.0 if step < 3 else 0.5]),
            "no formula for `LambdaLR.lr_lambdas`: pass `steps=`",
        ),
        (
            scheduler("MultiplicativeLR", lr_lambdas=[lambda step: 0.5]),
            "no formula for `MultiplicativeLR.lr_lambdas`: pass `steps=`",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_it_cannot_have_raises(made: Any, message: str):
    with pytest.raises(ValueError, match=re.escape(message)):
        js.from_torch(made)


def test_other_classes_are_refused():
    with pytest.raises(TypeError, match=r"`object` is none of the classes of torch .*StepLR"):
        js.from_torch(object())
    alike = type("StepLR", (), {"__module__": "elsewhere"})()
    with pytest.raises(TypeError, match="`StepLR` is none of the classes of torch"):
        js.from_torch(alike)


def test_a_derived_class_may_not_redefine_its_rates():
    base = type(scheduler("ExponentialLR"))
    assert js.from_torch(scheduler("Mine", (base,), gamma=0.5))(1) == 0.5
    redefining = type("Redefining", (base,), {"get_lr": lambda self: [0.1]})
    with pytest.raises(TypeError, match="`Redefining` redefines `get_lr` of torch's `Exponent"):
        js.from_torch(redefining())


def test_groups_and_steps_are_checked():
    made = scheduler("ExponentialLR", gamma=0.5)
    with pytest.raises(ValueError, match="`group` must be below 1"):
        js.from_torch(made, group=1)
    with pytest.raises(ValueError, match="`steps` must be a whole number"):
        js.from_torch(made, steps=1.5)  # pyright: ignore[reportArgumentType]


def test_members_at_different_steps_are_tabulated():
    members = [scheduler("ExponentialLR", gamma=0.5, last_epoch=n) for n in (0, 1)]
    chain = scheduler("ChainedScheduler", _schedulers=members)
    with pytest.raises(ValueError, match=r"stand at different steps, \[0, 1\]: pass `steps=`"):
        js.from_torch(chain)
    assert list(map(float, map(js.from_torch(chain, steps=2), range(4)))) == [
        1,
        0.25,
        0.0625,
        0.0625,
    ]


def test_to_torch_says_what_it_needs(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "torch.optim.lr_scheduler", None)
    with pytest.raises(ImportError, match="`to_torch` needs PyTorch"):
        interop.to_torch(0.1, SimpleNamespace(param_groups=[]))
