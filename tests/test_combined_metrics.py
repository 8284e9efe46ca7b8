"""Rules that hear several metrics, each monitor its own."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import jaxsched as js
from tests import control_reference as plain
from tests.measure import DTYPE, WHOLE

PARAMS = jnp.ones(2)
NAMES = ("accuracy", "loss")
BOTH = js.all_of([js.plateau(2, metric="loss"), js.threshold(0.5, mode="max", metric="accuracy")])


def histories(seed, length=48):
    """For each update two values of each metric that may have been left before it; or NaN."""
    draw = np.random.default_rng(seed)
    values = draw.random((length, 2, len(NAMES)))
    return np.where(draw.random(values.shape) < 0.4, np.nan, values).astype(DTYPE)


def means(history):
    """What is heard at each update: the mean of all that came, None where nothing did."""
    came = [[[x for x in column if x == x] for column in step.T] for step in history]
    return [
        {name: sum(some) / DTYPE(len(some)) if some else None for name, some in pairs}
        for pairs in (zip(NAMES, step, strict=True) for step in came)
    ]


class Both:
    """`all_of` in plain Python, of monitors by the name of their metric."""

    def __init__(self, **monitors):
        self.monitors, self.fired = monitors, dict.fromkeys(monitors, False)

    def __call__(self, metrics):
        for name, monitor in self.monitors.items():
            self.fired[name] |= monitor(metrics[name])
        done = all(self.fired.values())
        self.fired = dict.fromkeys(self.monitors, False) if done else self.fired
        return done


@jax.jit
def rates_of(controller, history):
    """The rate at each update, and the last state."""

    def step(state, values):
        for row in values:
            for name, value in zip(NAMES, row, strict=True):
                heard = js.observe(state, **{name: jnp.where(value == value, value, 0)})
                choose = functools.partial(jnp.where, value == value)
                state = jax.tree.map(choose, heard, state)
        return tuple(reversed(controller.advance(state)))

    state, rates = jax.lax.scan(step, controller.init(), history)
    return rates, state


def test_each_monitor_hears_its_own_metric():
    for seed in range(3):
        history = histories(seed)
        rule = Both(loss=plain.plateau(2), accuracy=plain.threshold(0.5, mode="max"))
        fired = np.cumsum([rule(metrics) for metrics in means(history)])
        assert fired[-1] > 3
        rates, state = rates_of(js.reduce_on(BOTH, 1.0, factor=0.5), history)
        np.testing.assert_allclose(rates, 0.5**fired, rtol=1e-6)
        heard = sum(any(v is not None for v in one.values()) for one in means(history))
        assert js.record(state)["observations"] == heard


def test_two_monitors_of_a_controller_hear_two_metrics():
    rate = js.raise_and_lower_on(
        js.below(0.3, metric="accuracy"), js.above(0.6), 1.0, factor=0.5, metric="loss"
    )
    history = histories(7)
    scale, wanted = 1.0, []
    for metrics in means(history):
        up = metrics["accuracy"] is not None and metrics["accuracy"] < DTYPE(0.3)
        down = metrics["loss"] is not None and metrics["loss"] > DTYPE(0.6)
        scale = min(scale / 0.5, 10.0) if up and not down else scale
        scale = max(scale * 0.5, 0.01) if down and not up else scale
        wanted.append(scale)
    rates, _ = rates_of(rate, history)
    np.testing.assert_allclose(rates, wanted, rtol=1e-6)


def test_what_is_around_them_hands_all_metrics_on():
    inner = js.any_of([js.threshold(0.5, metric="loss"), js.every(4), js.above(0.9)])
    rule = js.after(1, js.ignore_nonfinite(inner))
    state, fired = rule.init(), []
    for metrics in ({"loss": 0.1}, {"loss": 0.1}, {"value": 1.0}, {"loss": float("nan")}, {}, {}):
        state, fires = rule.update(state, metrics)
        fired.append(bool(fires))
    assert fired == [False, True, True, False, False, True]


def test_the_state_is_two_arrays_and_says_what_it_hears():
    state = js.reduce_on(BOTH, 1.0).init()
    assert [leaf.dtype for leaf in jax.tree.leaves(state)] == [WHOLE, DTYPE]
    assert list(state.values.by_metric) == ["accuracy,loss"]
    assert list(state.counts) == ["all_of(plateau on loss, threshold on accuracy)"]
    other = js.reduce_on(
        js.all_of([js.plateau(2, metric="accuracy"), js.threshold(0.5, metric="loss")]), 1.0
    )
    with pytest.raises(ValueError, match=r"of `all_of\(plateau on loss, .* on `accuracy` and"):
        other.update(state, loss=1.0)


def test_a_monitor_that_names_the_metric_is_all_that_is_listened_to():
    rate = js.reduce_on(js.any_of([js.plateau(1, metric="loss"), js.every(9)]), 1.0)
    assert rate.metrics == ("loss",)
    state = js.scale_by_learning_rate(rate).init(PARAMS)
    with pytest.raises(ValueError, match=r"listens to `value`; it listens to `loss`"):
        js.observe(state, value=1.0)
    assert js.reduce_on(js.every(9), 1.0).metrics == ("value",)


def test_what_waits_is_told_by_name():
    optimizer = js.scale_by_learning_rate(js.reduce_on(BOTH, 1.0))
    state = js.observe(js.observe(optimizer.init(PARAMS), loss=3.0), loss=5.0)
    record = js.record(js.observe(state, accuracy=0.25))
    assert [float(record[f"waiting_{name}"]) for name in NAMES] == [1, 2]
    assert [float(record[f"waiting_value_{name}"]) for name in NAMES] == [0.25, 4]
    _, state = optimizer.update(PARAMS, js.observe(state, accuracy=0.25))
    record = js.log_values(state)
    assert (record["waiting_loss"], record["scale"], record["best_value"]) == (0, 1, 4)


def test_all_metrics_are_required():
    optimizer = js.scale_by_learning_rate(js.reduce_on(BOTH, 1.0), require_value=True)
    state = optimizer.init(PARAMS)
    with pytest.raises(TypeError, match="must be given `accuracy=`, as"):
        optimizer.update(PARAMS, state, loss=1.0)
    optimizer.update(PARAMS, state, loss=1.0, accuracy=1.0)


def test_reset_on_two_metrics_returns_to_the_best_of_one():
    optimizer = js.reset_on(BOTH, optax.sgd(1.0), return_to_best=True, metric="loss")
    params, state = jnp.zeros(1), optimizer.init(jnp.zeros(1))
    for loss, accuracy in ((2.0, 0.1), (1.0, 0.1), (3.0, 0.1), (3.0, 0.9)):
        updates, state = optimizer.update(-jnp.ones(1), state, params, loss=loss, accuracy=accuracy)
        params = optax.apply_updates(params, updates)
    assert (float(params[0]), float(state.best_value)) == (1.0, 1.0)
    with pytest.raises(ValueError, match=r"`metric` must be one .* accuracy and loss, got 'value'"):
        js.reset_on(BOTH, optax.sgd(1.0), return_to_best=True)


def test_a_monitor_by_hand_may_name_its_metric():
    @js.monitor(start=lambda **_: 0.0)
    def doubled(previous, value, ratio, metric=None):
        return value, value > ratio * previous

    rate = js.reduce_on(doubled(2.0, metric="grad_norm"), 1.0)
    assert rate.metrics == ("grad_norm",)
    assert float(rate(rate.init(), grad_norm=1.0)) == pytest.approx(0.1)

    @js.monitor(start=lambda monitor: monitor.init())
    def same(state, value, monitor):
        return monitor.update(state, value)

    with pytest.raises(ValueError, match="`monitor` must be without a `metric` of its own"):
        same(js.plateau(metric="loss"))


def test_many_metrics_are_averaged_over_devices_each_by_itself():
    rate = js.reduce_on(BOTH, 1.0, factor=0.5, axis_name="batch")

    def rates(losses, accuracy):
        def step(state, loss):
            return tuple(reversed(rate.advance(state, loss=loss, accuracy=accuracy)))

        return jax.lax.scan(step, rate.init(), losses)[1]

    losses = jnp.array([[1.0, 2.0, 1.0], [3.0, 2.0, 3.0]])
    found = jax.jit(jax.vmap(rates, axis_name="batch"))(losses, jnp.array([0.3, 0.8]))
    np.testing.assert_array_equal(found, [[1.0, 1.0, 0.5]] * 2)


def test_carry_over_between_rules_of_one_metric_and_of_two():
    one, two = (
        js.scale_by_learning_rate(js.reduce_on(rule, 1.0, factor=0.5))
        for rule in (js.threshold(0.5), BOTH)
    )
    _, old = one.update(PARAMS, one.init(PARAMS), value=0.1)
    new = js.carry_over(old, two.init(PARAMS))
    record = js.record(new)
    found = record["events"], record["scale"], record["waiting_loss"]
    np.testing.assert_allclose(found, (1, 0.5, 0), rtol=1e-15)
    back = js.carry_over(new, one.init(PARAMS))
    found = js.record(back)["events"], js.record(back)["scale"]
    np.testing.assert_allclose(found, (1, 0.5), rtol=1e-15)
