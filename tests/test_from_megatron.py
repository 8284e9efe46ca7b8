"""Megatron-LM's rates, weight decays and batches, against its rules in float64."""

import math
from argparse import Namespace
from typing import Any

import jax
import numpy as np
import pytest

import jaxsched as js

BASE = dict(lr=0.3, min_lr=0.03, global_batch_size=8, train_iters=200, lr_decay_style="linear")


def parsed(**options: Any) -> Namespace:
    """Options with the defaults of the command line."""
    defaults = dict(
        lr_decay_style="linear", lr_wsd_decay_style="exponential", lr_warmup_init=0.0, min_lr=0.0,
        lr_warmup_iters=0, lr_warmup_samples=0, lr_warmup_fraction=None, lr_decay_iters=None,
        lr_decay_samples=None, lr_wsd_decay_iters=None, lr_wsd_decay_samples=None, train_iters=None,
        train_samples=None, global_batch_size=None, step_batch_size_schedule=None, seq_length=None,
        micro_batch_size=None, data_parallel_size=None, decrease_batch_size_if_needed=False,
        weight_decay=0.01, start_weight_decay=None, end_weight_decay=None,
        weight_decay_incr_style="constant", rampup_batch_size=None,
    )  # fmt: skip
    return Namespace(**{**defaults, **options})


