"""`from_torch` of live schedulers, at every one of some thousand steps."""

import json
import math
import warnings
from functools import reduce
from typing import Any

import jax
import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

import jaxsched as js
from tests.oracles.measure import agree
from tests.oracles.torch_cases import (
    LEAVES,
    MULTIPLICATIVE,
    SAMPLES,
    STRATEGIES,
    TABULATED,
    build,
    optimizer_of,
    plateau_rates,
    rates_of,
)

STEPS = 3000
drawn = settings(
    max_examples=5,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
)


def made(case: Any, *rates: float) -> Any:
    """A live scheduler; PyTorch's own divisions by 0 are not of interest."""
    try:
        return build(torch, optimizer_of(torch, *rates), json.loads(json.dumps(case)))
    except ZeroDivisionError:
        assume(False)


def compare(
    scheduler: Any, group: int = 0, steps: int = STEPS, tabulated: int | None = None
) -> None:
    """The schedule now against the rates from now on."""
    schedule = js.from_torch(scheduler, group=group, steps=tabulated)
    wanted = rates_of(scheduler, steps, group)
    agree(schedule(np.arange(len(wanted))), wanted)


@pytest.mark.parametrize("name", STRATEGIES)
@drawn
@given(data=st.data())
def test_every_step_is_that_of_the_live_scheduler(name: str, data: st.DataObject):
    case = data.draw(STRATEGIES[name])
    group = data.draw(st.integers(0, 1))
    done = data.draw(st.one_of(st.just(0), st.integers(0, 2000)))
    scheduler = made(case, 0.1, data.draw(st.sampled_from([1e-3, 0.5])))
    rates_of(scheduler, done)
    compare(scheduler, group, tabulated=TABULATED)


@pytest.mark.parametrize("name", sorted(LEAVES.keys() - {"LambdaLR", "MultiplicativeLR"}))
@drawn
@given(data=st.data())
def test_no_class_of_its_own_needs_steps(name: str, data: st.DataObject):
    compare(made(data.draw(LEAVES[name]), 0.1))


@pytest.mark.parametrize("name", sorted(MULTIPLICATIVE.keys() - {"MultiplicativeLR"}))
@drawn
@given(data=st.data())
def test_a_rate_changed_by_hand_is_multiplied_on(name: str, data: st.DataObject):
    scheduler = made(data.draw(MULTIPLICATIVE[name]), 0.1)
    rates_of(scheduler, data.draw(st.integers(1, 50)))
    scheduler.optimizer.param_groups[0]["lr"] *= 0.3
    compare(scheduler)


@pytest.mark.parametrize("case", [case for case, _ in SAMPLES], ids=lambda case: case[0])
def test_any_rate_changed_by_hand_is_followed_with_steps(case: Any):
    scheduler = made(case, 0.1)
    rates_of(scheduler, 20)
    scheduler.optimizer.param_groups[0]["lr"] *= 0.3
    compare(scheduler, tabulated=STEPS)


def test_a_changed_rate_that_has_no_formula_raises():
    scheduler = made(("CosineAnnealingLR", {"T_max": 50}), 0.1)
    rates_of(scheduler, 10)
    scheduler.optimizer.param_groups[0]["lr"] = 0.07
    with pytest.raises(ValueError, match=r"0\.07, but .* 0\.09045085.*pass `steps=`"):
        js.from_torch(scheduler)


def test_a_long_run():
    """Where float32 counts would have lost the step."""
    cosine = ("CosineAnnealingLR", {"T_max": 10**5, "eta_min": 1e-6})
    sequence = {"schedulers": [("LinearLR", {"total_iters": 5000}), cosine], "milestones": [5000]}
    for case in (
        ("SequentialLR", sequence),
        ("ExponentialLR", {"gamma": 0.9999}),
        (
            "SequentialLR",
            {
                "schedulers": [("ExponentialLR", {"gamma": 1 - 1e-5 * n}) for n in (1, 3, 2)],
                "milestones": [30_000, 60_000],
            },
        ),
        ("PolynomialLR", {"total_iters": 123_457, "power": 0.9}),
        ("OneCycleLR", {"max_lr": 0.1, "total_steps": 123_457}),
        ("OneCycleLR", {"max_lr": 0.1, "total_steps": 99_999, "anneal_strategy": "linear"}),
        ("CosineAnnealingWarmRestarts", {"T_0": 3, "T_mult": 2}),
    ):
        compare(made(case, 0.1), steps=130_000)


def test_subclasses_that_redefine_nothing_are_read():
    class Mine(torch.optim.lr_scheduler.StepLR):
        pass

    compare(Mine(optimizer_of(torch, 0.1), 10))


