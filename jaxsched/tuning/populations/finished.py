"""The finished chunks of a population, kept in a folder."""

import hashlib
import os
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental.multihost_utils import broadcast_one_to_all

from jaxsched.core import checks
from jaxsched.inspect.whole import whole
from jaxsched.tuning.populations.chunks import Program

Keep = Callable[[int, Callable[[], Any]], Any]


def keeper(directory: str | Path | None, program: Program, numbers: Any) -> Keep:
    """From the number of a chunk and how to compute it to its metrics, read where finished."""
    if directory is None:
        return lambda _, compute: compute()
    if not isinstance(directory, (str, os.PathLike)):
        checks.refuse("directory", directory, "the path of a folder", TypeError)
    folder = Path(directory)
    _claim(folder, _fingerprint(program, numbers))
    files = [folder / f"chunk-{i:05}.npz" for i, _ in enumerate(program.chunks())]
    # Processes that disagreed would wait for each other.
    finished = broadcast_one_to_all(np.array([file.exists() for file in files]))

    def keep(number: int, compute: Callable[[], Any]) -> Any:
        if finished[number]:
            return _read(files[number], program.lowered.out_info)
        metrics = compute()
        _replace(files[number], lambda file: np.savez(file, *jax.tree.leaves(metrics)))
        return metrics

    return keep


def _claim(folder: Path, fingerprint: str) -> None:
    """Marks a folder as that of one population, or raises where it is that of another."""
    mark = folder / "population.txt"
    if not mark.exists():
        _replace(mark, lambda file: file.write(fingerprint.encode()))
    elif mark.read_text() != fingerprint:
        raise ValueError(
            f"`directory` holds the chunks of another population, got {str(folder)!r}: its"
            " program, numbers or keys are others. Give another folder, or delete this one."
        )


def _fingerprint(program: Program, numbers: Any) -> str:
    """A hash of the program, in which `train` and plain functions of the count are, and numbers."""
    digest = hashlib.sha256(program.lowered.as_text().encode())
    for leaf in jax.tree.leaves(numbers):
        if not callable(leaf):
            digest.update(_bytes_of(leaf))
    return digest.hexdigest()


def _bytes_of(leaf: Any) -> bytes:
    if isinstance(leaf, jax.Array) and jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
        leaf = jax.random.key_data(leaf)
    return np.asarray(leaf).tobytes()


def _read(file: Path, like: Any) -> Any:
    """The metrics of a chunk; NumPy's files know no bfloat16, so the types are those of `like`."""
    structure, leaves = jax.tree.structure(like), jax.tree.leaves(like)
    try:
        with file.open("rb") as opened, np.load(opened) as arrays:
            read = [arrays[f"arr_{i}"].view(leaf.dtype) for i, leaf in enumerate(leaves)]
    except (ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(
            f"`directory` has a chunk that is damaged, got {str(file)!r}: delete it, and it is"
            " computed again."
        ) from error
    return jax.tree.unflatten(structure, read)


def _replace(file: Path, write: Callable[[Any], Any]) -> None:
    """Writes a file whole or not at all; one process does it for all."""
    if jax.process_index() > 0:
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    with whole(file) as partial, partial.open("wb") as opened:
        write(opened)
