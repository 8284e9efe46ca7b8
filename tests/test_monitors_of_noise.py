"""Monitors for metrics that are noisy or rare, and monitors made of monitors by hand."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import jaxsched as js
from tests import control_reference as plain
from tests.control_reference import answers
from tests.measure import DTYPE

PARAMS = jnp.ones(2)


def steps_of_events(monitor, values):
    """Of known metrics, by one update after the other; None is no observation."""
    update = jax.jit(monitor.update)
    state, fired = monitor.init(), []
    for i, value in enumerate(values):
        state, fires = update(state, DTYPE(value or 0), value is not None)
        fired += [i] * bool(fires)
    return fired


def true_in(found):
    return [i for i, fires in enumerate(found) if fires]


def test_a_window_of_slope_test_grows():
    flat = [1.0 + 0.1 * (-1) ** i for i in range(40)]
    assert steps_of_events(js.slope_test(window=4, window_growth=2.0), flat) == [3, 11, 27]
    falling = [40.0 - i for i in range(40)]
    assert steps_of_events(js.slope_test(window=4, window_growth=2.0), falling) == []
    noise = (np.random.default_rng(3).standard_normal(300) - np.arange(300) / 60).tolist()
    wanted = answers(plain.slope_test(6, window_growth=1.5, traced=True), noise)
    assert 1 < sum(wanted) < 20
    assert steps_of_events(js.slope_test(6, window_growth=1.5), noise) == true_in(wanted)


def test_what_has_grown_stays_grown_at_a_restart():
    for rule in (
        js.slope_test(window=3, window_growth=2.0),
        js.slow_progress(window=1, window_growth=2.0),
    ):
        state = rule.init()
        for _ in range(3):
            state, _ = rule.update(state, 1.0)
        assert (state.events, rule.anew(state).events, rule.anew(state).count) == (1, 1, 0)


def test_a_spike_does_not_hide_the_one_behind_it():
    losses = [1.0 + 0.01 * (-1) ** i for i in range(250)]
    losses[150], losses[200] = 30.0, 10.0
    assert steps_of_events(js.spike(), losses) == [150]
    assert steps_of_events(js.spike(skip_fired=True), losses) == [150, 200]
    wanted = answers(plain.spike(skip_fired=True), losses)
    assert true_in(wanted) == [150, 200]


def test_above_and_below_at_the_bound_and_at_what_is_not_finite():
    values = [1.0, math.nextafter(1.0, 2.0) + 1e-6, math.inf, -math.inf, math.nan, 0.5, None]
    assert steps_of_events(js.above(1.0), values) == [1, 2]
    assert steps_of_events(js.below(1.0), values) == [3, 5]


def test_a_monitor_after_a_warmup_hears_nothing_before():
    """The best losses of the warm-up are not the best, and an `every` begins then."""
    losses = [0.1, 0.1, 0.1, 3.0, 2.0, 2.0, 2.0]
    assert steps_of_events(js.plateau(patience=2), losses) == [2, 4, 6]
    assert steps_of_events(js.after(3, js.plateau(patience=2)), losses) == [6]
    assert steps_of_events(js.after(3, js.every(2)), [None] * 9) == [5, 7]


def test_after_is_deaf_again_when_a_schedule_warms_up_again():
    rate = js.restart_on(js.after(3, js.plateau(patience=1)), js.linear_schedule(0.0, 3.0, 3))
    state, rates = rate.init(), []
    for _ in range(11):
        rates.append(float(rate(state, value=1.0)))
        state = rate.update(state, value=1.0)
    assert rates == [0, 1, 2, 3, 0, 1, 2, 3, 3, 0, 1]


def test_patience_in_time_does_not_depend_on_how_often_a_metric_comes():
    often = [1.0] * 20
    rare = [1.0 if i % 4 == 0 else None for i in range(20)]
    once = [1.0, *[None] * 15, 1.0, None, None, None]
    assert steps_of_events(js.stalled(8), often) == [8, 16]
    assert steps_of_events(js.stalled(8), rare) == [8, 16]
    assert steps_of_events(js.stalled(8), once) == [16]


def test_a_monitor_by_hand_may_hold_monitors():
    @js.monitor(start=lambda ratio, monitor, others: (monitor.init(), others[0].init()))
    def scaled(state, value, ratio, monitor, others):
        first, fired = monitor.update(state[0], ratio * value)
        second, also = others[0].update(state[1], value)
        return (first, second), fired | also

    rule = scaled(10.0, js.plateau(patience=1), [js.threshold(0.5)])
    assert steps_of_events(rule, [1.0, 1.0, None, 0.9, 0.5]) == [1, 4]
    assert "scaled(plateau, threshold)" in js.reduce_on(rule, 1.0).init().counts
    with pytest.raises(TypeError, match="`ratio` must be a real number"):
        scaled("ten", js.plateau(), [js.threshold(0.5)])
    with pytest.raises(ValueError, match="gives a scale"):
        scaled(1.0, js.greedy(), [js.threshold(0.5)])


@pytest.mark.parametrize(
    "make",
    [
        lambda rule: js.reduce_on(rule, 1.0),
        lambda rule: js.reset_on(rule, optax.sgd(0.1)),
        lambda rule: js.skip_on(rule, optax.sgd(0.1)),
        js.stop_on,
        lambda rule: js.after(3, rule),
        lambda rule: js.any_of([js.plateau(), rule]),
    ],
)
def test_greedy_is_for_follow(make):
    with pytest.raises(ValueError, match=r"monitor.*gives a scale, for `follow`"):
        make(js.greedy())


def stopped_at(optimizer, losses):
    state = optimizer.init(PARAMS)
    update = jax.jit(optimizer.update)
    for i, loss in enumerate(losses):
        updates, state = update(PARAMS, state, PARAMS, value=loss)
        np.testing.assert_array_equal(updates, PARAMS)
        if js.should_stop(state):
            return i
    return None


def test_stop_on_raises_a_flag_that_stays_up():
    rule = js.plateau(patience=2)
    assert stopped_at(js.stop_on(rule), [3.0, 2.0, 2.0, 2.0, 1.0]) == 3
    assert stopped_at(js.stop_on(rule), [5.0, 4.0, 3.0, 2.0, 1.0]) is None
    optimizer = optax.chain(optax.sgd(0.1), js.stop_on(rule), js.stop_on(js.threshold(0.5)))
    state = optimizer.init(PARAMS)
    for loss in (1.0, 0.5, 2.0):
        _, state = optimizer.update(PARAMS, state, PARAMS, value=loss)
    assert js.should_stop(state)
    assert js.should_stop(js.observe(state, value=3.0))
    with pytest.raises(ValueError, match="No `stop_on`"):
        js.should_stop(optax.adam(0.1).init(PARAMS))


def test_stop_on_hears_what_is_observed_and_asks_for_what_is_required():
    optimizer = js.stop_on(js.threshold(0.5), metric="loss", require_value=True)
    state = optimizer.init(PARAMS)
    with pytest.raises(TypeError, match="`loss=`"):
        optimizer.update(PARAMS, state)
    _, state = js.stop_on(js.threshold(0.5), metric="loss").update(
        PARAMS, js.observe(state, loss=0.4)
    )
    assert js.should_stop(state)


def kl_adaptive(divergences, rate, target, least, most):
    """The rule of rl_games and others, over an annealing schedule that multiplies it."""
    scale = 1.0
    for count, divergence in enumerate(divergences):
        if divergence > 2 * target:
            scale = max(scale / 1.5, least)
        if divergence < target / 2:
            scale = min(scale * 1.5, most)
        yield scale * rate * (1 - count / len(divergences))


def test_the_rate_of_rl_that_follows_the_divergence():
    target, steps = 0.008, 400
    divergences = np.random.default_rng(0).lognormal(np.log(target), 0.8, steps).astype(DTYPE)
    rate = js.raise_and_lower_on(
        js.below(target / 2, metric="kl"),
        js.above(2 * target, metric="kl"),
        js.linear_schedule(3e-4, 0.0, steps),
        factor=1 / 1.5,
        min_scale=0.01,
        max_scale=30.0,
    )

    def step(state, divergence):
        return tuple(reversed(rate.advance(state, kl=divergence)))

    _, rates = jax.jit(lambda: jax.lax.scan(step, rate.init(), divergences))()
    wanted = list(kl_adaptive(divergences, 3e-4, target, 0.01, 30.0))
    np.testing.assert_allclose(rates, wanted, rtol=5e-6)
    assert len({round(w / (1 - i / steps), 9) for i, w in enumerate(wanted)}) > 6