def test_tensor_rates_are_read():
    optimizer = optimizer_of(torch, 0.1)
    optimizer.param_groups[0]["lr"] = torch.tensor(0.1, dtype=torch.float64)
    with warnings.catch_warnings(action="ignore"):
        compare(torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 100))


def test_functions_that_jax_can_trace_need_no_steps():
    compare(made(("LambdaLR", {"lr_lambda": "halved every 30"}), 0.1), steps=1000)


# What is meant.


def alone(case: Any, steps: int) -> list[float]:
    return rates_of(made(case, 0.1), steps)


def meant(case: Any, steps: int = STEPS) -> Any:
    schedule = js.from_torch(made(case, 0.1), faithful=False, steps=steps)
    return schedule(np.arange(steps + 1))


def test_a_cosine_is_meant_to_stay_at_its_end():
    case = ("CosineAnnealingLR", {"T_max": 100, "eta_min": 0.01})
    agree(meant(case, 300), [*alone(case, 100), *[0.01] * 200])


@pytest.mark.parametrize("strategy", ["cos", "linear"])
def test_one_cycle_is_meant_to_stay_at_its_end(strategy: str):
    case = ("OneCycleLR", {"max_lr": 1.0, "total_steps": 50, "anneal_strategy": strategy})
    wanted = alone(case, 49)
    agree(meant(case, 99), [*wanted, *[wanted[-1]] * 50])


@drawn
@given(members=st.lists(st.one_of(*MULTIPLICATIVE.values()), min_size=1, max_size=3))
def test_a_chain_is_meant_to_be_a_product(members: list[Any]):
    members = [*members, ("CosineAnnealingLR", {"T_max": STEPS, "eta_min": 0.001})]
    factors = (np.array(alone(member, STEPS)) / 0.1 for member in members)
    wanted = 0.1 * reduce(np.multiply, factors)
    agree(meant(("ChainedScheduler", {"schedulers": members}), steps=STEPS), wanted)


def test_sequences_in_sequences_are_meant_to_begin_at_their_step_0():
    inner = [("ExponentialLR", {"gamma": 0.9}), ("CosineAnnealingLR", {"T_max": 20})]
    sequence = ("SequentialLR", {"schedulers": inner, "milestones": [30]})
    outer = {"schedulers": [sequence, ("PolynomialLR", {"total_iters": 9})], "milestones": [50]}
    decay, cosine, line = (alone(case, 100) for case in (*inner, outer["schedulers"][1]))
    wanted = [*decay[:30], *cosine[:20], *line[:50]]
    agree(meant(("SequentialLR", outer), 99), wanted)
    # As a later member, where PyTorch raises.
    scheduler = made(("SequentialLR", {**outer, "schedulers": outer["schedulers"][::-1]}), 0.1)
    with pytest.raises(ValueError, match="PyTorch raises at step 50"):
        js.from_torch(scheduler)
    found = js.from_torch(scheduler, faithful=False)(np.arange(101))
    agree(found, [*line[:50], *decay[:30], *cosine[:21]])


# On a metric.

values = st.floats(0.1, 10.0).map(lambda x: round(x, 2))
metrics = st.lists(st.one_of(values, values, values, st.just(math.nan)), min_size=1, max_size=80)
plateaus = st.fixed_dictionaries(
    {
        "mode": st.sampled_from(["min", "max"]),
        "factor": st.sampled_from([0.1, 0.5, 0.9]),
        "patience": st.integers(0, 4),
        "threshold": st.sampled_from([0.0, 1e-4, 0.0303, 0.5071]),
        "threshold_mode": st.sampled_from(["rel", "abs"]),
        "cooldown": st.integers(0, 3),
        "min_lr": st.sampled_from([0.0, 1e-3, 0.02, 1.0]),
        "eps": st.sampled_from([0.0, 1e-8, 0.005]),
    }
)
run = jax.jit(
    lambda controller, metrics: jax.lax.scan(
        lambda state, value: controller.advance(state, value=value)[::-1],
        controller.init(),
        metrics,
    )[1]
)


@settings(drawn, max_examples=40)
@given(arguments=plateaus, metrics=metrics, before=st.lists(values, max_size=10))
def test_a_plateau_lowers_the_rate_at_the_same_observations(
    arguments: dict[str, Any], metrics: list[float], before: list[float]
):
    scheduler = made(("ReduceLROnPlateau", arguments), 0.1)
    rate = plateau_rates(scheduler, before)[-1]
    found = run(js.from_torch(scheduler), np.array(metrics, np.float32))
    scheduler._reset()
    assert scheduler.optimizer.param_groups[0]["lr"] == rate
    agree(found, plateau_rates(scheduler, metrics)[1:])


# Back.


