"""Controllers and what applies them, against plain Python: the same rates at the same steps."""

import functools
import math
import os
import pickle
import re
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import jaxsched as js
from jaxsched.control.controllers.controller import memory_of
from tests import control_reference as plain
from tests.compiling import quick_flags, quick_jit
from tests.control_reference import answers
from tests.control_table import (
    CONTROLLERS,
    LENGTH,
    MONITORS,
    SAMPLE,
    SEQUENCES,
    Metrics,
    Row,
    arrays,
    factors,
    few,
    margins,
    margins_of,
    seen,
    sequences,
    some,
)
from tests.measure import DTYPE, WHOLE
from tests.table import draws, floats

NAN, INF = math.nan, math.inf
ONE = jnp.ones((), DTYPE)

every_row = pytest.mark.parametrize("row", CONTROLLERS, ids=lambda row: row.name)
drawn = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
close = partial(np.testing.assert_allclose, rtol=5e-6)


def hear(state: Any, value: Any, observed: Any) -> Any:
    """The state with a metric left in it, if there is one."""
    return jax.tree.map(partial(jnp.where, observed), js.observe(state, value=value), state)


def train(transform: optax.GradientTransformationExtraArgs, metrics: Any, params: Any = ONE) -> Any:
    """The updates at each step, and the states after it."""

    def step(state, metric):
        updates, state = transform.update(params, hear(state, *metric))
        return state, (updates, state)

    return jax.lax.scan(step, transform.init(params), metrics)[1]


def run(controller: js.Controller, metrics: Any) -> tuple[jax.Array, dict[str, jax.Array]]:
    """The rate at each of many updates, and the record after the last."""
    transform = js.scale_by_learning_rate(controller)

    def step(state, metric):
        updates, state = transform.update(ONE, hear(state, *metric))
        return state, -updates

    state, rates = jax.lax.scan(step, transform.init(ONE), metrics)
    return rates, js.record(state)


call = quick_jit(run)


def run_given(controller: js.Controller, values: Any) -> tuple[jax.Array, dict[str, jax.Array]]:
    """Likewise of the controller by itself, with a metric at each update."""

    def step(state, value):
        return tuple(reversed(controller.advance(state, value=value)))

    state, rates = jax.lax.scan(step, controller.init(), values)
    return rates, js.record(state)


def agree(found: Any, reference: plain.Controller, metrics: Metrics) -> None:
    """The rates, and the record at the end."""
    rates, record = found
    close(rates, answers(reference, metrics))
    assert {name: record[name] for name in reference.record()} == reference.record()


@every_row
@drawn
@given(data=st.data())
def test_rates_are_those_of_the_reference(row: Row, data: st.DataObject):
    draw, metrics = data.draw(row.draw), data.draw(sequences)
    agree(call(row.make(draw), arrays(metrics)), row.reference(draw), metrics)


@pytest.mark.parametrize("kind", SEQUENCES)
def test_rates_are_those_of_the_reference_on(kind: str):
    metrics = seen(SEQUENCES[kind])
    for row in CONTROLLERS:
        found = call(row.make(row.sample), arrays(metrics))
        agree(found, row.reference(row.sample), metrics)


def without_gaps(metrics: Metrics) -> Metrics:
    return [DTYPE(1.0) if metric is None else metric for metric in metrics]


@every_row
@settings(drawn, max_examples=10)
@given(data=st.data())
def test_vmap_over_hyperparameters(row: Row, data: st.DataObject):
    draws = data.draw(st.lists(row.draw, min_size=3, max_size=3))
    whole = {"period_mult": 2} if "period_mult" in draws[0] else {}
    draws = [{**draw, **whole} for draw in draws]
    metrics = without_gaps(data.draw(sequences))
    lanes = mapped(list(map(row.make, draws)), np.array(metrics))
    for i, draw in enumerate(draws):
        lane = jax.tree.map(lambda leaf, i=i: leaf[i], lanes)
        agree(lane, row.reference(draw), metrics)


@quick_jit
def mapped(controllers: list[js.Controller], values: Any) -> Any:
    together = jax.tree.map(lambda *leaves: jnp.stack(leaves), *controllers)
    return jax.vmap(run_given, in_axes=(0, None))(together, values)


