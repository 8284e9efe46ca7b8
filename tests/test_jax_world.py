"""What other JAX projects compute, in NumPy float64, beside the line that replaces it."""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import pytest

import jaxsched as js

STEPS = np.concatenate([np.arange(3000), np.arange(3000, 60000, 97)]).astype(np.float64)
B, W, T = 0.3, 100, 2000
Case = tuple[str, Callable[[], Any], Callable[[np.ndarray], Any]]


def cosine(progress: Any) -> Any:
    return 0.5 * (1 + np.cos(np.pi * progress))


def warmup(t: np.ndarray) -> np.ndarray:
    return np.minimum(1.0, t / W)


T5X = dict(base_learning_rate=B, warmup_steps=W, steps_per_decay=300, steps_per_cycle=700)
t5x: list[Case] = [
    ("constant * linear_warmup", lambda t: B * warmup(t)),
    ("constant * linear_warmup * rsqrt_decay", lambda t: B * warmup(t) / np.sqrt(np.maximum(t, W))),
    ("linear_decay", lambda t: B * np.minimum(t / W, 1 + 0.001 * (W - t))),
    ("constant*rsqrt_normalized_decay", lambda t: B * np.sqrt(W / np.maximum(t, W))),
    ("constant * decay_every", lambda t: B * 0.001 ** (t // 300)),
    ("constant * cosine_decay", lambda t: B * cosine(np.maximum(0.0, (t - W) / 700) % 1.0)),
]
t5x = [
    (
        f"t5x {factors}",
        lambda factors=factors: js.from_t5x(factors, **T5X, decay_factor=0.001, step_offset=5),
        lambda t, formula=formula: np.maximum(formula(np.maximum(t - 5, 0)), 1e-8),
    )
    for factors, formula in t5x
]


def scenic_config(factors: str) -> dict[str, Any]:
    return {
        "learning_rate_schedule": "compound",
        "factors": factors,
        "base_learning_rate": B,
        "warmup_steps": W,
        "warmup_alpha": 0.1,
        "decay_steps": 1500,
        "end_factor": 0.05,
        "power": 2.0,
        "decay_events": [400, 900],
        "decay_factors": [0.5, 0.1],
        "timescale": 300,
        "steps_per_decay": 250,
        "decay_factor": 0.7,
        "decay_rate": 0.9,
        "steps_per_cycle": 500,
        "m_mul": 0.8,
        "alpha": 0.02,
        "total_steps": T,
        "end_learning_rate": 0.01,
        "cooldown_steps": 300,
    }


def scenic_cosine(t: np.ndarray) -> np.ndarray:
    period = 500 - int(W / (T / 500))
    cycle, place = np.divmod(np.maximum(t - W, 0), period)
    return 0.98 * 0.8**cycle * cosine(place / period) + 0.02


scenic_factors: dict[str, Callable[[np.ndarray], Any]] = {
    "polynomial": lambda t: 0.95 * ((t <= 1500) * (1 - t / 1500)) ** 2 + 0.05,
    "piecewise_constant": lambda t: np.array([1, 0.5, 0.1])[(t > 400) + 1 * (t > 900)],
    "piecewise_linear": lambda t: np.interp(t, [0, 400, 900], [1, 0.5, 0.1]),
    "linear_warmup": lambda t: np.minimum(1, 0.1 + 0.9 * t / W),
    "rsqrt_decay": lambda t: np.where(
        t > W, np.sqrt(300) / np.sqrt(np.maximum(t, W) + 300 - W), 1.0
    ),
    "decay_every": lambda t: 0.7 ** (t // 250),
    "cosine_decay": scenic_cosine,
    "exponential_decay": lambda t: 0.9 ** (t / 1500),
    "linear_cooldown": lambda t: np.minimum(1, (T - np.maximum(t, W)) / 300),
}
scenic: list[Case] = [
    (
        f"scenic {name}",
        lambda name=name: js.from_scenic(scenic_config(f"constant * {name}")),
        lambda t, formula=formula: B * formula(t),
    )
    for name, formula in scenic_factors.items()
]
scenic += [
    (
        "scenic exponential_decay in stairs",
        lambda: js.from_scenic(
            {**scenic_config("constant * exponential_decay"), "staircase": True}
        ),
        lambda t: B * 0.9 ** (t // 1500),
    ),
    (
        "scenic linear_decay",
        lambda: js.from_scenic(scenic_config("constant * linear_decay * linear_warmup")),
        lambda t: (
            ((B - 0.01) * np.maximum(1 - np.maximum((t - W) / (T - W), 0), 0) + 0.01)
            * np.minimum(1, 0.1 + 0.9 * t / W)
        ),
    ),
    ("scenic number", lambda: js.from_scenic({"base_learning_rate": B}), lambda t: B + 0 * t),
]


def big_vision(decay: Callable[[np.ndarray], Any]) -> Callable[[np.ndarray], np.ndarray]:
    return lambda t: warmup(t) * decay(np.clip((t - W) / (T - W), 0, 1))


others: list[Case] = [
    (
        "big_vision linear",
        lambda: js.with_warmup(js.linear_schedule(B, 0.01, T - W), W),
        big_vision(lambda p: 0.01 + (B - 0.01) * (1 - p)),
    ),
    (
        "big_vision polynomial",
        lambda: js.with_warmup(js.polynomial_schedule(B, 0.0, 2, T - W), W),
        big_vision(lambda p: B * (1 - p) ** 2),
    ),
    (
        "big_vision cosine",
        lambda: js.with_warmup(js.cosine_decay_schedule(B, T - W), W),
        big_vision(lambda p: B * cosine(p)),
    ),
    (
        "big_vision rsqrt",
        lambda: (
            js.with_warmup(js.inverse_sqrt_schedule(B, 500), W)
            * js.linear_schedule(1, 0, 400, T - 400)
        ),
        lambda t: (
            warmup(t)
            * np.clip((T - t) / 400, 0, 1)
            * np.where(t >= W, B / np.sqrt(1 + (np.maximum(t, W) - W) / 500), B)
        ),
    ),
    (
        "big_vision stair",
        lambda: js.linear_schedule(0, 1, W) * js.join_schedules([B, B * 0.1, B * 0.01], [500, 900]),
        lambda t: warmup(t) * B * np.array([1, 0.1, 0.01])[np.searchsorted([500, 900], t + 1)],
    ),
    (
        "levanter cosine",
        lambda: js.warmup_cosine_decay_schedule(0.0, B, W, T, B * 0.1),
        lambda t: np.where(
            t < W, B * t / W, B * (0.9 * cosine(np.clip((t - W) / (T - W), 0, 1)) + 0.1)
        ),
    ),
    (
        "levanter inv_sqrt",
        lambda: js.with_warmup(
            js.maximum(js.shift(js.inverse_sqrt_schedule(B, 300), 300 - W), 0.03), W
        ),
        lambda t: np.where(
            t < W,
            B * t / W,
            np.maximum(B * np.minimum(1, 1 / np.sqrt(np.maximum(t, 1) / 300)), 0.03),
        ),
    ),
    (
        "levanter inv",
        lambda: js.join_schedules(
            [
                js.linear_schedule(0, B, W),
                js.clip(js.inverse_time_schedule(B, T - W, 9.0), B / 10, B / (1 + 9 / (T - W))),
            ],
            [W],
        ),
        lambda t: np.where(
            t < W, B * t / W, np.maximum(B / (9 * np.maximum(t - W, 1) / (T - W) + 1), B / 10)
        ),
    ),
    (
        "levanter polynomial",
        lambda: js.with_warmup(js.polynomial_schedule(B, 0.03, 2.0, T - W), W),
        lambda t: np.where(
            t < W, B * t / W, 0.03 + (B - 0.03) * (1 - np.clip((t - W) / (T - W), 0, 1)) ** 2
        ),
    ),
    (
        "levanter inv_sqrt_decay",
        lambda: js.with_warmup(js.maximum(js.inverse_sqrt_schedule(B, (T - W) / 28.6), 0.03), W),
        lambda t: np.where(
            t < W,
            B * t / W,
            np.maximum(0.03, B / np.sqrt(1 + 28.6 * np.maximum(t - W, 0) / (T - W))),
        ),
    ),
    (
        "levanter power",
        lambda: js.with_warmup(
            js.join_schedules([B, js.minimum(js.power_schedule(2.0, -0.51), B)], [1]), W
        ),
        lambda t: np.where(t < W, B * t / W, np.minimum(B, 2 * np.maximum(t - W, 1) ** -0.51)),
    ),
    (
        "axlearn polynomial",
        lambda: js.k_decay_schedule(B, 700, k=3, end_value=0.1 * B, curve="linear"),
        lambda t: B + (0.1 * B - B) * np.clip(t / 700, 0, 1) ** 3,
    ),
    (
        "axlearn cosine_with_linear_warmup",
        lambda: js.warmup_cosine_decay_schedule(0.0, B, W, T, 0.1 * B),
        lambda t: np.where(
            t < W, B * t / W, B * (0.1 + 0.9 * cosine(np.clip((t - W) / (T - W), 0, 1)))
        ),
    ),
    (
        "axlearn adafactor",
        lambda: js.with_warmup(js.inverse_sqrt_schedule(B * W**-0.5, W), W),
        lambda t: B * np.minimum(t * W**-1.5, np.maximum(t, 1) ** -0.5),
    ),
    (
        "maxtext cosine",
        lambda: js.join_schedules(
            [js.linear_schedule(0, B, W), js.cosine_decay_schedule(B, T - W - 1, alpha=0.1), 0.0],
            [W, T],
        ),
        lambda t: np.where(
            t < W,
            B * t / W,
            np.where(t < T, B * (0.1 + 0.9 * cosine(np.clip((t - W) / (T - W - 1), 0, 1))), 0),
        ),
    ),
    (
        "maxtext wsd",
        lambda: js.warmup_stable_decay_schedule(0.0, B, W, T - 300, 299, 0.1 * B),
        lambda t: np.interp(t, [0, W, T - 300, T - 1], [0, B, B, 0.1 * B]),
    ),
    (
        "init2winit rex",
        lambda: js.rex_schedule(B, T, beta=0.9),
        lambda t: B * (1 - np.minimum(t / T, 1)) / (1 - np.minimum(t / T, 1) * (1 - 0.9)),
    ),
    (
        "praxis LinearRampupSqrtDecay",
        lambda: js.with_warmup(js.inverse_sqrt_schedule(B, W), W),
        lambda t: B * np.minimum(t / W, np.sqrt(W / np.maximum(t, 1))),
    ),
    (
        "Noam",
        lambda: js.with_warmup(js.inverse_sqrt_schedule((512 * W) ** -0.5, W), W),
        lambda t: 512**-0.5 * np.minimum(np.maximum(t, 1) ** -0.5, t * W**-1.5),
    ),
    (
        "Megatron linear",
        lambda: js.with_warmup(js.linear_schedule(B, 0.03, T - W), W, 0.01),
        lambda t: np.interp(t, [0, W, T], [0.01, B, 0.03]),
    ),
    (
        "Megatron cosine",
        lambda: js.warmup_cosine_decay_schedule(0.01, B, W, T, 0.03),
        lambda t: np.where(
            t < W,
            0.01 + (B - 0.01) * t / W,
            0.03 + (B - 0.03) * cosine(np.clip((t - W) / (T - W), 0, 1)),
        ),
    ),
    (
        "Megatron inverse-square-root",
        lambda: js.with_warmup(js.maximum(js.inverse_sqrt_schedule(B, W), 0.03), W, 0.01),
        lambda t: np.where(
            t < W,
            0.01 + (B - 0.01) * t / W,
            np.maximum(0.03, B * np.sqrt(W / np.maximum(t, 1))),
        ),
    ),
    (
        "Megatron constant",
        lambda: js.warmup_constant_schedule(0.01, B, W),
        lambda t: np.interp(t, [0, W], [0.01, B]),
    ),
    (
        "Megatron exponential cooldown",
        lambda: js.warmup_stable_decay_schedule(0.0, B, W, 1500, 500, 0.03, shape="exponential"),
        lambda t: np.where(
            t < 1500,
            B * warmup(t),
            0.03 + (B - 0.03) * (2 * 0.5 ** np.clip((t - 1500) / 500, 0, 1) - 1),
        ),
    ),
]


CASES = [pytest.param(*case[1:], id=case[0]) for case in t5x + scenic + others]


@pytest.mark.parametrize(("ours", "formula"), CASES)
def test_same_rate_at_every_step(ours: Callable[[], Any], formula: Callable[[np.ndarray], Any]):
    found = np.asarray(jax.jit(ours())(STEPS.astype(np.int32)), np.float64)
    np.testing.assert_allclose(found, formula(STEPS), rtol=1e-6, atol=1e-9)


def test_meant_and_not_done():
    """One step late, and negative after the end: not without `faithful`."""
    late, early = (
        js.from_scenic(scenic_config("piecewise_constant"), faithful=faithful)
        for faithful in (True, False)
    )
    assert (late(400), late(401), early(399), early(400)) == (1.0, 0.5, 1.0, 0.5)
    below, held = (
        js.from_scenic(scenic_config("linear_cooldown"), faithful=faithful)
        for faithful in (True, False)
    )
    assert below(T) == held(T) == held(T + 300) == 0
    assert below(T + 300) == pytest.approx(-1, rel=1e-6)


@pytest.mark.parametrize("factors", ["constant * warmup", "constant **", ""])
def test_unknown_factors_are_refused(factors: str):
    with pytest.raises(ValueError, match="`factors` must be of 'constant', "):
        js.from_t5x(factors)
    with pytest.raises(ValueError, match="`factors` must be of 'constant', "):
        js.from_scenic({"learning_rate_schedule": "compound", "factors": factors})


def test_mistakes_name_what_is_wrong():
    with pytest.raises(TypeError, match="`factors` must be a string"):
        js.from_t5x(["constant"])
    with pytest.raises(ValueError, match="`learning_rate_schedule` must be 'compound', got 'x'"):
        js.from_scenic({"learning_rate_schedule": "x"})
    with pytest.raises(KeyError, match="decay_factors"):
        js.from_scenic({"learning_rate_schedule": "compound", "factors": "piecewise_linear"})
    with pytest.raises(ValueError, match="`decay_rate` must be positive, got 0"):
        js.from_t5x("constant * decay_every", decay_factor=0)
    with pytest.raises(ValueError, match="`timescale` must be positive, got 0"):
        js.from_t5x(warmup_steps=0)
