"""Train steps compiled for GPUs, which start a kernel for whatever is not fused."""

import optax
import pytest

from tests.aot import cases, checks
from tests.aot.targets import GPUS

ONE = next(iter(GPUS))
# Of the wrapped count, which the updates read before it is known whether it goes on.
CONTROLLER_COPIES = {"skip_on": 1}
# XLA keeps the search for a cycle apart from what follows.
SCHEDULE_KERNELS = {"cosine_restarts_schedule": 2}
LARGE_TABLE_KERNELS = 2


def check_schedule(step, record, kernels=1):
    added = checks.check_schedule(step, record)
    assert added["kernels"] <= kernels
    # Of the count, in place of which the next is written, where it is an index into a table.
    assert added["copies"] <= 1
    assert step.program.rates <= kernels


def check_controller(step, record):
    added = checks.check_controller(step, record)
    assert added["kernels"] <= (1 if step.name == "reduce_on_plateau" else 2)
    assert added["copies"] <= CONTROLLER_COPIES.get(step.name, 0)


@pytest.mark.parametrize("name", cases.SCHEDULES)
def test_schedule(name, record_property):
    step = checks.with_schedule(ONE, checks.MLP, name, cases.SCHEDULES[name])
    check_schedule(step, record_property, SCHEDULE_KERNELS.get(name, 1))


@pytest.mark.parametrize("name", cases.LARGE_TABLES)
def test_large_table(name, record_property):
    step = checks.with_schedule(ONE, checks.MLP, name, cases.LARGE_TABLES[name]())
    check_schedule(step, record_property, LARGE_TABLE_KERNELS)


@pytest.mark.parametrize("name", cases.CONTROLLED)
def test_controller(name, record_property):
    check_controller(checks.with_controller(ONE, checks.MLP, name), record_property)


@pytest.mark.parametrize("target", GPUS)
@pytest.mark.parametrize("name", cases.FEW_SCHEDULES)
def test_few_schedules_everywhere(name, target, record_property):
    step = checks.with_schedule(target, checks.TRANSFORMER, name, cases.SCHEDULES[name])
    check_schedule(step, record_property, SCHEDULE_KERNELS.get(name, 1))


@pytest.mark.parametrize("target", GPUS)
@pytest.mark.parametrize("name", cases.FEW_CONTROLLERS)
def test_few_controllers_everywhere(name, target, record_property):
    check_controller(checks.with_controller(target, checks.TRANSFORMER, name), record_property)


def test_a_schedule_without_a_lookup_is_one_kernel_and_no_copy():
    step = checks.with_schedule(ONE, checks.MLP, "linear", cases.SCHEDULES["linear_schedule"])
    assert (step.added()["kernels"], step.added()["copies"]) == (1, 0)


@pytest.mark.parametrize("name", ["Optax", "jaxsched"])
def test_optax_starts_two_more(name, record_property):
    """Two kernels, or one and a copy of the count, of which its schedules keep another."""
    rate = cases.SCHEDULES["warmup_cosine_decay_schedule"]
    if name == "Optax":
        rate = optax.warmup_cosine_decay_schedule(0.0, 0.1, 100, 1000)
    title = f"`optax.adam`, warm-up cosine of {name}"
    step = checks.with_optimizer(ONE, checks.MLP, title, optax.adam(cases.marked(rate)))
    added = checks.check(step, record_property)
    assert added["kernels"] + added["copies"] == 2


def test_optax_reduces_on_a_plateau_with_a_branch(record_property):
    optimizer = optax.chain(optax.adam(0.1), optax.contrib.reduce_on_plateau(patience=5))
    step = checks.with_optimizer(ONE, checks.MLP, "Optax's", optimizer, value=True)
    assert step.program.departures == {"conditional"}
