"""Metrics and rates through Flax: linen's `TrainState` and NNX's `Optimizer`."""

import inspect
import subprocess
import sys
from functools import partial

import flax.training.train_state
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import linen, nnx
from flax.linen.fp8_ops import OVERWRITE_WITH_GRADIENT

import jaxsched
import jaxsched.flax
from jaxsched.flax import TrainState

PARAMS = {"w": jnp.ones((2, 3)), "b": jnp.arange(3.0)}
LOSSES = [3.0, 2.0, 2.0, 2.0, 1.0, 1.0, 1.0, 0.5]
RATES = [1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.25, 0.25]
FlaxTrainState = flax.training.train_state.TrainState


def controller(**options):
    return jaxsched.reduce_on(jaxsched.plateau(patience=2), 1.0, factor=0.5, **options)


def optimizer(**options):
    rate = jaxsched.scale_by_learning_rate(controller(**options))
    return optax.chain(optax.scale_by_adam(), rate)


def grads_at(step, params=PARAMS):
    return jax.tree.map(lambda leaf: jnp.cos(leaf + step), params)


def same(left, right):
    assert jax.tree.structure(left) == jax.tree.structure(right)
    for one, other in zip(jax.tree.leaves(left), jax.tree.leaves(right), strict=True):
        np.testing.assert_array_equal(one, other)


def create(kind, tx, params=PARAMS, **fields):
    return kind.create(apply_fn=None, params=params, tx=tx, **fields)


def contents(state):
    return state.step, state.params, state.opt_state


@pytest.mark.parametrize("tx", [optax.adam(0.1), optimizer(), optax.identity()])
def test_without_metrics_a_train_state_is_that_of_flax(tx):
    ours, theirs = create(TrainState, tx), create(FlaxTrainState, tx)
    step = jax.jit(lambda state, grads: state.apply_gradients(grads=grads))
    for count in range(4):
        ours, theirs = step(ours, grads_at(count)), step(theirs, grads_at(count))
        same(contents(ours), contents(theirs))


def test_what_overwrites_with_its_gradient_does_so_as_in_flax():
    params = {"params": PARAMS, OVERWRITE_WITH_GRADIENT: {"scale": jnp.ones(2)}}
    states = [create(kind, optimizer(), params) for kind in (TrainState, FlaxTrainState)]
    grads = {"params": grads_at(1), OVERWRITE_WITH_GRADIENT: {"scale": jnp.full(2, 7.0)}}
    ours, theirs = (state.apply_gradients(grads=grads) for state in states)
    same(contents(ours), contents(theirs))
    assert ours.params[OVERWRITE_WITH_GRADIENT]["scale"].tolist() == [7.0, 7.0]
    heard = states[0].apply_gradients(grads=grads, value=1.0)
    same(heard.params, theirs.params)
    assert jaxsched.record(heard)["observations"] == 1


class WithExtras(TrainState):
    """A state with fields of its own."""

    dropout_key: jax.Array
    epoch: int = 0


def test_a_subclass_has_its_fields_replaced():
    state = create(WithExtras, optimizer(), dropout_key=jax.random.key(0))
    state = state.apply_gradients(grads=grads_at(0), value=1.0, epoch=3)
    assert isinstance(state, WithExtras)
    assert (state.step, state.epoch) == (1, 3)
    with pytest.raises(TypeError, match="unknown"):
        state.apply_gradients(grads=grads_at(0), unknown=1)


def test_the_optimizer_stays_the_same_one_and_may_be_replaced():
    tx, other = optimizer(), optax.sgd(0.1)
    state = create(TrainState, tx).apply_gradients(grads=grads_at(0), value=1.0)
    assert state.tx is tx
    assert state.apply_gradients(grads=grads_at(0), value=1.0, tx=other).tx is other


def test_a_train_state_passes_the_value_on():
    tx, traces = optimizer(), []

    @jax.jit
    def step(state, grads, loss):
        traces.append(1)
        return state.apply_gradients(grads=grads, value=loss)

    @jax.jit
    def by_hand(params, opt_state, grads, loss):
        updates, opt_state = tx.update(grads, opt_state, params, value=loss)
        return optax.apply_updates(params, updates), opt_state

    params, opt_state, rates = PARAMS, tx.init(PARAMS), []
    state = create(TrainState, tx).replace(step=jnp.zeros((), jnp.int32))
    for count, loss in enumerate(LOSSES):
        state = step(state, grads_at(count), loss)
        params, opt_state = by_hand(params, opt_state, grads_at(count), loss)
        same((state.params, state.opt_state), (params, opt_state))
        rates.append(float(jaxsched.learning_rate(state)))
    assert rates == RATES
    assert len(traces) == 1


def test_a_train_state_passes_metrics_on_by_name():
    tx = optax.chain(optimizer(metric="accuracy"), jaxsched.reduce_on_plateau(patience=1))
    state = create(TrainState, tx)
    for accuracy in (0.5, 0.5, 0.5):
        state = state.apply_gradients(
            grads=grads_at(0), value=1.0, metrics={"accuracy": accuracy, "unheard": 1.0}
        )
    np.testing.assert_allclose(jaxsched.learning_rate(state), 0.5 * 0.1**2, rtol=1e-6)
    assert [int(found["events"]) for found in jaxsched.record(state, all=True).values()] == [1, 2]


