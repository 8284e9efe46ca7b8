"""What cannot be read from a PyTorch scheduler, with stand-ins for the real classes."""

import math
import re
import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import jaxsched as js
from jaxsched.interop.torch import importer as interop

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
        (
            scheduler(
                "CosineAnnealingWarmRestarts", T_0=9.5, T_mult=1, eta_min=0.0, T_i=9, T_cur=0
            ),
            "T_0` must be a whole number",
        ),
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
        js.from_torch(made, steps=1.5)


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


def rates(made: Any, count: int = 12, **arguments: Any) -> np.ndarray:
    return np.asarray(js.from_torch(made, **arguments)(np.arange(count)), float)


def test_lengths_between_two_steps():
    steps = np.arange(12)
    cosine = (1 + np.cos(np.pi * steps / 2.5)) / 2
    for made, wanted in (
        (scheduler("CosineAnnealingLR", T_max=2.5, eta_min=0.0), cosine),
        (scheduler("StepLR", step_size=2.5, gamma=0.5), 0.5 ** (steps // 5)),
        (
            scheduler("LinearLR", total_iters=2.5, start_factor=0.1, end_factor=1.0),
            0.1 + 0.9 * np.minimum(steps, 2) / 2.5,
        ),
        (
            scheduler("PolynomialLR", total_iters=10.5, power=2.0),
            (1 - np.minimum(steps, 10) / 10.5) ** 2,
        ),
        (scheduler("ConstantLR", total_iters=2.5, factor=0.5), 0.5 + 0 * steps),
        (
            scheduler(
                "CyclicLR",
                total_size=5.0,
                step_ratio=0.5,
                max_lrs=[2.0],
                mode="triangular",
            ),
            1 + np.interp(steps % 5, [0, 2.5, 5], [0, 1, 0]),
        ),
    ):
        made.optimizer.param_groups[0]["lr"] = wanted[0]
        made._scale_fn_custom = None
        np.testing.assert_allclose(rates(made), wanted, rtol=2e-6, atol=1e-7)


@pytest.mark.parametrize("curve", ["cos", "linear"])
def test_one_cycle_as_older_versions_keep_it(curve: str):
    group = {"lr": 0.1, "initial_lr": 0.1, "max_lr": 1.0, "min_lr": 0.001}
    optimizer = SimpleNamespace(param_groups=[group])
    given = {"optimizer": optimizer, "total_steps": 11, "base_lrs": [0.1]}
    function = type(f"_annealing_{curve}", (), {})
    phases = [
        {"end_step": 2.3, "start_lr": "initial_lr", "end_lr": "max_lr"},
        {"end_step": 10, "start_lr": "max_lr", "end_lr": "min_lr"},
    ]
    new = scheduler("OneCycleLR", **given, _schedule_phases=phases, _anneal_func_type=curve)
    old = scheduler("OneCycleLR", **given, _schedule_phases=phases, anneal_func=function)
    sizes = {"step_size_up": 2.3, "step_size_down": 7.7}
    oldest = scheduler("OneCycleLR", **given, **sizes, anneal_func=function)
    shares = np.interp(np.arange(11), [0, 2.3, 10], [0, 1, 2])
    if curve == "cos":
        shares = np.floor(shares) + (1 - np.cos(np.pi * (shares % 1))) / 2
    wanted = np.interp(shares, [0, 1, 2], [0.1, 1.0, 0.001])
    for made in (new, old, oldest):
        np.testing.assert_allclose(rates(made, 11), wanted, rtol=2e-6, atol=1e-8)


def test_a_plateau_that_brings_the_rate_to_its_floor_at_once():
    given = dict(mode="min", patience=0, threshold=0.0, threshold_mode="rel", cooldown=0, eps=1e-8)
    for least in (0.0, 0.25):
        made = scheduler("ReduceLROnPlateau", factor=0.0, min_lrs=[least], **given)
        controller = js.from_torch(made)
        state = controller.init()
        for value in (1.0, 2.0, 3.0):
            state = controller.update(state, value=value)
        assert float(controller(state)) == pytest.approx(least, abs=1e-37)


def lowered(
    rate: float, metrics: list[float], patience: int, cooldown: int, state: list[float]
) -> list[float]:
    """PyTorch's rule for "min" and "abs", step by step, on [best, bad, cooling]."""
    rates = []
    for metric in metrics:
        if metric < state[0]:
            state[0], state[1] = metric, 0
        else:
            state[1] += 1
        if state[2] > 0:
            state[2], state[1] = state[2] - 1, 0
        if state[1] > patience:
            rate, state[2], state[1] = rate * 0.5, cooldown, 0
        rates.append(rate)
    return rates


@pytest.mark.parametrize("done", [0, 1, 4, 7, 8, 13, 20])
def test_the_state_of_a_plateau_in_mid_run(done: int):
    metrics = [3.0, 2.0, 2.5, 2.5, 2.5, 1.0, 1.5, 1.5, 1.5, 1.5, 1.5, 0.5, *[0.7] * 20]
    state = [math.inf, 0, 0]
    before = lowered(1.0, metrics[:done], 2, 3, state)
    made = scheduler(
        "ReduceLROnPlateau", mode="min", factor=0.5, patience=2, threshold=0.0, min_lrs=[0.0],
        threshold_mode="abs", cooldown=3, eps=0.0, best=state[0], num_bad_epochs=int(state[1]),
        cooldown_counter=int(state[2]),
    )  # fmt: skip
    rate = made.optimizer.param_groups[0]["lr"] = before[-1] if before else 1.0
    controller, found = js.from_torch(made), []
    now = js.state_from_torch(made)
    for metric in metrics[done:]:
        value, now = controller.advance(now, value=metric)
        found.append(float(value))
    np.testing.assert_allclose(found, lowered(rate, metrics[done:], 2, 3, state), rtol=1e-6)


def test_only_a_plateau_has_a_state():
    with pytest.raises(TypeError, match="A `ExponentialLR` has no state but its step"):
        js.state_from_torch(scheduler("ExponentialLR", gamma=0.5))


class Mine(type(scheduler("LRScheduler"))):
    """A scheduler of a user's own, which reads and sets the optimizer."""

    def step(self) -> None:
        self.last_epoch += 1
        for base, group in zip(self.base_lrs, self.optimizer.param_groups, strict=True):
            group["lr"] = base / (1 + self.last_epoch)


def test_a_class_of_ones_own_is_stepped_as_a_copy():
    made = Mine()
    parameters = [object()]
    groups = [{"lr": 1.0, "params": parameters}, {"lr": 0.5, "params": []}]
    made.optimizer = SimpleNamespace(param_groups=groups)
    made.base_lrs, made.last_epoch = [1.0, 0.5], 0
    np.testing.assert_allclose(rates(made, 6, steps=4), [1, 1 / 2, 1 / 3, 1 / 4, 1 / 5, 1 / 5])
    np.testing.assert_allclose(rates(made, 2, steps=4, group=1), [0.5, 0.25])
    assert groups == [{"lr": 1.0, "params": parameters}, {"lr": 0.5, "params": []}]
    assert made.last_epoch == 0
    assert made.optimizer.param_groups is groups
    with pytest.raises(TypeError, match="`Mine` is none of the classes of torch"):
        js.from_torch(made)


def test_to_torch_says_what_it_needs(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "torch.optim.lr_scheduler", None)
    with pytest.raises(ImportError, match="`to_torch` needs PyTorch"):
        interop.to_torch(0.1, SimpleNamespace(param_groups=[]))
