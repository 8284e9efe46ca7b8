"""The entries of a configuration: names, and arguments in types of Python."""

from typing import Any

import jax
import numpy as np

from jaxsched.core.bound import Bound
from jaxsched.core.checks import refuse
from jaxsched.core.maker import Reader, is_default
from jaxsched.core.stack import Stack
from jaxsched.core.tables import Table
from jaxsched.core.traced import is_traced
from jaxsched.notation.catalogue import inside
from jaxsched.notation.registering import known_by_name


def written(path: str, bound: Bound) -> dict[str, Any]:
    """The entries of what stands at a path, which is empty for the outermost."""
    maker = bound.maker
    if known_by_name().get(maker.__name__) is not maker:
        raise TypeError(
            f"`{path or 'schedule'}` is made by `{bound.__name__}`, which is not one of jaxsched's;"
            " `jaxsched.register` makes one of your own known by its name."
        )
    arguments = {
        name: _plain(inside(path, name), bound.hyperparams[name], reader)
        for name, reader in maker.readers.items()
        if not is_default(maker, name, bound.hyperparams)
    }
    return {"name": maker.__name__, **arguments}


def _plain(path: str, value: Any, reader: Reader) -> Any:
    """A hyperparameter in types of Python; `reader` refuses what could not be read again."""
    if isinstance(value, Bound):
        return written(path, value)
    if isinstance(value, Stack):
        value = value.members()
    if isinstance(value, (list, tuple)):
        return [_plain(f"{path}[{i}]", item, _anything) for i, item in enumerate(value)]
    if isinstance(value, Table):
        steps, scales = (_host(path, array) for array in (value.boundaries, value.scales))
        if np.ndim(steps) != 1:
            raise TypeError(f"`{path}` holds several tables, where a configuration has one.")
        reader(path, dict(zip(map(float, steps), scales, strict=True)))
        return dict(zip(map(str, steps), scales, strict=True))
    if isinstance(value, str):
        return str(value)
    if value is None:
        return None
    numbers = _host(path, value)
    reader(path, numbers)
    return numbers


def _anything(_: str, value: Any) -> Any:
    return value


def _host(path: str, value: Any) -> Any:
    """Numbers as Python numbers and lists of them."""
    if is_traced(value):
        raise TypeError(f"`{path}` is traced: it has no value that could be written.")
    if isinstance(value, jax.Array) and not value.is_fully_addressable:
        raise TypeError(f"`{path}` is held by other hosts too: it cannot be written.")
    if isinstance(value, (np.ndarray, np.generic, jax.Array)):
        array = np.asarray(value)
        # The kinds that NumPy itself has: a bfloat16 would stay one.
        return (array if array.dtype.kind in "biuf" else array.astype(float)).tolist()
    for kind in (bool, int, float):
        if isinstance(value, kind):
            return kind(value)
    value = value.func if isinstance(value, jax.tree_util.Partial) else value
    refuse(path, value, "a number or a schedule of jaxsched's to be written", TypeError)