def test_what_is_not_given_is_not_passed():
    given = []

    def update(updates, state, params=None, **extra_args):
        del params
        given.append(extra_args)
        return updates, state

    tx = optax.GradientTransformationExtraArgs(lambda params: (), update)
    state = create(TrainState, tx)
    state.apply_gradients(grads=PARAMS)
    state.apply_gradients(grads=PARAMS, metrics={"value": 1.0})
    state.apply_gradients(grads=PARAMS, value=2.0, metrics={"accuracy": None})
    assert given == [{}, {"value": 1.0}, {"value": 2.0, "accuracy": None}]
    with pytest.raises(TypeError, match="`value` is given twice"):
        state.apply_gradients(grads=PARAMS, value=1.0, metrics={"value": 1.0})


def test_an_optimizer_that_takes_no_metrics_is_given_none():
    def update(updates, state, params=None):
        del params
        return updates, state

    state = create(TrainState, optax.GradientTransformation(lambda params: (), update))
    state = state.apply_gradients(grads=PARAMS, value=1.0, metrics={"accuracy": 0.5})
    assert state.step == 1


@pytest.mark.parametrize("wrap", [lambda function: function, jax.jit], ids=["eager", "jit"])
def test_a_train_state_observes(wrap):
    state = create(TrainState, optimizer())
    observe = wrap(lambda state, value: state.observe(value=value))
    for value in (1.0, 3.0):
        state = observe(state, value)
    assert state.step == 0
    state = state.apply_gradients(grads=grads_at(0))
    record = jaxsched.record(state)
    assert (record["observations"], record["best_value"]) == (1, 2.0)


def test_observe_takes_the_train_state_of_flax_whole():
    state = jaxsched.observe(create(FlaxTrainState, optimizer()), value=1.5)
    state = state.apply_gradients(grads=grads_at(0))
    assert jaxsched.record(state)["best_value"] == 1.5


def test_a_linen_model_trains():
    model = linen.Dense(1)
    x, y = jnp.eye(4, 2), jnp.ones((4, 1))

    @jax.jit
    def step(state):
        loss, grads = jax.value_and_grad(
            lambda params: jnp.mean((state.apply_fn(params, x) - y) ** 2)
        )(state.params)
        return state.apply_gradients(grads=grads, value=loss), loss

    rate = jaxsched.reduce_on(jaxsched.plateau(patience=5), 0.1)
    tx = optax.chain(optax.scale_by_adam(), jaxsched.scale_by_learning_rate(rate))
    params = model.init(jax.random.key(0), x)
    state, losses = TrainState.create(apply_fn=model.apply, params=params, tx=tx), []
    for _ in range(30):
        state, loss = step(state)
        losses.append(float(loss))
    assert losses[-1] < 0.5 * losses[0]
    assert jaxsched.record(state)["observations"] == 30


class Line(nnx.Module):
    def __init__(self):
        self.w = nnx.Param(PARAMS["w"])
        self.b = nnx.Param(PARAMS["b"])

    def __call__(self, x):
        return x @ self.w + self.b


def network(tx):
    model = Line()
    return model, nnx.Optimizer(model, tx, wrt=nnx.Param)


def update(model, optimizer, grads, **extra_args):
    """Of `nnx.Optimizer`, which holds the model itself before Flax 0.11."""
    takes_model = "model" in inspect.signature(nnx.Optimizer.update).parameters
    optimizer.update(*[model] * takes_model, grads, **extra_args)


def gradients(model, count):
    return nnx.grad(lambda model: jnp.sum(jnp.cos(model(jnp.ones((1, 2))) + count)))(model)


def arrays(tree):
    return [np.asarray(leaf) for leaf in jax.tree.leaves(nnx.state(tree))]


def train(model, optimizer, count, loss):
    update(model, optimizer, gradients(model, count), value=loss)


def leave(model, optimizer, count, loss):
    jaxsched.flax.observe(optimizer, value=loss)
    update(model, optimizer, gradients(model, count))


EVERY_WAY = {
    "value": train,
    "value in jit": nnx.jit(train),
    "observe": leave,
    "observe in jit": nnx.jit(leave),
}


@pytest.mark.parametrize("step", EVERY_WAY.values(), ids=EVERY_WAY)
def test_an_nnx_optimizer_hears_the_value(step):
    model, nnx_optimizer = network(optimizer())
    rates = []
    for count, loss in enumerate(LOSSES):
        step(model, nnx_optimizer, count, loss)
        rates.append(float(jaxsched.learning_rate(nnx_optimizer.opt_state)))
    assert rates == RATES
    record = jaxsched.record(nnx_optimizer.opt_state)
    assert (record["events"], record["last_event"], record["observations"]) == (2, 6, len(LOSSES))


