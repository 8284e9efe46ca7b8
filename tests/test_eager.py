"""Calls outside of any program: a first one compiles nothing, later ones are one program."""

import gc
import weakref

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxsched as js
from jaxsched.core import compiled
from tests.measure import distance
from tests.table import ROWS

# With the knots of a row at most 64, so that all rows share the programs of operations.
COUNTS = np.array([0, 1, 5, 6, 7, 99, 1000, 2**24 + 1], np.int32)


@pytest.fixture
def compilations():
    seen = []

    def hear(event, _, **kwargs):
        if event == "/jax/core/compile/backend_compile_duration":
            seen.append(kwargs.get("fun_name"))

    jax.monitoring.register_event_duration_secs_listener(hear)
    yield seen
    jax.monitoring.clear_event_listeners()


def test_many_schedules_called_once_compile_nothing(compilations):
    for make in (
        lambda x: js.cosine_decay_schedule(1.0, 1000 + x),
        lambda x: js.constant_schedule(x),
        lambda x: js.with_warmup(js.cosine_decay_schedule(x + 1.0, 900 + x), 10 + x),
    ):
        make(0)(7)
        make(0.5)(7)
        js.scale_by_learning_rate(make(0.75)).init(jnp.ones(2))
        del compilations[:]
        for number in range(1, 30):
            make(number)(7)
            js.scale_by_learning_rate(make(-0.5 / number)).init(jnp.ones(2))
        assert compilations == []


def test_a_schedule_called_again_is_one_program(compilations):
    schedule = js.cosine_decay_schedule(1.0, 12_345)
    schedule(0)
    del compilations[:]
    for count in range(5):
        schedule(count)
        js.cosine_decay_schedule(1.0, 12_345)(count)
    assert len(compilations) == 1


def test_few_programs_are_kept():
    kept = []
    for number in range(2 * compiled.KEPT):
        schedule = js.constant_schedule(number)
        schedule(0), schedule(1)
        kept.append(weakref.ref(schedule))
    del schedule
    gc.collect()
    assert sum(ref() is not None for ref in kept) <= compiled.KEPT


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_the_first_call_is_as_the_others(row):
    schedule = row.make(row.sample)
    fresh = schedule.replace(**schedule.hyperparams)
    counts = np.unique(np.append(COUNTS, np.clip(row.knots(row.sample), 0, 2**31 - 1)))
    counts = np.pad(counts, (0, 64 - counts.size), mode="edge")
    first = np.asarray(fresh(counts.astype(np.int32)))
    again = np.asarray(jax.jit(schedule)(counts.astype(np.int32)))
    assert distance(first, again.astype(float)).max() <= 2
