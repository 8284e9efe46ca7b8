"""Nesterov's momentum and its restarts, against NumPy and against published counts of steps."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import jaxsched
from jaxsched.optimizers.momentum import scale_by_nesterov, scale_by_restarted_nesterov
from tests.measure import DTYPE

TRANSFORMS = {"plain": scale_by_nesterov(), "restarted": scale_by_restarted_nesterov()}
BOTH = pytest.mark.parametrize("transform", TRANSFORMS.values(), ids=TRANSFORMS)


@pytest.fixture
def wide():
    """64-bit numbers: whether a value rose by its last digits decides on a restart."""
    # `jax.enable_x64` is newer than the oldest JAX.
    if hasattr(jax, "enable_x64"):
        context = jax.enable_x64(True)
    else:
        context = jax.experimental.enable_x64(True)
    with context:
        yield


def quadratic(kappa):
    """Curvatures from 1 / kappa to 1, and a start."""
    return np.logspace(-np.log10(kappa), 0, 200), np.random.default_rng(0).standard_normal(200)


def reference(curvatures, x, steps, restarts):
    """The textbook's three lines, in points x and y and with t = 1 / theta."""
    points, restarted = [], []
    y, t = x, 1.0
    for step in range(steps):
        gradient = curvatures * y
        x, previous = y - gradient, x
        if restarts and gradient @ (x - previous) > 0:
            t = 1.0
            restarted.append(step)
        t, last = (1 + (1 + 4 * t * t) ** 0.5) / 2, t
        y = x + (last - 1) / t * (x - previous)
        points.append((x, y))
    return np.array(points), restarted


@BOTH
@pytest.mark.usefixtures("wide")
def test_points_are_those_of_the_textbook(transform):
    curvatures, start = quadratic(1e3)
    optimizer = optax.chain(transform, jaxsched.scale_by_learning_rate(1.0))

    def step(carry, _):
        y, state = carry
        updates, state = optimizer.update(curvatures * y, state, y)
        y = optax.apply_updates(y, updates)
        return (y, state), (jnp.stack([y + state[0].trace, y]), state[0].theta)

    carry = (jnp.asarray(start), optimizer.init(jnp.asarray(start)))
    _, (points, thetas) = jax.lax.scan(step, carry, None, 400)
    restarts = transform is TRANSFORMS["restarted"]
    wanted, restarted = reference(curvatures, start, 400, restarts)
    np.testing.assert_allclose(points, wanted, rtol=1e-9, atol=1e-12)
    assert len(restarted) == 3 * restarts
    rises = np.flatnonzero(np.diff(np.asarray(thetas)) > 0) + 1
    np.testing.assert_array_equal(rises, restarted)


def uphill(new_x, x, gradient, curvatures):
    return gradient @ (new_x - x) > 0


def higher(new_x, x, gradient, curvatures):
    return curvatures @ new_x**2 > curvatures @ x**2


@partial(jax.jit, static_argnames=("transform", "rejects", "extrapolation"))
def steps_needed(transform, curvatures, x, rejects=None, extrapolation=lambda state: state.trace):
    """The steps until the value is 1e-10 of the first.

    With `rejects`, a step that it finds bad is taken again from the point before it, by plain
    gradient descent, and the two count as one.
    """
    optimizer = optax.chain(transform, optax.scale(-1.0))
    goal = 1e-10 * (curvatures @ x**2)

    def step(carry):
        count, x, y, state = carry

        def towards(y, state):
            gradient = curvatures * y
            updates, state = optimizer.update(gradient, state, y)
            y = optax.apply_updates(y, updates)
            return gradient, (count + 1, y + extrapolation(state[0]), y, state)

        gradient, new = towards(y, state)
        if rejects is None:
            return new
        _, again = towards(x, optimizer.init(x))
        rejected = rejects(new[1], x, gradient, curvatures)
        return optax.tree_utils.tree_where(rejected, again, new)

    def unfinished(carry):
        return (curvatures @ carry[1] ** 2 > goal) & (carry[0] < 10_000)

    return jax.lax.while_loop(unfinished, step, (0, x, x, optimizer.init(x)))[0]


def steps_with(transform, kappa, **options):
    curvatures, start = quadratic(kappa)
    return int(steps_needed(transform, jnp.asarray(curvatures), jnp.asarray(start), **options))


