"""Controllers inside of controllers, against the rules in plain Python inside of one another."""

import math
import pickle
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import jaxsched as js
from tests import control_reference as plain
from tests.measure import DTYPE, WHOLE

PARAMS = jnp.ones(2)
SPIKE = dict(deviations=4.0, window=16, min_count=4)
FLAT = dict(patience=2, patience_growth=2.0)
LINE = (1.0, 0.25, 40)


def restarted():
    """Lowers at plateaus, and goes back to the full rate where the loss jumps."""
    lowered = js.reduce_on(js.plateau(**FLAT), js.linear_schedule(*LINE), 0.5)
    return js.restart_on(js.spike(**SPIKE), lowered, peak_mult=0.75)


class Restarted:
    """The same in plain Python: the inner rule is made anew, and does not hear the jump."""

    def __init__(self, make, monitor, peak=1.0):
        self.make, self.monitor, self.peak = make, monitor, peak
        self.inner, self.events = make(), 0

    def __call__(self, value):
        if self.monitor(value):
            self.inner, self.events, value = self.make(), self.events + 1, None
            self.monitor.anew()
        return self.peak**self.events * self.inner(value)


def reference():
    def make():
        return plain.ReduceOn(plain.plateau(**FLAT), plain.line(*LINE), 0.5)

    return Restarted(make, plain.spike(**SPIKE), 0.75)


def losses(seed=0, steps=120):
    """Levels that fall to a standstill, with a jump now and then, and updates without any."""
    draw = np.random.default_rng(seed)
    found, level = [], 1.0
    for step in range(steps):
        level = 8.0 + level if step in (30, 61, 100) else 0.5 + 0.8 * (level - 0.5)
        found.append(DTYPE(level * (1 + 0.001 * draw.standard_normal())))
    return [None if draw.random() < 0.1 else value for value in found]


@jax.jit
def rates_of(controller, values, there):
    """The rate at each update, and the last state."""

    def step(state, metric):
        value, observed = metric
        heard = js.observe(state, value=value)
        state = jax.tree.map(lambda one, other: jnp.where(observed, one, other), heard, state)
        return tuple(reversed(controller.advance(state)))

    return jax.lax.scan(step, controller.init(), (values, there))


def run(controller, metrics):
    values = np.array([0 if metric is None else metric for metric in metrics], DTYPE)
    return rates_of(controller, values, np.array([metric is not None for metric in metrics]))


def test_a_restart_puts_the_inner_rule_back_to_its_beginning():
    for seed in range(4):
        rule = reference()
        wanted = [rule(loss) for loss in losses(seed)]
        state, rates = run(restarted(), losses(seed))
        np.testing.assert_allclose(rates, wanted, rtol=2e-6)
        record, inner = js.record(state), rule.inner
        assert record["events"] == rule.events >= 2
        assert record["updates"] == 120
        names = ("count", "updates", "observations", "events")
        assert [record[f"inner_{n}"] for n in names] == [inner.record()[n] for n in names]
        np.testing.assert_allclose(record["inner_scale"], 0.5**inner.events, rtol=1e-15)


def test_the_inner_rule_is_that_of_the_controller_alone_until_something_fires():
    alone = js.reduce_on(js.plateau(**FLAT), js.linear_schedule(*LINE), 0.5)
    quiet = js.restart_on(js.threshold(-1.0), alone)
    _, wanted = run(alone, losses())
    np.testing.assert_array_equal(run(quiet, losses())[1], wanted)
    cooled = js.cooldown_on(js.threshold(-1.0), alone, 10)
    np.testing.assert_array_equal(run(cooled, losses())[1], wanted)


def test_three_levels_each_with_its_metric():
    """Restarts by the loss; inside a cooldown by the accuracy; inside of it a floor by a norm."""
    lowest = js.reduce_on(js.above(1.0, metric="norm"), 1.0, 0.5)
    middle = js.cooldown_on(js.threshold(0.5, "max", metric="accuracy"), lowest, 2)
    rate = js.restart_on(js.threshold(0.1, metric="loss"), middle)
    assert rate.metrics == ("accuracy", "loss", "norm")
    given = [
        {"norm": 2.0},
        {"loss": 1.0},
        {"accuracy": 0.6, "norm": 2.0},
        {"norm": 2.0},
        {},
        {"loss": 0.1, "norm": 2.0},
        {"norm": 2.0},
    ]

    def step(state, metrics):
        for name, (value, observed) in metrics.items():
            heard = js.observe(state, **{name: value})
            choose = partial(jnp.where, observed)
            state = jax.tree.map(choose, heard, state)
        return tuple(reversed(rate.advance(state)))

    metrics = {
        name: (np.array([g.get(name, 0.0) for g in given]), np.array([name in g for g in given]))
        for name in rate.metrics
    }
    state, rates = jax.jit(lambda: jax.lax.scan(step, rate.init(), metrics))()
    assert rates.tolist() == [0.5, 0.5, 0.25, 0.125, 0.0, 1.0, 0.5]
    record = js.record(state)
    assert [record[f"{'inner_' * level}events"] for level in range(3)] == [1, 0, 1]
    assert [record[f"{'inner_' * level}observations"] for level in range(3)] == [2, 0, 1]


