"""The range test against a plain loop, and against what fastai recorded and suggested."""

import json
import math
import re
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import jaxsched as js

FASTAI = Path(__file__).parent / "oracles" / "fastai_lr_find.json"
CASES = {case["name"]: case for case in json.loads(FASTAI.read_text())["cases"]}
BATCHES = np.random.default_rng(0).normal(1.0, 0.3, (7, 4)).astype(np.float32)


def step(weight, batch, learning_rate):
    loss, grad = jax.value_and_grad(lambda weight: jnp.mean((weight - batch) ** 2))(weight)
    return weight - learning_rate * grad, loss


def replay(state, loss, learning_rate):
    return state, loss


def by_hand(weight, batches, init_value, end_value, num_steps, smoothing, divergence):
    """The same in float64, as a loop that stops."""
    rates = [init_value * (end_value / init_value) ** (i / num_steps) for i in range(num_steps)]
    losses, smoothed, total = [], [], 0.0
    for i, rate in enumerate(rates):
        batch = batches[i % len(batches)].astype(float)
        losses.append(float(np.mean((weight - batch) ** 2)))
        weight -= rate * float(np.mean(2 * (weight - batch)))
        total = smoothing * total + (1 - smoothing) * losses[-1]
        smoothed.append(total / (1 - smoothing ** (i + 1)))
        if smoothed[-1] > divergence * min(smoothed):
            break
    return rates, losses, smoothed


@pytest.mark.parametrize(
    "numbers",
    [
        {"init_value": 1e-7, "end_value": 10.0, "smoothing": 0.98, "divergence": 4.0},
        {"init_value": 1e-3, "end_value": 50.0, "smoothing": 0.9, "divergence": 1.5},
        {"init_value": 1e-4, "end_value": 0.5, "smoothing": 0.0, "divergence": math.inf},
    ],
)
def test_it_is_a_plain_loop(numbers):
    result = js.range_test(step, jnp.zeros(()), BATCHES, num_steps=40, **numbers)
    rates, losses, smoothed = by_hand(0.0, BATCHES, num_steps=40, **numbers)
    steps = len(losses)
    assert result.steps == steps
    np.testing.assert_allclose(result.rates, rates, rtol=1e-6)
    np.testing.assert_allclose(result.losses[:steps], losses, rtol=1e-4)
    np.testing.assert_allclose(result.smoothed[:steps], smoothed, rtol=1e-4)
    assert np.isnan(result.losses[steps:]).all()
    assert np.isnan(result.smoothed[steps:]).all()
    assert {leaf.weak_type for leaf in result} == {False}


@pytest.mark.parametrize("name", CASES)
def test_it_is_what_fastai_recorded_and_suggested(name):
    case = CASES[name]
    live, losses = np.array(case["smoothed"], np.float32), np.array(case["losses"], np.float32)
    result = js.range_test(replay, None, losses)
    known = np.isfinite(live).sum()
    np.testing.assert_allclose(result.rates[: len(live)], case["rates"], rtol=1e-6)
    np.testing.assert_allclose(result.smoothed[:known], live[:known], rtol=2e-6)
    assert not np.isfinite(result.smoothed[known:]).any()
    assert result.steps == min(known + 1, len(live)) if known < len(live) else len(live)

    rates = np.float32(1e-7 * 1e8 ** (np.arange(100) / 100))
    rates[: len(live)] = case["rates"]
    smoothed = np.pad(live, (0, 100 - len(live)), constant_values=np.nan)
    exactly = js.suggest_rates(js.RangeTest(rates, smoothed, smoothed, result.steps))
    assert {rule: np.float32(rate) for rule, rate in case["suggested"].items()} == {
        rule: np.asarray(rate) for rule, rate in exactly._asdict().items()
    }
    for rule, rate in js.suggest_rates(result)._asdict().items():
        np.testing.assert_allclose(rate, case["suggested"][rule], rtol=1e-6, err_msg=rule)


def longest_fall(losses):
    """Every falling subsequence that ends at a step, the longest by trying all before it."""
    lengths = []
    for i, loss in enumerate(losses):
        before = [lengths[j] for j in range(i) if losses[j] > loss]
        lengths.append(1 + max(before, default=0))
    return max(lengths), lengths.index(max(lengths))


