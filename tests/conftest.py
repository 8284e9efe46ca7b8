"""What holds for all tests."""

import os
from collections.abc import Iterator

import jax
import pytest
from hypothesis import settings

# A failure in CI is that of the change. Elsewhere each run draws anew, and finds what others miss.
settings.register_profile("fixed", derandomize=True, database=None)
if os.environ.get("CI"):
    settings.load_profile("fixed")


@pytest.fixture(scope="module", autouse=True)
def programs_go_with_their_file() -> Iterator[None]:
    """Some thousand compiled programs take gigabytes, and slow down what follows."""
    yield
    jax.clear_caches()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--first-cases", action="store_true", help="of each test its first case only")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--first-cases"):
        return
    first = {item.nodeid.split("[")[0]: item for item in reversed(items)}
    kept = set(first.values())
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = [item for item in items if item in kept]
