"""How a metric reaches a controller inside of the wrappers of Optax and Flax, and of JAX."""

import functools
import inspect
import operator
from collections.abc import Callable
from typing import Any, NamedTuple

import flax.nnx
import flax.training.train_state
import jax
import jax.numpy as jnp
import numpy as np
import optax
import optax.contrib
import pytest
from jax import export

import jaxsched as js
import jaxsched.flax
from tests.compiling import quick_jit

PARAMS = {"w": jnp.ones((4, 4)), "b": jnp.ones(2)}
LOSSES = [1.0, 1.0, 1.0]
HEARD = [1.0, 0.5, 0.25]
UNHEARD = [1.0, 1.0, 1.0]
MODULES = {"optax": optax, "flax": flax, "jaxsched": jaxsched}


def controller(rule=None, **options):
    return js.reduce_on(rule or js.plateau(patience=1), 1.0, factor=0.5, **options)


def optimizer(rate=None):
    rate = controller() if rate is None else rate
    return optax.chain(optax.trace(0.9), js.scale_by_learning_rate(rate))


def read(state):
    return float(js.learning_rate(state)), js.record(state)


def drive_optax(transform, how, params=PARAMS, **arguments):
    """The rate and the record after each of the losses."""
    state = transform.init(params)
    for loss in LOSSES:
        state = js.observe(state, value=loss) if how == "observe" else state
        given = {"value": loss} if how == "value" else {}
        _, state = transform.update(PARAMS, state, params, **given, **arguments)
        yield read(state)


def drive_branching(transform, how):
    """As one program: outside of any, each branch would be compiled anew at each update."""
    compiled = optax.GradientTransformationExtraArgs(transform.init, quick_jit(transform.update))
    return drive_optax(compiled, how)


def drive_lookahead(transform, how):
    return drive_optax(transform, how, optax.LookaheadParams.init_synced(PARAMS))


def drive_opaque(transform, how):
    return drive_optax(transform, how, grad_fn=lambda params, _: params)


def drive_linen(kind, how):
    state = kind.create(apply_fn=None, params=PARAMS, tx=optimizer())
    for loss in LOSSES:
        state = js.observe(state, value=loss) if how == "observe" else state
        given = {"value": loss} if how == "value" else {}
        state = state.apply_gradients(grads=PARAMS, **given)
        yield read(state)


def drive_nnx(kind, how):
    model = flax.nnx.Linear(2, 2, rngs=flax.nnx.Rngs(0))
    nnx_optimizer = kind(model, optimizer(), wrt=flax.nnx.Param)
    takes_model = "model" in inspect.signature(kind.update).parameters
    for loss in LOSSES:
        if how == "observe":
            jaxsched.flax.observe(nnx_optimizer, value=loss)
        given = {"value": loss} if how == "value" else {}
        nnx_optimizer.update(*[model] * takes_model, flax.nnx.state(model), **given)
        yield read(nnx_optimizer.opt_state)


class Wrapper(NamedTuple):
    """A row of the table.

    `value` says what becomes of `value=`: "passes", "drops" or "rejects". `observe` is whether
    `jaxsched.observe` reaches the controller.
    """

    make: Callable[..., Any]
    value: str = "passes"
    observe: bool = True
    drive: Callable[..., Any] = drive_optax


def labels(params):
    return {"w": "train", "b": "freeze"}


def groups(transform):
    return {"train": transform, "freeze": optax.set_to_zero()}


def clipped(transform):
    return lambda max_delta: optax.chain(optax.clip(max_delta), transform)


def always(step):
    return step >= 0


def itself(kind, _):
    return kind


