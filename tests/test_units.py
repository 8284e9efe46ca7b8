"""Lengths in other units come out as whole steps, and what is missing is named."""

import dataclasses

import numpy as np
import pytest

from jaxsched import Run

RUN = Run(total_steps=10_000, steps_per_epoch=250, tokens_per_step=2**19, batch_size=256)


@pytest.mark.parametrize(
    ("length", "steps"),
    [
        (dict(epochs=5), 1250),
        (dict(epochs=0.5), 125),
        (dict(epochs=0.002), 1),
        (dict(epochs=100), 25_000),
        (dict(fraction=0.1), 1000),
        (dict(fraction=1), 10_000),
        (dict(fraction=0.0), 0),
        (dict(fraction=1e-9), 1),
        (dict(tokens=2e9), 3815),
        (dict(tokens=2**19 * 7), 7),
        (dict(examples=256 * 3), 3),
        (dict(examples=1), 1),
        (dict(examples=np.int64(640)), 3),
        (dict(fraction=np.float32(0.5)), 5000),
    ],
)
def test_the_nearest_whole_step(length, steps):
    found = RUN.steps(**length)
    assert found == steps
    assert type(found) is int


def test_digits_count_and_halves_go_up():
    assert Run(total_steps=10).steps(fraction=0.15) == 2
    assert Run(total_steps=10).steps(fraction=0.35) == 4


def test_huge_numbers_are_exact():
    tokens = 3 * (2**70 + 1)
    assert Run(total_steps=1, tokens_per_step=3).steps(tokens=tokens) == 2**70 + 1


@pytest.mark.parametrize(
    ("name", "needed"),
    [("epochs", "steps_per_epoch"), ("tokens", "tokens_per_step"), ("examples", "batch_size")],
)
def test_a_unit_it_does_not_know_is_named(name, needed):
    with pytest.raises(ValueError, match=f"`{name}` need a `Run` with `{needed}`"):
        Run(total_steps=10).steps(**{name: 1})


@pytest.mark.parametrize("lengths", [{}, dict(epochs=1, tokens=5)])
def test_exactly_one_length(lengths):
    with pytest.raises(TypeError, match=f"got {len(lengths)} of them"):
        RUN.steps(**lengths)


@pytest.mark.parametrize(
    ("lengths", "error"),
    [
        (dict(epochs=-1), ValueError),
        (dict(fraction=1.5), ValueError),
        (dict(tokens=float("nan")), ValueError),
        (dict(tokens="2B"), TypeError),
        (dict(epochs=True), TypeError),
    ],
)
def test_impossible_lengths(lengths, error):
    with pytest.raises(error, match=next(iter(lengths))):
        RUN.steps(**lengths)


@pytest.mark.parametrize("name", ["total_steps", "steps_per_epoch", "batch_size"])
def test_impossible_runs(name):
    with pytest.raises(ValueError, match=name):
        Run(**{"total_steps": 10, name: 0})


def test_a_run_is_frozen_and_comparable():
    assert dataclasses.replace(RUN) == RUN
    assert eval(repr(RUN)) == RUN
    with pytest.raises(dataclasses.FrozenInstanceError):
        RUN.total_steps = 5
