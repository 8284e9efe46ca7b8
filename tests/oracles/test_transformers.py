"""`from_transformers` against live schedulers, at every one of some thousand steps."""

from itertools import chain
from typing import Any

import jax
import numpy as np
import pytest
import transformers
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import jaxsched as js
from tests.oracles.measure import agree
from tests.oracles.torch_cases import rates_of
from tests.oracles.transformers_cases import GREEDY, PLATEAU, STEPS, Case, build, on_metrics

LENGTH = 3500
drawn = settings(
    max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)


def compare(case: Case, steps: int = LENGTH) -> None:
    wanted = rates_of(build(transformers, case), steps)
    agree(js.from_transformers(case[0], **case[1])(np.arange(len(wanted))), wanted)


@pytest.mark.parametrize("name", STEPS)
@drawn
@given(data=st.data())
def test_every_step_is_that_of_the_live_scheduler(name: str, data: st.DataObject):
    compare(data.draw(STEPS[name]))


def test_a_name_may_be_a_scheduler_type():
    kind = transformers.SchedulerType.CONSTANT
    assert js.from_transformers(kind, learning_rate=0.1) == js.constant_schedule(0.1)


def restarts(cycles: int, steps: int, **arguments: Any) -> js.Schedule:
    return js.from_transformers(
        "cosine_with_restarts",
        learning_rate=0.1,
        num_warmup_steps=0,
        num_training_steps=steps,
        scheduler_specific_kwargs={"num_cycles": cycles},
        **arguments,
    )


def test_restarts_that_the_peer_rounds_away_are_0_there():
    rounded = 0
    for cycles in (22, 49, 97):
        steps = 10 * cycles
        case = {"num_cycles": cycles}
        arguments = {"num_warmup_steps": 0, "num_training_steps": steps}
        scheduler = build(
            transformers,
            (
                "cosine_with_restarts",
                {"learning_rate": 0.1, **arguments, "scheduler_specific_kwargs": case},
            ),
        )
        wanted = np.array(rates_of(scheduler, steps))
        agree(restarts(cycles, steps)(np.arange(steps + 1)), wanted)
        meant = restarts(cycles, steps, faithful=False)(np.arange(steps))
        begins = np.arange(0, steps, 10)
        assert np.all(meant[begins] == np.float32(0.1))
        rounded += int(np.sum(wanted[begins] < 1e-9))
    print(f"restarts that are rounded away: {rounded}")
    assert rounded > 0


def test_a_long_run():
    """Where float32 counts would have lost the step."""
    given = {"num_cycles": 2.5}
    whole = {"learning_rate": 0.1, "num_warmup_steps": 1234, "num_training_steps": 100_001}
    for name in ("linear", "cosine", "cosine_with_restarts", "polynomial", "inverse_sqrt"):
        arguments = dict(whole)
        if name.startswith("cosine"):
            arguments["scheduler_specific_kwargs"] = given
        compare((name, arguments), steps=130_000)


# On a metric. Multiples of 1/64, whose sums have no rounding in float32.

values = st.integers(1, 640).map(lambda x: x / 64)
runs = st.lists(st.tuples(values, st.integers(1, 8)), min_size=1, max_size=30)
slopes = st.tuples(values, st.integers(-3, 3)).map(
    lambda pair: [max(pair[0] + i * pair[1] / 64, 1 / 64) for i in range(40)]
)
metrics = st.one_of(
    runs.map(lambda parts: [value for value, times in parts for _ in range(times)]),
    st.lists(slopes, min_size=1, max_size=5).map(lambda parts: list(chain(*parts))),
)
run = jax.jit(
    lambda controller, metrics: jax.lax.scan(
        lambda state, value: controller.advance(state, value=value)[::-1],
        controller.init(),
        metrics,
    )[1]
)
PADDED = 256


def rates_on(case: Case, metrics: list[float]) -> Any:
    padded = np.zeros(PADDED, np.float32)
    padded[: len(metrics)] = metrics
    return run(js.from_transformers(case[0], **case[1]), padded)[: len(metrics)]


@pytest.mark.parametrize("strategy", [PLATEAU, GREEDY], ids=["plateau", "greedy"])
@settings(drawn, max_examples=400)
@given(data=st.data())
def test_rates_change_at_the_same_observations(strategy: Any, data: st.DataObject):
    case, values = data.draw(strategy), data.draw(metrics)
    agree(rates_on(case, values), on_metrics(build(transformers, case), values)[1:])


GREEDY_RUNS = {
    "hundreds of changes": {"factor": 0.95, "reset_start": 10**6},
    "resets": {"factor": 0.5, "reset_start": 2},
}


@pytest.mark.parametrize("given", GREEDY_RUNS.values(), ids=GREEDY_RUNS)
@pytest.mark.parametrize("smooth", [False, True])
def test_greedy_over_thousands_of_observations(given: dict[str, Any], smooth: bool):
    """Without drift."""
    given = {**given, "patience": 1, "min_lr": 0.011, "max_lr": 0.73, "threshold": 0.0071}
    given = {**given, "smooth": smooth, "window_size": 20}
    case = ("greedy", {"learning_rate": 0.1, "scheduler_specific_kwargs": given})
    controller = js.from_transformers(case[0], **case[1])
    for seed in range(5):
        walk = 5 + np.cumsum(np.random.default_rng(seed).integers(-3, 4, 5000)) / 64
        wanted = on_metrics(build(transformers, case), list(walk))[1:]
        agree(run(controller, np.float32(walk)), wanted)
        assert len(set(wanted)) > 3


def test_greedy_smoothing_forgets_a_nan_that_the_peer_keeps():
    given = {"patience": 0, "smooth": True, "window_size": 2, "min_lr": 1e-3, "factor": 0.5}
    case = ("greedy", {"learning_rate": 0.1, "scheduler_specific_kwargs": given})
    values = [3.0, np.nan, 2.0, 1.0, 0.5]
    wanted = on_metrics(build(transformers, case), values)[1:]
    np.testing.assert_allclose(wanted, [0.2, 0.1, 0.05, 0.025, 0.0125])
    np.testing.assert_allclose(rates_on(case, values), [0.2, 0.1, 0.05, 0.1, 0.2])


def test_training_arguments_are_read_as_the_trainer_reads_them():
    for steps in (0, 0.1, 0.001, 7):
        # Its constructor asks for further packages.
        given = object.__new__(transformers.TrainingArguments)
        vars(given).update(
            lr_scheduler_type=transformers.SchedulerType.COSINE_WITH_MIN_LR,
            lr_scheduler_kwargs={"min_lr_rate": 0.1},
            learning_rate=0.1,
            warmup_steps=steps,
            max_steps=333,
        )
        arguments = {"num_training_steps": 333, "learning_rate": 0.1}
        arguments["num_warmup_steps"] = given.get_warmup_steps(333)
        arguments["scheduler_specific_kwargs"] = given.lr_scheduler_kwargs
        wanted = rates_of(build(transformers, ("cosine_with_min_lr", arguments)), 400)
        agree(js.from_transformers(given)(np.arange(len(wanted))), wanted)
