"""What is public is documented, in a face of the package, and in the tables of the tests."""

import importlib
import inspect
import pkgutil
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

import jaxsched
from jaxsched.core.maker import is_maker

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
FACES = jaxsched._FACES
SCHEDULES = [name for name in NAMES if is_maker(getattr(jaxsched, name))]


@pytest.mark.parametrize("name", NAMES)
def test_it_is_documented_with_an_example(name):
    public = getattr(jaxsched, name)
    documentation = inspect.getdoc(public) or ""
    assert documentation.splitlines()[0].endswith((".", "`."))
    assert ">>>" in documentation or inspect.isclass(public)


@pytest.mark.parametrize("name", SCHEDULES)
def test_it_is_in_the_tables(name):
    assert re.search(rf"js\.{name}\(", TABLES), f"{name} has no row in tests/table.py"


def modules_of(package):
    folder = importlib.import_module(f"jaxsched.{package}")
    found = pkgutil.walk_packages(folder.__path__, f"jaxsched.{package}.")
    return [importlib.import_module(module.name) for module in found]


@pytest.mark.parametrize("face", ["schedules", "control"])
def test_every_maker_is_in_its_face(face):
    offered = vars(importlib.import_module(f"jaxsched.{face}"))
    for module in modules_of(face):
        for name, value in vars(module).items():
            ours = getattr(value, "__module__", None) == module.__name__
            if is_maker(value) and ours and not name.startswith("_"):
                assert offered.get(name) is value, f"{name} is not in jaxsched/{face}/__init__.py"


@pytest.mark.parametrize("face", FACES)
def test_a_face_has_true_names(face):
    offered = vars(importlib.import_module(f"jaxsched.{face}"))
    for name in set(offered) & set(NAMES):
        if not inspect.ismodule(offered[name]):
            assert offered[name] is getattr(jaxsched, name)


@pytest.mark.parametrize("face", ["notation", "tuning"])
def test_all_names_are_there_whichever_face_is_imported_first(face):
    code = f"import jaxsched.{face}, jaxsched; print(*jaxsched.__all__)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert found.stdout.split() == list(jaxsched.__all__)


def test_all_names_are_in_some_face():
    offered = [vars(importlib.import_module(f"jaxsched.{face}")) for face in FACES]
    named = {name for face in offered for name in face if not inspect.ismodule(face[name])}
    assert set(NAMES) <= named


def test_the_folders_are_as_promised():
    folder = Path(jaxsched.__file__).parent
    files = list(folder.rglob("*.py"))
    private = [path for path in files if path.name.startswith("_")]
    assert {path.name for path in private} == {"__init__.py", "__main__.py"}
    assert [path for path in files if len(path.read_text().splitlines()) > 250] == []
    assert max(Counter(path.parent for path in files).values()) <= 22


def test_a_source_tree_runs_without_being_installed(tmp_path):
    shutil.copytree(Path(jaxsched.__file__).parent, tmp_path / "jaxsched")
    program = "import jaxsched; print(jaxsched.__version__, jaxsched.__file__)"
    for arguments in (["-c", program], ["-m", "jaxsched", "--version"]):
        printed = subprocess.run(
            [sys.executable, *arguments], cwd=tmp_path, check=True, capture_output=True, text=True
        )
        assert jaxsched.__version__ in printed.stdout


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
