"""`from_fvcore` of live schedulers, at every step of runs of several lengths."""

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import jaxsched as js
from tests.oracles.fvcore_cases import COSINE, SAMPLES, STRATEGIES, WARMUP, build, values_of
from tests.oracles.measure import agree

drawn = settings(
    max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)


def compare(scheduler: Any, updates: int, loose: float = 0.0) -> None:
    """The schedule against the values of every step."""
    wanted = np.array(values_of(scheduler, updates))
    found = np.asarray(js.from_fvcore(scheduler, updates)(np.arange(updates)), float)
    close = np.abs(found - wanted) <= loose * wanted.max()
    agree(np.where(close, wanted, found), wanted)


@pytest.mark.parametrize("name", STRATEGIES)
@drawn
@given(data=st.data())
def test_every_step_is_that_of_the_live_scheduler(name: str, data: st.DataObject):
    updates = data.draw(st.one_of(st.integers(10, 40), st.integers(10, 2500)))
    compare(build(data.draw(STRATEGIES[name])), updates, 1e-6 if "Composite" in name else 0.0)


@pytest.mark.parametrize("case", SAMPLES, ids=lambda case: case[0])
def test_parts_of_whole_steps_keep_their_digits(case: Any):
    for updates in (10, 1000, 12_800):
        compare(build(case), updates)


def test_the_end_is_held():
    for case, value in ((COSINE, 1e-4), (SAMPLES[0], 0.3), (SAMPLES[1], 0.04)):
        rate = js.from_fvcore(build(case), 100)
        agree(rate(np.array([100, 101, 2**31 - 1])), [value] * 3)


def test_a_boundary_is_a_millionth_early():
    parts = {"schedulers": [WARMUP, COSINE], "lengths": [0.5, 0.5]}
    scheduler = build(("CompositeParamScheduler", {**parts, "interval_scaling": ["fixed"] * 2}))
    updates, early = 4_000_000, 1_999_997
    steps = np.arange(early - 3, early + 5)
    wanted = [scheduler(step / updates) for step in steps.tolist()]
    agree(js.from_fvcore(scheduler, updates)(steps), wanted)
    meant = js.from_fvcore(scheduler, updates, faithful=False)
    assert np.ptp(np.diff(np.asarray(meant(np.arange(early - 9, 2_000_000)), float))) < 1e-7
