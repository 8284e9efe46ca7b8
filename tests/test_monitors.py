"""Monitors, against plain Python: the same events at the same steps, in every program."""

import math
import pickle
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import jaxsched as js
from tests import control_reference as plain
from tests.compiling import quick_jit
from tests.control_reference import answers
from tests.control_table import (
    LENGTH,
    MONITORS,
    SAMPLE,
    SEQUENCES,
    Metrics,
    Row,
    arrays,
    seen,
    sequences,
)
from tests.measure import DTYPE, REACH, WHOLE

NAN, INF = math.nan, math.inf

every_row = pytest.mark.parametrize("row", MONITORS, ids=lambda row: row.name)
drawn = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


def run(monitor: js.Monitor, metrics: tuple[Any, Any]) -> jax.Array:
    """Whether it fires, at each of many updates."""

    def update(state, metric):
        return monitor.update(state, *metric)

    return jax.lax.scan(update, monitor.init(), metrics)[1]


call = jax.jit(run)


def events(monitor: js.Monitor, metrics: Metrics) -> list[bool]:
    """Of metrics of any number: after them comes nothing, so that one program does for most."""
    nothing = [None] * (-len(metrics) % LENGTH)
    return call(monitor, arrays(seen(metrics + nothing))).tolist()[: len(metrics)]


def steps_of_events(monitor: js.Monitor, metrics: Metrics) -> list[int]:
    return np.flatnonzero(events(monitor, metrics)).tolist()


def agree(found: Any, wanted: list[bool | None]) -> None:
    """At every update, but for what is too close to call."""
    pairs = zip(found, wanted, strict=True)
    assert [None if w is None else bool(f) for f, w in pairs] == wanted


@every_row
@drawn
@given(data=st.data())
def test_events_are_those_of_the_reference(row: Row, data: st.DataObject):
    draw, metrics = data.draw(row.draw), data.draw(sequences)
    agree(events(row.make(draw), metrics), answers(row.reference(draw), metrics))


@pytest.mark.parametrize("kind", SEQUENCES)
def test_events_are_those_of_the_reference_on(kind: str):
    metrics = seen(SEQUENCES[kind])
    for row in MONITORS:
        for mode in ("min", "max") if "mode" in row.sample else (None,):
            draw = {**row.sample, "mode": mode} if mode else row.sample
            agree(events(row.make(draw), metrics), answers(row.reference(draw), metrics))


@every_row
@settings(drawn, max_examples=10)
@given(data=st.data())
def test_vmap_over_hyperparameters(row: Row, data: st.DataObject):
    draws = data.draw(st.lists(row.draw, min_size=3, max_size=3))
    draws = [
        {**draw, **{"mode": draws[0].get("mode")}} if "mode" in draw else draw for draw in draws
    ]
    metrics = data.draw(sequences)
    for lane, draw in zip(mapped(list(map(row.make, draws)), arrays(metrics)), draws, strict=True):
        agree(lane, answers(row.reference(draw), metrics))


@quick_jit
def mapped(monitors: list[js.Monitor], metrics: tuple[Any, Any]) -> jax.Array:
    together = jax.tree.map(lambda *leaves: jnp.stack(leaves), *monitors)
    return jax.vmap(run, in_axes=(0, None), axis_size=len(monitors))(together, metrics)


@every_row
def test_every_program_has_the_same_events(row: Row):
    monitor = row.make(row.sample)
    known = jax.jit(partial(run, monitor))(arrays(SAMPLE))
    assert 0 < sum(known.tolist()) < len(SAMPLE)
    assert call(monitor, arrays(SAMPLE)).tolist() == known.tolist()
    for update in (monitor.update, jax.jit(monitor.update)):
        state, fired = monitor.init(), []
        for value, observed in zip(*arrays(SAMPLE), strict=True):
            state, fires = update(state, value, observed)
            fired.append(bool(fires))
        assert fired == known.tolist()


def types_of(tree: Any) -> list[Any]:
    return [(leaf.shape, leaf.dtype.type, leaf.weak_type) for leaf in jax.tree.leaves(tree)]


