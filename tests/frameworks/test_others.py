"""Treescope folds schedules; dataclasses and `ConfigDict`s leave them whole."""

import dataclasses
import inspect
from typing import Any

import pytest
import treescope
from ml_collections import ConfigDict, FrozenConfigDict

import jaxsched as js

RATE = js.with_warmup(js.cosine_decay_schedule(0.1, 100), 10)


def shown(value: Any) -> str:
    with treescope.active_autovisualizer.set_scoped(None):
        return treescope.render_to_text(value, roundtrip_mode=True)


@pytest.mark.parametrize(
    "bound",
    [
        RATE,
        RATE * 0.5 + 1.0,
        js.join_schedules([RATE, 0.5], [10]),
        js.reduce_on(js.plateau(patience=5), RATE),
    ],
)
def test_treescope_shows_a_call(bound):
    text = shown(bound)
    assert f"{bound.maker.__name__}(" in text
    assert "warmup_steps=10" in text


def test_a_call_of_treescope_makes_the_same():
    import jaxsched  # noqa: F401

    assert eval(shown(RATE), {"jaxsched": __import__("jaxsched")}) == RATE


@dataclasses.dataclass(frozen=True)
class Options:
    rate: js.Schedule
    rule: js.Monitor


def test_a_dataclass_leaves_it_whole():
    rule = js.plateau()
    assert dataclasses.asdict(Options(RATE, rule)) == {"rate": RATE, "rule": rule}


@pytest.mark.parametrize("kind", [ConfigDict, FrozenConfigDict])
def test_a_config_dict_leaves_it_whole(kind):
    config = kind({"rate": RATE})
    assert config.rate is RATE
    assert config.to_dict() == {"rate": RATE}


def test_a_config_of_the_arguments_of_a_function():
    """What axlearn's `config_for_function` asks: a function, and a type of each argument."""
    for maker in (js.cosine_decay_schedule, js.plateau, js.reduce_on):
        assert inspect.isfunction(maker)
        parameters = inspect.signature(maker).parameters
        hints = inspect.get_annotations(maker, eval_str=True)
        assert set(parameters) <= set(hints)
        fields = [(name, hints[name], dataclasses.field(default=None)) for name in parameters]
        config = dataclasses.make_dataclass("Config", fields)()
        assert [field.name for field in dataclasses.fields(config)] == list(maker.readers)
