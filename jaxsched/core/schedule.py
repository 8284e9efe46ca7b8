"""What a schedule is: a formula with its hyperparameters bound.

A formula is a pure function `f(count, *hyperparameters)` of one step count. The decorator
`schedule` turns it into a maker `f(*hyperparameters)`, which returns a `Schedule`: callable
with counts of any shape, and a pytree with the numbers as leaves. So a schedule can be an
argument of a jitted function, an axis of `vmap`, and the subject of `grad`.
"""

import functools
from collections.abc import Callable, Hashable
from typing import Annotated, Any, Concatenate, ParamSpec, overload

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from jaxsched.core import checks
from jaxsched.core.arithmetic.between import Between
from jaxsched.core.arithmetic.chosen import Chosen
from jaxsched.core.arithmetic.steps import as_count, host_count
from jaxsched.core.bound import Bound
from jaxsched.core.compiled import as_one_program
from jaxsched.core.maker import Check, Maker, is_maker, maker
from jaxsched.core.returned import one_number
from jaxsched.core.tables import array_of
from jaxsched.core.traced import is_traced, saying_how_to_branch
from jaxsched.core.types import ScheduleFn

P = ParamSpec("P")

# A default, so that who calls without a count, as Keras does, is told what to write.
_NO_COUNT: Any = object()


@jax.tree_util.register_pytree_with_keys_class
class Schedule(Bound):
    """A formula with its hyperparameters bound: a callable of the step count, and a pytree.

    Called with a count of any shape, integer or float, it returns the rates in float32
    (float64 under `jax_enable_x64`), never weakly typed. Counts below 0 count as 0. Whole
    counts reach 2^31-1, under `jax_enable_x64` 2^53, and are exact: those of the host beyond
    raise, those of a device are held there. Float counts go as far as they are precise. Two
    schedules are equal when their formulas and numbers are, and `eval(repr(s)) == s`.

    Attributes:
      maker: what made it; static.
      hyperparams: the numbers and inner schedules by name; the leaves. Not to be changed
        in place: see `replace`.
    """

    def __call__(self, count: ArrayLike = _NO_COUNT) -> jax.Array:
        """The rates at the counts, in the shape of `count`."""
        if count is _NO_COUNT:
            raise TypeError(
                f"{type(self).__name__}.__call__() missing 1 required positional argument: 'count'."
                " Keras calls a rate without one: give it `to_keras(schedule)`."
            )
        return _evaluate(self, host_count(count))

    __slots__ = ()

    # Arithmetic with a NumPy number on the left comes to the methods below.
    __array_ufunc__ = None

    def __add__(self, other: "Operand") -> "Schedule":
        return add(self, other)

    def __radd__(self, other: "Operand") -> "Schedule":
        return add(other, self)

    def __sub__(self, other: "Operand") -> "Schedule":
        return subtract(self, other)

    def __rsub__(self, other: "Operand") -> "Schedule":
        return subtract(other, self)

    def __mul__(self, other: "Operand") -> "Schedule":
        return multiply(self, other)

    def __rmul__(self, other: "Operand") -> "Schedule":
        return multiply(other, self)

    def __truediv__(self, other: "Operand") -> "Schedule":
        return divide(self, other)

    def __rtruediv__(self, other: "Operand") -> "Schedule":
        return divide(other, self)

    def __neg__(self) -> "Schedule":
        return negative(self)


@as_one_program
def _evaluate(schedule: Schedule, count: np.ndarray | jax.Array) -> jax.Array:
    count = as_count(count)
    rate = functools.partial(_rate, schedule)
    for _ in range(count.ndim):
        rate = jax.vmap(rate)
    return rate(count)


def _rate(schedule: Schedule, count: jax.Array) -> jax.Array:
    numbers = {name: _number(schedule, name, n) for name, n in schedule.known().items()}
    with saying_how_to_branch():
        value = schedule.maker.function(count, **numbers)
    value = one_number(schedule.maker.function, _as_array(value))
    return jax.lax.convert_element_type(value, jnp.result_type(float))


def _number(schedule: Schedule, name: str, value: Any) -> Any:
    """A hyperparameter as its formula takes it: what is known of a stack, where that is exact."""
    if not isinstance(value, Chosen):
        return value
    exact = _is_ours(schedule) and getattr(schedule.maker.readers[name], "exact", False)
    return value if exact else jnp.asarray(value)