WRAPPERS = {
    "optax.with_extra_args_support": Wrapper(lambda wrap, t: wrap(t)),
    "optax.chain": Wrapper(lambda wrap, t: wrap(optax.clip(1.0), t)),
    "optax.named_chain": Wrapper(lambda wrap, t: wrap(("clip", optax.clip(1.0)), ("adam", t))),
    "optax.masked": Wrapper(lambda wrap, t: wrap(t, {"w": True, "b": False})),
    "optax.partition": Wrapper(lambda wrap, t: wrap(groups(t), labels)),
    "optax.multi_transform": Wrapper(lambda wrap, t: wrap(groups(t), labels)),
    "optax.selective_transform": Wrapper(
        lambda wrap, t: wrap(t, freeze_mask={"w": False, "b": True})
    ),
    "optax.freeze": Wrapper(lambda wrap, t: optax.chain(wrap({"w": False, "b": True}), t)),
    "optax.flatten": Wrapper(lambda wrap, t: wrap(t)),
    "optax.MultiSteps": Wrapper(lambda wrap, t: wrap(t, 1), drive=drive_branching),
    "optax.apply_if_finite": Wrapper(lambda wrap, t: wrap(t, 3), drive=drive_branching),
    "optax.conditionally_mask": Wrapper(lambda wrap, t: wrap(t, always), drive=drive_branching),
    "optax.conditionally_transform": Wrapper(
        lambda wrap, t: wrap(t, always), drive=drive_branching
    ),
    "optax.inject_hyperparams": Wrapper(lambda wrap, t: wrap(clipped(t))(max_delta=1.0)),
    "optax.inject_hyperparams(learning_rate=controller)": Wrapper(
        lambda wrap, _: wrap(optax.adam)(learning_rate=controller())
    ),
    "optax.contrib.mechanize": Wrapper(lambda wrap, t: wrap(t), drive=drive_branching),
    "optax.contrib.schedule_free": Wrapper(lambda wrap, t: wrap(t, 1.0)),
    "optax.contrib.split_real_and_imaginary": Wrapper(lambda wrap, t: wrap(t), "rejects"),
    "optax.contrib.scale_by_galore": Wrapper(lambda wrap, t: wrap(2, base_optimizer=t), "rejects"),
    "optax.contrib.galore": Wrapper(lambda wrap, t: wrap(1.0, 2, base_optimizer=t), "drops"),
    "optax.lookahead": Wrapper(lambda wrap, t: wrap(t, 2, 0.5), "rejects", drive=drive_lookahead),
    "optax.lookahead(reset_state=True)": Wrapper(
        lambda wrap, t: wrap(t, 2, 0.5, reset_state=True), "rejects", False, drive_lookahead
    ),
    "optax.contrib.sam": Wrapper(lambda wrap, t: wrap(t, optax.sgd(0.1)), "rejects", False),
    "optax.contrib.sam(opaque_mode=True)": Wrapper(
        lambda wrap, t: wrap(t, optax.sgd(0.1), opaque_mode=True), "rejects", True, drive_opaque
    ),
    "flax.training.train_state.TrainState": Wrapper(itself, "rejects", drive=drive_linen),
    "jaxsched.flax.TrainState": Wrapper(itself, drive=drive_linen),
    "flax.nnx.Optimizer": Wrapper(itself, drive=drive_nnx),
    "flax.nnx.ModelAndOptimizer": Wrapper(itself, drive=drive_nnx),
}
NEWER = {
    "optax.contrib.galore": "Optax 0.2.8",
    "optax.contrib.scale_by_galore": "Optax 0.2.8",
    "flax.nnx.ModelAndOptimizer": "Flax 0.11",
}
NOT_OF_OPTIMIZERS = {"optax.lbfgs", "optax.monitor", "optax.contrib.sophia"}
DEPRECATED = {"optax.inject_stateful_hyperparams"}


def find(name):
    module, path = name.split("(")[0].split(".", 1)
    return operator.attrgetter(path)(MODULES[module])


def exists(name):
    try:
        return bool(find(name))
    except AttributeError:
        return False


HERE = {name: row for name, row in WRAPPERS.items() if name not in NEWER or exists(name)}
every_wrapper = pytest.mark.parametrize("name", HERE)


def drive(name, how):
    row = WRAPPERS[name]
    found = list(row.drive(row.make(find(name), optimizer()), how))
    return [rate for rate, _ in found], found[-1][1]


def assert_hears(name, how):
    rates, record = drive(name, how)
    assert rates == HEARD
    assert (record["observations"], record["events"], record["best_value"]) == (3, 2, 1.0)


def assert_value_passes(name):
    assert_hears(name, "value")


