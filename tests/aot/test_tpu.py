"""Train steps compiled for TPUs, on which the main program computes scalars without a kernel."""

import pytest

from tests.aot import cases, checks
from tests.aot.targets import TPUS

SMALLEST = TPUS[0]


def check_schedule(step, record):
    added = checks.check_schedule(step, record)
    # In the main program and, of a table, in the fusions that compare and take.
    assert step.program.rates <= 1 + max(0, added["fusions"])


@pytest.mark.parametrize("name", cases.SCHEDULES)
def test_schedule(name, record_property):
    step = checks.with_schedule(SMALLEST, checks.MLP, name, cases.SCHEDULES[name])
    check_schedule(step, record_property)


@pytest.mark.parametrize("name", cases.LARGE_TABLES)
def test_large_table(name, record_property):
    step = checks.with_schedule(SMALLEST, checks.MLP, name, cases.LARGE_TABLES[name]())
    check_schedule(step, record_property)


@pytest.mark.parametrize("name", cases.CONTROLLED)
def test_controller(name, record_property):
    step = checks.with_controller(SMALLEST, checks.MLP, name)
    checks.check_controller(step, record_property)


@pytest.mark.parametrize("target", TPUS)
@pytest.mark.parametrize("name", cases.FEW_SCHEDULES)
def test_few_schedules_everywhere(name, target, record_property):
    step = checks.with_schedule(target, checks.TRANSFORMER, name, cases.SCHEDULES[name])
    check_schedule(step, record_property)


@pytest.mark.parametrize("target", TPUS)
@pytest.mark.parametrize("name", cases.FEW_CONTROLLERS)
def test_few_controllers_everywhere(name, target, record_property):
    step = checks.with_controller(target, checks.TRANSFORMER, name)
    checks.check_controller(step, record_property)
