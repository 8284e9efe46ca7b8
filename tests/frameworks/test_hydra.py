"""Hydra and OmegaConf build schedules, and leave those that they hold whole."""

import pytest
from hydra.utils import instantiate
from omegaconf import OmegaConf

import jaxsched as js

RATE = js.cosine_decay_schedule(0.1, 100)
TARGET = {"_target_": "jaxsched.cosine_decay_schedule", "init_value": 0.1, "decay_steps": 100}


@pytest.mark.parametrize("convert", ["none", "partial", "object", "all"])
def test_a_target_is_built(convert):
    config = OmegaConf.create({**TARGET, "_convert_": convert})
    assert instantiate(config) == RATE


def test_a_partial_target_is_a_maker():
    assert instantiate({**TARGET, "_partial_": True})(alpha=0.5) == RATE.replace(alpha=0.5)


@pytest.mark.parametrize("convert", ["none", "partial", "object", "all"])
def test_schedules_inside_of_schedules(convert):
    config = {"_target_": "jaxsched.with_warmup", "schedule": TARGET, "warmup_steps": 10}
    assert instantiate({**config, "_convert_": convert}) == js.with_warmup(RATE, 10)
    joined = {
        "_target_": "jaxsched.join_schedules",
        "schedules": [TARGET, TARGET],
        "boundaries": [10],
        "_convert_": convert,
    }
    assert instantiate(OmegaConf.create(joined)) == js.join_schedules([RATE, RATE], [10])


def test_tables_and_options():
    config = {
        "_target_": "jaxsched.piecewise_constant_schedule",
        "init_value": 1.0,
        "boundaries_and_scales": {10: 0.5, 20: 0.1},
    }
    made = js.piecewise_constant_schedule(1.0, {10: 0.5, 20: 0.1})
    assert instantiate(OmegaConf.create(config)) == made


def test_a_controller_and_its_monitor():
    config = {
        "_target_": "jaxsched.reduce_on",
        "monitor": {"_target_": "jaxsched.plateau", "patience": 5},
        "schedule": TARGET,
        "factor": 0.5,
    }
    assert instantiate(config) == js.reduce_on(js.plateau(patience=5), RATE, factor=0.5)


@pytest.mark.parametrize("convert", ["none", "partial", "object", "all"])
def test_a_schedule_in_an_optimizer_stays_whole(convert):
    config = {
        "_target_": "jaxsched.scale_by_learning_rate",
        "learning_rate": TARGET,
        "_convert_": convert,
    }
    optimizer = instantiate(OmegaConf.create(config))
    assert js.learning_rate(optimizer.init(1.0)) == RATE(0)
    kept = OmegaConf.create({"rate": RATE}, flags={"allow_objects": True})
    assert kept.rate is RATE
    assert OmegaConf.to_container(kept)["rate"] is RATE
