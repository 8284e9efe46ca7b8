"""Fiddle configures makers, writes them as JSON, and builds schedules."""

import fiddle as fdl
import pytest
from fiddle.experimental import serialization

import jaxsched as js


def config():
    rate = fdl.Config(js.cosine_decay_schedule, init_value=0.1, decay_steps=100)
    return fdl.Config(js.with_warmup, rate, warmup_steps=10)


MADE = js.with_warmup(js.cosine_decay_schedule(0.1, 100), 10)


def test_it_is_built():
    assert fdl.build(config()) == MADE


def test_arguments_are_known_and_may_be_changed():
    changed = config()
    changed.schedule.decay_steps = 50
    assert fdl.build(changed) == js.with_warmup(js.cosine_decay_schedule(0.1, 50), 10)
    with pytest.raises((AttributeError, TypeError), match="decay_step"):
        changed.schedule.decay_step = 50


def test_json_comes_back():
    read = serialization.load_json(serialization.dump_json(config()))
    assert read == config()
    assert fdl.build(read) == MADE


def test_a_partial_is_a_maker():
    partial = fdl.build(fdl.Partial(js.linear_schedule, 1.0, 0.0))
    assert partial(transition_steps=10) == js.linear_schedule(1.0, 0.0, 10)