def test_to_torch_has_the_same_rates_to_the_bit():
    schedule = js.warmup_cosine_decay_schedule(0.0, 0.1, 10, 300, 1e-4)
    optimizer = optimizer_of(torch, 0.5, 0.2)
    scheduler = js.to_torch(schedule, optimizer)
    for group in (0, 1):
        assert optimizer.param_groups[group]["lr"] == 0.0
    assert rates_of(scheduler, 400, 1) == np.asarray(schedule(np.arange(401)), float).tolist()
    assert js.to_torch(0.25, optimizer).get_last_lr() == [0.25, 0.25]


def test_to_torch_refuses_a_controller():
    with pytest.raises(TypeError, match="stateful"):
        js.to_torch(js.reduce_on(js.plateau(), 0.1), optimizer_of(torch, 0.1))


@pytest.mark.parametrize("anneal_epochs", [0, 1, 5])
def test_an_average_after_a_milestone_is_replayed_at_its_step(anneal_epochs: int):
    members = [
        ("CosineAnnealingLR", {"T_max": 3, "eta_min": 0.01}),
        ("CosineAnnealingLR", {"T_max": 4}),
    ]
    chain = ("ChainedScheduler", {"schedulers": members})
    average = ("SWALR", {"swa_lr": 0.03, "anneal_epochs": anneal_epochs})
    case = ("SequentialLR", {"schedulers": [chain, average], "milestones": [3]})
    for done in range(5):
        scheduler = made(case, 0.1)
        rates_of(scheduler, done)
        compare(scheduler, steps=20, tabulated=20)


FRACTIONAL = {
    "CosineAnnealingLR": lambda steps: {"T_max": steps, "eta_min": 0.01},
    "LinearLR": lambda steps: {"start_factor": 0.1, "total_iters": steps},
    "PolynomialLR": lambda steps: {"total_iters": steps, "power": 2.0},
    "ConstantLR": lambda steps: {"factor": 0.3, "total_iters": steps},
    "StepLR": lambda steps: {"step_size": steps, "gamma": 0.9},
    "CyclicLR": lambda steps: {
        "base_lr": 0.1,
        "max_lr": 0.4,
        "step_size_up": steps,
        "cycle_momentum": False,
    },
}


@pytest.mark.parametrize("name", FRACTIONAL)
@pytest.mark.parametrize("steps", [0.5, 0.75, 2.5, 12.5, 99.9])
def test_lengths_between_two_steps(name: str, steps: float):
    case = (name, FRACTIONAL[name](steps))
    after = ("SequentialLR", {"schedulers": [("ConstantLR", {}), case], "milestones": [7]})
    before = ("SequentialLR", {"schedulers": [case, ("ExponentialLR", {"gamma": 0.9})]})
    before[1]["milestones"] = [30]
    for one in (case, after, before):
        for done in (0, 8):
            scheduler = made(one, 0.1, 0.3)
            rates_of(scheduler, done)
            compare(scheduler, group=done % 2, steps=600)


class Own(torch.optim.lr_scheduler.LRScheduler):
    """A scheduler of a user's own."""

    def get_lr(self):
        """A harmonic decay."""
        return [base / (1 + self.last_epoch) for base in self.base_lrs]


def test_a_class_of_ones_own_is_stepped_as_a_copy():
    for rate in (0.1, torch.tensor(0.1)):
        optimizer = optimizer_of(torch, 0.1, 0.3)
        optimizer.param_groups[0]["lr"] = rate
        own = Own(optimizer)
        steps = torch.optim.lr_scheduler.SequentialLR(
            optimizer, [Own(optimizer), torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.9)], [9]
        )
        for scheduler in (own, steps):
            for done in (0, 3):
                rates_of(scheduler, done)
                kept = [float(group["lr"]) for group in optimizer.param_groups]
                rates = js.from_torch(scheduler, steps=50)(np.arange(51))
                assert [float(group["lr"]) for group in optimizer.param_groups] == kept
                agree(rates, rates_of(scheduler, 50))


@drawn
@given(data=st.data())
def test_a_plateau_in_mid_run_goes_on_with_its_state(data: st.DataObject):
    arguments = {
        "factor": 0.5,
        "patience": data.draw(st.integers(0, 5)),
        "cooldown": data.draw(st.integers(0, 5)),
    }
    metrics = data.draw(st.lists(st.sampled_from([0.5, 1.0, 2.0, 3.0]), min_size=60, max_size=60))
    done = data.draw(st.integers(0, 40))
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer_of(torch, 0.1), **arguments)
    for metric in metrics[:done]:
        scheduler.step(metric)
    controller, state = js.from_torch(scheduler), js.state_from_torch(scheduler)
    found = []
    for metric in metrics[done:]:
        rate, state = controller.advance(state, value=metric)
        found.append(float(rate))
    agree(found, plateau_rates(scheduler, metrics[done:])[1:])
