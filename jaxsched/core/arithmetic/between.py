"""A count between two steps: the whole step before it, and exactly how far it is from both.

As one float it would lose what is left to the next step, and all digits beyond 2^24. Where
nothing is said of it here it is that float: JAX and Python compute with it as with an array.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp


class Between(NamedTuple):
    """A place between two steps.

    Attributes:
      whole: the step before it, or at it.
      gone: how far behind that step it is, from 0 to below 1.
      left: how far it is to the next: 1 less `gone`, with digits of its own.
    """

    whole: jax.Array
    gone: jax.Array
    left: jax.Array

    def __jax_array__(self) -> jax.Array:
        return self.whole.astype(self.gone.dtype) + self.gone

    @property
    def dtype(self) -> Any:
        """That of the float it is otherwise."""
        return self.gone.dtype

    @property
    def shape(self) -> tuple[int, ...]:
        """A count is a scalar."""
        return self.gone.shape

    def astype(self, dtype: Any) -> jax.Array:
        """As an array: of whole numbers the step before it."""
        whole = jnp.issubdtype(dtype, jnp.integer)
        return self.whole.astype(dtype) if whole else self.__jax_array__().astype(dtype)

    def back(self, steps: Any) -> "Between":
        """So many whole steps before."""
        return Between(self.whole - steps, self.gone, self.left)

    def __add__(self, other: Any) -> Any:
        return self.__jax_array__() + other

    __radd__ = __add__

    def __sub__(self, other: Any) -> Any:
        return self.__jax_array__() - other

    def __rsub__(self, other: Any) -> Any:
        return other - self.__jax_array__()

    def __mul__(self, other: Any) -> Any:
        return self.__jax_array__() * other

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Any:
        return self.__jax_array__() / other

    def __rtruediv__(self, other: Any) -> Any:
        return other / self.__jax_array__()

    def __eq__(self, other: object) -> Any:
        return self.__jax_array__() == other

    def __lt__(self, other: Any) -> Any:
        return self.__jax_array__() < other

    def __le__(self, other: Any) -> Any:
        return self.__jax_array__() <= other

    def __gt__(self, other: Any) -> Any:
        return self.__jax_array__() > other

    def __ge__(self, other: Any) -> Any:
        return self.__jax_array__() >= other


def where(condition: Any, yes: Any, no: Any) -> Any:
    """`jnp.where` of counts, whole ones or those between steps."""
    if not isinstance(yes, Between) and not isinstance(no, Between):
        return jnp.where(condition, yes, no)
    yes, no = (x if isinstance(x, Between) else _at(x) for x in (yes, no))
    if not (isinstance(yes, Between) and isinstance(no, Between)):
        return jnp.where(condition, jnp.asarray(yes), jnp.asarray(no))
    return Between(*(jnp.where(condition, *parts) for parts in zip(yes, no, strict=True)))


def _at(count: Any) -> Any:
    whole = jnp.issubdtype(jnp.result_type(count), jnp.integer)
    if not whole:
        return count
    count = jnp.asarray(count)
    return Between(count, jnp.zeros((), float), jnp.ones((), float))