def assert_value_rejects(name):
    with pytest.raises(TypeError, match="unexpected keyword argument 'value'"):
        drive(name, "value")


def assert_value_drops(name):
    rates, record = drive(name, "value")
    assert rates == UNHEARD
    assert record["observations"] == 0


@every_wrapper
def test_what_becomes_of_a_value_given_to_an_update(name):
    verdict = WRAPPERS[name].value
    {"passes": assert_value_passes, "rejects": assert_value_rejects, "drops": assert_value_drops}[
        verdict
    ](name)


@pytest.mark.parametrize("name", [name for name, row in HERE.items() if row.observe])
def test_what_is_observed_is_heard(name):
    assert_hears(name, "observe")


PASSING = [
    *("optax.chain", "optax.masked", "optax.partition", "optax.flatten", "optax.MultiSteps"),
    *("optax.apply_if_finite", "optax.inject_hyperparams", "optax.contrib.schedule_free"),
]
OF_DICTS = {"optax.masked", "optax.partition"}


def wrapped(name, transform):
    """With `MultiSteps` as something that passes arguments on, which it does not offer."""
    made = WRAPPERS[name].make(find(name), transform)
    return optax.GradientTransformationExtraArgs(made.init, made.update)


@pytest.mark.parametrize("outer", PASSING)
def test_a_value_is_heard_through_two_wrappers(outer):
    for inner in PASSING:
        if outer != "optax.flatten" or inner not in OF_DICTS:
            transform = wrapped(outer, wrapped(inner, optimizer()))
            found = list(drive_branching(transform, "value"))
            assert [rate for rate, _ in found] == HEARD, inner
            assert found[-1][1]["observations"] == 3, inner


def test_what_multisteps_offers_as_a_transformation_drops_a_value_inside_of_a_chain():
    accumulated = optax.MultiSteps(optimizer(), 1).gradient_transformation()
    for how, wanted in (("value", UNHEARD), ("observe", HEARD)):
        found = drive_branching(optax.chain(optax.clip(1.0), accumulated), how)
        assert [rate for rate, _ in found] == wanted


@pytest.mark.parametrize("name", PASSING)
def test_a_train_state_passes_a_value_on_through_a_wrapper(name):
    state = jaxsched.flax.TrainState.create(
        apply_fn=None, params=PARAMS, tx=WRAPPERS[name].make(find(name), optimizer())
    )
    for loss, rate in zip(LOSSES, HEARD, strict=True):
        state = state.apply_gradients(grads=PARAMS, value=loss)
        assert js.learning_rate(state) == rate


@pytest.mark.parametrize("name", [name for name, row in HERE.items() if not row.observe])
def test_where_optax_averages_states_an_infinite_best_value_becomes_nan(name):
    # It selects a state by `cond * one + (1 - cond) * other`, and 0 times infinity is NaN.
    rates, record = drive(name, "observe")
    assert rates != HEARD
    assert np.isnan(record["best_value"])


def takes_an_optimizer(function):
    if not callable(function) or (inspect.isclass(function) and function is not optax.MultiSteps):
        return False
    annotations = [parameter.annotation for parameter in parameters(function)]
    return any("GradientTransformation" in str(annotation) for annotation in annotations)


def parameters(function):
    try:
        return inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return ()


@pytest.mark.parametrize("module", [optax, optax.contrib])
def test_every_wrapper_of_optax_is_in_the_table(module):
    members = inspect.getmembers(module)
    found = {f"{module.__name__}.{name}" for name, member in members if takes_an_optimizer(member)}
    assert found
    assert found <= set(WRAPPERS) | NOT_OF_OPTIMIZERS | DEPRECATED


def test_inside_of_a_chain_what_would_reject_a_value_drops_it():
    def lookahead(transform):
        return optax.chain(optax.lookahead(transform, 2, 0.5))

    rates = [rate for rate, _ in drive_lookahead(lookahead(optimizer()), "value")]
    assert rates == UNHEARD
    require = js.scale_by_learning_rate(controller(), require_value=True)
    with pytest.raises(TypeError, match="must be given `value=`"):
        list(drive_lookahead(lookahead(require), "value"))


