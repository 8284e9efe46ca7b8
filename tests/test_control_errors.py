"""Mistakes with monitors, controllers and metrics raise, and name the argument and the value."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import jaxsched as js

LINE = js.linear_schedule(1.0, 0.0, 10)
RULE = js.plateau()
PARAMS = jnp.ones(2)
NAN = float("nan")


MADE = {
    "patience below 0": (lambda: js.plateau(patience=-1), "patience", "-1"),
    "patience of half a value": (lambda: js.plateau(patience=2.5), "patience", "2.5"),
    "patience of a string": (lambda: js.plateau(patience="2"), "patience", "'2'"),
    "negative rtol": (lambda: js.plateau(rtol=-1e-4), "rtol", "-0.0001"),
    "atol of NaN": (lambda: js.plateau(atol=NAN), "atol", "nan"),
    "unknown mode": (lambda: js.plateau(mode="maximum"), "mode", "'maximum'"),
    "negative window": (lambda: js.plateau(window=-3), "window", "-3"),
    "window of 0": (lambda: js.plateau(window=0), "window", "0"),
    "negative cooldown": (lambda: js.plateau(cooldown=-1), "cooldown", "-1"),
    "patience that shrinks": (lambda: js.plateau(patience_growth=0.5), "patience_growth", "0.5"),
    "window that shrinks": (lambda: js.plateau(window_growth=0.5), "window_growth", "0.5"),
    "reset_best of 1": (lambda: js.plateau(reset_best=1), "reset_best", "1"),
    "worsening of no value": (lambda: js.worsening(patience=0), "patience", "0"),
    "infinite threshold": (lambda: js.threshold(float("inf")), "target", "inf"),
    "complex threshold": (lambda: js.threshold(1j), "target", "1j"),
    "slow_progress of no margin": (lambda: js.slow_progress(rtol=0, atol=0), "rtol", "0"),
    "spike of no deviations": (lambda: js.spike(deviations=0), "deviations", "0"),
    "slope of two points": (lambda: js.slope_test(window=2), "window", "2"),
    "significance of 1": (lambda: js.slope_test(significance=1.0), "significance", "1.0"),
    "every 0 steps": (lambda: js.every(0), "steps", "0"),
    "any of none": (lambda: js.any_of([]), "monitors", "[]"),
    "all of none": (lambda: js.all_of([]), "monitors", "[]"),
    "any of one": (lambda: js.any_of(RULE), "monitors", "plateau()"),
    "a number among monitors": (lambda: js.any_of([RULE, 3]), "monitors[1]", "3"),
    "a maker among monitors": (lambda: js.any_of([js.plateau]), "monitors[0]", "plateau"),
    "ignoring of a number": (lambda: js.ignore_nonfinite(3), "monitor", "3"),
    "factor of 0": (lambda: js.reduce_on(RULE, LINE, factor=0.0), "factor", "0.0"),
    "factor of 1": (lambda: js.reduce_on(RULE, LINE, factor=1.0), "factor", "1.0"),
    "factor above 1": (lambda: js.raise_and_lower_on(RULE, RULE, LINE, 2.0), "factor", "2.0"),
    "a window of half a value": (lambda: js.greedy(window=2.5), "window", "2.5"),
    "reset after none": (lambda: js.greedy(reset_after=0), "reset_after", "0"),
    "following what fires": (lambda: js.follow(RULE, LINE), "monitor", "plateau()"),
    "negative factor": (lambda: js.scale_on(RULE, LINE, factor=-1.0), "factor", "-1.0"),
    "scales out of order": (
        lambda: js.scale_on(RULE, LINE, 0.5, min_scale=2.0),
        "min_scale",
        "2.0 > 1.0",
    ),
    "negative floor": (lambda: js.reduce_on(RULE, LINE, min_value=-1.0), "min_value", "-1.0"),
    "peak_mult of 0": (lambda: js.restart_on(RULE, LINE, peak_mult=0), "peak_mult", "0"),
    "period that shrinks": (
        lambda: js.restart_on(RULE, LINE, period_mult=0.5),
        "period_mult",
        "0.5",
    ),
    "restarts below 0": (lambda: js.restart_on(RULE, LINE, max_restarts=-1), "max_restarts", "-1"),
    "no schedules": (lambda: js.advance_on(RULE, []), "schedules", "[]"),
    "a schedule for schedules": (lambda: js.advance_on(RULE, LINE), "schedules", "linear_schedule"),
    "no monitor": (lambda: js.reduce_on(LINE, LINE), "monitor", "linear_schedule"),
    "a maker of monitors": (lambda: js.reduce_on(js.plateau, LINE), "monitor", "plateau"),
    "a monitor for a schedule": (lambda: js.reduce_on(RULE, RULE), "schedule", "plateau"),
    "a stretched controller": (
        lambda: js.restart_on(RULE, js.reduce_on(RULE, LINE), period_mult=2),
        "period_mult",
        "2",
    ),
    "a controller among schedules": (
        lambda: js.advance_on(RULE, [js.reduce_on(RULE, LINE), 0.1]),
        "schedules[0]",
        "reduce_on",
    ),
    "metric of no name": (
        lambda: js.reduce_on(RULE, LINE, metric="val loss"),
        "metric",
        "val loss",
    ),
    "metric of update's": (lambda: js.reduce_on(RULE, LINE, metric="params"), "metric", "params"),
    "metric of a number": (lambda: js.reduce_on(RULE, LINE, metric=1), "metric", "1"),
    "axis of a number": (lambda: js.reduce_on(RULE, LINE, axis_name=1), "axis_name", "1"),
    "a monitor for a rate": (lambda: js.scale_by_learning_rate(RULE), "learning_rate", "plateau"),
    "Optax's rtol": (lambda: js.reduce_on_plateau(rtol=1.5), "rtol", "1.5"),
    "Optax's margins": (lambda: js.reduce_on_plateau(rtol=0.0, atol=0.0), "rtol", "0"),
    "Optax's factor": (lambda: js.reduce_on_plateau(factor=1.0), "factor", "1.0"),
    "min_scale above 1": (lambda: js.reduce_on_plateau(min_scale=2.0), "min_scale", "2.0"),
    "accumulation of none": (
        lambda: js.reduce_on_plateau(accumulation_size=0),
        "accumulation_size",
        "0",
    ),
    "cooldown below 0": (lambda: js.cooldown_on(js.every(3), 0.1, -5), "cooldown_steps", "-5"),
    "end above the begin": (
        lambda: js.cooldown_on(js.every(3), 0.1, 5, end_scale=2),
        "end_scale",
        "2",
    ),
    "no positive end": (
        lambda: js.cooldown_on(js.every(3), 0.1, 5, shape="geometric"),
        "end_scale",
        "0",
    ),
    "a margin of more than all": (lambda: js.plateau(rtol=2.0), "rtol", "2.0"),
    "greedy margin of more than all": (lambda: js.greedy(rtol=2.0), "rtol", "2.0"),
    "greedy floor above its ceiling": (
        lambda: js.greedy(min_scale=5.0, max_scale=1.0),
        "min_scale",
        "5.0 > 1.0",
    ),
    "metric of a method's": (lambda: js.reduce_on(RULE, LINE, metric="self"), "metric", "self"),
    "metric of observe's": (
        lambda: js.reset_on(RULE, optax.sgd(0.1), metric="opt_state"),
        "metric",
        "opt_state",
    ),
    "metric of Python's": (lambda: js.reduce_on_plateau(metric="class"), "metric", "class"),
    "patience of a time": (
        lambda: js.plateau(patience=np.timedelta64(5, "s")),
        "patience",
        "timedelta64",
    ),
    "margin of a longdouble": (lambda: js.plateau(rtol=np.longdouble(0)), "rtol", "longdouble"),
    "zero of a number": (lambda: js.reset_on(RULE, optax.sgd(0.1), zero=3), "zero", "3"),
    "zero of None": (lambda: js.reset_on(RULE, optax.sgd(0.1), zero=None), "zero", "None"),
    "zero of bytes": (lambda: js.reset_on(RULE, optax.sgd(0.1), zero=b"mu"), "zero", "b'mu'"),
    "reinitialize of a flag": (
        lambda: js.reset_on(RULE, optax.sgd(0.1), reinitialize=True),
        "reinitialize",
        "True",
    ),
    "resetting no optimizer": (lambda: js.reset_on(RULE, 3), "optimizer", "3"),
    "skipping no optimizer": (lambda: js.skip_on(js.spike(), None), "optimizer", "None"),
    **{
        f"{name} of a number in {maker.__name__}": (
            lambda maker=maker, args=args, name=name: maker(*args, **{name: 1}),
            name,
            "1",
        )
        for maker, args, names in (
            (js.plateau, (), ("reset_best",)),
            (js.scale_by_learning_rate, (0.1,), ("flip_sign", "require_value")),
            (js.scale_by_schedule, (0.1,), ("require_value",)),
            (js.scale_by_path, ({".*": 0.1},), ("flip_sign", "require_value")),
            (js.reduce_on_plateau, (), ("require_value",)),
            (js.skip_on, (js.spike(), optax.sgd(0.1)), ("require_value",)),
            (
                js.reset_on,
                (RULE, optax.sgd(0.1)),
                ("require_value", "return_to_best", "reset_monitor"),
            ),
            (js.learning_rate, ((),), ("all",)),
            (js.record, ((),), ("all",)),
            (js.carry_over, ((), ()), ("restart_schedule",)),
        )
        for name in names
    },
    "reset of a number": (lambda: js.reset_on(RULE, optax.sgd(0.1), zero=[1]), "zero", "1"),
    "reset without a monitor": (lambda: js.reset_on(3, optax.sgd(0.1)), "monitor", "3"),
    "reset in an unknown mode": (
        lambda: js.reset_on(RULE, optax.sgd(0.1), return_to_best=True, mode="up"),
        "mode",
        "'up'",
    ),
}


@pytest.mark.parametrize("make", [js.with_warmup, lambda s, n: js.with_cooldown(s, 5, n)])
def test_a_fraction_is_no_number_of_steps(make):
    with pytest.raises(ValueError, match=r"_steps` must be .*`Run.steps\(fraction=0.1\)`.*got 0.1"):
        make(LINE, 0.1)
    assert make(LINE, 0.0)(0) is not None


@pytest.mark.parametrize(("make", "name", "value"), MADE.values(), ids=MADE)
def test_it_raises_when_made(make, name, value):
    with pytest.raises((TypeError, ValueError)) as error:
        make()
    assert f"`{name}`" in str(error.value)
    assert value in str(error.value)


METRICS = {
    "complex": 1j,
    "string": "0.5",
    "boolean": True,
    "vector": np.ones(1),
    "matrix": jnp.ones((2, 2)),
    "complex array": jnp.array(1j),
    "list": [0.5],
}
OPTIMIZERS = {
    "reduce_on_plateau": lambda **options: js.reduce_on_plateau(**options),
    "reset_on": lambda **options: js.reset_on(RULE, optax.sgd(0.1), **options),
    "scale_by_learning_rate": lambda require_value=False, **options: js.scale_by_learning_rate(
        js.reduce_on(RULE, LINE, **options), require_value=require_value
    ),
}
optimizers = pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS)


@pytest.mark.parametrize("value", METRICS.values(), ids=METRICS)
@optimizers
def test_a_metric_that_is_no_real_scalar_raises(make, value):
    optimizer = make(metric="loss")
    state = optimizer.init(PARAMS)
    with pytest.raises(TypeError, match="`loss` must be a real scalar"):
        optimizer.update(PARAMS, state, PARAMS, loss=value)
    with pytest.raises(TypeError, match="`loss` must be a real scalar"):
        js.observe(state, loss=value)


@optimizers
def test_a_metric_no_one_listens_to_raises(make):
    state = make(metric="loss").init(PARAMS)
    with pytest.raises(ValueError, match=r"listens to `lost`; it listens to `loss`"):
        js.observe(state, lost=1.0)
    with pytest.raises(ValueError, match=r"listens to `value`; it listens to no metric"):
        js.observe(optax.sgd(0.1).init(PARAMS), value=1.0)
    with pytest.raises(TypeError, match="must be given a metric"):
        js.observe(state)


@optimizers
def test_a_metric_that_is_required_raises_where_it_is_missing(make):
    optimizer = make(metric="loss", require_value=True)
    state = optimizer.init(PARAMS)
    for arguments in ({}, {"value": 1.0}, {"loss": None}):
        with pytest.raises(TypeError, match="must be given `loss=`"):
            jax.jit(optimizer.update)(PARAMS, state, PARAMS, **arguments)
    optimizer.update(PARAMS, state, PARAMS, loss=1.0)


@optimizers
def test_a_metric_of_nearly_the_right_name_warns_where_it_is_traced(make):
    optimizer = make()
    state = optimizer.init(PARAMS)
    update = jax.jit(optimizer.update)
    with pytest.warns(UserWarning, match="given `vlaue=`.*did you mean `value=`"):
        _, state = update(PARAMS, state, PARAMS, vlaue=1.0)
    for quiet in ({"vlaue": 2.0}, {"val": 1.0}, {"val_loss": 1.0}, {"value": 1.0, "values": 1.0}):
        update(PARAMS, state, PARAMS, **quiet)


@optimizers
def test_a_run_without_a_metric_shows_in_the_record(make):
    optimizer = make()
    state = optimizer.init(PARAMS)
    for _ in range(3):
        _, state = jax.jit(optimizer.update)(PARAMS, state, PARAMS, lost=1.0)
    record = js.record(state)
    assert (record["updates"], record["observations"], record["events"]) == (3, 0, 0)
    assert record["last_event"] == -1


def test_a_controller_called_with_a_count_names_the_right_way():
    controller = js.reduce_on(RULE, LINE)
    with pytest.raises(TypeError, match=re.escape("jaxsched.scale_by_learning_rate(controller)")):
        controller(3)
    optimizer = optax.adam(controller)
    with pytest.raises(TypeError, match="inject_hyperparams"):
        optimizer.update(PARAMS, optimizer.init(PARAMS), PARAMS)


def test_combinators_name_a_controller_they_cannot_use():
    with pytest.raises(TypeError, match="not a stateful schedule"):
        js.with_warmup(js.reduce_on(RULE, LINE), 10)


def test_reset_on_names_the_parts_there_are():
    optimizer = js.reset_on(RULE, optax.adam(0.1), reinitialize="trace")
    with pytest.raises(ValueError, match=r"called \['trace'\]; there are .*'momentum'.*'nu'"):
        optimizer.init(PARAMS)


def test_decorators_say_how_they_are_written():
    with pytest.raises(TypeError, match=r"@controller\(\)"):
        js.controller(lambda phase, monitor: (phase, 1.0))
    with pytest.raises(TypeError, match=r"@monitor\(start=...\)"):
        js.monitor(lambda state, value: (state, False))
    with pytest.raises(TypeError, match=r"lambda \*\*_: 0.0.*got 0.0"):
        js.monitor(start=0.0)
    with pytest.raises(TypeError, match=r"@monitor\(start=...\)"):
        js.monitor()


@pytest.mark.parametrize(
    "state", [jnp.zeros(3), np.zeros(2), {"mean": 0.0}, [0.0], (0.0, jnp.zeros(1)), None]
)
def test_a_state_that_cannot_be_packed(state):
    rule = js.monitor(start=lambda **_: state)(lambda state, value: (state, value > 0))()
    with pytest.raises(TypeError, match="a number or a tuple of numbers"):
        rule.init()
    with pytest.raises(TypeError, match="a number or a tuple of numbers"):
        js.reduce_on(rule, 1.0).init()


@pytest.mark.parametrize("returned", [True, (0.0,), (0.0, True, 1), [0.0, True]])
def test_a_monitor_that_returns_no_pair(returned):
    def one_sided(state, value):
        return returned

    rule = js.monitor(start=lambda **_: 0.0)(one_sided)()
    with pytest.raises(TypeError, match="`one_sided` must return a pair `state, fired`"):
        rule.update(rule.init(), 1.0)


@pytest.mark.parametrize("returned", [0.1, (0.1, 0.2), (0.1,)])
def test_a_controller_that_returns_no_pair(returned):
    def rate_alone(phase, monitor):
        return returned

    rate = js.controller()(rate_alone)(js.every(3))
    with pytest.raises(TypeError, match="`rate_alone` must return a pair `phase, rate`"):
        rate(rate.init(), value=1.0)


def test_a_python_if_says_what_to_write():
    def branching(count, bound):
        return 1.0 if count > bound else 0.0

    def branching_monitor(state, value):
        return state, bool(value > 0)

    schedule = js.schedule(branching)(3)
    rule = js.monitor(start=lambda **_: 0.0)(branching_monitor)()
    controller = js.controller()(lambda phase, m: (phase, 1.0 if m else 0.0))(js.every(3))
    for call in (
        lambda: schedule(1),
        lambda: (schedule * 2)(1),
        lambda: rule.update(rule.init(), 1.0),
        lambda: controller(controller.init(), value=1.0),
    ):
        with pytest.raises(jax.errors.TracerBoolConversionError) as caught:
            call()
        assert "jnp.where(condition, yes, no)" in "".join(caught.value.__notes__)