PROGRAMS = {row.name: js.scale_by_learning_rate(row.make(row.sample)) for row in CONTROLLERS}
PROGRAMS["reduce_on with each monitor"] = js.scale_by_learning_rate(
    js.reduce_on(js.any_of([row.make(row.sample) for row in MONITORS]), 1.0)
)


@functools.cache
def compiled(name: str) -> Any:
    """The program of one update."""
    transform = PROGRAMS[name]
    return jax.jit(transform.update).lower(ONE, transform.init(ONE), value=DTYPE(1)).compile()


WITHOUT_GAPS = without_gaps(SAMPLE)


@every_row
def test_every_program_has_the_same_rates(row: Row):
    controller = row.make(row.sample)
    known, record = jax.jit(partial(run_given, controller))(np.array(WITHOUT_GAPS))
    traced, traced_record = call(controller, arrays(WITHOUT_GAPS))
    assert (not row.name.startswith("cooldown_on")) < record["events"] < LENGTH // 2
    close(traced, known)
    same_record(traced_record, record)
    assert isinstance(controller, optax.schedules.StatefulSchedule)
    assert as_schedule(controller, WITHOUT_GAPS) == known.tolist()
    transform = PROGRAMS[row.name]
    for update in (transform.update, compiled(row.name)):
        state, rates = transform.init(ONE), []
        for metric in WITHOUT_GAPS:
            _, state = update(ONE, state, value=metric)
            rates.append(js.learning_rate(state))
        np.testing.assert_array_equal(rates, known)
        same_record(js.record(state), record)


def same_record(found: dict[str, Any], wanted: dict[str, Any]) -> None:
    jax.tree.map(np.testing.assert_array_equal, found, wanted)


def as_schedule(controller: js.Controller, metrics: Metrics) -> list[float]:
    """The rates of a controller by itself, used as any stateful schedule of Optax is."""
    state, rates = controller.init(), []
    for metric in metrics:
        rates.append(float(controller(state, value=metric)))
        state = controller.update(state, value=metric)
    return rates


# The transformations.

PLATEAUS = dict(patience=few, rtol=margins, atol=margins, mode=st.just("min"))
TRANSFORMS = {
    "reduce_on_plateau": (
        draws(
            **PLATEAUS,
            factor=factors,
            cooldown=few,
            accumulation_size=st.integers(1, 4),
            min_scale=floats(1e-3, 0.5),
        ).filter(margins_of),
        js.reduce_on_plateau,
        plain.reduce_on_plateau,
    ),
}
DTYPES = (jnp.float32, jnp.bfloat16, jnp.float16)
every_transform = pytest.mark.parametrize("name", TRANSFORMS)


@partial(quick_jit, static_argnames="name")
def trained(name: str, h: Any, metrics: Any) -> Any:
    """Updates and states, for parameters of each dtype."""
    transform = TRANSFORMS[name][1](**h, mode="min")
    return [train(transform, metrics, jnp.full(2, 1.5, dtype)) for dtype in DTYPES]


def applied(state: Any) -> jax.Array:
    """What the updates were multiplied by."""
    return state.scale if isinstance(state, js.ReduceLROnPlateauState) else -state.learning_rate


@every_transform
@settings(drawn, max_examples=15)
@given(data=st.data())
def test_transformations_do_the_same_for_params_of_any_dtype(name: str, data: st.DataObject):
    draw, _, reference = TRANSFORMS[name]
    h, metrics = data.draw(draw), data.draw(sequences)
    numbers = {key: value for key, value in h.items() if key != "mode"}
    (_, single), *others = found = trained(name, numbers, arrays(metrics))
    close(np.abs(applied(single)), answers(reference(**h), metrics))
    for _, state in others:
        jax.tree.map(np.testing.assert_array_equal, state, single)
    for dtype, (updates, state) in zip(DTYPES, found, strict=True):
        assert updates.dtype == dtype
        wanted = (applied(state)[:, None] * jnp.full(2, 1.5, dtype)).astype(dtype)
        np.testing.assert_array_equal(updates, wanted)