def suggested_by_hand(rates, losses):
    """The four rules in plain Python."""
    number, log = len(losses), np.log(rates)
    length, last = longest_fall(losses)
    valley = rates[last - length + length // 3 + length // 6] if length > 1 else rates[0]
    slopes = np.array(
        [
            (losses[min(i + 1, number - 1)] - losses[max(i - 1, 0)])
            / (2 if 0 < i < number - 1 else 1)
            for i in range(number)
        ]
    )
    first = number
    while first - 1 >= 15 and abs(slopes[first - 1] - slopes[first - 16]) > 0.005:
        first -= 1
    slide = rates[min(first, number - 1) - 15]
    steep = rates[np.argmin(np.diff(losses) / np.diff(log))]
    return valley, slide, rates[np.argmin(losses)] / 10, steep


def test_the_rules_in_plain_python():
    random = np.random.default_rng(0)
    x = np.linspace(-6, 6, 64)
    curves = [1 / (1 + np.exp(a * x)) + b * np.exp(a * x) for a in (0.5, 2) for b in (0, 0.01)]
    curves = [curve + 0.02 * random.normal(size=64) for curve in curves for _ in range(5)]
    curves += [random.normal(size=64).cumsum() for _ in range(10)]
    losses = np.float32(curves)
    rates = np.geomspace(1e-6, 1.0, 64).astype(np.float32)
    many = js.RangeTest(jnp.asarray(rates), jnp.asarray(losses), jnp.asarray(losses), jnp.array(64))
    axes = js.RangeTest(None, 0, 0, None)
    found = jax.vmap(js.suggest_rates, in_axes=(axes,))(many)
    window = slice(6, -5)
    wanted = [suggested_by_hand(rates[window], curve[window].astype(float)) for curve in losses]
    np.testing.assert_allclose(np.transpose(found), wanted, rtol=1e-6)


def test_a_test_that_is_too_short_suggests_nothing():
    run = partial(js.range_test, replay, None, smoothing=0.0, num_steps=9)
    result = run(jnp.array([1.0, 2.0, 4.0, jnp.nan]))
    assert result.steps == 4
    assert np.isnan(js.suggest_rates(result)).tolist() == [False, True, False, False]
    at_once = run(jnp.full(4, jnp.nan))
    assert at_once.steps == 1
    assert np.isnan(js.suggest_rates(at_once)).all()
    assert len(js.plot_range_test(at_once).lines) == 1


def test_seeds_are_one_program_and_do_not_disturb_each_other():
    traces = []

    def counted(weight, batch, learning_rate):
        traces.append(None)
        return step(weight, batch, learning_rate)

    def run(weight, batches):
        return js.range_test(counted, weight, batches, end_value=100.0, num_steps=40)

    weights, batches = jnp.array([0.0, 1.0, jnp.nan]), jnp.stack([BATCHES] * 3)
    many = jax.jit(jax.vmap(run))(weights, batches)
    assert len(traces) == 1
    assert len(set(many.steps.tolist())) == 3
    for i in range(3):
        alone = run(weights[i], batches[i])
        assert alone.steps == many.steps[i]
        for one, several in zip(alone, many, strict=True):
            np.testing.assert_allclose(several[i], one, rtol=1e-5)


def test_new_numbers_compile_nothing():
    traces = []

    def counted(state, loss, learning_rate):
        traces.append(None)
        return state, loss

    for init_value, divergence, smoothing in ((1e-5, 2.0, 0.9), (1e-3, 3.0, 0.5)):
        run = partial(js.range_test, init_value=init_value, smoothing=smoothing, num_steps=5)
        run(counted, None, jnp.ones(5), divergence=divergence)
    assert len(traces) == 1


def test_losses_below_zero_diverge_upwards():
    losses = jnp.array([-1.0, -2.0, -1.0, 2.0, 3.9, 4.1, 0.0])
    result = js.range_test(replay, None, losses, num_steps=7, smoothing=0.0)
    assert result.steps == 6
    endless = partial(js.range_test, divergence=math.inf, smoothing=0.0, num_steps=7)
    assert endless(replay, None, losses).steps == 7
    assert endless(replay, None, jnp.array([0.0, 1.0, jnp.inf, 1.0])).steps == 3


def test_a_tree_of_parameters_with_an_optimizer():
    def train(state, batch, learning_rate):
        params, opt_state = state
        optimizer = optax.adam(learning_rate)
        loss, grads = jax.value_and_grad(lambda p: jnp.mean((p["w"] * batch["x"] - 1) ** 2))(params)
        updates, opt_state = optimizer.update(grads, opt_state)
        return (optax.apply_updates(params, updates), opt_state), loss

    params = {"w": jnp.zeros(4, jnp.bfloat16)}
    result = js.range_test(
        train, (params, optax.adam(0.0).init(params)), {"x": BATCHES}, num_steps=20
    )
    assert result.steps == 20
    assert np.nanmin(result.losses) < 0.9 * result.losses[0]


def test_without_batches_and_with_keys_for_batches():
    def needs_none(weight, batch, learning_rate):
        assert batch is None
        return weight, weight

    result = js.range_test(needs_none, 2.0, None, num_steps=3)
    np.testing.assert_allclose(result.losses, [2.0, 2.0, 2.0])
    keys = jax.random.split(jax.random.key(0), 3)
    drawn = js.range_test(
        lambda state, key, rate: (state, jax.random.uniform(key)), None, keys, num_steps=3
    )
    np.testing.assert_allclose(drawn.losses, [jax.random.uniform(key) for key in keys], rtol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"step": 1}, TypeError, "`step` must be a function, got 1."),
        ({"step": lambda s, b, r: (b, {})}, TypeError, "`step` must be a function that returns"),
        ({"step": lambda s, b, r: (s, b[None])}, TypeError, "a state and a scalar"),
        ({"batches": 1.0}, ValueError, "`batches` must be arrays"),
        ({"batches": []}, None, ""),
        ({"batches": np.ones((0, 2))}, ValueError, r"got shapes \[(0, 2)\]"),
        ({"batches": (np.ones(2), np.ones(3))}, ValueError, r"got shapes \[(2,), (3,)\]"),
        ({"init_value": 0.0}, ValueError, "`init_value` must be positive, got 0.0."),
        ({"end_value": -1.0}, ValueError, "`end_value` must be positive, got -1.0."),
        ({"init_value": 20.0}, ValueError, "`init_value` must be at most `end_value`"),
        ({"num_steps": 0}, ValueError, "`num_steps` must be at least 1, got 0."),
        ({"num_steps": 2.5}, ValueError, "`num_steps` must be a whole number of steps, got 2.5."),
        ({"smoothing": 1.0}, ValueError, "`smoothing` must be at least 0 and below 1, got 1.0."),
        ({"divergence": 1.0}, ValueError, "`divergence` must be above 1, got 1.0."),
        ({"divergence": "4"}, TypeError, "`divergence` must be a real number, got '4'."),
    ],
)
def test_mistakes(arguments, error, message):
    given = {"step": replay, "state": None, "batches": np.ones(3), **arguments}
    if error is None:
        given["step"] = lambda state, batch, rate: (state, rate)
        assert js.range_test(**given, num_steps=2).steps == 2
        return
    with pytest.raises(error, match=message.replace("(", r"\(").replace(")", r"\)")):
        js.range_test(**given)


