"""A bar that shows how far something is."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import jax


@contextmanager
def bar(total: int, shown: bool) -> Iterator[Callable[[int], object]]:
    """A function that moves a bar on; without one where tqdm is missing, and in other processes."""
    try:
        from tqdm import tqdm
    except ImportError:
        yield lambda _: None
        return
    with tqdm(total=total, unit="run", disable=not shown or jax.process_index() > 0) as moving:
        yield moving.update
