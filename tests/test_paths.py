"""Rates by the paths of leaves: which rule is for what, and what is applied and read."""

import re
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import linen, nnx, serialization

import jaxsched
from tests.measure import DTYPE

LINE = jaxsched.linear_schedule(1.0, 0.0, 8)
LAYER = {"kernel": jnp.full((2, 2), 2.0), "bias": jnp.ones(2)}
PARAMS = {"embed": jnp.ones(3), "layers": [LAYER, LAYER], "head": LAYER}


class Pair(NamedTuple):
    first: jax.Array
    second: jax.Array


def updates_of(transform, params=PARAMS, count=1, **extra_args):
    state, step = transform.init(params), jax.jit(transform.update)
    updates = params
    for _ in range(count):
        updates, state = step(params, state, params, **extra_args)
    return updates, state


def floats(rates):
    return {name: float(rate) for name, rate in rates.items()}


def test_each_leaf_has_the_rate_of_the_first_rule_for_it():
    rates = {"embed": None, r"layers/0": LINE * 0.5, "bias$": 0.25, ".*": LINE}
    updates, state = updates_of(jaxsched.scale_by_path(rates), count=3)
    np.testing.assert_array_equal(updates["embed"], np.zeros(3))
    for name, factor in (("kernel", 0.375), ("bias", 0.375)):
        np.testing.assert_array_equal(updates["layers"][0][name], -factor * LAYER[name])
    for name, factor in (("kernel", 0.75), ("bias", 0.25)):
        np.testing.assert_array_equal(updates["layers"][1][name], -factor * LAYER[name])
        np.testing.assert_array_equal(updates["head"][name], -factor * LAYER[name])
    assert state.count == 3
    assert list(jaxsched.learning_rates(state)) == list(rates)
    by_leaf = floats(jaxsched.learning_rates(state, PARAMS))
    assert by_leaf == {
        "embed": 0.0,
        "layers/0/kernel": 0.375,
        "layers/0/bias": 0.375,
        "layers/1/kernel": 0.75,
        "layers/1/bias": 0.25,
        "head/kernel": 0.75,
        "head/bias": 0.25,
    }


def test_a_base_rate_is_multiplied():
    unfrozen_later = jaxsched.piecewise_constant_schedule(0.0, {0: 1.0}) + LINE * 0
    rates = {"head": 1, "layers": jaxsched.linear_schedule(0.0, 1.0, 8), ".*": unfrozen_later}
    updates, state = updates_of(jaxsched.scale_by_path(rates, LINE, flip_sign=False), count=3)
    assert floats(jaxsched.learning_rates(state)) == {"head": 0.75, "layers": 0.1875, ".*": 0.0}
    np.testing.assert_array_equal(updates["head"]["kernel"], 0.75 * LAYER["kernel"])


def test_a_frozen_leaf_stays_whatever_its_gradient():
    params = {"a": jnp.array([np.nan, np.inf, 1.0]), "b": jnp.ones(1, jnp.bfloat16)}
    updates, _ = updates_of(jaxsched.scale_by_path({"a": None, "b": None}), params)
    np.testing.assert_array_equal(updates["a"], np.zeros(3))
    assert updates["b"].dtype == jnp.bfloat16


@pytest.mark.parametrize("dtype", [jnp.bfloat16, jnp.float16, jnp.float32])
def test_rates_are_exact_for_any_params(dtype):
    rate = jaxsched.exponential_decay(0.1, 1, 0.999)
    params = {"a": jnp.full(2, 1.5, dtype), "b": jnp.full(2, 1.5, dtype)}
    updates, state = updates_of(jaxsched.scale_by_path({"a": rate, "b": 0.3}), params, count=8)
    assert updates["a"].dtype == dtype
    assert state.learning_rates.dtype == DTYPE
    assert updates["a"][0] == jnp.asarray(-1.5 * rate(7), dtype)
    assert updates["b"][0] == jnp.asarray(-1.5 * jnp.asarray(0.3, DTYPE), dtype)