VALUES = [1, 1.0, np.float64(1), np.int8(1), jnp.float16(1), jnp.bfloat16(1), jnp.int32(1)]


@every_row
def test_state_has_one_type_for_every_metric(row: Row):
    monitor = row.make(row.sample)
    state = monitor.init()
    assert set(types_of(state)) <= {((), DTYPE, False), ((), WHOLE, False)}
    for value in VALUES:
        for after, fired in (
            jax.eval_shape(partial(monitor.update, state, value)),
            jax.eval_shape(monitor.update, state, value),
            jax.eval_shape(js.Monitor.update, monitor, state, value),
        ):
            assert jax.tree.structure(after) == jax.tree.structure(state)
            assert types_of(after) == types_of(state)
            assert types_of(fired) == [((), np.bool_, False)]


# The others hold an `every`.
OBSERVING = [row for row in MONITORS if not {"c", "steps"} & set(row.sample)]


@pytest.mark.parametrize("row", OBSERVING, ids=lambda row: row.name)
def test_an_update_without_a_metric_changes_nothing(row: Row):
    monitor = row.make(row.sample)
    state = monitor.init()
    for metric in SAMPLE[:5]:
        state, _ = monitor.update(state, metric)
    after, fired = monitor.update(state, NAN, observed=False)
    assert not fired
    assert jax.tree.map(float, after) == jax.tree.map(float, state)


def perturbed(leaf: Any) -> Any:
    if isinstance(leaf, bool):
        return not leaf
    return leaf + 1 if isinstance(leaf, int) else leaf * 1.5


@every_row
def test_pickle_repr_and_flatten_round_trips(row: Row):
    monitor = row.make(row.sample)
    assert pickle.loads(pickle.dumps(monitor)) == monitor
    assert eval(repr(monitor), vars(js)) == monitor
    leaves, structure = jax.tree.flatten(monitor)
    assert structure.unflatten(leaves) == monitor
    assert hash(row.make(row.sample)) == hash(monitor)
    assert not leaves or monitor != jax.tree.map(perturbed, monitor)


@every_row
def test_new_numbers_do_not_retrace(row: Row):
    traces = []

    @jax.jit
    def traced(monitor, metrics):
        traces.append(monitor)
        return run(monitor, metrics)

    monitor = row.make(row.sample)
    traced.lower(monitor, arrays(SAMPLE))
    traced.lower(jax.tree.map(perturbed, monitor), arrays(SAMPLE))
    assert len(traces) == 1


@every_row
def test_a_metric_is_a_real_scalar(row: Row):
    monitor = row.make(row.sample)
    for value in (jnp.ones(1), np.ones((1, 1)), 1j, "1", True):
        with pytest.raises(TypeError, match="`value`"):
            monitor.update(monitor.init(), value)


DIRECTED = [row for row in MONITORS if "mode" in row.sample]


@pytest.mark.parametrize("row", DIRECTED, ids=lambda row: row.name)
@settings(drawn, max_examples=10)
@given(data=st.data())
def test_a_rise_for_max_is_a_fall_for_min(row: Row, data: st.DataObject):
    draw, metrics = data.draw(row.draw), data.draw(sequences)
    target = {"target": -draw["target"]} if "target" in draw else {}
    fall, rise = row.make({**draw, "mode": "min"}), row.make({**draw, "mode": "max", **target})
    upside_down = [None if metric is None else -metric for metric in metrics]
    assert events(fall, metrics) == events(rise, upside_down)


# Each for itself.


@pytest.mark.parametrize(("window", "significance"), [(3, 0.05), (5, 0.2), (12, 0.01)])
def test_slope_test_of_known_numbers_is_by_students_t(window: int, significance: float):
    known = jax.jit(partial(run, js.slope_test(window, significance)))

    @drawn
    @given(metrics=sequences)
    def agrees(metrics):
        agree(known(arrays(metrics)), answers(plain.slope_test(window, significance), metrics))

    agrees()


