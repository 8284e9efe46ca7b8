"""The faults that `make mutants` puts into the package."""

import ast
from pathlib import Path

import pytest

from tests.mutants.__main__ import ROOT, drawn, report
from tests.mutants.faults import faults
from tests.mutants.likely import likely


@pytest.mark.parametrize(
    ("source", "others"),
    [
        ("a + b * 2", ["a - b * 2", "a + (b / 2)", "a + b * (3)"]),
        ("x if a < b else y", ["y if a < b else x", "x if (a <= b) else y"]),
        ("not a and -b", ["not a or -b", "(a) and -b", "not a and (b)"]),
        ("jnp.minimum(a, True)", ["jnp.maximum(a, True)", "jnp.minimum(a, False)"]),
        ("min(0.0, 2.0)", ["max(0.0, 2.0)", "min(1.0, 2.0)", "min(0.0, 3.0)"]),
        ("f'{a + 1}'", []),
        ("x: 1 = 2", ["x: 1 = 3"]),
    ],
)
def test_faults_of_an_expression(source: str, others: list[str]):
    found = [fault.apply(source.encode()).decode() for fault in faults("a.py", source.encode())]
    same = [ast.unparse(ast.parse(text)) for text in found]
    assert sorted(same) == sorted(ast.unparse(ast.parse(text)) for text in others)


def test_every_fault_of_the_package_can_be_compiled():
    for path in sorted((ROOT / "jaxsched").rglob("*.py"))[::20]:
        source = path.read_bytes()
        for fault in faults(str(path), source):
            assert compile(fault.apply(source), "fault", "exec")


def test_a_seed_draws_the_same_faults_and_none_that_change_nothing():
    first = drawn(20, 1, ["jaxsched/core"], {})
    assert first == drawn(20, 1, ["jaxsched/core"], {}) != drawn(20, 2, ["jaxsched/core"], {})
    left = drawn(20, 1, ["jaxsched/core"], {first[0].name: "It is never read."})
    assert left[: len(first) - 1] == first[1:]


def test_the_tests_of_a_file_come_first():
    monitor = "jaxsched/control/monitors/plateau.py"
    fault = next(faults(monitor, Path(ROOT, monitor).read_bytes()))
    first = likely(ROOT, fault)
    assert first[0] == monitor
    assert "tests/test_monitors.py" in first


def test_a_report_has_a_line_for_each_package_and_each_fault_that_passed():
    noticed, passed = drawn(2, 0, ["jaxsched/notation"], {})
    lines = report([(noticed, True), (passed, False)]).splitlines()
    assert lines[1].split() == ["notation", "2", "1"]
    assert lines[-1].endswith(passed.name)