@pytest.mark.parametrize(
    ("kappa", "plain", "function", "gradient"), [(1e3, 2035, 365, 354), (1e4, 6414, 1347, 1344)]
)
@pytest.mark.usefixtures("wide")
def test_steps_when_a_restart_repeats_the_step(kappa, plain, function, gradient):
    """The published way to count: the bad step is dropped, and its gradient costs nothing."""
    assert steps_with(scale_by_nesterov(), kappa) == plain
    assert steps_with(scale_by_nesterov(), kappa, rejects=higher) == function
    assert steps_with(scale_by_nesterov(), kappa, rejects=uphill) == gradient
    # It starts again on the very steps that are dropped.
    assert steps_with(scale_by_restarted_nesterov(), kappa, rejects=uphill) == gradient


def reset_when_higher(inner):
    """The function scheme with what a training loop has: the value where the gradient is."""

    def init(params):
        return inner.init(params), jnp.asarray(jnp.inf, params.dtype)

    def update(gradient, state, params):
        value = gradient @ params
        old = optax.tree_utils.tree_where(value > state[1], inner.init(params), state[0])
        updates, new = inner.update(gradient, old)
        return updates, (new, value)

    return optax.GradientTransformation(init, update)


@pytest.mark.parametrize(
    ("kappa", "function", "gradient", "best"), [(1e3, 370, 362, 267), (1e4, 1349, 1346, 799)]
)
@pytest.mark.usefixtures("wide")
def test_steps_of_one_gradient_each(kappa, function, gradient, best):
    momentum = (1 - kappa**-0.5) / (1 + kappa**-0.5)
    constant = optax.trace(momentum, nesterov=True)
    found = steps_with(constant, kappa, extrapolation=lambda state: momentum * state.trace)
    assert found == best
    assert steps_with(scale_by_restarted_nesterov(), kappa) == gradient
    reset = reset_when_higher(scale_by_nesterov())
    assert steps_with(reset, kappa, extrapolation=lambda state: state[0].trace) == function


def test_steps_in_the_default_precision():
    assert steps_with(scale_by_nesterov(), 1e3) == pytest.approx(2035, rel=0.02)
    assert steps_with(scale_by_restarted_nesterov(), 1e3) == pytest.approx(362, rel=0.02)


def test_theta_after_many_updates():
    transform = scale_by_nesterov()

    def step(state, _):
        return transform.update(jnp.zeros(()), state)[1], None

    state, _ = jax.lax.scan(step, transform.init(jnp.zeros(())), None, 100_000)
    t = 1.0
    for _ in range(100_000):
        t = (1 + (1 + 4 * t * t) ** 0.5) / 2
    np.testing.assert_allclose(state.theta, 1 / t, rtol=1e-3)


def test_a_restart_is_a_gradient_step():
    transform = scale_by_restarted_nesterov()
    state = transform.init(jnp.zeros(2))
    for _ in range(5):
        updates, state = transform.update(jnp.ones(2), state)
    assert updates[0] > 1.9
    updates, state = transform.update(-jnp.ones(2), state)
    np.testing.assert_array_equal(updates, [-1, -1])
    np.testing.assert_array_equal(state.trace, [0, 0])
    _, first = transform.update(jnp.ones(2), transform.init(jnp.zeros(2)))
    assert state.theta == first.theta


@pytest.mark.parametrize("gradient", [0.0, jnp.nan])
def test_no_restart_at_a_gradient_of(gradient):
    transform = scale_by_restarted_nesterov()
    _, state = transform.update(jnp.ones(2), transform.init(jnp.zeros(2)))
    _, after = transform.update(jnp.full(2, gradient), state)
    assert after.theta < state.theta


@BOTH
def test_types_stay(transform):
    params = {
        "half": jnp.ones(2, jnp.bfloat16),
        "single": jnp.ones((), jnp.float32),
        "complex": jnp.ones(2, jnp.complex64),
        "weak": jax.lax.full((), 1.0) * 1.0,
        "none": None,
        "masked": optax.MaskedNode(),
    }
    state = transform.init(params)
    assert state.theta == 1
    assert jax.tree.structure(state.trace) == jax.tree.structure(params)
    updates = params
    for _ in range(3):
        updates, new = transform.update(updates, state)
        types = [(x.shape, x.dtype, x.weak_type) for x in jax.tree.leaves(state)]
        assert types == [(x.shape, x.dtype, x.weak_type) for x in jax.tree.leaves(new)]
        assert types[0] == ((), DTYPE, False)
        assert not any(weak for *_, weak in types)
        for tree in (updates, new.trace):
            assert jax.tree.map(jnp.result_type, tree) == jax.tree.map(jnp.result_type, params)
        state = new


