"""What is public is documented, in the README, and in the tables of the tests."""

import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import jaxsched
from jaxsched.core.bound import Maker

README = (Path(__file__).parent.parent / "README.md").read_text()
TABLES = "".join(
    (Path(__file__).parent / file).read_text()
    for file in (
        "table.py",
        "table_families.py",
        "table_series.py",
        "test_growth.py",
        "control_table.py",
    )
)
NAMES = jaxsched.__all__
SCHEDULES = [name for name in NAMES if isinstance(getattr(jaxsched, name), Maker)]


@pytest.mark.parametrize("name", NAMES)
def test_it_is_documented_with_an_example(name):
    public = getattr(jaxsched, name)
    documentation = inspect.getdoc(public) or ""
    assert documentation.splitlines()[0].endswith((".", "`."))
    assert ">>>" in documentation or inspect.isclass(public)


@pytest.mark.parametrize("name", SCHEDULES)
def test_it_is_in_the_readme_and_the_tables(name):
    assert f"`{name}`" in README
    assert re.search(rf"js\.{name}\(", TABLES), f"{name} has no row in tests/table.py"
    assert getattr(jaxsched, name).__module__.startswith("jaxsched.")


def test_the_names_are_there_at_their_first_use():
    program = (
        "import sys, jaxsched;"
        "assert 'jax' not in sys.modules;"
        "from jaxsched import *;"
        "assert shift is jaxsched.shift and {*jaxsched.__all__, '__version__'} == {*dir(jaxsched)};"
        "assert not hasattr(jaxsched, 'shifts') and not hasattr(jaxsched, '_shift')"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_import_needs_neither_flax_nor_a_device():
    program = (
        "import sys, jaxsched;"
        "jaxsched.with_warmup(jaxsched.cosine_decay_schedule(0.1, 100), 10) * 0.5;"
        "assert not {'flax', 'matplotlib', 'sklearn', 'typer'} & set(sys.modules);"
        "from jax._src import xla_bridge;"
        "assert not xla_bridge._backends"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