def test_named_tuples_linen_and_nnx_have_readable_paths():
    rates = {"first": 1.0, ".*": 2.0}
    updates, _ = updates_of(jaxsched.scale_by_path(rates), Pair(jnp.ones(1), jnp.ones(1)))
    assert (updates.first, updates.second) == (-1, -2)

    variables = linen.Sequential([linen.Dense(2)]).init(jax.random.key(0), jnp.ones((1, 2)))
    state = jaxsched.scale_by_path({"^params/layers_0/kernel$": 1.0, "bias$": 2.0}).init(variables)
    assert list(jaxsched.learning_rates(state, variables)) == [
        "params/layers_0/bias",
        "params/layers_0/kernel",
    ]
    updates, _ = updates_of(jaxsched.scale_by_path({"": 3.0}), jnp.ones(()))
    assert updates == -3


def test_nnx_optimizers():
    model = nnx.Linear(2, 1, rngs=nnx.Rngs(0))
    transform = optax.chain(
        optax.trace(0.5), jaxsched.scale_by_path({"^kernel$": None, ".*": LINE})
    )
    optimizer = nnx.Optimizer(model, transform, wrt=nnx.Param)
    kernel = np.asarray(model.kernel[...])
    grads = nnx.grad(lambda model: model(jnp.ones((1, 2))).sum())(model)
    optimizer.update(model, grads)
    optimizer.update(model, grads)
    np.testing.assert_array_equal(model.kernel[...], kernel)
    assert model.bias[...] == -1 - 1.5 * 0.875
    params = nnx.state(model, nnx.Param)
    assert floats(jaxsched.learning_rates(optimizer.opt_state, params)) == {
        "bias": 0.875,
        "kernel": 0.0,
    }


def test_each_distinct_rate_is_computed_once():
    calls = []

    def rate(count):
        calls.append(count)
        return 0.5

    rates = {"embed": rate, "layers": rate, "head": LINE, ".*": LINE}
    transform = jaxsched.scale_by_path(rates)
    jax.eval_shape(transform.update, PARAMS, jax.eval_shape(transform.init, PARAMS))
    assert len(calls) == 2  # in `init` and in `update`
    cosine = jaxsched.cosine_decay_schedule(1.0, 100)
    many = {str(i): jnp.ones(2) for i in range(40)}
    transform = jaxsched.scale_by_path({r"\d": 0.5, ".*": 1.0}, cosine)
    program = jax.jit(transform.update).lower(many, transform.init(many)).as_text()
    assert program.count("stablehlo.sine") == 1


def test_the_size_of_the_state_does_not_depend_on_the_number_of_rules():
    params = {str(i): jnp.ones(2) for i in range(20)}
    for rates in ({".*": LINE}, {f"^{i}$": i / 20 for i in range(20)}):
        state = jaxsched.scale_by_path(rates).init(params)
        assert [leaf.shape for leaf in jax.tree.leaves(state)] == [(), (len(rates),)]
        assert not any(leaf.weak_type for leaf in jax.tree.leaves(state))


def test_controllers_hear_metrics_and_equal_ones_are_one():
    def reduced():
        return jaxsched.reduce_on(jaxsched.plateau(patience=1), LINE, factor=0.5)

    rates = {"head": reduced(), "layers": reduced(), ".*": LINE}
    transform = jaxsched.scale_by_path(rates)
    state, step = transform.init(PARAMS), jax.jit(transform.update)
    for _ in range(2):
        _, state = step(PARAMS, state, value=jnp.float32(1.0))
    state = jaxsched.observe(state, value=2.0)
    _, state = step(PARAMS, state)
    assert floats(jaxsched.learning_rates(state)) == {"head": 0.1875, "layers": 0.1875, ".*": 0.75}
    assert jaxsched.record(state)["observations"] == 3
    strict = jaxsched.scale_by_path({".*": 0.5}, reduced(), require_value=True)
    with pytest.raises(TypeError, match="`value=`"):
        strict.update(PARAMS, strict.init(PARAMS))


