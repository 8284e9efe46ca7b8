"""What stands in a controller's program on a GPU only, which other tests do not run."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsched.control.controllers.packing import _selected

ARRAYS = (jnp.array([3, -1, 2**31 - 1], jnp.int32), jnp.array([jnp.nan, -0.0, -jnp.inf]))


@pytest.mark.parametrize("count", [0, 2**31 - 1])
def test_the_copy_of_a_gpu_is_the_same(count):
    found = jax.jit(_selected)(ARRAYS, jnp.int32(count))
    many = jax.vmap(_selected)(*jax.tree.map(lambda x: x[None], (ARRAYS, jnp.int32([count]))))
    for array, copy, one in zip(ARRAYS, found, many, strict=True):
        assert copy.dtype == array.dtype
        np.testing.assert_array_equal(copy, array)
        np.testing.assert_array_equal(np.signbit(copy), np.signbit(array))
        np.testing.assert_array_equal(one[0], array)


def test_its_gradient_is_that_of_the_identity():
    slope = jax.grad(lambda x: _selected((x, x), jnp.int32(3))[0].sum())(jnp.ones(3))
    np.testing.assert_array_equal(slope, 1)
