"""Mistakes with cycles, tables, products and noise raise, and name the argument and the value."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxsched as js

table = js.table_schedule

TABLES = [
    (lambda: table([]), ValueError, r"`values`.*\[\]"),
    (lambda: table(np.zeros(0)), ValueError, r"`values`.*\[\]"),
    (lambda: table(0.5), TypeError, "`values`.*0.5"),
    (lambda: table(None), TypeError, "`values`.*None"),
    (lambda: table("0.5"), TypeError, "`values`.*'0.5'"),
    (lambda: table({1: 0.5}), TypeError, r"`values`.*\{1: 0.5\}"),
    (lambda: table(np.ones((2, 2))), TypeError, "`values`"),
    (lambda: table([0.5, "a"]), TypeError, r"`values\[1\]`.*'a'"),
    (lambda: table([0.5, True]), TypeError, r"`values\[1\]`.*True"),
    (lambda: table(np.array([True])), TypeError, r"`values\[0\]`.*True"),
    (lambda: table([0.5, [1.0]]), TypeError, r"`values\[1\]`.*\[1.0\]"),
    (lambda: table([0.5, float("nan")]), ValueError, r"`values\[1\]`.*nan"),
    (lambda: table(np.array([0.5, np.inf])), ValueError, r"`values\[1\]`.*inf"),
    (lambda: table(jnp.array([0.5, jnp.inf])), ValueError, r"`values\[1\]`.*inf"),
    (lambda: table([10**400]), ValueError, r"`values\[0\]`.*1000000"),
    (lambda: table([0.5, 1.0], [0]), ValueError, "`knots`.*`values`.*1 for 2"),
    (lambda: table([0.5, 1.0], 5), TypeError, "`knots`.*5"),
    (lambda: table([0.5, 1.0], [5, 5]), ValueError, r"`knots`.*strictly.*\[5, 5\]"),
    (lambda: table([0.5, 1.0], [5, 4]), ValueError, r"`knots`.*\[5, 4\]"),
    (lambda: table([0.5, 1.0], [-1, 4]), ValueError, r"`knots\[0\]`.*-1"),
    (lambda: table([0.5], None, "spline"), ValueError, "`interpolate_type`.*'spline'"),
    (lambda: table([0.5], None, 3), ValueError, "`interpolate_type`.*3"),
]

cyclic, polynomial, rewarm = js.cyclic_schedule, js.polynomial_cycles_schedule, js.rewarm
CYCLES = [
    (lambda: cyclic(0, 1, 0), ValueError, r"`up_steps \+ down_steps`.*at least 1.*0"),
    (lambda: cyclic(0, 1, 0.25, 0.25), ValueError, r"`up_steps \+ down_steps`.*0.5"),
    (lambda: cyclic(0, 1, -5, 10), ValueError, "`up_steps`.*-5"),
    (lambda: cyclic(0, 1, 5, -1), ValueError, "`down_steps`.*-1"),
    (lambda: cyclic(0, 1, None), TypeError, "`up_steps`.*None"),
    (lambda: cyclic(0, 1, 5, "5"), TypeError, "`down_steps`.*'5'"),
    (lambda: cyclic(float("nan"), 1, 5), ValueError, "`init_value`.*nan"),
    (lambda: cyclic(0, [1], 5), TypeError, r"`peak_value`.*\[1\]"),
    (lambda: cyclic(0, 1, 5, peak_mult=0), ValueError, "`peak_mult`.*positive.*0"),
    (lambda: cyclic(0, 1, 5, decay_rate=-0.5), ValueError, "`decay_rate`.*-0.5"),
    (lambda: polynomial(1, 0), ValueError, "`period`.*at least 1.*0"),
    (lambda: polynomial(1, 10, -1), ValueError, "`power`.*at least 0.*-1"),
    (lambda: polynomial(1, 10, end_value=1j), TypeError, "`end_value`.*1j"),
    (lambda: rewarm("a", 10, 2), TypeError, "`schedule`.*'a'"),
    (lambda: rewarm(js.linear_schedule, 10, 2), TypeError, "`schedule`.*linear_schedule"),
    (lambda: rewarm(1.0, 0, 2), ValueError, "`period`.*0"),
    (lambda: rewarm(1.0, 10, 11), ValueError, "`warmup_steps`.*`period`.*11 > 10"),
    (lambda: rewarm(1.0, 10, -1), ValueError, "`warmup_steps`.*-1"),
    (lambda: rewarm(1.0, 10, 2, True), TypeError, "`init_value`.*True"),
]

product = js.cumulative_product_schedule
PRODUCTS = [
    (lambda: product(1.0, 0.5, 0), ValueError, "`transition_steps`.*from 1.*0"),
    (lambda: product(1.0, 0.5, -1), ValueError, "`transition_steps`.*-1"),
    (lambda: product(1.0, 0.5, 2.5), ValueError, "`transition_steps`.*whole.*2.5"),
    (lambda: product(1.0, 0.5, 10**8), ValueError, "`transition_steps`.*100000000"),
    (lambda: product(1.0, 0.5, None), TypeError, "`transition_steps`.*None"),
    (lambda: product(1.0, "a", 5), TypeError, "`factor`.*'a'"),
    (lambda: product(1.0, js.linear_schedule, 5), TypeError, "`factor`.*linear_schedule"),
    (lambda: product("a", 0.5, 5), TypeError, "`init_value`.*'a'"),
    (lambda: jax.jit(lambda n: product(1.0, 0.5, n)(3))(5), TypeError, "`transition_steps`.*known"),
    (lambda: product(1.0, lambda t: float("nan"), 5)(0), ValueError, "`factor`.*finite.*1 to 5"),
    (lambda: product(1.0, lambda t: jnp.ones(2), 5)(0), ValueError, "must return one number"),
]

noise = js.noise_schedule
NOISE = [
    (lambda: noise(-0.1), ValueError, "`limit`.*at least 0.*-0.1"),
    (lambda: noise(None), TypeError, "`limit`.*None"),
    (lambda: noise(0.1, 0), ValueError, "`std`.*positive.*0"),
    (lambda: noise(0.1, "a"), TypeError, "`std`.*'a'"),
    (lambda: noise(0.1, seed=-1), ValueError, "`seed`.*-1"),
    (lambda: noise(0.1, seed=2**31), ValueError, "`seed`.*2147483648"),
    (lambda: noise(0.1, seed=0.5), ValueError, "`seed`.*whole.*0.5"),
    (lambda: noise(0.1, seed=None), TypeError, "`seed`.*None"),
]


@pytest.mark.parametrize(("make", "error", "pattern"), [*TABLES, *CYCLES, *PRODUCTS, *NOISE])
def test_a_mistake_raises_its_name_and_value(make, error, pattern):
    with pytest.raises(error, match=pattern):
        make()


def test_what_is_traced_passes():
    def rates(values, knots):
        return [
            table(values)(3),
            table(values, knots)(3),
            table(list(values), knots, "monotone")(3),
        ]

    shapes = jax.eval_shape(rates, jnp.array([1.0, jnp.nan]), jnp.array([5, -5]))
    assert {shape.dtype for shape in shapes} == {jnp.result_type(float)}
