"""A state is that of its rule: under another one it is refused by name, never misread."""

import itertools

import jax
import jax.numpy as jnp
import pytest
from flax import serialization

import jaxsched as js

MONITORS = [
    js.plateau(),
    js.worsening(),
    js.improving(),
    js.threshold(0.5),
    js.spike(),
    js.slope_test(),
    js.slow_progress(),
    js.nonfinite(),
    js.every(1000),
    js.any_of([js.plateau(), js.spike()]),
    js.any_of([js.spike(), js.plateau()]),
    js.all_of([js.plateau(), js.spike()]),
    js.ignore_nonfinite(js.plateau()),
]
PARAMS = jnp.ones(2)


def of(monitor, **options):
    return js.scale_by_learning_rate(js.reduce_on(monitor, 1.0, **options))


STATES = [of(monitor).init(PARAMS) for monitor in MONITORS]


@pytest.mark.parametrize(("i", "j"), list(itertools.permutations(range(len(MONITORS)), 2)))
def test_another_rule_is_refused_by_name(i, j):
    with pytest.raises(ValueError, match="carry_over") as caught:
        jax.eval_shape(lambda s: of(MONITORS[j]).update(PARAMS, s, value=1.0), STATES[i])
    for monitor in (MONITORS[i], MONITORS[j]):
        assert f"`{monitor.__name__}" in str(caught.value)
    assert jax.tree.structure(STATES[i]) != jax.tree.structure(STATES[j])
    with pytest.raises(ValueError, match=r"keys|match"):
        serialization.from_state_dict(STATES[j], serialization.to_state_dict(STATES[i]))


@pytest.mark.parametrize("i", range(len(MONITORS)))
def test_other_numbers_and_other_controllers_go_on(i):
    for other in (
        of(MONITORS[i], factor=0.5),
        js.scale_by_learning_rate(js.restart_on(MONITORS[i], 1.0)),
        js.scale_by_learning_rate(js.advance_on(MONITORS[i], [1.0, 0.5])),
    ):
        jax.eval_shape(lambda s, other=other: other.update(PARAMS, s, value=1.0), STATES[i])


def test_another_metric_and_another_version():
    state = of(js.plateau()).init(PARAMS)
    with pytest.raises(ValueError, match=r"`plateau` on `value`.*`plateau` on `loss`"):
        of(js.plateau(), metric="loss").update(PARAMS, state, loss=1.0)
    controller = state.controller
    old = state._replace(controller=controller._replace(counts=jnp.zeros(8, jnp.int32)))
    with pytest.raises(ValueError, match="of another version"):
        of(js.plateau()).update(PARAMS, old, value=1.0)


def test_another_window_of_the_same_rule():
    follow = [
        js.scale_by_learning_rate(js.follow(js.greedy(window=window), 1.0)) for window in (1, 9)
    ]
    with pytest.raises(ValueError, match="the same rule with another window"):
        follow[1].update(PARAMS, follow[0].init(PARAMS), value=1.0)