def test_the_picture_has_curves_and_suggestions(tmp_path):
    losses = np.array([case["losses"] for case in CASES.values()][:3], np.float32)
    many = jax.vmap(lambda losses: js.range_test(replay, None, losses))(losses)
    one = jax.tree.map(lambda leaf: leaf[1], many)
    axes = js.plot_range_test(one, path=tmp_path / "one.png")
    curve, *marks = axes.lines
    shown = np.isfinite(curve.get_ydata())
    assert np.flatnonzero(shown).tolist() == list(range(95))
    np.testing.assert_array_equal(curve.get_ydata()[shown], one.smoothed[:95])
    assert [mark.get_label().split()[0] for mark in marks] == list(js.SuggestedRates._fields)
    for mark, rate in zip(marks, js.suggest_rates(one), strict=True):
        assert mark.get_xdata() == [rate]
        at = np.argmin(abs(np.log(one.rates / rate)))
        assert mark.get_ydata() == pytest.approx([float(one.smoothed[at])], rel=0.02)
    assert axes.get_xscale() == "log"
    assert (tmp_path / "one.png").read_bytes().startswith(b"\x89PNG")

    assert js.plot_range_test(many, ax=axes) is axes
    assert len(axes.lines) == 5 + 3 + 4
    assert len(axes.lines[-1].get_xdata()) == 3
    with pytest.raises(ValueError, match="of one run, or of several along one axis, got"):
        js.plot_range_test(jax.tree.map(lambda leaf: leaf[None], many))
    with pytest.raises(
        ValueError, match=re.escape("must be of one run, got losses of shape (3, 100)")
    ):
        js.suggest_rates(many)
