"""One test per contract of the design, over every schedule."""

import pickle
from functools import cache, partial
from typing import Any

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import jaxsched
from tests import formulas
from tests.compiling import quick_jit
from tests.measure import DTYPE, as_seen, distance, exact, interesting
from tests.rows import MAX_COUNT, Row
from tests.table import ROWS

call = jax.jit(lambda schedule, counts: schedule(counts))


def each(rows: list[Row]):
    """All tests of a row after one another, as they share its programs."""
    return pytest.mark.parametrize("row", rows, ids=lambda row: row.name, scope="module")


every_row = each(ROWS)


def rows_where(attribute: str):
    return each([row for row in ROWS if getattr(row, attribute)])


@cache
def program_of(row: Row) -> Any:
    """Its schedule for one count, compiled."""
    return jax.jit(row.schedule).lower(jnp.int32(5)).compile()


@every_row
def test_value_of_known_numbers(row: Row):
    counts = interesting(row, row.sample)
    values = jax.jit(row.schedule)(counts)
    assert distance(values, exact(row, row.sample, counts)).max() <= row.units(row.sample)[0]


@every_row
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_value_of_traced_numbers(row: Row, data: st.DataObject):
    draw = as_seen(data.draw(row.draw))
    counts = interesting(row, draw, seed=data.draw(st.integers(0, 1000)))
    values = call(row.make(draw), counts)
    errors = distance(values, exact(row, draw, counts))
    assert errors.max() <= row.units(draw)[1], counts[errors.argmax()]


@rows_where("exact")
def test_ends_and_boundaries_are_exact(row: Row):
    for count, value in row.exact(row.sample):
        for found in (row.schedule(count), program_of(row)(np.int32(count))):
            assert found == DTYPE(value), count


@every_row
def test_jit_scan_and_vmap_agree_bitwise(row: Row):
    schedule, counts = row.schedule, interesting(row, row.sample)
    one_by_one = np.stack([program_of(row)(count) for count in counts])
    vmapped = jax.jit(jax.vmap(schedule))(counts)
    _, scanned = jax.jit(partial(jax.lax.scan, lambda _, count: (None, schedule(count)), None))(
        counts
    )
    rows = jax.jit(schedule)(counts.reshape(16, -1))
    np.testing.assert_array_equal(one_by_one, vmapped)
    np.testing.assert_array_equal(one_by_one, scanned)
    np.testing.assert_array_equal(one_by_one.reshape(16, -1), rows)


@every_row
def test_eager_is_within_two_units_of_jit(row: Row):
    schedule, counts = row.schedule, interesting(row, row.sample)
    eager, jitted = np.asarray(schedule(counts)), np.asarray(jax.jit(schedule)(counts))
    assert np.all(np.abs(eager - jitted) <= 2 * np.spacing(np.abs(jitted)))


@every_row
def test_one_dtype_for_every_count(row: Row):
    """With traced numbers, whose types are weak; known ones see of a count its dtype and shape."""
    schedule = row.schedule
    whole, real = [3, np.uint32(3), jnp.int32(3)], [jnp.float32(3), jnp.bfloat16(3), 3.0]
    matrix, vector = np.arange(6).reshape(2, 3), np.arange(2.0)
    for count in (*whole, *real, matrix, vector):
        assert_strong(jax.eval_shape(call, schedule, count), count)
    for count in (whole[0], real[-1], matrix):
        assert_strong(jax.eval_shape(partial(schedule, count)), count)
    for count in (whole[-1], real[0], vector):
        assert_strong(jax.eval_shape(schedule, count), count)


def assert_strong(value: jax.ShapeDtypeStruct, count: Any) -> None:
    assert (value.dtype, value.weak_type, value.shape) == (DTYPE, False, np.shape(count))


@every_row
def test_counts_beyond_the_ends_are_held(row: Row):
    schedule = row.schedule
    assert schedule(-5) == schedule(0)
    assert schedule(jnp.int32(-(2**31))) == schedule(-1e30) == schedule(0)
    if np.float32 == DTYPE:
        assert schedule(jnp.uint32(2**32 - 1)) == schedule(MAX_COUNT)


@rows_where("bounds")
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_value_stays_within_its_interval(row: Row, data: st.DataObject):
    draw = as_seen(data.draw(row.draw))
    values = np.asarray(call(row.make(draw), interesting(row, draw)), np.float64)
    low, high = row.bounds(draw) if row.bounds else (0, 0)
    assert values.min() >= low * (1 - 1e-7 * (DTYPE is np.float64))
    assert values.max() <= high * (1 + 1e-7 * (DTYPE is np.float64))


@rows_where("falls")
def test_decays_never_rise(row: Row):
    values = np.asarray(jax.jit(row.schedule)(interesting(row, row.sample)))
    assert np.all(np.diff(values) <= 2 * np.spacing(values[:-1]))


def perturbed(leaf: Any) -> Any:
    if isinstance(leaf, bool):
        return leaf
    return leaf + 1 if np.issubdtype(np.asarray(leaf).dtype, np.integer) else leaf * 1.5


