"""Texts are read as schedules, monitors and controllers, or refused; none is run."""

import random
import re
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import jaxsched as js
from jaxsched.tools import _walking, parse as module
from jaxsched.tools.catalogue import OPERATORS
from tests.control_table import CONTROLLERS, MONITORS
from tests.table import ROWS

ALL = [*ROWS, *MONITORS, *CONTROLLERS]
every_row = pytest.mark.parametrize("row", ALL, ids=lambda row: row.name)
COSINE = js.cosine_decay_schedule(0.5, 100)


@every_row
def test_it_is_the_inverse_of_repr(row):
    made = row.make(row.sample)
    assert js.parse(repr(made)) == made
