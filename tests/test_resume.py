"""A run that is saved and restored goes on as if nothing had happened, whatever was saved when."""

import functools

import flax.serialization
import jax
import jax.numpy as jnp
import numpy as np
import optax
import orbax.checkpoint
import pytest

import jaxsched as js

COSINE = js.cosine_decay_schedule(0.5, 40)
LOSSES = [3.0, 2.0, 2.0, 2.5, 2.25, 1.0, 1.5, 1.25, 1.125, 0.5]
WAITING = 2.0
EVENTS = [0, 0, 0, 1, 1, 1, 1, 2, 2, 2]
PARAMS = {"w": jnp.linspace(-1, 1, 6).reshape(2, 3), "b": jnp.linspace(0, 1, 3)}


def rule(**options):
    """Fires at the fourth and at the eighth loss, and if half of each is that which waits."""
    return js.plateau(patience=2, **options)


def adam(rate):
    return optax.chain(optax.scale_by_adam(), js.scale_by_learning_rate(rate))


CONTROLLERS = {
    "reduce_on": lambda s: js.reduce_on(rule(), s, factor=0.5),
    "restart_on": lambda s: js.restart_on(rule(), s, peak_mult=0.5, period_mult=1.5),
    "advance_on": lambda s: js.advance_on(rule(), [s, js.linear_schedule(1.0, 0.5, 9), 0.1]),
    "scale_on": lambda s: js.scale_on(rule(), s, factor=1.5, max_scale=8.0),
    "raise_and_lower_on": lambda s: js.raise_and_lower_on(js.improving(9), rule(), s),
}
OPTIMIZERS = {
    **{name: lambda s, make=make: adam(make(s)) for name, make in CONTROLLERS.items()},
    "reduce_on_plateau": lambda s: optax.chain(adam(s), js.reduce_on_plateau(0.5, 2)),
    "reset_on": lambda s: js.reset_on(rule(), adam(s)),
    "reset_on, return_to_best": lambda s: js.reset_on(rule(), adam(s), return_to_best=True),
    "inject_hyperparams": lambda s: optax.inject_hyperparams(optax.adam)(
        learning_rate=js.reduce_on(rule(), s, factor=0.5)
    ),
}
# All tests of one after another, as they share its programs.
every_optimizer = pytest.mark.parametrize(
    "make", OPTIMIZERS.values(), ids=OPTIMIZERS, scope="module"
)


def start(optimizer):
    return PARAMS, optimizer.init(PARAMS)


@jax.jit
def waiting(carry):
    """With an observation left for the next update."""
    params, state = carry
    return params, js.observe(state, value=WAITING)


@functools.cache
def stepping(make, schedule=COSINE):
    """An update, and what can be read after it."""
    optimizer = make(schedule)

    @jax.jit
    def step(carry, loss):
        params, state = carry
        updates, state = optimizer.update(jax.tree.map(jnp.sin, params), state, params, value=loss)
        read = js.learning_rate(state, all=True), js.record(state, all=True)
        return (optax.apply_updates(params, updates), state), read

    return step


def run(step, carry, losses=LOSSES, after=lambda carry: carry):
    """What is carried into each update, and out of the last; and what is read after each."""
    carries, reads = [carry], []
    for loss in losses:
        carry, read = step(carry, loss)
        carry = after(carry)
        carries.append(carry)
        reads.append(read)
    return carries, reads


def assert_same(found, wanted):
    assert jax.tree.structure(found) == jax.tree.structure(wanted)
    leaves = map(jax.tree.leaves, jax.device_get((found, wanted)))
    for one, other in zip(*leaves, strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)


def by_orbax(carries, target, folder, like=lambda target: target):
    trees = {str(i): carry for i, carry in enumerate(carries)}
    with orbax.checkpoint.StandardCheckpointer() as checkpointer:
        checkpointer.save(folder / "checkpoint", trees)
    with orbax.checkpoint.StandardCheckpointer() as checkpointer:
        targets = dict.fromkeys(trees, like(target))
        restored = checkpointer.restore(folder / "checkpoint", targets)
    return [restored[i] for i in trees]


def by_orbax_into_shapes(carries, target, folder):
    """With the devices, without which some versions of Orbax warn."""
    shape = orbax.checkpoint.utils.to_shape_dtype_struct
    return by_orbax(carries, target, folder, lambda target: jax.tree.map(shape, target))


def by_flax(carries, target, _=None):
    to_bytes, from_bytes = flax.serialization.to_bytes, flax.serialization.from_bytes
    return [from_bytes(target, to_bytes(carry)) for carry in carries]


WAYS = {
    "Orbax, an observation waits": (by_orbax, waiting),
    "flax.serialization, an observation waits": (by_flax, waiting),
    "flax.serialization": (by_flax, lambda carry: carry),
}


@every_optimizer
@pytest.mark.parametrize(("way", "after"), WAYS.values(), ids=WAYS)
def test_a_run_restored_at_any_step_goes_on_bit_for_bit(make, way, after, tmp_path):
    step, first = stepping(make), start(make(COSINE))
    carries, reads = run(step, first, after=after)
    events = [[int(record["events"]) for record in records.values()] for _, records in reads]
    assert [max(of_each) for of_each in events] == EVENTS
    restored = way(carries, first, tmp_path)
    assert_same(restored, carries)
    for i, carry in enumerate(restored):
        assert_same(run(step, carry, LOSSES[i:], after), (carries[i:], reads[i:]))


