"""`range_test` and `suggest_rates` beside fastai's own `lr_find`."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxsched as js
from tests.oracles.fastai_lr_find import RULES, curve, curves, lr_find, suggested


def replay(state: Any, loss: jax.Array, learning_rate: jax.Array) -> Any:
    return state, loss


@pytest.mark.parametrize("name", curves())
def test_a_whole_test_is_that_of_a_live_learner(name: str):
    losses = curves()[name]
    live, result = lr_find(losses), js.range_test(replay, None, losses)
    known = int(np.isfinite(result.smoothed).sum())
    np.testing.assert_allclose(result.rates[:known], live["rates"][:known], rtol=1e-6)
    np.testing.assert_allclose(result.smoothed[:known], live["smoothed"][:known], rtol=1e-5)
    for rule, rate in js.suggest_rates(result)._asdict().items():
        np.testing.assert_allclose(rate, live["suggested"][rule], rtol=1e-6, err_msg=rule)


@pytest.mark.parametrize("steps", [6, 12, 20, 40, 100, 250])
def test_every_rule_is_that_of_fastai_on_the_same_curve(steps: int):
    random = np.random.default_rng(steps)
    losses = [curve(seed, steps, noise=(0, 0.03, 0.3)[seed % 3]) for seed in range(60)]
    losses += [random.normal(size=steps).cumsum().astype(np.float32) for _ in range(60)]
    losses += [random.integers(0, 6, steps).astype(np.float32) for _ in range(20)]
    rates = np.asarray(1e-7 * 1e8 ** (np.arange(steps) / steps), np.float32)

    @jax.vmap
    def found(losses: jax.Array) -> js.SuggestedRates:
        return js.suggest_rates(js.RangeTest(jnp.asarray(rates), losses, losses, jnp.array(steps)))

    window = slice(steps // 10, -5)
    for name, values in found(jnp.stack(losses))._asdict().items():
        wanted = [suggested(name, rates[window], curve[window]) for curve in losses]
        whole = len(losses) - 20 if name == "steep" else None  # among equal slopes rounding chooses
        np.testing.assert_array_equal(values[:whole], np.float32(wanted)[:whole], err_msg=name)


def test_the_rules_are_all_there_are():
    from fastai.callback.schedule import SuggestionMethod

    methods = {name.lower() for name in vars(SuggestionMethod) if not name.startswith("_")}
    assert methods >= set(RULES) == set(js.SuggestedRates._fields)