@BOTH
def test_nothing_to_update(transform):
    updates, _ = jax.jit(transform.update)({}, transform.init({}))
    assert updates == {}


def test_the_product_of_half_precision_is_taken_in_full():
    """Of 256 - 513 / 2 = -0.5, nothing is left where terms are rounded to 8 bits."""
    trace = {"a": jnp.full(1, 255, jnp.bfloat16), "b": jnp.full(513, -1.5, jnp.bfloat16)}
    transform = scale_by_restarted_nesterov()
    state = transform.init(trace)._replace(theta=jnp.asarray(0.5, DTYPE), trace=trace)
    _, state = transform.update(jax.tree.map(jnp.ones_like, trace), state)
    assert state.theta > 0.5


@BOTH
def test_half_precision_follows_single(transform):
    curvatures = jnp.array([0.01, 0.1, 1.0])
    ends = []
    for dtype in (jnp.bfloat16, jnp.float32):
        optimizer = optax.chain(transform, jaxsched.scale_by_learning_rate(1.0))
        params = jnp.ones(3, dtype)
        state = optimizer.init(params)
        for _ in range(10):
            gradient = (curvatures * params).astype(dtype)
            updates, state = jax.jit(optimizer.update)(gradient, state, params)
            params = optax.apply_updates(params, updates)
        assert params.dtype == dtype
        ends.append(params.astype(jnp.float32))
    np.testing.assert_allclose(ends[0], ends[1], atol=0.02)


@BOTH
def test_complex_numbers_are_pairs_of_real_ones(transform):
    pairs = np.random.default_rng(1).standard_normal((20, 2, 3)).astype(np.float32)
    both, single = transform.init(jnp.zeros((2, 3))), transform.init(jnp.zeros(3, jnp.complex64))
    for pair in pairs:
        updates, both = transform.update(jnp.asarray(pair), both)
        wanted = updates[0] + 1j * updates[1]
        updates, single = transform.update(jnp.asarray(pair[0] + 1j * pair[1]), single)
        np.testing.assert_allclose(updates, wanted, rtol=1e-5, atol=1e-5)


@BOTH
def test_jit_vmap_and_donation(transform):
    gradients = np.random.default_rng(2).standard_normal((20, 4, 3)).astype(np.float32)
    params = jnp.zeros((4, 3))
    mapped = jax.vmap(transform.init)(params)
    step = jax.jit(jax.vmap(transform.update), donate_argnums=1)
    states = [transform.init(one) for one in params]
    for batch in gradients:
        updates, mapped = step(jnp.asarray(batch), mapped)
        for index, gradient in enumerate(batch):
            wanted, states[index] = transform.update(jnp.asarray(gradient), states[index])
            np.testing.assert_allclose(updates[index], wanted, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(mapped.theta, [state.theta for state in states], rtol=1e-6)
    np.testing.assert_array_equal(params, 0)


def test_parts_restart_by_themselves():
    transform = scale_by_restarted_nesterov()
    parts = optax.partition({"a": transform, "b": transform}, {"a": "a", "b": "b"})
    params = {"a": jnp.zeros(1), "b": jnp.zeros(1)}
    state = parts.init(params)
    for _ in range(5):
        _, state = parts.update({"a": jnp.ones(1), "b": jnp.ones(1)}, state, params)
    updates, _ = parts.update({"a": jnp.ones(1), "b": -jnp.ones(1)}, state, params)
    assert updates["a"] > 2
    assert updates["b"] == -1


@BOTH
def test_the_program_has_no_branches(transform):
    params = {"w": jnp.ones((2, 2)), "b": jnp.ones(2, jnp.bfloat16)}
    program = jax.jit(transform.update).lower(params, transform.init(params)).compile().as_text()
    assert "conditional" not in program


@BOTH
def test_explicit_sharding(transform):
    sharding = jax.sharding
    mesh = jax.make_mesh((1,), ("x",), axis_types=(sharding.AxisType.Explicit,))
    spec = sharding.NamedSharding(mesh, sharding.PartitionSpec("x", None))
    params = jax.device_put(jnp.ones((4, 2)), spec)
    updates, state = jax.jit(transform.update)(params, transform.init(params))
    assert updates.sharding == state.trace.sharding == spec