def test_learning_rate_reads_it_too():
    transform = optax.chain(optax.scale_by_adam(), jaxsched.scale_by_path({"embed": 0, ".*": LINE}))
    _, state = updates_of(transform, count=2)
    assert list(jaxsched.learning_rate(state, all=True).values()) == [0.0, 0.875]
    with pytest.raises(
        ValueError, match=r"(?s)Several.*\[1\]\['embed'\]: 0.*\[1\]\['\.\*'\]: 0.875"
    ):
        jaxsched.learning_rate(state)
    same = jaxsched.scale_by_path({"embed": LINE, ".*": LINE})
    assert jaxsched.learning_rate(same.init(PARAMS)) == 1.0
    inside = jax.jit(lambda state: jaxsched.learning_rates(state, PARAMS))(state)
    assert inside["embed"] == 0
    for nothing in (optax.adam(0.1).init(PARAMS), (state, state)):
        with pytest.raises(ValueError, match="`scale_by_path`, not of one, in"):
            jaxsched.learning_rates(nothing)


def test_it_works_inside_other_transformations():
    def by_path(rates):
        return jaxsched.scale_by_path(rates, LINE)

    mask = {"embed": False, "layers": True, "head": True}
    masked = optax.masked(by_path({"layers": 0.5, "head": None}), mask)
    updates, _ = updates_of(masked)
    np.testing.assert_array_equal(updates["embed"], PARAMS["embed"])
    np.testing.assert_array_equal(updates["layers"][1]["bias"], -0.5 * LAYER["bias"])

    multi = optax.MultiSteps(by_path({".*": 0.5}), 2).gradient_transformation()
    _, state = updates_of(multi, count=5)
    assert floats(jaxsched.learning_rates(state)) == {".*": 0.5 * 0.875}

    injected = optax.inject_hyperparams(
        lambda learning_rate: jaxsched.scale_by_path({"head": 0.5, ".*": 1}, learning_rate)
    )(learning_rate=LINE)
    _, state = updates_of(injected, count=2)
    assert floats(jaxsched.learning_rates(state)) == {"head": 0.4375, ".*": 0.875}


def test_states_are_saved_donated_and_kept_by_a_reset():
    transform = jaxsched.scale_by_path({"head": LINE, ".*": None})
    _, state = updates_of(transform, count=3)
    saved = serialization.msgpack_restore(
        serialization.msgpack_serialize(serialization.to_state_dict(state))
    )
    restored = serialization.from_state_dict(transform.init(PARAMS), saved)
    assert jax.tree.structure(restored) == jax.tree.structure(state)
    assert floats(jaxsched.learning_rates(restored)) == floats(jaxsched.learning_rates(state))
    step = jax.jit(lambda state: transform.update(PARAMS, state)[1], donate_argnums=0)
    assert step(restored).count == 4
    reset = jaxsched.reset_on(jaxsched.every(1), optax.chain(optax.trace(0.9), transform))
    _, state = updates_of(reset, count=3)
    assert state.inner_state[1].count == 3


def test_a_controller_that_is_added_goes_on_at_the_count():
    _, state = updates_of(jaxsched.scale_by_path({"head": LINE, ".*": 1.0}), count=3)
    controller = jaxsched.reduce_on(jaxsched.plateau(), LINE)
    new = jaxsched.scale_by_path({"head": controller, ".*": 1.0})
    state = jaxsched.carry_over(state, new.init(PARAMS))
    _, state = new.update(PARAMS, state)
    assert floats(jaxsched.learning_rates(state)) == {"head": 0.625, ".*": 1.0}


LEAVES = "'head/bias', 'head/kernel'"