def types_of(tree: Any) -> list[Any]:
    return [(leaf.dtype.type, leaf.weak_type) for leaf in jax.tree.leaves(tree)]


@every_transform
@pytest.mark.parametrize("dtype", [*DTYPES, jnp.complex64])
def test_state_types_are_never_weak_nor_those_of_params(name: str, dtype: Any):
    transform = TRANSFORMS[name][1]()
    params = jnp.ones(2, dtype)
    state = transform.init(params)
    assert set(types_of(state)) == {(DTYPE, False), (WHOLE, False)}
    for value in (1, 0.5, np.float64(0.5), jnp.bfloat16(0.5), None):
        updates, after = jax.eval_shape(partial(transform.update, value=value), params, state)
        assert types_of(after) == types_of(state)
        assert jax.tree.structure(after) == jax.tree.structure(state)
        assert updates.dtype == dtype


@every_row
def test_a_controller_keeps_two_arrays(row: Row):
    state = row.make(row.sample).init()
    assert types_of(state) == [(WHOLE, False), (DTYPE, False)]


# Beside others.

PEERS = {
    "PyTorch": (dict(patience=2 + 1), [0, 0, 0, 1, 1, 1, 2, 2, 2, 3]),
    "PyTorch, cooldown 1": (dict(patience=2 + 1, cooldown=1), [0, 0, 0, 1, 1, 1, 1, 2]),
    "Keras": (dict(patience=2, rtol=0, atol=1e-4), [0, 0, 1, 1, 2, 2, 3]),
    "Keras, cooldown 2": (
        dict(patience=2, rtol=0, atol=1e-4, cooldown=2 - 1),
        [0, 0, 1, 1, 1, 2, 2, 2, 3],
    ),
    "Optax": (dict(patience=2), [0, 0, 1, 1, 2, 2, 3]),
    "Optax, cooldown 1": (dict(patience=2, cooldown=1), [0, 0, 1, 1, 1, 2, 2, 2]),
}


@pytest.mark.parametrize(("options", "reductions"), PEERS.values(), ids=PEERS)
def test_a_constant_metric_reduces_as_in(options: dict[str, Any], reductions: list[int]):
    """What each gives with factor 0.1, patience 2; after each value from the first on."""
    controller = js.reduce_on(js.plateau(**options), 1.0, factor=0.1)
    for metric in (1.0, 0.3, 1e5):
        rates = as_schedule(controller, [metric] * len(reductions))
        close(rates, [0.1**n for n in reductions], rtol=1e-6)


FIELDS = optax.contrib.ReduceLROnPlateauState._fields


@quick_jit
def both(h: Any, values: jax.Array) -> Any:
    """The scales of ours and of Optax, whose factor and margin cannot be traced."""

    def scales(transform):
        def step(state, value):
            _, state = transform.update(ONE, state, value=value)
            return state, {name: getattr(state, name) for name in FIELDS}

        return jax.lax.scan(step, transform.init(jnp.ones(())), values)[1]

    return [
        scales(make(factor=0.5, rtol=0.01, **h))
        for make in (js.reduce_on_plateau, optax.contrib.reduce_on_plateau)
    ]


@drawn
@given(
    h=draws(
        patience=some,
        cooldown=few,
        accumulation_size=st.integers(1, 4),
        min_scale=st.sampled_from([0.0, 0.1]),
    ),
    seed=st.integers(0, 10**6),
)
def test_optax_gives_the_same_where_it_is_right(h: Any, seed: int):
    values = np.random.default_rng(seed).lognormal(0.0, 0.3, 4 * LENGTH).astype(DTYPE)
    ours, theirs = both(h, values)
    for name in FIELDS:
        np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-6, err_msg=name)


DEFAULTS = dict(
    factor=0.1,
    patience=10,
    rtol=1e-4,
    atol=0.0,
    cooldown=0,
    accumulation_size=1,
    min_scale=0.0,
)


