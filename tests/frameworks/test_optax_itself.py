"""Optax's own tests of schedules, joins, plateaus and injected hyperparameters, run on ours."""

import inspect
import unittest
from types import ModuleType
from typing import Any

from optax.contrib import _reduce_on_plateau_test as plateau_test
from optax.schedules import _inject_test as inject_test
from optax.schedules import _join_test as join_test
from optax.schedules import _schedule_test as schedule_test

import jaxsched as js


class Swapped:
    """A module of Optax with our names in place of its own."""

    def __init__(self, module: ModuleType):
        self.module = module

    def __getattr__(self, name: str) -> Any:
        return getattr(js, name, None) or getattr(self.module, name)


# Where ours raise, or, in the last two, answer: see the README.
DIFFERENT = {
    "ExponentialTest": (
        "test_nonvalid_decay_rate0",
        "test_nonvalid_decay_rate1",
        "test_nonvalid_transition_steps0",
        "test_nonvalid_transition_steps1",
    ),
    "PolynomialTest": ("test_zero_steps_schedule",),
    "WarmupCosineDecayTest": ("test_raises_when_decay_equals_warmup", "test_zero_peak_value"),
}

for tests, names in (
    (schedule_test, ("_schedule",)),
    (join_test, ("_join", "_schedule")),
    (plateau_test, ("_reduce_on_plateau",)),
    (inject_test, ("schedules",)),
):
    for name in names:
        setattr(tests, name, Swapped(getattr(tests, name)))
    cases = inspect.getmembers(tests, inspect.isclass)
    for name, case in cases:
        for method in DIFFERENT.get(name, ()):
            setattr(case, method, unittest.expectedFailure(getattr(case, method)))
    globals().update({name: case for name, case in cases if issubclass(case, unittest.TestCase)})