def test_a_part_of_the_steps_since_the_restart():
    cooled = js.cooldown_on(js.threshold(0.5), 1.0, fraction=0.5)
    rate = js.restart_on(js.threshold(5.0, mode="max"), cooled)
    losses = [1, 1, 1, 1, 0.4, 1, 1, 9, 1, 0.4, 1, 1]
    _, rates = run(rate, losses)
    np.testing.assert_allclose(rates, [1, 1, 1, 1, 1, 0.5, 0, 1, 1, 1, 0, 0], atol=1e-7)


def test_every_controller_takes_one():
    inner = js.reduce_on(js.threshold(0.5), 1.0, 0.5)
    quiet = js.threshold(-1.0)
    outer = [
        js.reduce_on(quiet, inner),
        js.scale_on(quiet, inner, 0.5),
        js.raise_and_lower_on(quiet, quiet, inner),
        js.follow(js.greedy(), inner),
    ]

    def rates(controller):
        def step(state, loss):
            return tuple(reversed(controller.advance(state, value=loss)))

        return jax.lax.scan(step, controller.init(), jnp.array([1.0, 0.4, 0.4]))[1]

    for found in jax.jit(lambda: list(map(rates, outer)))():
        assert found.tolist() == [1.0, 0.5, 0.5]


def test_its_state_is_two_arrays_that_say_whose_they_are():
    rate = restarted()
    state = rate.init()
    assert [leaf.dtype for leaf in jax.tree.leaves(state)] == [WHOLE, DTYPE]
    assert list(state.counts) == ["spike around plateau"]
    other = js.restart_on(js.plateau(), js.reduce_on(js.spike(), 1.0))
    with pytest.raises(ValueError, match=r"of `spike around plateau` on .*`plateau around spike`"):
        other.update(state, value=1.0)


def test_it_is_a_value_like_any_other():
    rate = restarted()
    assert pickle.loads(pickle.dumps(rate)) == rate
    assert eval(repr(rate), vars(js)) == rate
    assert js.from_config(js.to_config(rate)) == rate
    assert js.parse(repr(rate)) == rate
    assert isinstance(rate, optax.schedules.StatefulSchedule)
    lanes = jax.vmap(lambda factor: rate.replace(peak_mult=factor)(rate.init(), value=1.0))
    np.testing.assert_array_equal(jax.jit(lanes)(jnp.array([0.5, 0.75])), [1.0, 1.0])


def test_no_operation_of_a_step_branches():
    rate = restarted()
    program = jax.jit(rate.advance).lower(rate.init(), value=1.0).compile().as_text()
    assert [word for word in ("conditional", "while", "custom-call") if word in program] == []


def test_carry_over_goes_on_with_the_schedule_inside():
    line = js.linear_schedule(*LINE)
    alone = js.scale_by_learning_rate(js.reduce_on(js.plateau(**FLAT), line, 0.5))
    nested = js.scale_by_learning_rate(restarted())
    state = alone.init(PARAMS)
    counts = {rule: vector.at[:2].set(3) for rule, vector in state.controller.counts.items()}
    state = state._replace(count=3, controller=state.controller._replace(counts=counts))
    carried = js.carry_over(state, nested.init(PARAMS))
    assert [js.record(carried)[name] for name in ("count", "inner_count")] == [3, 3]
    assert js.record(js.carry_over(carried, alone.init(PARAMS)))["count"] == 3


def called_twice(phase, monitor, schedule):
    return phase, schedule(phase.count) + schedule(phase.count)


def called_never(phase, monitor, schedule):
    return phase, 1.0


INNER = js.reduce_on(js.plateau(), 1.0)


@pytest.mark.parametrize(
    ("make", "error", "told"),
    [
        (lambda: js.restart_on(js.spike(), INNER, period_mult=2), ValueError, "`period_mult` must"),
        (lambda: js.advance_on(js.spike(), [INNER, 1.0]), TypeError, "not a stateful schedule"),
        (lambda: js.with_warmup(INNER, 10), TypeError, "not a stateful schedule"),
        (lambda: js.reduce_on(js.spike(), js.plateau()), TypeError, "`schedule` must be"),
        (lambda: rate_of(js.controller()(called_twice)(js.every(3), INNER)), TypeError, "once"),
        (
            lambda: rate_of(js.controller()(called_never)(js.every(3), INNER)),
            TypeError,
            "must call",
        ),
        (
            lambda: rate_of(js.reduce_on(js.every(3), INNER.replace(axis_name="i"), axis_name="j")),
            ValueError,
            "`axis_name` must be the same",
        ),
    ],
)
def test_what_cannot_be_nested(make, error, told):
    with pytest.raises(error, match=told):
        make()


def rate_of(controller):
    return controller(controller.init(), value=1.0)


def test_two_controllers_in_one_are_refused():
    pair = js.controller()(lambda phase, monitor, one, two: (phase, one(phase.count)))
    with pytest.raises(TypeError, match=r"One of \['one', 'two'\] at most"):
        pair(js.every(3), INNER, INNER)


def test_a_loss_that_is_not_finite_leaves_the_rate_finite():
    _, rates = run(restarted(), [1.0, math.nan, math.inf, 1.0] * 4)
    assert np.isfinite(rates).all()
