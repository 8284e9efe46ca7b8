"""What holds for all tests."""

from collections.abc import Iterator

import jax
import pytest


@pytest.fixture(scope="module", autouse=True)
def programs_go_with_their_file() -> Iterator[None]:
    """Some thousand compiled programs take gigabytes, and slow down what follows."""
    yield
    jax.clear_caches()