def test_slope_test_takes_a_flat_metric_for_an_improving_one_as_often_as_it_says():
    windows = np.random.default_rng(0).standard_normal((4000, 8)).astype(DTYPE)
    for significance in (0.05, 0.2):
        monitor = js.slope_test(8, significance)
        fired = jax.jit(partial(run, monitor))((windows.ravel(), np.ones(windows.size, bool)))
        assert np.mean(~fired[7::8]) == pytest.approx(significance, abs=0.015)


def test_slope_test_far_from_0():
    down, flat = [1e4 - 0.5 * i for i in range(24)], [1e4 + i % 2 for i in range(24)]
    monitor = js.slope_test(window=12)
    assert steps_of_events(monitor, down) == []
    assert steps_of_events(monitor, flat) == [11, 23]


def test_spike_after_metrics_whose_squares_overflow():
    large = [1e25 * (-1) ** i for i in range(16)]
    monitor = js.spike(deviations=3.0, window=4, min_count=4)
    settled = [1.0, 1.1, 0.9, 1.0] * 200
    assert steps_of_events(monitor, [*large, *settled, 5.0])[-1] == len(large) + len(settled)


def test_spike_without_a_past_is_a_rise():
    monitor = js.spike(deviations=1.0, window=1, min_count=1)
    assert steps_of_events(monitor, [1.0, -0.1, -0.1, 0.0, 0.0, 0.3, 0.1]) == [3, 5]


def test_spike_after_all_observations_that_are_counted():
    monitor = js.spike(deviations=3.0, window=8, min_count=4)
    state = monitor.init()
    for loss in (1.0, 1.1, 0.9, 1.0, 1.1):
        state, _ = monitor.update(state, loss)
    state, _ = monitor.update(state._replace(count=jnp.asarray(REACH)), 1.0)
    assert state.count == REACH
    assert monitor.update(state, 9.0)[1]


def test_plateau_takes_the_mean_of_a_window():
    losses = np.random.default_rng(0).uniform(2.0, 4.0, 1000).astype(DTYPE)
    monitor = js.plateau(window=1000)
    state, _ = jax.lax.scan(monitor.update, monitor.init(), losses)
    np.testing.assert_allclose(state.best_value, losses.mean(), rtol=1e-6)
    assert state.count == 0


def test_plateau_forgets_what_it_saw_in_a_cooldown():
    """The first losses of a run that warms up are those of the run before it."""
    monitor = js.plateau(patience=3, cooldown=3, reset_best=True)
    losses = [1, 1, 1, 1, 1, 1.5, 1.6, 1.5, 1.4, 1.3, 1.2, 1.1, 1.05, 0.95]
    assert steps_of_events(monitor, losses) == [3]


def test_plateau_grows_in_patience():
    twice = js.plateau(patience=2, patience_growth=2.0)
    assert steps_of_events(twice, [1.0] * 32) == [2, 6, 14, 30]
    half = js.plateau(patience=3, patience_growth=1.4)
    rounded = [3, 4, 6, 8, 12]
    assert steps_of_events(half, [1.0] * 40) == np.cumsum(rounded).tolist()


def test_plateau_grows_in_window():
    monitor = js.plateau(patience=1, window=2, window_growth=2.0)
    assert steps_of_events(monitor, [1.0] * 32) == [3, 7, 15, 31]
    # 5, then 7 and not 8: a half goes down, known or traced, in 32 bits and in 64.
    down = js.plateau(patience=5, patience_growth=1.5)
    assert steps_of_events(down, [1.0] * 14) == [5, 12]
    # 6.5 goes down to 6, whichever side of it the power comes out on.
    down = js.plateau(patience=5, patience_growth=1.3)
    assert steps_of_events(down, [1.0] * 14) == [5, 11]
    both = js.plateau(patience=1, patience_growth=2.0, window_growth=2.0)
    assert steps_of_events(both, [1.0] * 32) == [1, 1 + 2 * 2, 5 + 4 * 4]


def test_plateau_that_grows_without_end_falls_silent():
    monitor = js.plateau(patience=1, patience_growth=1e30)
    assert steps_of_events(monitor, [1.0] * 100) == [1]