def reduced(metrics: Metrics, **options: Any) -> Any:
    """The last state of `reduce_on_plateau`, the same for parameters of each dtype."""
    nothing = [None] * (-len(metrics) % LENGTH)
    found = trained("reduce_on_plateau", {**DEFAULTS, **options}, arrays(seen(metrics + nothing)))
    single, *halves = (jax.tree.map(lambda leaf: leaf[-1], states) for _, states in found)
    for half in halves:
        jax.tree.map(np.testing.assert_array_equal, half, single)
    return single


@pytest.mark.parametrize(("part", "patience"), [(0.001, 5), (0.0005, 10)])
def test_steady_improvement_reduces_nothing(part: float, patience: int):
    losses = [3.0 * (1 - part) ** i for i in range(1000)]
    state = reduced(losses, patience=patience)
    assert state.scale == 1
    assert state.best_value == DTYPE(losses[-1])


def test_a_mean_of_many_losses_is_right():
    losses = np.linspace(1.99, 4.0, 1000)
    close(reduced(list(losses), accumulation_size=1000).best_value, losses.mean(), rtol=1e-6)


def test_many_reductions_are_exact():
    traced = reduced([1.0] * 1000, factor=0.999, patience=1).scale
    close(traced, float(DTYPE(0.999)) ** 999, rtol=1e-6)
    known = js.reduce_on_plateau(factor=0.999, patience=1)
    _, states = train(known, arrays(seen([1.0] * 3000)), jnp.ones(1, jnp.bfloat16))
    close(states.scale, 0.999 ** np.arange(3000), rtol=1e-6)


def test_a_loss_beyond_half_precision_improves():
    losses = [1e5 * 0.99**i for i in range(LENGTH)]
    state = reduced(losses, patience=3)
    assert state.scale == 1
    assert state.best_value == DTYPE(losses[-1])


def test_no_patience_reduces_where_nothing_improves():
    assert reduced([5.0, 4.0, 3.0, 2.0, 1.0], patience=0, factor=0.5).scale == 1
    assert reduced([1.0] * 5, patience=0, factor=0.5).scale == 0.5**4


def test_negative_metrics():
    assert reduced([-1.0] * 7, patience=3, factor=0.5).scale == 0.25
    assert reduced([-1.0, -0.98, -0.96], patience=1, factor=0.5).scale == 0.25
    assert reduced([-1.0, -1.02, -1.04], patience=1, factor=0.5).scale == 1


def test_minus_infinity_is_never_the_best():
    falling = [1.0 - 0.01 * i for i in range(30)]
    state = reduced([1.0, -INF, *falling[1:]], patience=2)
    assert state.scale == 1
    assert state.best_value == DTYPE(falling[-1])


@every_transform
def test_a_value_of_shape_1_is_refused(name: str):
    transform = getattr(js, name)()
    with pytest.raises(TypeError, match=r"`value` must be a real scalar"):
        transform.update(ONE, transform.init(ONE), value=jnp.ones(1))


# Rules that are compositions.


def test_a_rate_times_itself_over_itself_and_a_constant_when_the_loss_falls_too_slowly():
    eta, epsilon, first = 0.5, 0.05, 0.4
    slow = js.slow_progress(window=2, rtol=0.0, atol=0.5)
    rate = js.scale_on(slow, first, factor=lambda a: eta * a / (a + epsilon))
    losses = [9.0, 8.0, 7.0, 6.0, 6.4, 6.4, 6.4, 6.4, 4.0, 4.0]
    second = first * eta * first / (first + epsilon)
    third = second * eta * second / (second + epsilon)
    close(as_schedule(rate, losses), [first] * 5 + [second] * 2 + [third] * 3)


def test_the_rate_is_multiplied_when_a_metric_reaches_its_threshold():
    rate = js.reduce_on(js.threshold(0.5), 0.1, factor=0.5)
    losses = [1.0, 0.6, 0.5, 0.4, 0.6, 0.45]
    close(as_schedule(rate, losses), [0.1, 0.1, 0.05, 0.05, 0.05, 0.025])


def test_the_rate_is_multiplied_when_performance_reaches_its_threshold():
    rate = js.reduce_on(js.threshold(0.9, mode="max"), 0.1, factor=0.5, metric="accuracy")
    state, rates = rate.init(), []
    for accuracy in (0.5, 0.89, 0.9, 0.95):
        rates.append(rate(state, accuracy=accuracy))
        state = rate.update(state, accuracy=accuracy)
    close(rates, [0.1, 0.1, 0.05, 0.05])


