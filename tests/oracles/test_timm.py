"""`from_timm` of live schedulers, at every one of some thousand steps."""

import math
import warnings
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import jaxsched as js
from tests.oracles.measure import agree, answers
from tests.oracles.timm_cases import (
    SAMPLES,
    STRATEGIES,
    build,
    package,
    plateau_rates,
    rates_of,
)
from tests.oracles.torch_cases import optimizer_of

STEPS = 3000
drawn = settings(
    max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)


def compare(scheduler: Any, group: int = 0, steps: int = STEPS) -> None:
    """The schedule against the rates of every step."""
    schedule = js.from_timm(scheduler, group=group)
    wanted = np.array(rates_of(scheduler, steps, group))
    agree(np.asarray(schedule(np.arange(len(wanted))), float), wanted)


@pytest.mark.parametrize("name", STRATEGIES)
@drawn
@given(data=st.data())
def test_every_step_is_that_of_the_live_scheduler(name: str, data: st.DataObject):
    case = data.draw(STRATEGIES[name])
    scale = data.draw(st.sampled_from([None, 0.65]))
    group = data.draw(st.integers(0, 1))
    try:
        scheduler = build(case, 0.1, 0.03, scale=scale)
    except ValueError:  # Where the warm-up ends after cycles that shrink have come to an end.
        assume(False)
    compare(scheduler, group)


@pytest.mark.parametrize("mult", [1.1, 1.3, 2.7, 0.9])
@pytest.mark.parametrize("name", ["CosineLRScheduler", "PolyLRScheduler", "TanhLRScheduler"])
def test_cycles_of_no_whole_length_begin_where_timms_do(name: str, mult: float):
    arguments = {"t_initial": 100, "cycle_mul": mult, "cycle_limit": 8, "cycle_decay": 0.9}
    compare(build((name, arguments), 0.1))


def test_cycles_that_timm_begins_late_do_so():
    """The logarithm to base 5 of 125 is a little less than 3."""
    late = 0
    for mult in (2.0, 3.0, 5.0, 6.0, 7.0, 10.0):
        arguments = {"t_initial": 10, "cycle_mul": mult, "cycle_limit": 9}
        scheduler = build(("TanhLRScheduler", arguments), 0.1)
        compare(scheduler)
        exact = js.from_timm(scheduler, faithful=False)
        begins = [round(10 * (mult**i - 1) / (mult - 1)) for i in range(1, 9)]
        begins = np.array([step for step in begins if step <= STEPS])
        assert np.all(exact(begins) > 0.0999)
        late += np.sum(js.from_timm(scheduler)(begins) < 0.05)
    assert late > 0


@pytest.mark.parametrize("sched", ["cosine", "tanh", "step", "multistep", "poly", "wsd", "rsqrt"])
@pytest.mark.parametrize("on_epochs", [True, False])
def test_what_the_factory_makes_is_read(sched: str, on_epochs: bool):
    scheduler, _ = package().create_scheduler_v2(
        optimizer_of(torch, 0.1),
        sched=sched,
        num_epochs=90,
        decay_epochs=20,
        decay_milestones=[30, 60],
        warmup_epochs=5,
        cycle_limit=2,
        cycle_mul=1.5,
        step_on_epochs=on_epochs,
        updates_per_epoch=12,
    )
    compare(scheduler, steps=2000)


def test_updates_are_counted_with_their_number_in_an_epoch():
    scheduler = build(SAMPLES[0], 0.1)
    found = js.from_timm(scheduler, updates_per_epoch=7)(np.arange(7 * 300))
    agree(found, np.repeat(rates_of(scheduler, 299), 7))
    with pytest.raises(ValueError, match="counts updates"):
        js.from_timm(build(SAMPLES[1], 0.1), updates_per_epoch=7)


def test_milestones_are_meant_to_be_where_they_are():
    scheduler = build(("MultiStepLRScheduler", {"decay_t": [3, 6], "decay_rate": 0.1}), 1.0)
    agree(js.from_timm(scheduler)(np.arange(8)), [1, 1, 0.1, 0.1, 0.1, 0.01, 0.01, 0.01])
    meant = js.from_timm(scheduler, faithful=False)
    agree(meant(np.arange(8)), [1, 1, 1, 0.1, 0.1, 0.1, 0.01, 0.01])


@pytest.mark.parametrize("where", [[20, 60], 50])
def test_noise_is_where_timms_is_and_as_large(where: Any):
    quiet = ("CosineLRScheduler", {"t_initial": 4000})
    noisy = (quiet[0], {**quiet[1], "noise_range_t": where, "noise_pct": 0.5, "noise_std": 0.4})
    line = np.array(rates_of(build(quiet, 0.1), 3000))
    theirs = np.array(rates_of(build(noisy, 0.1), 3000)) / line - 1
    ours = np.asarray(js.from_timm(build(noisy, 0.1))(np.arange(3001)), float) / line - 1
    quiet_steps = np.abs(theirs) < 1e-9
    assert np.array_equal(quiet_steps, np.abs(ours) < 1e-5)
    assert np.abs(ours).max() <= 0.5 + 1e-6
    if where == 50:
        levels = [0.1, 0.25, 0.5, 0.75, 0.9]
        difference = np.quantile(ours[50:], levels) - np.quantile(theirs[50:], levels)
        assert np.abs(difference).max() < 0.04


values = st.floats(0.1, 10.0).map(lambda x: round(x, 2))
metrics = st.lists(st.one_of(values, values, st.just(math.nan)), min_size=1, max_size=60)
plateaus = st.fixed_dictionaries(
    {
        "mode": st.sampled_from(["min", "max"]),
        "decay_rate": st.sampled_from([0.1, 0.5, 0.9]),
        "patience_t": st.integers(0, 4),
        "threshold": st.sampled_from([0.0, 1e-4, 0.0303]),
        "cooldown_t": st.integers(0, 3),
        "lr_min": st.sampled_from([0.0, 1e-3, 0.02]),
    }
)


@drawn
@given(arguments=plateaus, metrics=metrics)
def test_a_plateau_lowers_the_rate_at_the_same_epochs(
    arguments: dict[str, Any], metrics: list[float]
):
    with warnings.catch_warnings(action="ignore"):
        scheduler = build(("PlateauLRScheduler", arguments), 0.1)
    found = answers(js.from_timm(scheduler), metrics)
    agree(found, plateau_rates(scheduler, metrics))