@every_row
def test_new_numbers_do_not_retrace(row: Row):
    traced = jax.jit(chex.assert_max_traces(lambda s, count: s(count), n=1)).trace
    traced(row.schedule, 5)
    traced(jax.tree.map(perturbed, row.schedule), 6)
    chex.clear_trace_counter()


@every_row
def test_vmap_over_every_number(row: Row):
    """A population in which each member has one number that is another."""
    counts = interesting(row, row.sample)
    leaves, structure = jax.tree.flatten(row.schedule)
    places = [i for i, leaf in enumerate(leaves) if np.asarray(leaf).dtype != bool]

    def member(other: int) -> Any:
        numbers = [perturbed(x) if i == other else x for i, x in enumerate(leaves)]
        return structure.unflatten(numbers)

    members = [member(place) for place in places]
    population = jax.tree.map(
        lambda *numbers: jnp.stack([jnp.asarray(x) for x in numbers]), *members
    )
    together = quick_jit(jax.vmap(lambda schedule: schedule(counts)))(population)
    alone = [call(schedule, counts) for schedule in members]
    np.testing.assert_allclose(together, np.stack(alone), rtol=2e-6, atol=1e-30)


@rows_where("continuous")
def test_gradients_are_those_of_the_formula(row: Row):
    counts = [c for c in interesting(row, row.sample)[::37] if c not in row.knots(row.sample)]
    moving = {name: float(row.sample[name]) for name in row.continuous}
    gradient = jax.grad(lambda h, count: row.make({**row.sample, **h})(count))
    found = quick_jit(jax.vmap(gradient, (None, 0)))(moving, np.array(counts))
    small = formulas.mpfr(10) ** -25
    for name, value in moving.items():
        for count, slope in zip(counts, found[name], strict=True):
            up, down = (
                row.formula(int(count), {**row.sample, name: formulas.mpfr(value) + sign * small})
                for sign in (1, -1)
            )
            expected = float((up - down) / (2 * small))
            assert slope == pytest.approx(expected, rel=2e-3, abs=1e-6), (name, count)


@every_row
def test_gradients_are_finite_everywhere(row: Row):
    counts = interesting(row, row.sample)
    leaves, structure = jax.tree.flatten(row.schedule)
    moving = [i for i, leaf in enumerate(leaves) if np.asarray(leaf).dtype.kind == "f"]

    def value(numbers: list[Any], count: jax.Array) -> jax.Array:
        known = dict(zip(moving, numbers, strict=True))
        return structure.unflatten([known.get(i, x) for i, x in enumerate(leaves)])(count)

    gradients = quick_jit(jax.vmap(jax.grad(value), (None, 0)))
    for slopes in gradients([leaves[i] for i in moving], counts):
        assert np.isfinite(slopes).all()


@every_row
def test_pickle_repr_and_flatten_round_trips(row: Row):
    schedule = row.schedule
    assert pickle.loads(pickle.dumps(schedule)) == schedule
    assert eval(repr(schedule), vars(jaxsched)) == schedule
    leaves, structure = jax.tree.flatten(schedule)
    assert structure.unflatten(leaves) == schedule
    assert hash(row.make(row.sample)) == hash(schedule)
    assert schedule != jax.tree.map(perturbed, schedule)


@every_row
def test_optax_accepts_it(row: Row):
    schedule = row.schedule
    params = {"w": jnp.ones(3)}
    optimizers = (
        optax.scale_by_schedule(schedule),
        optax.adam(schedule),
        optax.sgd(optax.join_schedules([schedule, schedule], [5])),
        optax.inject_hyperparams(optax.adamw)(learning_rate=schedule),
        optax.chain(optax.add_decayed_weights(schedule), optax.scale_by_learning_rate(schedule)),
        optax.masked(optax.sgd(schedule), {"w": True}),
        optax.MultiSteps(optax.adam(schedule), every_k_schedule=2).gradient_transformation(),
    )

    @quick_jit
    def all_updates():
        return [one.update(params, one.init(params), params)[0] for one in optimizers]

    assert all(np.isfinite(updates["w"]).all() for updates in all_updates())


@pytest.mark.parametrize("init_value", [0.0, 1e-6, 1.0])
def test_growth_beyond_every_float_is_infinite_and_zero_stays(init_value: float):
    growth = partial(jaxsched.exponential_decay, transition_steps=1, decay_rate=2.0)
    end = init_value and np.inf
    for schedule in (growth(init_value), jax.jit(growth)(init_value)):
        np.testing.assert_array_equal(schedule(jnp.array([3000, MAX_COUNT])), [end, end])


@every_row
def test_program_has_no_loop_and_no_branch(row: Row):
    with_traced_numbers = call.lower(row.schedule, jnp.int32(5)).compile()
    for program in (program_of(row), with_traced_numbers):
        text = program.as_text()
        assert not any(word in text for word in (" while(", " conditional(", "callback"))
