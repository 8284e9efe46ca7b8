"""Gin binds the arguments of makers."""

import gin
import pytest

import jaxsched as js

LINES = """
cosine_decay_schedule.init_value = 0.1
cosine_decay_schedule.decay_steps = 100
with_warmup.schedule = @cosine_decay_schedule()
with_warmup.warmup_steps = 10
optimizer.learning_rate = @with_warmup()
"""


@pytest.fixture
def configurable():
    gin.clear_config()
    for maker in (js.cosine_decay_schedule, js.with_warmup):
        gin.external_configurable(maker, module="jaxsched")
    yield gin.configurable("optimizer")(lambda learning_rate: learning_rate)
    gin.clear_config(clear_constants=True)


def test_arguments_are_bound(configurable):
    gin.parse_config(LINES)
    assert configurable() == js.with_warmup(js.cosine_decay_schedule(0.1, 100), 10)

    # What Gin has used, it can write and read again.
    text = gin.operative_config_str()
    gin.clear_config()
    gin.parse_config(text)
    assert configurable() == js.with_warmup(js.cosine_decay_schedule(0.1, 100), 10)
