"""jsonargparse and tyro read the arguments of makers from their names, types and defaults."""

import pytest
import tyro
from jsonargparse import ArgumentParser

import jaxsched as js

MAKERS = [js.linear_schedule, js.cosine_decay_schedule, js.warmup_cosine_decay_schedule, js.plateau]


def test_jsonargparse_builds_a_schedule():
    parser = ArgumentParser(exit_on_error=False)
    parser.add_function_arguments(js.cosine_decay_schedule, "rate")
    parsed = parser.parse_args(["--rate.init_value=0.1", "--rate.decay_steps=100"])
    assert js.cosine_decay_schedule(**parsed.rate) == js.cosine_decay_schedule(0.1, 100.0)


@pytest.mark.parametrize("maker", MAKERS, ids=lambda maker: maker.__name__)
def test_jsonargparse_sees_names_and_defaults(maker):
    parser = ArgumentParser(exit_on_error=False)
    names = parser.add_function_arguments(maker)
    assert list(names) == list(maker.readers)
    for name, default in maker.defaults.items():
        assert parser.get_default(name) == default


def test_tyro_builds_a_schedule():
    arguments = ["--init-value", "0.1", "--decay-steps", "100", "--exponent", "2"]
    made = tyro.cli(js.cosine_decay_schedule, args=arguments)
    assert made == js.cosine_decay_schedule(0.1, 100.0, exponent=2.0)


def test_tyro_builds_a_monitor():
    made = tyro.cli(js.plateau, args=["--patience", "5", "--reset-best", "--mode", "max"])
    assert made == js.plateau(patience=5, reset_best=True, mode="max")
