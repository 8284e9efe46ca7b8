"""`from_paddle` of live schedulers, at every one of some thousand steps."""

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import jaxsched as js
from tests.oracles.measure import agree, answers
from tests.oracles.paddle_cases import (
    SAMPLES,
    STRATEGIES,
    TABULATED,
    build,
    plateau_rates,
    rates_of,
)

drawn = settings(
    max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)


def compare(scheduler: Any, **arguments: Any) -> None:
    """The schedule now against the rates from now on."""
    schedule = js.from_paddle(scheduler, **arguments)
    wanted = rates_of(scheduler, TABULATED)
    agree(schedule(np.arange(len(wanted))), wanted)


@pytest.mark.parametrize("name", STRATEGIES)
@drawn
@given(data=st.data())
def test_every_step_is_that_of_the_live_scheduler(name: str, data: st.DataObject):
    scheduler = build(json.loads(json.dumps(data.draw(STRATEGIES[name]))))
    rates_of(scheduler, data.draw(st.one_of(st.just(0), st.integers(0, 1500))))
    compare(scheduler, steps=TABULATED)


@pytest.mark.parametrize("case", [case for case, _ in SAMPLES], ids=lambda case: case[0])
def test_samples_from_anywhere(case: Any):
    for done in (0, 1, 40, 250):
        scheduler = build(case)
        rates_of(scheduler, done)
        compare(scheduler, steps=TABULATED)


def test_what_is_meant_is_held():
    cosine = build(("CosineAnnealingDecay", {"learning_rate": 0.1, "T_max": 90, "eta_min": 1e-3}))
    agree(js.from_paddle(cosine, faithful=False)(np.array([90, 120])), [1e-3, 1e-3])
    restarts = ("CosineAnnealingWarmRestarts", {"learning_rate": 0.1, "T_0": 1, "T_mult": 3})
    warmup = {"warmup_steps": 5, "start_lr": 0.0, "end_lr": 0.1}
    scheduler = build(("LinearWarmup", {"learning_rate": restarts, **warmup}))
    begins = np.array([5 + (3**i - 1) // 2 for i in range(8)])
    agree(js.from_paddle(scheduler, faithful=False)(begins), [0.1] * 8)
    assert np.any(np.asarray(js.from_paddle(scheduler)(begins)) == 0)


def test_a_changed_rate_raises():
    scheduler = build(SAMPLES[6][0])
    scheduler.last_lr = 0.07
    with pytest.raises(ValueError, match=r"0\.07, but .* 0\.1"):
        js.from_paddle(scheduler)


values = st.floats(0.1, 10.0).map(lambda x: round(x, 2))
metrics = st.lists(st.one_of(values, values), min_size=1, max_size=60)
plateaus = st.fixed_dictionaries(
    {
        "learning_rate": st.just(0.1),
        "mode": st.sampled_from(["min", "max"]),
        "factor": st.sampled_from([0.1, 0.5, 0.9]),
        "patience": st.integers(0, 4),
        "threshold": st.sampled_from([0.0, 1e-4, 0.0303]),
        "threshold_mode": st.sampled_from(["rel", "abs"]),
        "min_lr": st.sampled_from([0.0, 1e-3, 0.02]),
        "epsilon": st.sampled_from([1e-8, 0.005]),
    }
)


@drawn
@given(arguments=plateaus, metrics=metrics)
def test_a_plateau_lowers_the_rate_at_the_same_observations(
    arguments: dict[str, Any], metrics: list[float]
):
    """Without a cooldown, whose metrics Paddle does not look at."""
    scheduler = build(("ReduceOnPlateau", arguments))
    agree(answers(js.from_paddle(scheduler), metrics), plateau_rates(scheduler, metrics))


def test_a_nan_counts_as_bad():
    scheduler = build(("ReduceOnPlateau", {"learning_rate": 0.1, "patience": 1}))
    metrics = [1.0, math.nan, math.nan, 0.5]
    agree(answers(js.from_paddle(scheduler), metrics), plateau_rates(scheduler, metrics))
