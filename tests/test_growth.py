"""Program size does not depend on the number of segments."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxsched as js
from jaxsched.core.arithmetic.lookup import locate

SEGMENTS = 10, 10_000


def scales(n):
    return {10 * i + 5 + i % 3: 0.9 + 0.01 * (i % 17) for i in range(n)}


def levels(n):
    return list(scales(n).values())


def line(i):
    return js.linear_schedule(0.1 + 1e-5 * i, 0.01 + 1e-6 * i, 10 + i % 3)


def boundaries(n):
    return [10 * i + i % 3 for i in range(1, n)]


def joined(n, makers):
    return js.join_schedules([makers[i % len(makers)](i) for i in range(n)], boundaries(n))


def decay(i):
    return js.cosine_decay_schedule(0.1 + 1e-5 * i, 10 + i % 3)


def stairs(i):
    return js.exponential_decay(0.1, 5 + i % 3, 0.5, staircase=True)


def restarts(n):
    cycle = {"init_value": 0.0, "warmup_steps": 2}
    return js.sgdr_schedule(
        [{**cycle, "peak_value": 0.1 + 1e-5 * i, "decay_steps": 10 + i % 3} for i in range(n)]
    )


LIMITS = {
    "piecewise_constant": (lambda n: js.piecewise_constant_schedule(0.1, scales(n)), 80),
    "piecewise_linear": (lambda n: js.piecewise_interpolate_schedule("linear", 0.1, scales(n)), 80),
    "piecewise_cosine": (lambda n: js.piecewise_interpolate_schedule("cosine", 0.1, scales(n)), 90),
    "join": (partial(joined, makers=[line]), 80),
    "join of two forms": (partial(joined, makers=[line, decay]), 125),
    "select": (lambda n: js.select(jnp.int32(n // 2), [line(i) for i in range(n)]), 80),
    "sgdr": (restarts, 120),
    "table": (lambda n: js.table_schedule(levels(n), list(scales(n))), 100),
    "monotone table": (lambda n: js.table_schedule(levels(n), list(scales(n)), "monotone"), 190),
    "product": (lambda n: js.cumulative_product_schedule(0.1, 0.999, n), 80),
    "cosine_restarts": (lambda n: js.cosine_restarts_schedule(0.1, 10), 80),
}
every_table = pytest.mark.parametrize(("make", "limit"), LIMITS.values(), ids=LIMITS)


def instructions(schedule):
    text = jax.jit(schedule).lower(jnp.int32(5)).compile().as_text()
    assert " while(" not in text
    return sum(" = " in line for line in text.splitlines())


@every_table
def test_instructions(make, limit):
    few, many = (instructions(make(n)) for n in SEGMENTS)
    # With 64 bits a table is converted where it is read.
    assert many <= limit + 2 * jax.config.jax_enable_x64
    assert many <= few + 10


def test_leaves_do_not_grow_either():
    for make, _ in LIMITS.values():
        few, many = (len(jax.tree.leaves(make(n))) for n in SEGMENTS)
        assert few == many <= 12


def test_a_traced_table_grows_no_more():
    call = jax.jit(lambda schedule, count: schedule(count))
    for make in (LIMITS["piecewise_constant"][0], LIMITS["join"][0]):
        sizes = []
        for n in (2_000, 10_000):
            text = call.lower(make(n), jnp.int32(5)).compile().as_text()
            assert " while(" not in text
            sizes.append(sum(" = " in line for line in text.splitlines()))
        assert sizes[1] <= sizes[0] + 10


def test_every_segment_of_a_large_join_is_its_own():
    n = 5_000
    members = [[line, decay, stairs][i % 3](i) for i in range(n)]
    schedule = jax.jit(js.join_schedules(members, boundaries(n)))
    begins = np.array([0, *boundaries(n)])
    for passed in (0, 3):
        index = np.arange(0, n, 97)
        alone = [members[i](passed) for i in index]
        np.testing.assert_allclose(schedule(begins[index] + passed), alone, rtol=1e-6)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 15, 16, 17, 80, 81, 82, 1000])
def test_lookup_at_every_boundary(n):
    steps = np.cumsum(np.random.default_rng(n).integers(1, 5, n))
    steps = np.append(steps[:-1], 2**31 - 1)
    schedule = js.piecewise_constant_schedule(1.0, dict.fromkeys(steps.tolist(), 0.99))
    counts = np.unique(np.concatenate([steps - 1, steps, [0, 2**31 - 1]])).astype(np.int32)
    expected = 0.99 ** np.searchsorted(steps, counts, side="right")
    np.testing.assert_allclose(schedule(counts), expected, rtol=3e-7)
    np.testing.assert_allclose(
        schedule(counts.astype(np.float32)[counts < 2**24]), expected[counts < 2**24], rtol=3e-7
    )
    traced = jax.jit(lambda schedule, counts: schedule(counts))(schedule, counts)
    np.testing.assert_allclose(traced, expected, rtol=1e-6 * n)


@pytest.mark.parametrize("n", [32, 33, 1000, 4096, 4097, 10_000])
def test_what_is_compiled_for_a_gpu_counts_the_same(n, monkeypatch):
    monkeypatch.setattr(jax.lax, "platform_dependent", lambda *args, cuda, **_: cuda(*args))
    steps = np.append(np.cumsum(np.random.default_rng(n).integers(0, 5, n - 1)), 2**31 - 1)
    counts = np.concatenate([[0, 2**31 - 1], steps[:: n // 32] - 1, steps[:: n // 32]])
    counts = np.maximum(counts, 0).astype(np.int32)
    expected = np.searchsorted(steps, counts, side="right")
    for table in (steps, jnp.asarray(steps, jnp.int32)):
        number = jax.vmap(lambda count, table=table: locate(count, table))
        np.testing.assert_array_equal(number(jnp.asarray(counts)), expected)
        small = counts < 2**24
        real = number(jnp.asarray(counts[small], jnp.float32))
        np.testing.assert_array_equal(real, expected[small])