LOST = {
    "apply_if_finite": (lambda t: optax.apply_if_finite(t, 3), jnp.nan),
    "conditionally_mask": (lambda t: optax.conditionally_mask(t, lambda step: step > 0), 1.0),
    "conditionally_transform": (
        lambda t: optax.conditionally_transform(t, lambda step: step > 0),
        1.0,
    ),
    "MultiSteps that skips": (
        lambda t: optax.MultiSteps(t, 1, should_skip_update_fn=optax.skip_not_finite),
        jnp.nan,
    ),
}


@pytest.mark.parametrize(("wrap", "first"), LOST.values(), ids=LOST)
def test_where_an_update_is_left_out_its_value_is_lost_but_an_observation_waits(wrap, first):
    transform = wrap(optimizer())
    updates = [jax.tree.map(lambda leaf: leaf * first, PARAMS), PARAMS]
    update = jax.jit(transform.update)

    def run(state, value=None):
        for given in updates:
            _, state = update(given, state, PARAMS, value=value)
            value = None
        return js.record(state)

    start = transform.init(PARAMS)
    assert run(start, value=3.0)["observations"] == 0
    record = run(js.observe(start, value=3.0))
    assert (record["updates"], record["observations"], record["best_value"]) == (1, 1, 3.0)


class Last(NamedTuple):
    """The value heard last; a record shows what is called `best_value`."""

    best_value: jax.Array


@js.monitor(start=lambda **_: Last(0.0))
def exceeds(state, value, bar):
    return Last(value), value > bar


K = 3
MICRO = [3.0, 2.0, 1.0, 4.0, 3.0, 2.0, 4.0, 4.0, 4.0]
LINE = js.linear_schedule(1.0, 0.0, 16)


def reacting():
    return js.scale_by_learning_rate(js.reduce_on(exceeds(2.5), LINE, factor=0.5))


def inside():
    return optax.MultiSteps(optax.chain(optax.trace(0.9), reacting()), K)


def outside():
    accumulated = optax.MultiSteps(optax.trace(0.9), K).gradient_transformation()
    return optax.chain(accumulated, reacting())


def observed(state, number):
    return js.observe(state, value=MICRO[number]), {}


def given(state, number):
    return state, {"value": MICRO[number]}


def mean_with_the_last(state, number):
    """What a loop does that averages the losses of its micro-batches itself."""
    first = number - number % K
    return state, {"value": sum(MICRO[first : number + 1]) / (number - first + 1)}


ACCUMULATION = {
    "inside, observed": (inside, observed, [2.0, 3.0, 4.0], 2),
    "inside, value": (inside, given, [1.0, 2.0, 4.0], 1),
    "inside, mean as the last value": (inside, mean_with_the_last, [2.0, 3.0, 4.0], 2),
    "outside, observed": (outside, observed, MICRO, 6),
    "outside, value": (outside, given, MICRO, 6),
}


@pytest.mark.parametrize(
    ("layout", "hand_over", "wanted", "events"), ACCUMULATION.values(), ids=ACCUMULATION
)
def test_what_is_heard_under_gradient_accumulation(layout, hand_over, wanted, events):
    transform, heard = layout(), []
    update, state = jax.jit(transform.update), transform.init(PARAMS)
    for number in range(len(MICRO)):
        state, arguments = hand_over(state, number)
        before = js.record(state)["observations"]
        _, state = update(PARAMS, state, PARAMS, **arguments)
        record = js.record(state)
        if record["observations"] > before:
            heard.append(float(record["best_value"]))
    assert heard == wanted
    assert record["events"] == events
    # The schedule counts what its transformation is called for and keeps.
    assert record["count"] == record["updates"] == len(wanted)
    rate = js.learning_rate(state)
    expected = LINE(len(wanted) - 1) * 0.5**events
    np.testing.assert_allclose(rate, expected, rtol=4 * jnp.finfo(rate.dtype).eps)