STUCK = js.any_of([js.plateau(patience=3), js.worsening(rtol=0.5)])
VALIDATION = [3.0, 2.0, 2.0, 2.0, 2.0, 1.0, 2.0, 1.5, 1.4, 9.0]


def test_the_rate_is_raised_again_when_validation_stagnates_or_rises():
    rate = js.scale_on(STUCK, 0.1, factor=2.0, max_scale=4.0)
    close(as_schedule(rate, VALIDATION), [0.1] * 4 + [0.2] * 2 + [0.4] * 4)


def test_the_schedule_begins_again_when_validation_stagnates_or_rises():
    rate = js.restart_on(STUCK, js.linear_schedule(1.0, 0.0, 10), reset_monitor=False)
    wanted = [1.0, 0.9, 0.8, 0.7, 1.0, 0.9, 1.0, 0.9, 1.0, 1.0]
    close(as_schedule(rate, VALIDATION), wanted)


def test_after_a_restart_the_best_value_is_forgotten():
    line = js.linear_schedule(1.0, 0.0, 10)
    losses = [3.0, 2.0, 2.0, 2.0, 8.0, 7.0, 6.0, 6.0, 6.0]
    rule = js.plateau(patience=2)
    close(as_schedule(js.restart_on(rule, line), losses), [1, 0.9, 0.8, 1, 0.9, 0.8, 0.7, 0.6, 1])
    kept = js.restart_on(rule, line, reset_monitor=False)
    close(as_schedule(kept, losses), [1, 0.9, 0.8, 1, 0.9, 1, 0.9, 1, 0.9])


def test_a_controller_is_no_transformation():
    rate = js.restart_on(js.plateau(), 0.1)
    for optimizer in (optax.chain(optax.sgd(0.1), rate), optax.chain(rate)):
        with pytest.raises(
            TypeError, match=r"is a learning rate.*scale_by_learning_rate\(restart_on"
        ):
            optimizer.init(ONE)


# How metrics arrive.


def loss_and_accuracy() -> optax.GradientTransformationExtraArgs:
    """Two controllers that listen to two names."""
    return optax.chain(
        js.scale_by_learning_rate(js.reduce_on(js.worsening(), 1.0, 0.5, metric="loss")),
        js.scale_by_schedule(
            js.reduce_on(js.worsening(mode="max"), 1.0, 0.25, metric="accuracy"),
        ),
    )


PAIR = js.reduce_on(js.plateau(patience=1), 1.0, factor=0.5)


def after(transform: Any, *observed: float, **given: Any) -> Any:
    """A state after a first update with a metric of 1 and another with these."""
    _, state = transform.update(ONE, transform.init(ONE), value=1.0)
    for value in observed:
        state = js.observe(state, value=value)
    return transform.update(ONE, state, **given)[1]


def test_what_is_observed_and_what_is_given_counts_as_the_mean():
    transform = js.scale_by_learning_rate(PAIR)
    mean = after(transform, value=0.5)
    for state in (
        after(transform, 0.5),
        after(transform, 0.25, 0.75),
        after(transform, 0.25, value=0.75),
        after(transform, 0.125, 0.375, 1.0, value=0.5),
    ):
        jax.tree.map(np.testing.assert_array_equal, state, mean)
    assert js.record(mean)["best_value"] == 0.5
    assert js.record(mean)["observations"] == 2


def test_what_is_observed_is_consumed():
    transform = js.scale_by_learning_rate(PAIR)
    state = after(transform, 0.25)
    state = transform.update(ONE, state)[1]
    assert js.record(state)["observations"] == 2
    state = transform.update(ONE, state, value=0.125)[1]
    assert js.record(state)["best_value"] == 0.125


def test_what_is_observed_changes_the_rate_of_that_update():
    transform = js.scale_by_learning_rate(PAIR)
    for state in (after(transform, 1.0), after(transform, value=1.0)):
        assert js.learning_rate(state) == 0.5


