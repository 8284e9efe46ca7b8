"""Mistakes beside schedules: in populations, pictures and configurations, quoted in a line."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxsched as js

LINE = js.linear_schedule(1.0, 0.0, 10)


def train(schedule, seed):
    return schedule(3) + seed


def population(train=train, schedules=(LINE,), keys=(0, 1), progress=False, **options):
    return js.population(train, schedules, keys=keys, progress=progress, **options)


ROWS = {
    "no function": (lambda: population(train=None), "train", "None"),
    "no keys": (lambda: population(keys=None), "keys", "None"),
    "keys of text": (lambda: population(keys="ab"), "keys", "'ab'"),
    "one key": (lambda: population(keys=3), "keys", "3"),
    "no schedules": (lambda: population(schedules=None), "schedules", "None"),
    "schedules of bytes": (lambda: population(schedules=b"ab"), "schedules", "b'ab'"),
    "another mesh": (lambda: population(mesh=3), "mesh", "3"),
    "devices for a mesh": (lambda: population(mesh=jax.devices()), "mesh", "Cpu"),
    "a folder of no path": (lambda: population(directory=3), "directory", "3"),
    "part of a run": (lambda: population(chunk=1.5), "chunk", "1.5"),
    "a bar of no flag": (lambda: population(progress=1), "progress", "1"),
    "another ax": (lambda: js.plot(LINE, 10, ax="x"), "ax", "'x'"),
    "another ax of bounds": (lambda: js.plot_bounds({"a": LINE}, 10, ax=1), "ax", "1"),
    "a picture of no path": (lambda: js.plot(LINE, 10, path=3), "path", "3"),
    "log of no flag": (lambda: js.plot(LINE, 10, log="yes"), "log", "'yes'"),
}


@pytest.mark.parametrize(("make", "name", "value"), ROWS.values(), ids=ROWS)
def test_it_raises_and_names_the_argument(make, name, value):
    with pytest.raises((TypeError, ValueError), match=f"(?s)`{name}`.*{re.escape(value)}"):
        make()


def test_a_damaged_chunk_is_named(tmp_path):
    population(directory=tmp_path)
    (file,) = tmp_path.glob("chunk-*.npz")
    whole = file.read_bytes()
    for damaged in (whole[: len(whole) // 2], b"", whole[:10] + bytes(20) + whole[30:]):
        file.write_bytes(damaged)
        with pytest.raises(ValueError, match=f"`directory`.*{re.escape(str(file))}"):
            population(directory=tmp_path)
    file.unlink()
    assert population(directory=tmp_path).shape == (1, 2)


LONG = "x\n" * 3000
MANY = list(range(3000))
DEEP = {str(i): MANY for i in range(9)}
LINEAR = {"version": 1, "name": "linear_schedule", "end_value": 0.0, "transition_steps": 10}
STEPS = {"version": 1, "name": "piecewise_constant_schedule", "init_value": 1.0}


@pytest.mark.parametrize(
    "config",
    [
        MANY,
        {"version": DEEP, "name": "linear_schedule"},
        {"version": 1, "name": DEEP},
        {"version": 1, "name": LONG},
        {**LINEAR, "init_value": MANY},
        {**LINEAR, "init_value": LONG},
        {**LINEAR, "init_value": np.ones((99, 99))},
        {**LINEAR, LONG: 1.0},
        {**LINEAR, "init_value": 1.0, "transition_steps": LONG},
        {**STEPS, "boundaries_and_scales": {LONG: 1.0}},
        {**STEPS, "boundaries_and_scales": {**{str(i): 1.0 for i in MANY}, 1: 2.0}},
        {**STEPS, "boundaries_and_scales": {"5": jnp.ones((99, 99))}},
        {**STEPS, "boundaries_and_scales": MANY},
    ],
)
def test_a_configuration_is_quoted_in_a_line(config):
    with pytest.raises((TypeError, ValueError)) as error:
        js.from_config(config)
    assert len(str(error.value)) < 400
    assert "\n" not in str(error.value)


def test_an_unknown_entry_is_named_before_a_missing_one():
    config = {"version": 1, "name": "cosine_decay_schedule", "decay_step": 10}
    with pytest.raises(TypeError, match=r"`decay_step` is not .*did you mean `decay_steps`"):
        js.from_config(config)