def test_plateau_forgets_the_best_value_if_asked():
    losses = [3.0, 1.0, 1.0, 1.0, 2.0, 1.9, 1.8, 1.7, 1.8, 1.8]
    assert steps_of_events(js.plateau(patience=2), losses) == [3, 5, 7, 9]
    assert steps_of_events(js.plateau(patience=2, reset_best=True), losses) == [3, 9]


def test_plateau_goes_on_looking_for_the_best_while_it_cools_down():
    losses = [3.0, 3.0, 1.0, 2.0, 2.0, 1.5]
    assert steps_of_events(js.plateau(patience=1, cooldown=2), losses) == [1, 4]
    assert steps_of_events(js.plateau(patience=2, cooldown=2), losses) == [4]


def test_plateau_without_patience_fires_where_nothing_improves():
    monitor = js.plateau(patience=0)
    assert steps_of_events(monitor, [5.0, 4.0, 3.0, 2.0, 1.0]) == []
    assert steps_of_events(monitor, [1.0] * 5) == [1, 2, 3, 4]
    assert steps_of_events(monitor, [1.0] * 5) == steps_of_events(js.plateau(1), [1.0] * 5)


@pytest.mark.parametrize("value", [-1.0, -0.5, 0.0, 0.5])
def test_plateau_of_a_constant_metric(value: float):
    assert steps_of_events(js.plateau(patience=3), [value] * 10) == [3, 6, 9]
    assert steps_of_events(js.plateau(patience=3, mode="max"), [value] * 10) == [3, 6, 9]


def test_plateau_has_a_margin_of_the_right_sign():
    worse = [-1.0, -0.98, -0.96, -0.94]
    better = [-1.0, -1.02, -1.04, -1.06]
    monitor = js.plateau(patience=1, rtol=0.015)
    assert steps_of_events(monitor, worse) == [1, 2, 3]
    assert steps_of_events(monitor, better) == []
    assert steps_of_events(js.plateau(patience=1, rtol=0.03), better) == [1, 3]


def test_plateau_takes_nothing_infinite_for_the_best():
    for mode, best in (("min", -INF), ("max", INF)):
        monitor = js.plateau(patience=2, mode=mode)
        improving = [np.sign(best) * i for i in range(6)]
        assert steps_of_events(monitor, [0.0, best, *improving[1:]]) == []
        state = monitor.init()
        for value in (best, NAN, -best):
            state, _ = monitor.update(state, value)
        assert state.best_value == -best


def test_what_a_metric_of_nan_is():
    bad = [NAN] * 6
    assert steps_of_events(js.plateau(patience=3), bad) == [2, 5]
    assert steps_of_events(js.worsening(patience=3), bad) == [2, 5]
    assert steps_of_events(js.nonfinite(), bad) == [0, 1, 2, 3, 4, 5]
    assert steps_of_events(js.ignore_nonfinite(js.plateau(patience=3)), bad) == []
    at_once = js.any_of([js.plateau(patience=3), js.nonfinite()])
    assert steps_of_events(at_once, [1.0, NAN, 1.0, 1.0]) == [1, 3]


def test_numbers_may_be_whole_floats():
    for whole, real in (
        (js.plateau(2, window=2, cooldown=1), js.plateau(2.0, window=2.0, cooldown=1.0)),
        (js.every(3), js.every(3.0)),
    ):
        known = jax.jit(partial(run, real))(arrays(SAMPLE)).tolist()
        assert known == events(real, SAMPLE) == events(whole, SAMPLE)


@pytest.mark.parametrize("power", [-100, 100])
@pytest.mark.parametrize("monitor", [js.spike(2.0, 8, 4), js.slope_test(12)], ids=repr)
def test_the_unit_of_a_metric_does_not_matter(monitor: js.Monitor, power: int):
    wave = np.random.default_rng(3).standard_normal(LENGTH) - 0.5 * np.arange(LENGTH)
    wave[[20, 40]] += 40.0
    wanted = events(monitor, list(wave))
    assert any(wanted)
    assert not all(wanted[11::12])
    assert events(monitor, list(seen(list(wave)) * np.asarray(2.0**power, DTYPE))) == wanted