def test_under_sam_a_monitor_of_finite_numbers_hears_the_mean_of_each_period():
    transform = optax.contrib.sam(optax.chain(reacting()), optax.sgd(0.1), sync_period=K)
    state, heard = transform.init(PARAMS), []
    for number in range(len(MICRO)):
        state, _ = observed(state, number)
        _, state = transform.update(PARAMS, state, PARAMS)
        heard.append(float(js.record(state)["best_value"]))
    assert heard[K - 1 :: K] == [2.0, 3.0, 4.0]
    assert js.record(state)["observations"] == 3


def test_lookahead_with_observations_is_lookahead_with_the_rates_that_result():
    reacts = optax.lookahead(optimizer(), 2, 0.5)
    told = optax.lookahead(optimizer(lambda count: 0.5**count), 2, 0.5)
    start = optax.LookaheadParams.init_synced(PARAMS)
    (params, state), (wanted, known) = (start, reacts.init(start)), (start, told.init(start))
    for loss in LOSSES:
        state = js.observe(state, value=loss)
        updates, state = reacts.update(params.fast, state, params)
        params = optax.apply_updates(params, updates)
        updates, known = told.update(wanted.fast, known, wanted)
        wanted = optax.apply_updates(wanted, updates)
    jax.tree.map(functools.partial(np.testing.assert_allclose, rtol=1e-6), params, wanted)
    assert js.learning_rate(state) == js.learning_rate(known) == 0.25


def test_schedule_free_around_a_controller_is_so_around_the_rates_that_result():
    reacts = optax.contrib.schedule_free(optimizer(), 1.0)
    told = optax.contrib.schedule_free(optimizer(lambda count: 0.5**count), 1.0)
    (params, state), (wanted, known) = (PARAMS, reacts.init(PARAMS)), (PARAMS, told.init(PARAMS))
    for loss in LOSSES:
        updates, state = reacts.update(params, state, params, value=loss)
        params = optax.apply_updates(params, updates)
        updates, known = told.update(wanted, known, wanted)
        wanted = optax.apply_updates(wanted, updates)
    jax.tree.map(functools.partial(np.testing.assert_allclose, rtol=1e-6), params, wanted)
    weighted = optax.contrib.schedule_free(optax.sgd(1.0), controller())
    with pytest.raises(TypeError, match=r"Use it in `jaxsched.scale_by_learning_rate"):
        weighted.update(PARAMS, weighted.init(PARAMS), PARAMS, value=1.0)


TRANSFORMS = {
    "reduce_on": optimizer,
    "reduce_on_plateau": lambda: js.reduce_on_plateau(0.5, patience=1),
    "reset_on": lambda: js.reset_on(js.plateau(patience=1), optimizer(), return_to_best=True),
    "inject_hyperparams": lambda: optax.inject_hyperparams(optax.sgd)(learning_rate=controller()),
}
every_transform = pytest.mark.parametrize("make", TRANSFORMS.values(), ids=TRANSFORMS)


def stepping(transform):
    def step(params, state, loss):
        updates, state = transform.update(params, state, params, value=loss)
        return optax.apply_updates(params, updates), state

    return step


def train(step, params, state, observations=(), losses=LOSSES):
    """With an observation before the last update, if there are any."""
    for i, loss in enumerate(losses):
        if observations and i == len(losses) - 1:
            state = js.observe(state, value=observations[0])
        params, state = step(params, state, loss)
    return params, state


def assert_same(found, wanted):
    assert jax.tree.structure(found) == jax.tree.structure(wanted)
    jax.tree.map(np.testing.assert_array_equal, found, wanted)


def by_donation(step, start):
    donating = jax.jit(step, donate_argnums=(0, 1))
    params, state = jax.tree.map(jnp.array, start)
    yield train(donating, params, state, [2.0])
    assert all(leaf.is_deleted() for leaf in jax.tree.leaves(params))


def by_export(step, start):
    leaves, structure = jax.tree.flatten(start)

    @jax.jit
    def of_leaves(leaves, loss):
        return jax.tree.leaves(step(*structure.unflatten(leaves), loss))

    exported = export.export(of_leaves)(leaves, 1.0)
    loaded = export.deserialize(exported.serialize())

    def restored(params, state, loss):
        return structure.unflatten(loaded.call(jax.tree.leaves((params, state)), loss))

    yield train(restored, *start, [2.0])