@pytest.mark.parametrize(
    ("rates", "message"),
    [
        ({"embed": 1, "layers": 1}, f"is found in {LEAVES}. A last '.*' is for all the others."),
        ({"nothing": 1}, "'embed', 'head/bias', 'head/kernel', 'layers/0/bias', 'layers/0/kernel'"),
        ({"nothing": 1}, "and 2 more. A last"),
        ({"haed": 1, ".*": 1}, "'haed' of `rates` is found in no path: 'embed', 'head/bias',"),
        ({".*": 1, "head": 1}, "'head' of `rates` has no leaf left: '.*' before it takes 'head/b"),
    ],
)
def test_a_leaf_without_a_rule_and_a_rule_without_a_leaf(rates, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        jaxsched.scale_by_path(rates).init(PARAMS)


def test_a_last_rest_may_be_empty():
    transform = jaxsched.scale_by_path({"embed": 1, "layers|head": 0.5, ".*": 0.25})
    updates, state = updates_of(transform)
    np.testing.assert_array_equal(updates["embed"], -PARAMS["embed"])
    np.testing.assert_array_equal(updates["head"]["kernel"], -0.5 * LAYER["kernel"])
    assert floats(jaxsched.learning_rates(state)) == {"embed": 1.0, "layers|head": 0.5, ".*": 0.25}


@pytest.mark.parametrize(
    ("rates", "error", "message"),
    [
        ({}, ValueError, "`rates` must be a mapping with at least one rule, got {}"),
        ([("head", 1)], TypeError, "`rates` must be a mapping"),
        ({3: 1.0}, TypeError, "`rates` must be a mapping from strings, got 3"),
        ({"(": 1.0}, ValueError, r"`rates` has '\(', no regular expression"),
        ({"head": "0.1"}, TypeError, r"`rates\['head'\]` must be a schedule or a number"),
        ({"head": float("nan")}, ValueError, r"`rates\['head'\]` must be finite"),
        ({"head": jaxsched.plateau()}, TypeError, r"`rates\['head'\]`.*a monitor only says"),
    ],
)
def test_mistakes_raise_when_it_is_made(rates, error, message):
    with pytest.raises(error, match=message):
        jaxsched.scale_by_path(rates)


def test_layerwise_decay():
    factors = jaxsched.layerwise_decay(0.75, 12, r"block(\d+)/")
    paths = ["patch_embed/kernel", *(f"encoder/block{i:02}/mlp" for i in range(12)), "head/bias"]
    params = {path: jnp.ones(1) for path in paths}
    params["encoder"] = {f"block{i}": {"norm": jnp.ones(1)} for i in range(12)}
    state = jaxsched.scale_by_path(factors, 2.0).init(params)
    rates = floats(jaxsched.learning_rates(state, params))
    for i in range(12):
        assert rates[f"encoder/block{i:02}/mlp"] == pytest.approx(2 * 0.75 ** (12 - i))
        assert rates[f"encoder/block{i}/norm"] == rates[f"encoder/block{i:02}/mlp"]
    assert rates["patch_embed/kernel"] == pytest.approx(2 * 0.75**13)
    assert rates["head/bias"] == 2


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (dict(decay=0), ValueError, "`decay`"),
        (dict(decay=1.5), ValueError, "`decay` must be between 0 and 1, got 1.5"),
        (dict(num_layers=0), ValueError, "`num_layers`"),
        (dict(num_layers=2.5), TypeError, "`num_layers` must be an integer, got 2.5"),
        (dict(pattern="layers"), ValueError, r"`pattern`.*one \(.d.\).*'layers'"),
        (dict(pattern=None), TypeError, "`pattern`"),
        (dict(embeddings=3), TypeError, "`embeddings`"),
    ],
)
def test_impossible_layers(arguments, error, message):
    with pytest.raises(error, match=message):
        jaxsched.layerwise_decay(**{"decay": 0.5, "num_layers": 2, **arguments})