def test_a_scale_restored_at_any_step_goes_on_bit_for_bit():
    step = stepping(follow)
    carries, reads = run(step, start(follow(COSINE)))
    restored = by_flax(carries, start(follow(COSINE)))
    for i, carry in enumerate(restored):
        assert_same(run(step, carry, LOSSES[i:]), (carries[i:], reads[i:]))


def follow(schedule):
    rule = js.greedy(patience=1, factor=0.5, window=3, reset_after=2)
    return adam(js.follow(rule, schedule))


def test_orbax_restores_into_shapes(tmp_path):
    make = OPTIMIZERS["reset_on, return_to_best"]
    first = start(make(COSINE))
    carries, reads = run(stepping(make), first)
    restored = by_orbax_into_shapes(carries, first, tmp_path)
    assert_same(restored, carries)
    assert_same(run(stepping(make), restored[2], LOSSES[2:]), (carries[2:], reads[2:]))


def test_an_observation_that_waits_in_a_checkpoint_is_heard():
    make = OPTIMIZERS["reduce_on"]
    first = start(make(COSINE))
    (restored,) = by_flax([waiting(first)], first)
    carry, _ = stepping(make)(restored, None)
    assert js.record(carry)["best_value"] == WAITING


@every_optimizer
def test_the_state_does_not_depend_on_whether_a_metric_was_seen(make):
    first = start(make(COSINE))
    shapes = [jax.eval_shape(stepping(make), first, loss)[0] for loss in (None, 1.0)]
    shapes.append(jax.eval_shape(waiting, first))
    assert shapes == [jax.eval_shape(lambda: first)] * 3


SCHEDULES = {"half": COSINE * 0.5, "constant": 0.125, "function": lambda count: 0.5 / (1 + count)}
every_schedule = pytest.mark.parametrize("other", SCHEDULES.values(), ids=SCHEDULES)


@every_optimizer
@every_schedule
def test_the_state_is_the_same_tree_under_another_schedule(make, other):
    old, new = (jax.eval_shape(make(schedule).init, PARAMS) for schedule in (COSINE, other))
    assert old == new


@every_schedule
def test_a_run_goes_on_under_another_schedule_at_its_count(other):
    optimizer = adam(COSINE)
    state = optimizer.init(PARAMS)
    for _ in range(10):
        _, state = optimizer.update(PARAMS, state)
    (state,) = by_flax([state], adam(other).init(PARAMS))
    _, state = adam(other).update(PARAMS, state)
    rate = other(10) if callable(other) else other
    assert js.learning_rate(state) == jnp.asarray(rate, state[1].learning_rate.dtype)


@pytest.mark.parametrize("name", CONTROLLERS)
def test_a_controller_goes_on_under_half_the_schedule_with_half_the_rate(name):
    make, half = OPTIMIZERS[name], COSINE * 0.5
    carries, reads = run(stepping(make), start(make(COSINE)))
    restored = by_flax(carries[:-1], start(make(half)))
    for carry, loss, (rates, records) in zip(restored, LOSSES, reads, strict=True):
        # What `advance_on` advances to begins at the rate then in force, whatever that came from.
        advanced = name == "advance_on" and js.record(carry)["events"] > 0
        share = 1.0 if advanced else 0.5
        wanted = jax.tree.map(lambda rate, share=share: share * rate, rates)
        found, others = stepping(make, half)(carry, loss)[1]
        assert_same((found, scaleless(others)), (wanted, scaleless(records)))


def scaleless(records):
    """Without the scale, which for `advance_on` is made of rates."""
    return [{**record, "scale": 0.0 * record["scale"]} for record in records.values()]


SAME_MONITOR = [make for name, make in CONTROLLERS.items() if name != "raise_and_lower_on"]


def test_controllers_of_the_same_monitor_have_the_same_state():
    shapes = [jax.eval_shape(adam(make(COSINE)).init, PARAMS) for make in SAME_MONITOR]
    other_numbers = js.reduce_on(rule(window=3, cooldown=2), 0.1, factor=0.25, max_reductions=2)
    shapes.append(jax.eval_shape(adam(other_numbers).init, PARAMS))
    assert all(shape == shapes[0] for shape in shapes)


def test_a_new_controller_of_the_same_monitor_goes_on():
    old = OPTIMIZERS["reduce_on"]
    new = adam(js.reduce_on(js.plateau(patience=1), 1.0, factor=0.25))
    carries, _ = run(stepping(old), start(old(COSINE)), LOSSES[:6])
    # One event has happened, and the best value is 1.0; another 1.0 is one without improvement.
    ((_, state),) = by_flax([carries[-1]], start(new))
    _, state = new.update(PARAMS, state, value=1.0)
    record = js.record(state)
    assert [int(record[name]) for name in ("updates", "events", "last_event")] == [7, 2, 6]
    assert js.learning_rate(state) == 0.25**2
