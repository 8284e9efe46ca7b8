"""Readers of hyperparameters: each takes a name and a value, and returns the value or raises.

A value that is only known while a program runs (a tracer) passes every reader: its
type is checked, its size cannot be.
"""

from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import jax
import jax.numpy as jnp
import numpy as np

from jaxsched.core.leaves import Text
from jaxsched.core.reach import reach, whole_dtype
from jaxsched.core.traced import is_traced

MAX_COUNT = 2**31 - 1
"""The last step that an int32 count can reach."""


def quoted(value: Any) -> str:
    """A value as an error quotes it: its repr, of at most a line."""
    try:
        text = repr(value)
    except ValueError:  # Python writes no whole number of thousands of digits.
        return f"a value of type `{type(value).__name__}`"
    text = " ".join(text.split()) if "\n" in text else text
    return text if len(text) <= 200 else f"{text[:199]}…"


def refuse(name: str, value: Any, wanted: str, error: type[Exception] = ValueError) -> NoReturn:
    """Raises an error that names the argument, what it must be, and what it is."""
    raise error(f"`{name}` must be {wanted}, got {quoted(value)}.")


def exact(check: Callable[[str, Any], Any]) -> Callable[[str, Any], Any]:
    """Marks the check of numbers that a formula takes in all their digits, also out of a stack."""
    vars(check)["exact"] = True
    return check


def is_number(value: Any) -> bool:
    """Whether `value` is a real scalar: a Python or NumPy number, an array or a tracer."""
    if isinstance(value, (jax.Array, np.ndarray, np.generic)):
        return value.ndim == 0 and is_real(value.dtype)
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def is_real(dtype: Any) -> bool:
    """Whether numbers of this dtype are whole or floating, and of at most 64 bits."""
    real = jnp.issubdtype(dtype, jnp.floating) or jnp.issubdtype(dtype, jnp.integer)
    # NumPy counts durations among the whole numbers, and JAX knows no longer floats.
    return real and dtype.itemsize <= 8 and dtype.kind != "m"


def known(value: Any) -> float | int | None:
    """The value as a Python number, or None while it is traced or held by other hosts."""
    if is_traced(value):
        return None
    if isinstance(value, jax.Array) and not value.is_fully_addressable:
        return None
    if isinstance(value, (jax.Array, np.ndarray, np.generic)):
        return np.asarray(value).item()
    return value


def working(value: Any) -> Any:
    """An array of small or unsigned whole numbers, or of short floats, in the type of formulas."""
    if not isinstance(value, jax.Array):
        return value
    if jnp.issubdtype(value.dtype, jnp.floating):
        return value.astype(float) if value.dtype.itemsize < 4 else value
    if jnp.issubdtype(value.dtype, jnp.unsignedinteger) and value.dtype.itemsize >= 4:
        return jnp.minimum(value, reach()).astype(whole_dtype())
    return value.astype(whole_dtype()) if value.dtype.itemsize < 4 else value


def number(name: str, value: Any) -> Any:
    """A finite real scalar."""
    if not is_number(value):
        refuse(name, value, "a real number", TypeError)
    concrete = known(value)
    if concrete is not None and not abs(concrete) <= float(jnp.finfo(jnp.result_type(float)).max):
        refuse(name, value, "finite")
    return working(value)


@exact
def positive(name: str, value: Any) -> Any:
    """A finite number above 0."""
    value = number(name, value)
    concrete = known(value)
    if concrete is not None and not concrete > 0:
        refuse(name, value, "positive")
    return value


def non_negative(name: str, value: Any) -> Any:
    """A finite number of at least 0."""
    value = number(name, value)
    concrete = known(value)
    if concrete is not None and concrete < 0:
        refuse(name, value, "at least 0")
    return value


def whole_number(name: str, value: Any) -> Any:
    """A whole number of at least 0, of an integer type."""
    if not is_number(value) or not jnp.issubdtype(jnp.result_type(value), jnp.integer):
        refuse(name, value, "a whole number", TypeError)
    return non_negative(name, value)