@every_row
def test_without_a_metric_only_the_counts_of_updates_move(row: Row):
    controller = row.make(row.sample)
    state = controller.init()
    for metric in SAMPLE[:12]:
        state = controller.update(state, value=metric)
    for bare in (controller.update(state), controller.update(state, value=None, other=1.0)):
        was, now = (memory_of(controller, s)._asdict() for s in (state, bare))
        before, record = was.pop("record"), now.pop("record")
        jax.tree.map(np.testing.assert_array_equal, now, was)
        assert record == before._replace(count=before.count + 1, updates=before.updates + 1)


def test_each_controller_hears_its_own_metric():
    transform = loss_and_accuracy()
    state = transform.init(ONE)
    for loss, accuracy in ((1.0, 0.5), (0.9, 0.6), (0.8, 0.5), (0.9, 0.6), (1.1, None)):
        given = {} if accuracy is None else {"accuracy": accuracy}
        _, state = transform.update(ONE, state, loss=loss, **given)
    rates = sorted(map(float, js.learning_rate(state, all=True).values()))
    records = js.record(state, all=True).values()
    assert rates == [0.25, 0.25]
    assert [int(r["observations"]) for r in records] == [5, 4]
    assert [int(r["events"]) for r in records] == [2, 1]
    observed = js.observe(state, loss=9.0)
    jax.tree.map(np.testing.assert_array_equal, observed[1], state[1])
    records = js.record(transform.update(ONE, observed)[1], all=True).values()
    assert [int(r["observations"]) for r in records] == [6, 4]


def test_controllers_of_one_metric_both_hear_it():
    other = js.scale_on(js.worsening(), 1.0, factor=0.25)
    transform = optax.chain(js.scale_by_learning_rate(PAIR), js.scale_by_schedule(other))
    for state in (after(transform, 2.0), after(transform, value=2.0)):
        assert sorted(map(float, js.learning_rate(state, all=True).values())) == [0.25, 0.5]
        assert [int(r["observations"]) for r in js.record(state, all=True).values()] == [2, 2]


def test_a_metric_that_nothing_listens_to_is_refused():
    state = loss_and_accuracy().init(ONE)
    with pytest.raises(ValueError, match=r"`value`.*`accuracy`, `loss`"):
        js.observe(state, value=1.0)
    with pytest.raises(ValueError, match="no metric"):
        js.observe(optax.adam(0.1).init(ONE), value=1.0)


def test_an_observation_in_any_type_and_in_jit():
    transform = js.scale_by_learning_rate(PAIR)
    wanted = js.observe(transform.init(ONE), value=3.0)
    for value in (3, np.float64(3), np.int8(3), jnp.bfloat16(3), jnp.float16(3), jnp.int32(3)):
        for observe in (js.observe, jax.jit(js.observe)):
            state = observe(transform.init(ONE), value=value)
            jax.tree.map(np.testing.assert_array_equal, state, wanted)
            assert types_of(state) == types_of(wanted)


# In the optimizers of Optax.


def test_inject_hyperparams_gives_the_same_rates():
    driven = {
        name: row.make(row.sample)
        for name, row in zip(("learning_rate", "weight_decay"), CONTROLLERS, strict=False)
    }
    injected = optax.inject_hyperparams(optax.adamw)(**driven)

    def step(carry, metric):
        by_argument, by_inbox = carry
        _, by_argument = injected.update(ONE, by_argument, ONE, value=metric)
        _, by_inbox = injected.update(ONE, js.observe(by_inbox, value=metric), ONE)
        return (by_argument, by_inbox), (by_argument.hyperparams, by_inbox.hyperparams)

    metrics, state = arrays(WITHOUT_GAPS), injected.init(ONE)
    for hyperparams in jax.lax.scan(step, (state, state), metrics[0])[1]:
        for name, controller in driven.items():
            close(hyperparams[name], call(controller, metrics)[0])


@every_row
def test_adam_itself_refuses_a_controller(row: Row):
    optimizer = optax.adam(row.make(row.sample))
    with pytest.raises(TypeError, match=r"jaxsched\.scale_by_learning_rate\(controller\)"):
        optimizer.update(ONE, optimizer.init(ONE))


