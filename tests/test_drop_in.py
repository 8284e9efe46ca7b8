"""Into a program that exists: by one line of sed, or behind its optimizer."""

import re
import subprocess
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import jaxsched as js

PAGE = Path(__file__).parent.parent / "docs" / "migrating.md"
(SED,) = re.findall(r"^sed -E -i '(.*)' train\.py$", PAGE.read_text(), re.MULTILINE)
OPTAX = {name for name in dir(optax.schedules) if name in js.__all__} - {"Schedule"}

SAMPLE = """
import jax
import optax
import optax.schedules

a = optax.cosine_decay_schedule(0.1, 10)
b = optax.schedules.cosine_decay_schedule(0.1, 10)
c = optax.schedules.join_schedules([optax.linear_schedule(0.0, 1.0, 5), 1.0], [5])
d: optax.Schedule = optax.exponential_decay(
    0.1, 10, 0.5
)
e = optax.chain(optax.clip(1.0), optax.adam(a), optax.scale_by_schedule(b))
f = my_optax.linear_schedule, optax.linear_schedule_of_mine, optax.schedules.Schedule
g = optax.inject_hyperparams(optax.sgd)(learning_rate=optax.sgdr_schedule([]))
"""
WANTED = """
import jax
import jaxsched
import optax
import optax.schedules

a = jaxsched.cosine_decay_schedule(0.1, 10)
b = jaxsched.cosine_decay_schedule(0.1, 10)
c = jaxsched.join_schedules([jaxsched.linear_schedule(0.0, 1.0, 5), 1.0], [5])
d: optax.Schedule = jaxsched.exponential_decay(
    0.1, 10, 0.5
)
e = optax.chain(optax.clip(1.0), optax.adam(a), optax.scale_by_schedule(b))
f = my_optax.linear_schedule, optax.linear_schedule_of_mine, optax.schedules.Schedule
g = optax.inject_hyperparams(optax.sgd)(learning_rate=jaxsched.sgdr_schedule([]))
"""


def rewritten(text, folder):
    file = folder / "train.py"
    file.write_text(text)
    subprocess.run(["sed", "-E", "-i", SED, str(file)], check=True)
    return file.read_text()


def test_the_line_changes_the_names_of_schedules_and_nothing_else(tmp_path):
    assert rewritten(SAMPLE, tmp_path) == WANTED
    assert rewritten(WANTED, tmp_path).count("jaxsched.cosine") == WANTED.count("jaxsched.cosine")


def test_the_line_knows_every_schedule_that_both_have(tmp_path):
    lines = [f"optax.{name}(optax.schedules.{name})" for name in sorted(OPTAX)]
    wanted = [f"jaxsched.{name}(jaxsched.{name})" for name in sorted(OPTAX)]
    assert rewritten("\n".join(lines), tmp_path).splitlines() == wanted


RATE = js.warmup_cosine_decay_schedule(0.0, 0.1, 3, 12)
PARAMS = {"w": jnp.linspace(-1.0, 1.0, 6).reshape(2, 3), "b": jnp.linspace(0.5, 1.0, 3)}
EXACT = {
    "sgd": lambda rate: optax.sgd(rate, momentum=0.9, nesterov=True),
    "adam": optax.adam,
    "adamw": lambda rate: optax.adamw(rate, weight_decay=0.1),
    "lion": lambda rate: optax.lion(rate, weight_decay=0.1),
    "rmsprop": optax.rmsprop,
    "lamb": lambda rate: optax.lamb(rate, weight_decay=0.1),
}
OTHER = {
    "rmsprop with momentum": lambda rate: optax.rmsprop(rate, momentum=0.9),
    "schedule_free": lambda rate: optax.contrib.schedule_free_sgd(rate),
}


def trained(optimizer):
    params, state = PARAMS, optimizer.init(PARAMS)

    @jax.jit
    def step(params, state):
        updates, state = optimizer.update(jax.tree.map(jnp.sin, params), state, params)
        return optax.apply_updates(params, updates), state

    for _ in range(10):
        params, state = step(params, state)
    return np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(params)])


@pytest.mark.parametrize("make", EXACT.values(), ids=EXACT)
def test_a_schedule_behind_a_rate_of_1(make):
    behind = optax.chain(make(1.0), js.scale_by_schedule(RATE))
    np.testing.assert_allclose(trained(behind), trained(make(RATE)), rtol=1e-5)


@pytest.mark.parametrize("make", OTHER.values(), ids=OTHER)
def test_where_the_rate_is_inside_it_is_another_optimizer(make):
    behind = optax.chain(make(1.0), js.scale_by_schedule(RATE))
    assert np.abs(trained(behind) - trained(make(RATE))).max() > 1e-3