@exact
def at_least_one(name: str, value: Any) -> Any:
    """A finite number of at least 1."""
    value = number(name, value)
    concrete = known(value)
    if concrete is not None and concrete < 1:
        refuse(name, value, "at least 1")
    return value


@exact
def fraction(name: str, value: Any) -> Any:
    """A number from 0 to 1."""
    value = number(name, value)
    concrete = known(value)
    if concrete is not None and not 0 <= concrete <= 1:
        refuse(name, value, "between 0 and 1")
    return value


@exact
def below_one(name: str, value: Any) -> Any:
    """A number of at least 0 that is below 1."""
    value = number(name, value)
    concrete = known(value)
    if concrete is not None and not 0 <= concrete < 1:
        refuse(name, value, "at least 0 and below 1")
    return value


@exact
def steps(name: str, value: Any) -> Any:
    """A number of steps, 0 included."""
    return non_negative(name, value)


def at_most_int32(name: str, value: Any) -> Any:
    """A number of at least 0 that int32 holds."""
    value = non_negative(name, value)
    concrete = known(value)
    if concrete is not None and concrete > MAX_COUNT:
        refuse(name, value, f"at most {MAX_COUNT}, as int32 holds")
    return value


def reached(name: str, value: Any) -> Any:
    """A number of at least 0 that a count can reach."""
    value = non_negative(name, value)
    concrete = known(value)
    if concrete is not None and concrete > reach():
        refuse(name, value, f"at most {reach()}, the reach of a count")
    return value


@exact
def ramp_steps(name: str, value: Any) -> Any:
    """A number of steps, 0 included; below 1 it was meant as a fraction of something."""
    concrete = known(steps(name, value))
    if concrete is not None and 0 < concrete < 1:
        wanted = f"a number of steps (`Run.steps(fraction={concrete:g})` of a run)"
        refuse(name, value, wanted)
    return value


@exact
def some_steps(name: str, value: Any) -> Any:
    """A positive number of steps."""
    return positive(name, value)


@exact
def period(name: str, value: Any) -> Any:
    """A number of steps of at least 1."""
    return at_least_one(name, value)


@exact
def signed_steps(name: str, value: Any) -> Any:
    """A number of steps in either direction."""
    return number(name, value)


def flag(name: str, value: Any) -> Any:
    """True or False."""
    traced = isinstance(value, jax.Array) and value.dtype == bool and value.ndim == 0
    if not (traced or isinstance(value, (bool, np.bool_))):
        refuse(name, value, "True or False", TypeError)
    return value


def switch(name: str, value: Any) -> bool:
    """True or False, known when something is made."""
    if not isinstance(value, (bool, np.bool_)):
        refuse(name, value, "True or False", TypeError)
    return bool(value)


def is_list(value: Any) -> bool:
    """Whether a value is a sequence, and not one of characters or bytes."""
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes, bytearray))


def choice(*names: str) -> Callable[[str, Any], Text]:
    """A reader of one of these names."""
    wanted = " or ".join(filter(None, (", ".join(map(repr, names[:-1])), repr(names[-1]))))

    def read(name: str, value: Any) -> Text:
        if not isinstance(value, str):
            refuse(name, value, wanted, TypeError)
        if value not in names:
            refuse(name, value, wanted)
        return Text(value)

    return read


def interpolation(*names: str) -> Callable[[str, Any], Text]:
    """Like `choice`; as in Optax, whatever else it is given is a `ValueError`."""
    read = choice(*names)

    def strict(name: str, value: Any) -> Text:
        try:
            return read(name, value)
        except TypeError as error:
            raise ValueError(str(error)) from None

    return strict


def in_order(small_name: str, small: Any, large_name: str, large: Any) -> None:
    """Raises unless `small` is at most `large`, where both are known."""
    first, second = known(small), known(large)
    if first is not None and second is not None and first > second:
        raise ValueError(
            f"`{small_name}` must be at most `{large_name}`, got {small!r} > {large!r}."
        )
