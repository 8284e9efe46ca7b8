"""`from_ignite` of live schedulers, at every one of some thousand events."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import jaxsched as js
from tests.oracles.ignite_cases import (
    COSINE,
    FALLS,
    LINES,
    SAMPLES,
    STRATEGIES,
    TABULATED,
    build,
    plateau_values,
    values_of,
)
from tests.oracles.measure import agree, answers

drawn = settings(
    max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)


def compare(scheduler: Any, group: int = 0, loose: float = 0.0, **arguments: Any) -> None:
    """The schedule now against the values from now on."""
    schedule = js.from_ignite(scheduler, group=group, **arguments)
    wanted = np.array(values_of(scheduler, TABULATED, group))
    assume(wanted.size)
    found = np.asarray(schedule(np.arange(len(wanted))), float)
    close = np.abs(found - wanted) <= loose * max(1.0, np.abs(wanted).max())
    agree(np.where(close, wanted, found), wanted)


@pytest.mark.parametrize("name", STRATEGIES)
@drawn
@given(data=st.data())
def test_every_event_sets_what_the_live_scheduler_sets(name: str, data: st.DataObject):
    try:
        scheduler = build(data.draw(STRATEGIES[name]), 0.1)
        events = data.draw(st.one_of(st.just(0), st.integers(0, 900)))
        assume(len(values_of(scheduler, events)) == events and goes_on(scheduler))
    except ZeroDivisionError:  # PyTorch's own.
        assume(False)
    compare(scheduler, steps=TABULATED)


def goes_on(scheduler: Any) -> bool:
    """Whether no cycle has shrunk to nothing: by that the next event divides."""
    members = getattr(scheduler, "schedulers", ())
    return getattr(scheduler, "cycle_size", 1) > 0 and all(map(goes_on, members))


@pytest.mark.parametrize("case", [case for case, _ in SAMPLES], ids=lambda case: case[0])
def test_samples_from_anywhere(case: Any):
    for done in (0, 1, 40, 333):
        scheduler = build(case, 0.1)
        values_of(scheduler, done)
        compare(scheduler, steps=TABULATED)


def test_groups_are_told_apart():
    members = [
        (case[0], {**case[1], "param_group_index": i}) for i, case in enumerate((COSINE, LINES))
    ]
    for group in (0, 1):
        compare(build(("ParamGroupScheduler", {"schedulers": members}), 0.1, 0.5), group)
        arguments = {"warmup_start_value": 0.0, "warmup_duration": 20}
        exponential = ("ExponentialLR", {"gamma": 0.99})
        case = ("create_lr_scheduler_with_warmup", {"lr_scheduler": exponential, **arguments})
        compare(build(case, 0.1, 0.1), group)
    with pytest.raises(ValueError, match="`group`"):
        js.from_ignite(build(members[1], 0.1, 0.5), group=0)


def test_a_torch_scheduler_goes_on_from_the_rate_it_finds():
    expected = [0.5, 13 / 30, 11 / 30, 0.3, 0.27, 0.243, 0.2187]
    case = ("ConcatScheduler", {"schedulers": [FALLS, _EXPONENTIAL], "durations": [4]})
    agree(js.from_ignite(build(case, 0.1))(np.arange(7)), expected)
    for group in (0, 1):
        compare(build(case, 0.1, 0.2), group)
        twice = {"schedulers": [_EXPONENTIAL, _LINEAR], "durations": [3]}
        compare(build(("ConcatScheduler", twice), 0.1, 0.2), group)


_EXPONENTIAL = ("LRScheduler", {"lr_scheduler": ("ExponentialLR", {"gamma": 0.9})})
_LINEAR = ("LRScheduler", {"lr_scheduler": ("LinearLR", {"total_iters": 5})})


def test_legacy_steps_are_those_of_pytorch():
    for case in (("ExponentialLR", {"gamma": 0.9}), ("LinearLR", {"total_iters": 30})):
        compare(build(("LRScheduler", {"lr_scheduler": case, "use_legacy": True}), 0.1))


def test_what_is_meant_are_pytorchs_rates_from_step_0():
    wrapped = ("LRScheduler", {"lr_scheduler": ("LinearLR", {"total_iters": 4})})
    scheduler = build(wrapped, 0.3)
    agree(js.from_ignite(scheduler)(np.arange(2)), [0.1 / 3, 0.05])
    meant = js.from_ignite(scheduler, faithful=False)(np.arange(6))
    agree(meant, [0.1, 0.15, 0.2, 0.25, 0.3, 0.3])
    concat = {"schedulers": [COSINE, LINES, LINES], "durations": [3, 0]}
    meant = js.from_ignite(build(("ConcatScheduler", concat), 0.1), faithful=False)
    agree(meant(np.arange(3, 1000)), values_of(build(LINES, 0.1), 997))


values = st.floats(0.1, 10.0).map(lambda x: round(x, 2))
metrics = st.lists(st.one_of(values, values, st.just(math.nan)), min_size=1, max_size=60)
plateaus = st.fixed_dictionaries(
    {
        "mode": st.sampled_from(["min", "max"]),
        "factor": st.sampled_from([0.1, 0.5, 0.9]),
        "patience": st.integers(0, 4),
        "cooldown": st.integers(0, 3),
        "min_lr": st.sampled_from([0.0, 1e-3, 0.02]),
        "param_group_index": st.sampled_from([None, 0, 1]),
    }
)


@drawn
@given(arguments=plateaus, metrics=metrics)
def test_a_plateau_lowers_the_rate_at_the_same_observations(
    arguments: dict[str, Any], metrics: list[float]
):
    group = arguments["param_group_index"] or 0
    scheduler = build(("ReduceLROnPlateauScheduler", arguments), 0.1, 0.3)
    found = answers(js.from_ignite(scheduler, group=group), metrics)
    agree(found, plateau_values(scheduler, metrics, group))
