"""`from_mmengine` of live schedulers, at every one of some thousand steps."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import jaxsched as js
from tests.oracles.measure import agree, answers
from tests.oracles.mmengine_cases import (
    COSINE,
    FACTORS,
    LEAVES,
    SAMPLES,
    WARMUP,
    build,
    plateau_rates,
    rates_of,
)

STEPS = 2500
drawn = settings(
    max_examples=8, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)


def compare(schedulers: list[Any], group: int = 0, **arguments: Any) -> None:
    """The schedule now against the values from now on."""
    schedule = js.from_mmengine(schedulers, group=group, **arguments)
    wanted = rates_of(schedulers, STEPS, group, arguments.get("updates_per_epoch", 1))
    agree(schedule(np.arange(len(wanted))), wanted)


def windowed(data: st.DataObject, kind: str, arguments: dict[str, Any], suffix: str = "LR") -> Any:
    begin = data.draw(st.one_of(st.just(0), st.integers(0, 300)))
    end = begin + data.draw(st.one_of(st.integers(1, 20), st.integers(20, 1500)))
    if kind not in ("Linear", "Poly", "Constant") and data.draw(st.booleans()):
        end = 10**9
    return kind + suffix, {**arguments, "begin": begin, "end": end}


@pytest.mark.parametrize("kind", LEAVES)
@drawn
@given(data=st.data())
def test_every_step_is_that_of_the_live_scheduler(kind: str, data: st.DataObject):
    case = windowed(data, kind, data.draw(LEAVES[kind]))
    schedulers = build([case], 0.1, 0.03)
    rates_of(schedulers, data.draw(st.one_of(st.just(0), st.integers(0, 1500))))
    compare(schedulers, data.draw(st.integers(0, 1)))


@drawn
@given(data=st.data())
def test_several_go_on_from_each_other(data: st.DataObject):
    """Any of them one after the other, which is a formula."""
    cases, begin = [], data.draw(st.integers(0, 20))
    for kind in data.draw(st.lists(st.sampled_from(sorted(LEAVES)), min_size=2, max_size=4)):
        length = data.draw(st.integers(1, 600))
        arguments = {**data.draw(LEAVES[kind]), "begin": begin, "end": begin + length}
        if kind != "OneCycle" or not cases:
            cases.append((kind + "LR", arguments))
            begin += length + data.draw(st.integers(0, 50))
    schedulers = build(cases, 0.1)
    rates_of(schedulers, data.draw(st.one_of(st.just(0), st.integers(0, 1500))))
    compare(schedulers)


@drawn
@given(data=st.data())
def test_factors_multiply_wherever_they_overlap(data: st.DataObject):
    kinds = data.draw(st.lists(st.sampled_from(sorted(FACTORS)), min_size=2, max_size=3))
    schedulers = build([windowed(data, kind, data.draw(FACTORS[kind])) for kind in kinds], 0.1)
    rates_of(schedulers, data.draw(st.one_of(st.just(0), st.integers(0, 1500))))
    compare(schedulers)


@drawn
@given(data=st.data())
def test_whatever_has_no_formula_is_tabulated(data: st.DataObject):
    kinds = data.draw(st.lists(st.sampled_from(sorted(LEAVES)), min_size=2, max_size=3))
    kinds = [kind for i, kind in enumerate(kinds) if kind != "OneCycle" or not i]
    schedulers = build([windowed(data, kind, data.draw(LEAVES[kind])) for kind in kinds], 0.1)
    rates_of(schedulers, data.draw(st.integers(0, 500)))
    compare(schedulers, steps=STEPS)


def test_epochs_and_updates_mix():
    decay = ("MultiStepLR", {"milestones": [8, 11], "by_epoch": True, "end": 12})
    warmup = ("LinearLR", {"start_factor": 0.001, "by_epoch": False, "end": 500})
    for done in (0, 37, 1200):
        schedulers = build([warmup, decay], 0.1)
        rates_of(schedulers, done, updates_per_epoch=100)
        compare(schedulers, updates_per_epoch=100)
    with pytest.raises(ValueError, match="pass `updates_per_epoch=`"):
        js.from_mmengine(build([warmup, decay], 0.1))
    cosine = ("CosineAnnealingLR", {"T_max": 20, "by_epoch": True, "eta_min": 0.01})
    with pytest.raises(ValueError, match="pass `steps=`"):
        js.from_mmengine(build([warmup, cosine], 0.1), updates_per_epoch=100)
    compare(build([warmup, cosine], 0.1), updates_per_epoch=100, steps=STEPS)


def test_a_cosine_of_epochs_that_begins_again_beside_factors_of_updates():
    case = [
        ("ConstantLR", {"factor": 1.0, "end": 2, "by_epoch": False}),
        ("CosineAnnealingLR", {"T_max": 2, "by_epoch": True}),
    ]
    found = js.from_mmengine(build(case, 0.1), updates_per_epoch=2)(np.arange(10))
    agree(found, [0.1, 0.1, 0.05, 0.05, 0, 0, 0.05, 0.05, 0.1, 0.1])
    warmup = ("LinearLR", {"start_factor": 0.1, "by_epoch": False, "end": 30})
    cosine = ("CosineAnnealingLR", {"T_max": 9, "by_epoch": True, "begin": 1})
    bounded = ("CosineAnnealingLR", {"T_max": 9, "by_epoch": True, "begin": 3, "end": 40})
    fast = ("CosineAnnealingLR", {"T_max": 50, "by_epoch": False})
    slow = ("ConstantLR", {"factor": 0.5, "end": 3, "by_epoch": True})
    for case in ([warmup, cosine], [cosine, warmup], [warmup, bounded], [slow, fast], [fast, slow]):
        for done in (0, 5, 29, 69, 70, 71, 150, 400):
            schedulers = build(case, 0.1)
            rates_of(schedulers, done, updates_per_epoch=7)
            compare(schedulers, updates_per_epoch=7)
    long = ("LinearLR", {"start_factor": 0.1, "by_epoch": False, "end": 500})
    with pytest.raises(ValueError, match="pass `steps=`"):
        js.from_mmengine(build([long, cosine], 0.1), updates_per_epoch=7)
    compare(build([cosine, long], 0.1), updates_per_epoch=7, steps=STEPS)


def test_epochs_alone_are_held_for_their_updates():
    schedulers = build(SAMPLES[0][0], 0.1)
    found = js.from_mmengine(schedulers, updates_per_epoch=7)(np.arange(7 * 100))
    agree(found, np.repeat(rates_of(schedulers, 99), 7))


def test_a_value_changed_by_hand_is_moved_on():
    for cases, done in SAMPLES:
        if cases[0][0] in ("OneCycleLR", "CosineRestartLR") or cases == SAMPLES[6][0]:
            continue
        schedulers = build(cases, 0.1)
        rates_of(schedulers, done)
        schedulers[0].optimizer.param_groups[0][schedulers[0].param_name] *= 0.7
        compare(schedulers)


def test_what_is_meant_ends():
    schedulers = build([("CosineAnnealingLR", {"T_max": 90, "eta_min": 0.01})], 0.1)
    assert (
        js.from_mmengine(schedulers, faithful=False)(np.array([90, 120])).tolist()
        == [np.float32(0.01)] * 2
    )
    restarts = {"periods": [50, 100], "restart_weights": [1, 0.5], "eta_min": 0.01}
    schedulers = build([("CosineRestartLR", restarts)], 0.1)
    assert js.from_mmengine(schedulers, faithful=False)(150) == np.float32(0.01)
    assert js.from_mmengine(schedulers)(150) > 0.01


def test_the_names_of_the_momentum_and_of_any_parameter():
    momentum = build([("LinearMomentum", {"end": 30})], 0.1)
    compare(momentum)
    decay = build(
        [("ExponentialParamScheduler", {"param_name": "weight_decay", "gamma": 0.9})], 0.1
    )
    decay[0].optimizer.param_groups[0]["weight_decay"] = 0.05
    compare(decay)


def test_an_optimizer_with_the_first_betas_is_read():
    from mmengine.optim import scheduler

    optimizer = torch.optim.Adam([torch.zeros(1, requires_grad=True)])
    compare([scheduler.CosineAnnealingMomentum(optimizer, T_max=50, eta_min=0.5)])


values = st.floats(0.1, 10.0).map(lambda x: round(x, 2))
metrics = st.lists(st.one_of(values, values, st.just(math.nan)), min_size=1, max_size=60)
plateaus = st.fixed_dictionaries(
    {
        "rule": st.sampled_from(["less", "greater"]),
        "factor": st.sampled_from([0.1, 0.5, 0.9]),
        "patience": st.integers(0, 4),
        "threshold": st.sampled_from([0.0, 1e-4, 0.0303]),
        "threshold_rule": st.sampled_from(["rel", "abs"]),
        "cooldown": st.integers(0, 3),
        "min_value": st.sampled_from([0.0, 1e-3, 0.02]),
        "eps": st.sampled_from([1e-8, 0.005]),
    }
)


@drawn
@given(arguments=plateaus, metrics=metrics)
def test_a_plateau_lowers_the_rate_at_the_same_observations(
    arguments: dict[str, Any], metrics: list[float]
):
    schedulers = build([("ReduceOnPlateauLR", arguments)], 0.1)
    agree(answers(js.from_mmengine(schedulers), metrics), plateau_rates(schedulers[0], metrics))


def test_schedulers_that_do_not_belong_together_raise():
    with pytest.raises(ValueError, match="one parameter"):
        js.from_mmengine(build([WARMUP, ("LinearMomentum", {"end": 9})], 0.1))
    schedulers = build([WARMUP, COSINE], 0.1)
    schedulers[0].step()
    with pytest.raises(ValueError, match="one step"):
        js.from_mmengine(schedulers)