@every_transform
def test_a_step_that_donates_its_state_or_is_exported_trains_to_the_same_bits(make):
    transform = make()
    step, start = stepping(transform), (PARAMS, transform.init(PARAMS))
    wanted = train(jax.jit(step), *start, [2.0])
    for way in (by_donation, by_export):
        for found in way(step, start):
            assert_same(found, wanted)


MEMBERS = 3
VALUES = jnp.array([[1.0, 2.0, 6.0], [1.0, 1.0, 8.5], [1.0, 0.5, 4.5]])
DELIVERIES = {
    "value": lambda states, values: (states, values),
    "observe, mapped": lambda states, values: (
        jax.vmap(lambda state, value: js.observe(state, value=value))(states, values),
        None,
    ),
    "observe, a vector": lambda states, values: (js.observe(states, value=values), None),
}


@pytest.mark.parametrize("make", [TRANSFORMS["reduce_on"], TRANSFORMS["reset_on"]])
def test_each_member_of_a_population_hears_its_own_value(make):
    transform = make()
    step = stepping(transform)
    many = jax.tree.map(lambda leaf: jnp.stack([leaf * i for i in range(MEMBERS)]), PARAMS)
    alone, together = jax.jit(step), jax.jit(jax.vmap(step))
    start = many, jax.vmap(transform.init)(many)
    wanted = [
        train(alone, *jax.tree.map(lambda leaf, i=i: leaf[i], start), losses=VALUES[:, i])
        for i in range(MEMBERS)
    ]
    for deliver in DELIVERIES.values():
        params, states = start
        for values in VALUES:
            states, given = deliver(states, values)
            params, states = together(params, states, given)
        found = [jax.tree.map(lambda leaf, i=i: leaf[i], (params, states)) for i in range(MEMBERS)]
        close = functools.partial(np.testing.assert_allclose, rtol=1e-6)
        jax.tree.map(close, found, wanted)
        records = [[js.record(member, all=True) for member in each] for each in (found, wanted)]
        assert_same(*records)


def test_one_value_is_for_all_members_of_a_population():
    many = jnp.ones((MEMBERS, 2))
    states = jax.vmap(optimizer().init)(many)
    states = js.observe(states, value=2.0)
    _, states = jax.jit(jax.vmap(optimizer().update))(many, states)
    assert js.record(states)["best_value"].tolist() == [2.0] * MEMBERS


AVERAGING = {
    "reduce_on": lambda: optimizer(controller(axis_name="data")),
    "restart_on": lambda: js.scale_by_learning_rate(
        js.restart_on(js.plateau(patience=1), 1.0, reset_monitor=False, axis_name="data")
    ),
    "cooldown_on": lambda: js.scale_by_learning_rate(
        js.cooldown_on(js.plateau(patience=1), 1.0, 4, axis_name="data")
    ),
    "reduce_on_plateau": lambda: js.reduce_on_plateau(0.5, patience=1, axis_name="data"),
    "reset_on": lambda: js.reset_on(js.plateau(patience=1), optax.sgd(1.0), axis_name="data"),
    "inject_hyperparams": lambda: optax.inject_hyperparams(optax.sgd)(
        learning_rate=controller(axis_name="data")
    ),
}


@pytest.mark.parametrize("make", AVERAGING.values(), ids=AVERAGING)
def test_replicas_of_a_state_made_outside_of_the_axis_hear_the_mean(make):
    transform = make()
    start = PARAMS, transform.init(PARAMS)
    replicas = jax.tree.map(lambda leaf: jnp.stack([leaf] * MEMBERS), start)
    step = jax.jit(jax.vmap(stepping(transform), axis_name="data"))
    for deliver in DELIVERIES.values():
        params, states = replicas
        for values in VALUES:
            states, given = deliver(states, values)
            params, states = step(params, states, given)
        record = js.record(states)
        np.testing.assert_allclose(record["best_value"], [2.0] * MEMBERS)
        assert record["last_event"].tolist() == [1] * MEMBERS
        assert record["events"].tolist() == [1] * MEMBERS