def sizes(a: Namespace, updates: int) -> list[int]:
    """The size of each batch, one after another."""
    if a.step_batch_size_schedule is None:
        size, parallel = a.global_batch_size, 1
        if a.decrease_batch_size_if_needed:
            parallel = a.micro_batch_size * a.data_parallel_size
        return [size // parallel * parallel] * updates
    units = {"K": 1e3, "M": 1e6, "B": 1e9}
    plan = []
    for entry in a.step_batch_size_schedule.replace(",", " ").split():
        at, size = entry.split(":")
        threshold = int(float(at.rstrip("KMB")) * units.get(at[-1], 1))
        plan.append((threshold // (a.seq_length or 1), int(size)))
    found, seen = [], 0
    for _ in range(updates):
        found.append([size for threshold, size in sorted(plan) if threshold <= seen][-1])
        seen += found[-1]
    return found


def seen(a: Namespace, updates: int) -> list[int]:
    """The samples before each update."""
    return [0, *np.cumsum(sizes(a, updates - 1)).tolist()]


def lengths(a: Namespace) -> tuple[float, float, float]:
    if a.train_iters:
        unit = "iters"
        size = a.global_batch_size or a.micro_batch_size * a.data_parallel_size
    else:
        unit, size = "samples", 1
    get = lambda name: getattr(a, f"{name}_{unit}")  # noqa: E731
    decay = (get("lr_decay") or get("train")) * size
    if a.lr_warmup_fraction is not None:
        warmup = a.lr_warmup_fraction * decay
    else:
        warmup = get("lr_warmup") * size
    wsd = get("lr_wsd_decay")
    return warmup, decay, (wsd or 0) * size


def left(shape: str, u: float) -> float:
    return {
        "linear": lambda: 1 - u,
        "cosine": lambda: 0.5 * (math.cos(math.pi * u) + 1),
        "exponential": lambda: 2 * 0.5**u - 1,
        "minus_sqrt": lambda: 1 - math.sqrt(u),
    }[shape]()


def wanted(a: Namespace, n: int) -> float:
    """The rate after n samples."""
    warmup, decay, wsd = lengths(a)
    if warmup > 0 and n <= warmup:
        return a.lr_warmup_init + (a.lr - a.lr_warmup_init) * n / warmup
    if a.lr_decay_style == "constant":
        return a.lr
    if n > decay:
        return a.min_lr
    if a.lr_decay_style == "inverse-square-root":
        return max(a.min_lr, a.lr * math.sqrt(max(warmup, 1)) / math.sqrt(max(n, 1)))
    share = 1.0
    if a.lr_decay_style != "WSD":
        share = left(a.lr_decay_style, (n - warmup) / (decay - warmup))
    elif n > decay - wsd:
        share = left(a.lr_wsd_decay_style, (n - (decay - wsd)) / wsd)
    return a.min_lr + share * (a.lr - a.min_lr)


STYLES = {
    "constant": dict(lr_decay_style="constant"),
    "linear": {},
    "cosine": dict(lr_decay_style="cosine", lr_decay_iters=150),
    "root": dict(lr_decay_style="inverse-square-root", lr_decay_iters=150),
    "exponential": dict(lr_decay_style="WSD", lr_wsd_decay_iters=40),
    "linear end": dict(
        lr_decay_style="WSD", lr_wsd_decay_iters=40, lr_wsd_decay_style="linear", lr_decay_iters=230
    ),
    "cosine end": dict(lr_decay_style="WSD", lr_wsd_decay_iters=140, lr_wsd_decay_style="cosine"),
    "root end": dict(lr_decay_style="WSD", lr_wsd_decay_iters=1, lr_wsd_decay_style="minus_sqrt"),
    "no end": dict(lr_decay_style="WSD", lr_wsd_decay_iters=0),
    "begun before": dict(lr_decay_style="WSD", lr_wsd_decay_iters=195),
    "longer than all": dict(
        lr_decay_style="WSD", lr_wsd_decay_iters=300, lr_wsd_decay_style="linear"
    ),
}
WARMUPS = {
    "cold": {},
    "warmed up": dict(lr_warmup_iters=10, lr_warmup_init=0.02),
    "by fraction": dict(lr_warmup_fraction=0.0633),
    "of one step": dict(lr_warmup_iters=1),
}


@pytest.mark.parametrize("warmup", WARMUPS)
@pytest.mark.parametrize("style", STYLES)
def test_the_rate_of_every_style(style: str, warmup: str):
    args = parsed(**{**BASE, **STYLES[style], **WARMUPS[warmup]})
    check(args, 260)


def check(args: Namespace, updates: int) -> None:
    rates = [wanted(args, n) for n in seen(args, updates)]
    for given in (args, vars(args)):
        found = np.asarray(jax.jit(js.from_megatron(given))(np.arange(updates)), np.float64)
        np.testing.assert_allclose(found, rates, rtol=1e-6, atol=3e-8)


def by_samples(options: dict[str, Any]) -> dict[str, Any]:
    return {
        name.replace("_iters", "_samples"): 8 * value + 3 if name.endswith("_iters") else value
        for name, value in options.items()
    }


@pytest.mark.parametrize("style", STYLES)
def test_lengths_in_samples_that_fill_no_batch(style: str):
    options = {**BASE, **STYLES[style], "lr_warmup_iters": 10}
    check(parsed(**by_samples(options)), 260)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("plan", ["0:2 100:4 101:6,700:16", "0:8 0.4K:16 1K:64 1.002K:1"])
def test_batches_that_grow(style: str, plan: str):
    options = {**BASE, **STYLES[style], "lr_warmup_iters": 30, "global_batch_size": None}
    options["step_batch_size_schedule"] = plan
    check(parsed(**by_samples(options)), 260)


def test_batches_whose_lengths_are_in_iterations():
    options = {**BASE, "global_batch_size": None, "micro_batch_size": 2, "data_parallel_size": 4}
    check(parsed(**options, step_batch_size_schedule="0:8 80:16"), 260)
    check(parsed(**{**options, "global_batch_size": 13}, decrease_batch_size_if_needed=True), 300)


def test_thresholds_are_tokens_where_a_length_is_known():
    args = parsed(
        lr=1.0, train_samples=1_000_000_000, step_batch_size_schedule="0:768 250B:1536 500B:3072",
        seq_length=4096, lr_decay_style="cosine", lr_warmup_fraction=0.01,
    )  # fmt: skip
    plan = js.megatron_batches(args)
    first = 250_000_000_000 // 4096
    steps = -(-first // 768)
    assert plan[0] == (steps, 768)
    assert sum(a * b for a, b in plan) >= 10**9 > sum(a * b for a, b in plan) - 3072
    second = -(-(500_000_000_000 // 4096 - steps * 768) // 1536)
    assert plan[1] == (second, 1536)
    counts = np.array([0, 10_000, steps - 1, steps, steps + 5000, steps + second, sum(plan[0])])
    samples = np.where(
        counts < steps, counts * 768, steps * 768 + np.minimum(counts - steps, second) * 1536
    )
    rates = [wanted(args, n) for n in samples.tolist()]
    np.testing.assert_allclose(js.from_megatron(args)(counts), rates, rtol=1e-6)


@pytest.mark.parametrize(
    "options",
    [
        dict(train_samples=1000, step_batch_size_schedule="0:8 100:16 101:3 500:50"),
        dict(train_samples=90, step_batch_size_schedule="0:8 100:16"),
        dict(train_iters=77, global_batch_size=4),
    ],
)
def test_the_plan_of_batches(options: dict[str, Any]):
    args = parsed(**options)
    plan = js.megatron_batches(args)
    each = [size for steps, size in plan for _ in range(steps)]
    assert each == sizes(args, len(each))
    if args.train_samples:
        assert sum(each) >= args.train_samples > sum(each[:-1])
    else:
        assert len(each) == args.train_iters


def test_samples_that_fill_no_batch_are_left_out():
    assert js.megatron_batches(parsed(train_samples=100, global_batch_size=8)) == ((12, 8),)


@pytest.mark.parametrize("style", ["linear", "cosine"])
def test_the_weight_decay(style: str):
    args = parsed(
        train_iters=50, global_batch_size=4, start_weight_decay=0.01, end_weight_decay=0.1,
        weight_decay_incr_style=style,
    )  # fmt: skip
    share = np.minimum(np.arange(70) / 50, 1)
    share = share if style == "linear" else 0.5 * (np.cos(np.pi * (1 - share)) + 1)
    found = js.megatron_weight_decay(args)(np.arange(70))
    np.testing.assert_allclose(found, 0.01 + share * 0.09, rtol=1e-6)


def test_a_constant_weight_decay():
    assert float(js.megatron_weight_decay({"weight_decay": 0.25})(7)) == 0.25
    both = dict(weight_decay=0.25, start_weight_decay=0.25, end_weight_decay=0.25)
    assert float(js.megatron_weight_decay(both)(7)) == 0.25


def test_what_is_meant():
    root = parsed(**{**BASE, "lr_decay_style": "inverse-square-root", "lr_warmup_iters": 10})
    cut, on = (js.from_megatron(root, faithful=faithful) for faithful in (True, False))
    assert float(cut(200)) == float(on(200))
    assert float(cut(201)) == pytest.approx(0.03, rel=1e-6)
    assert float(on(201)) == pytest.approx(0.3 * math.sqrt(10 / 201), rel=1e-6)
    begun = parsed(**{**BASE, **STYLES["begun before"], "lr_warmup_iters": 10})
    with pytest.raises(ValueError, match="`lr_wsd_decay` must be at most what the warm-up leaves"):
        js.from_megatron(begun, faithful=False)


def test_names_of_the_command_line():
    dashed = {f"--{name.replace('_', '-')}": value for name, value in BASE.items()}
    assert float(js.from_megatron(dashed)(50)) == float(js.from_megatron(BASE)(50))


ERRORS = {
    "unknown style": (dict(lr_decay_style="exponential"), "`lr_decay_style` must be one of 'cons"),
    "unknown shape": (
        dict(lr_decay_style="WSD", lr_wsd_decay_iters=3, lr_wsd_decay_style="sqrt"),
        "`lr_wsd_decay_style` must be one of 'exponential', 'linear', 'cosine', 'minus_sqrt'",
    ),
    "both units": (dict(train_samples=9), "`train_iters` and `train_samples` cannot both"),
    "no length": (dict(train_iters=None), "`train_iters` or `train_samples` is missing"),
    "a length in the other unit": (dict(lr_decay_samples=9), "`lr_decay_samples` cannot .* `train"),
    "two warm-ups": (
        dict(lr_warmup_fraction=0.1, lr_warmup_iters=3),
        "`lr_warmup_fraction` cannot be given with `lr_warmup_iters`",
    ),
    "no decay": (dict(lr_warmup_iters=200), "`lr_warmup_iters` must be shorter than `lr_decay_i"),
    "no rate": (dict(lr=None), "`lr` is missing from what `from_megatron`"),
    "a floor above": (dict(min_lr=0.4), "`min_lr` must be at most `lr`"),
    "an init above": (dict(lr_warmup_init=0.4), "`lr_warmup_init` must be at most `lr`"),
    "no batch": (dict(global_batch_size=None), "`global_batch_size` is missing, or `micro_batch_"),
    "WSD without a length": (dict(lr_decay_style="WSD"), "`lr_wsd_decay_iters` or"),
    "no plan": (dict(step_batch_size_schedule="8 16"), "must be entries THRESHOLD:SIZE such as"),
    "no first": (dict(step_batch_size_schedule="5:16"), "the first of them 0"),
    "twice": (dict(step_batch_size_schedule="0:16 1:2 1:3"), "with different thresholds"),
    "no size": (
        dict(step_batch_size_schedule="0:0"),
        "`step_batch_size_schedule` must be positive",
    ),
    "half an update": (dict(train_iters=2.5), "`train_iters` must be a whole number of steps"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_what_is_impossible_names_the_option(name: str):
    options, message = ERRORS[name]
    with pytest.raises(ValueError, match=message):
        js.from_megatron({**BASE, **options})


def test_other_errors():
    with pytest.raises(ValueError, match="`lr_schedule_type` is not read by `from_megatron`, but"):
        js.from_megatron({"lr": 0.1, "lr_schedule_type": "cosine"})
    with pytest.raises(TypeError, match="`config` must be a mapping, or an object with fields"):
        js.from_megatron("linear")
    with pytest.raises(ValueError, match="`rampup_batch_size` is no longer read by Megatron-LM"):
        js.megatron_batches({**BASE, "rampup_batch_size": [1, 2, 3]})
    falling = {**BASE, "weight_decay_incr_style": "linear", "start_weight_decay": 0.1}
    with pytest.raises(ValueError, match="`end_weight_decay` is missing"):
        js.megatron_weight_decay(falling)
    with pytest.raises(ValueError, match="`start_weight_decay` must be at most `end_weight_decay`"):
        js.megatron_weight_decay({**falling, "end_weight_decay": 0.01})