def operand(name: str, value: Any) -> Any:
    """A number, a schedule, or a plain function of the count such as Optax makes."""
    if isinstance(value, (Schedule, jax.tree_util.Partial)) or checks.is_number(value):
        return value if callable(value) else checks.number(name, value)
    if is_maker(value):
        made = f"`{value.__name__}` makes one when it is called"
        raise TypeError(f"`{name}` must be a schedule; {made}.")
    if hasattr(value, "init") and hasattr(value, "update"):
        checks.refuse(name, value, "a function of the count, not a stateful schedule", TypeError)
    if not callable(value) or isinstance(value, type):
        checks.refuse(name, value, "a schedule or a number", TypeError)
    if not isinstance(value, Hashable):
        checks.refuse(name, value, "hashable, as a part of the key of a program", TypeError)
    return jax.tree_util.Partial(value)


def anything(name: str, value: Any) -> Any:
    """Whatever a formula can compute with: an operand, a flag, a table of numbers."""
    if isinstance(value, (list, tuple)):
        return array_of([checks.number(f"{name}[{i}]", item) for i, item in enumerate(value)])
    if isinstance(value, bool) or not isinstance(value, (np.ndarray, jax.Array)):
        return value if isinstance(value, bool) else operand(name, value)
    if not checks.is_real(value.dtype):
        checks.refuse(name, value, "a table of real numbers", TypeError)
    if not is_traced(value) and not np.isfinite(np.asarray(value, float)).all():
        checks.refuse(name, value, "finite")
    return value


Operand = Annotated[ScheduleFn | float | jax.Array, operand]
"""A hyperparameter that may change with the count: see `at`."""


def at(value: Any, count: jax.Array) -> Any:
    """The value of an operand at `count`: of a schedule there, of a number everywhere.

    For use in formulas, whose counts are scalars and not negative: they are not put in order
    again, as calling the schedule would.
    """
    if isinstance(value, Schedule):
        return _rate(value, count if _is_ours(value) else _as_array(count))
    if isinstance(value, jax.tree_util.Partial):
        return one_number(value.func, value(_as_array(count)))
    return value(_as_array(count)) if callable(value) else _as_array(value)


def _as_array(value: Any) -> Any:
    return jnp.asarray(value) if isinstance(value, (Between, Chosen)) else value


def _is_ours(schedule: Schedule) -> bool:
    """Whether a formula is of this package, and so written for counts between steps too."""
    return schedule.maker.function.__module__.startswith("jaxsched.")


@overload
def schedule(formula: Callable[Concatenate[jax.Array, P], ArrayLike]) -> Maker[P, Schedule]: ...
@overload
def schedule(
    *, check: Check | None = None, template: str | None = None
) -> Callable[[Callable[Concatenate[jax.Array, P], ArrayLike]], Maker[P, Schedule]]: ...


def schedule(formula: Any = None, *, check: Any = None, template: Any = None) -> Any:
    """Turns a formula `f(count, *hyperparameters)` into a maker of schedules.

    The formula sees one count at a time, a non-negative int32 (int64) or float scalar, and its
    hyperparameters as Python numbers, tracers or schedules. It must not branch in Python on
    their values. Its annotations name the checks (`jaxsched.core.types`); what has none may
    be any number, schedule or table of numbers.

    Args:
      formula: the formula.
      check: called with the dict of hyperparameters when a schedule is made, to raise where
        several do not fit together.
      template: how a schedule prints, if not as a call.

    Example:
      >>> import jaxsched
      >>> @jaxsched.schedule
      ... def harmonic(count, init_value, half_life):
      ...     return init_value * half_life / (half_life + count)
      >>> rate = harmonic(0.1, half_life=100)
      >>> rate
      harmonic(init_value=0.1, half_life=100)
      >>> print(rate(100))
      0.05
    """
    if formula is None:
        return functools.partial(schedule, check=check, template=template)
    return maker(formula, Schedule, anything, check=check, template=template)


@schedule(template="({left} + {right})")
def add(count: jax.Array, left: Operand, right: Operand):
    """The sum of two schedules, or of a schedule and a number."""
    return at(left, count) + at(right, count)


@schedule(template="({left} - {right})")
def subtract(count: jax.Array, left: Operand, right: Operand):
    """The difference of two schedules, or of a schedule and a number."""
    return at(left, count) - at(right, count)


@schedule(template="({left} * {right})")
def multiply(count: jax.Array, left: Operand, right: Operand):
    """The product of two schedules, or of a schedule and a number."""
    return at(left, count) * at(right, count)


def _no_zero_below(hyperparams: dict[str, Any]) -> None:
    right = hyperparams["right"]
    if checks.is_number(right) and checks.known(right) == 0:
        checks.refuse("right", right, "other than 0 to divide by")


@schedule(template="({left} / {right})", check=_no_zero_below)
def divide(count: jax.Array, left: Operand, right: Operand):
    """The quotient of two schedules, or of a schedule and a number."""
    return at(left, count) / at(right, count)


@schedule(template="(-{operand})")
def negative(count: jax.Array, operand: Operand):
    """A schedule with its sign flipped."""
    return -at(operand, count)