# As arguments of a program.


@every_row
def test_pickle_repr_and_flatten_round_trips(row: Row):
    controller = row.make(row.sample)
    assert pickle.loads(pickle.dumps(controller)) == controller
    assert eval(repr(controller), vars(js)) == controller
    leaves, structure = jax.tree.flatten(controller)
    assert structure.unflatten(leaves) == controller
    assert hash(row.make(row.sample)) == hash(controller)
    assert controller != jax.tree.map(perturbed, controller)


def perturbed(leaf: Any) -> Any:
    if isinstance(leaf, bool):
        return not leaf
    return leaf + 1 if np.issubdtype(np.asarray(leaf).dtype, np.integer) else leaf * 1.5


@every_row
def test_new_numbers_and_later_updates_do_not_retrace(row: Row):
    traces = []

    @jax.jit
    def step(controller, state, value):
        traces.append(controller)
        return js.scale_by_learning_rate(controller).update(ONE, state, value=value)

    controller = row.make(row.sample)
    state = js.scale_by_learning_rate(controller).init(ONE)
    for loss in (3.0, 2.0, 2.0):
        _, state = jax.eval_shape(step, controller, state, loss)
    observed = js.observe(js.scale_by_learning_rate(controller).init(ONE), value=2.0)
    jax.eval_shape(step, jax.tree.map(perturbed, controller), observed, NAN)
    assert len(traces) == 1


@every_row
def test_gradients_are_finite_whatever_the_metrics(row: Row):
    leaves, structure = jax.tree.flatten(row.make(row.sample))
    moving = [i for i, leaf in enumerate(leaves) if np.asarray(leaf).dtype.kind == "f"]

    def total(numbers, metrics):
        known = dict(zip(moving, numbers, strict=True))
        controller = structure.unflatten([known.get(i, leaf) for i, leaf in enumerate(leaves)])
        return run_given(controller, metrics)[0].sum()

    slope = quick_jit(jax.grad(total))
    numbers = [jnp.asarray(leaves[i], DTYPE) for i in moving]
    for metrics in (WITHOUT_GAPS, [NAN] * LENGTH, [INF] * LENGTH):
        for found in slope(numbers, np.array(metrics, DTYPE)):
            assert np.isfinite(found).all()


def test_gradients_with_respect_to_the_peak_and_the_factor():
    def total(peak, factor):
        schedule = js.linear_schedule(peak, 0.0, 60)
        return run_given(js.reduce_on(js.plateau(patience=2), schedule, factor), metrics)[0].sum()

    metrics = np.array([1.0, NAN] * (LENGTH // 2), DTYPE)
    by_peak, by_factor = quick_jit(jax.grad(total, argnums=(0, 1)))(0.5, 0.9)
    count = np.arange(LENGTH)
    events = count // 2
    close(by_peak, np.sum((1 - count / 60) * 0.9**events), rtol=1e-5)
    close(by_factor, np.sum(0.5 * (1 - count / 60) * events * 0.9 ** (events - 1.0)), rtol=1e-5)


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_program_has_no_branch_no_loop_and_no_callback(name: str):
    text = compiled(name).as_text()
    assert not re.findall(r"\b(?:conditional|while|custom-call)\(", text)


# On many devices.


def test_a_state_is_made_outside_of_the_mapped_axis():
    rate = js.reduce_on(js.plateau(), 0.5, axis_name="batch")
    for transform in (
        js.reduce_on_plateau(axis_name="batch"),
        js.scale_by_learning_rate(rate),
        optax.inject_hyperparams(optax.sgd)(learning_rate=rate),
    ):
        state = transform.init(ONE)
        with pytest.raises(NameError, match="batch"):
            transform.update(ONE, state, ONE, value=1.0)


def test_eight_devices():
    flags = f"--xla_force_host_platform_device_count=8 {quick_flags()}"
    environment = {**os.environ, "XLA_FLAGS": flags}
    command = [sys.executable, "-m", "tests.eight_devices"]
    root = Path(__file__).parent.parent
    subprocess.run(command, env={**environment, "JAX_PLATFORMS": "cpu"}, cwd=root, check=True)