def test_an_nnx_optimizer_makes_the_updates_of_optax():
    model, nnx_optimizer = network(optimizer())
    tx, params = optimizer(), PARAMS
    opt_state = tx.init(params)

    def loss(params, count):
        return jnp.sum(jnp.cos(jnp.ones((1, 2)) @ params["w"] + params["b"] + count))

    @jax.jit
    def by_hand(params, opt_state, count, value):
        grads = jax.grad(loss)(params, count)
        updates, opt_state = tx.update(grads, opt_state, params, value=value)
        return optax.apply_updates(params, updates), opt_state

    step = nnx.jit(train)
    for count, value in enumerate(LOSSES):
        step(model, nnx_optimizer, count, value)
        params, opt_state = by_hand(params, opt_state, count, value)
    found = {"w": np.asarray(model.w[...]), "b": np.asarray(model.b[...])}
    jax.tree.map(partial(np.testing.assert_allclose, rtol=1e-6), found, params)


@pytest.mark.parametrize(
    "observe", [jaxsched.flax.observe, nnx.jit(jaxsched.flax.observe)], ids=["eager", "jit"]
)
def test_several_observations_of_an_nnx_optimizer_count_as_their_mean(observe):
    model, nnx_optimizer = network(optimizer())
    for value in (1.0, 3.0):
        observe(nnx_optimizer, value=value)
    update(model, nnx_optimizer, gradients(model, 0), value=5.0)
    record = jaxsched.record(nnx_optimizer.opt_state)
    assert (record["observations"], record["best_value"]) == (1, 3.0)


def test_observe_touches_only_the_inbox_that_listens():
    tx = optax.chain(optimizer(metric="accuracy"), jaxsched.reduce_on_plateau())
    _, nnx_optimizer = network(tx)
    before = arrays(nnx_optimizer)
    jaxsched.flax.observe(nnx_optimizer, accuracy=0.5)
    changed = [
        np.flatnonzero(one != other)
        for one, other in zip(before, arrays(nnx_optimizer), strict=True)
        if not np.array_equal(one, other)
    ]
    assert [place.tolist() for place in changed] == [[0, 1]]
    jaxsched.flax.observe(nnx_optimizer, value=1.0)
    kept = jax.tree.leaves(nnx.state(nnx_optimizer))
    assert all(isinstance(leaf, jax.Array) for leaf in kept)


MISTAKES = {
    "an unknown name": ({"value": 1.0, "accuracy": 0.5}, ValueError, "listens to `accuracy`"),
    "no metric": ({}, TypeError, "must be given a metric"),
    "a vector": ({"value": jnp.ones(3)}, TypeError, "`value` must be a real scalar"),
    "a word": ({"value": "low"}, TypeError, "`value` must be a real scalar"),
}


@pytest.mark.parametrize(("metrics", "kind", "message"), MISTAKES.values(), ids=MISTAKES)
def test_mistakes_raise_as_in_observe_and_change_nothing(metrics, kind, message):
    _, nnx_optimizer = network(optimizer())
    before = arrays(nnx_optimizer)
    with pytest.raises(kind, match=message):
        jaxsched.observe(optimizer().init(PARAMS), **metrics)
    with pytest.raises(kind, match=message):
        jaxsched.flax.observe(nnx_optimizer, **metrics)
    same(before, arrays(nnx_optimizer))
    _, deaf = network(optax.adam(0.1))
    with pytest.raises(ValueError, match="listens to no metric"):
        jaxsched.flax.observe(deaf, value=1.0)


READ = {
    "ours": (optimizer, {}),
    "injected": (lambda: optax.inject_hyperparams(optax.adam)(learning_rate=controller()), {}),
    "of Optax": (lambda: optax.adam(jaxsched.constant_schedule(1.0)), {"schedule": 1.0}),
}


@pytest.mark.parametrize(("make", "how"), READ.values(), ids=READ)
def test_a_rate_that_was_read_is_an_array_and_does_not_change(make, how):
    model, nnx_optimizer = network(make())
    rates = []
    for count in range(5):
        update(model, nnx_optimizer, gradients(model, count), value=1.0)
        rates.append(jaxsched.learning_rate(nnx_optimizer.opt_state, **how))
    assert all(isinstance(rate, jax.Array) for rate in rates)
    assert [float(rate) for rate in rates] == [1.0] * 5 if how else [1.0, 1.0, 0.5, 0.5, 0.25]


def test_rates_and_records_are_read_inside_of_nnx_jit():
    @nnx.jit
    def step(model, nnx_optimizer):
        train(model, nnx_optimizer, 0, 1.0)
        state = nnx_optimizer.opt_state
        return jaxsched.learning_rate(state), jaxsched.record(state)

    rate, record = step(*network(optimizer()))
    assert rate == 1.0
    assert record["observations"] == 1


def test_without_flax_the_import_names_the_extra():
    program = (
        "import sys; sys.modules['flax'] = None\n"
        "import jaxsched\n"
        "try:\n    import jaxsched.flax\n"
        "except ImportError as error:\n    print(error)"
    )
    found = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
    assert b"jaxsched[flax]" in found.stdout
