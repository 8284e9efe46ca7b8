"""Plans of batches: every token once, and the rates of the rule at every batch."""

import math
from fractions import Fraction

import jax.numpy as jnp
import numpy as np
import pytest

import jaxsched as js
from jaxsched.planning.batches import RULES

STAIRS = js.piecewise_constant_schedule(1.0, {100: 0.5, 200: 0.5, 300: 0.5})
COSINE = js.with_warmup(js.cosine_decay_schedule(1.0, 900), 100)


def places(plan):
    """The tokens before each update, and those in it."""
    consumed = 0
    for steps, size in plan:
        for _ in range(steps):
            yield consumed, size
            consumed += size


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(
    ("tokens", "first", "most", "multiple"),
    [(400, 1, 8, 1), (64_000, 64, 256, 32), (64_032, 64, 1000 * 32, 32), (99_999, 3, 100, 1)],
)
def test_every_token_is_used_once(rule, tokens, first, most, multiple):
    for base in (STAIRS, COSINE, 0.5):
        plan, _ = js.batch_plan(base, tokens, first, most, multiple, rule)
        assert sum(steps * size for steps, size in plan) == tokens
        sizes = [size for _, size in plan]
        assert all(size % multiple == 0 for size in sizes)
        assert max(sizes) <= most
        full = sizes[:-1] if plan[-1][0] == 1 else sizes
        assert full == sorted(full)


def expected_seesaw(rule, tokens):
    """Stairs that halve at 100, 200 and 300 steps of 1 token, in fractions."""
    growth = 4 if rule == "sqrt" else 2
    stage = tokens // 100
    fall = Fraction(1, 2**stage)
    rate = math.sqrt(fall) if rule == "seesaw" else 1.0
    return growth**stage, rate


@pytest.mark.parametrize("rule", RULES)
def test_stairs_become_batches(rule):
    growth = 4 if rule == "sqrt" else 2
    plan, rate = js.batch_plan(STAIRS, 400 * 64, 64, 64 * growth**3, 1, rule, growth)
    seen = list(places(plan))
    assert len({size for _, size in seen}) >= 4
    state_free = js.scale_by_learning_rate(rate, clock="tokens", tokens_per_step=64)
    state = state_free.init(jnp.ones(()))
    for consumed, size in seen:
        updates, state = state_free.update(jnp.ones(()), state, tokens=size)
        # The first batch that begins past a boundary is the first of the next size.
        wanted, exact = expected_seesaw(rule, consumed // 64)
        if consumed + size < 400 * 64:
            assert size == 64 * wanted
        assert float(-updates) == pytest.approx(exact, rel=3e-7)


def test_a_cosine_falls_between_the_stages_of_seesaw():
    plan, rate = js.batch_plan(COSINE, 1000 * 64, 64, 512)
    assert plan[0] == (550, 64)
    for consumed, size in places(plan):
        step = consumed / 64
        ratio = size / 64
        exact = 1 / math.sqrt(ratio)
        if step < 100:
            exact = step / 100
        if ratio == 8:
            exact = math.sqrt(8) * (1 + math.cos(math.pi * (step - 100) / 900)) / 2
        if consumed + size < 64_000:
            assert float(rate(np.float32(step))) == pytest.approx(exact, rel=1e-4)
    assert float(rate(1000)) == 0


def test_a_base_that_does_not_fall_needs_no_plan():
    plan, rate = js.batch_plan(0.5, 1000, 10, 80)
    assert plan == ((100, 10),)
    assert float(rate(99)) == 0.5


def test_the_rest_is_a_smaller_batch():
    plan, _ = js.batch_plan(0.5, 1005, 10, 80)
    assert plan == ((100, 10), (1, 5))


@pytest.mark.parametrize("seq_length", [1, 32])
def test_megatron_reads_what_is_written(seq_length):
    plan, _ = js.batch_plan(COSINE, 64_032, 64, 512, 32)
    text = js.to_megatron_batches(plan, seq_length)
    steps = sum(steps for steps, _ in plan)
    read = js.megatron_batches(
        {"step_batch_size_schedule": text, "train_iters": steps, "seq_length": seq_length}
    )
    assert read == tuple((steps, size // seq_length) for steps, size in plan)


def risk(rates, batches, curvatures):
    """The exact expected loss of SGD whose gradients have the noise `curvature / batch`."""
    moments = np.ones_like(curvatures)
    for rate, batch in zip(rates, batches, strict=True):
        moments = (1 - rate * curvatures) ** 2 * moments + rate**2 * curvatures / batch
    return float(curvatures @ moments / 2)


@pytest.mark.parametrize("rule", ["seesaw", "linear"])
def test_the_risk_on_the_noisy_quadratic_is_that_of_the_base(rule):
    """Of normalized SGD, whose steps are sqrt(batch) longer where noise rules, and of plain SGD."""
    curvatures = 1 / np.arange(1, 101) ** 1.5
    peak, tokens = 0.2 / curvatures.sum(), 16_000
    base = js.piecewise_constant_schedule(peak, {4000 * i: 0.5 for i in (1, 2, 3)})
    plan, rate = js.batch_plan(base, tokens, 1, 8, 1, rule)
    consumed, sizes = map(np.array, zip(*places(plan), strict=True))
    stretch = np.sqrt(sizes) if rule == "seesaw" else 1.0
    planned = risk(np.asarray(rate(consumed), float) * stretch, sizes, curvatures)
    undisturbed = risk(np.asarray(base(np.arange(tokens)), float), np.ones(tokens), curvatures)
    constant = risk(np.full(tokens, peak), np.ones(tokens), curvatures)
    assert len(sizes) < 0.5 * tokens
    assert 0.9 < planned / undisturbed < 1.1
    assert constant / undisturbed > 3


BAD = {
    "tokens": ((0.5, 1001, 10, 80, 10), "`tokens` must be a multiple of 10, such as 1000 or 1010"),
    "batch": ((0.5, 1000, 15, 80, 10), "`batch_size` must be a multiple of 10, such as 10 or 20"),
    "most": ((0.5, 1000, 10, 85, 10), "`max_batch_size` must be a multiple of 10, such as 80 or 9"),
    "small": ((0.5, 1000, 5, 80, 10), "`batch_size` must be a multiple of 10, such as 10, got 5"),
    "none": ((0.5, 1000, 0, 80), "`batch_size` must be at least 1"),
    "order": ((0.5, 1000, 100, 80), "`batch_size` must be at most `max_batch_size`"),
    "few": ((0.5, 90, 100, 100), "`batch_size` must be at most `tokens`"),
    "rule": ((0.5, 1000, 10, 80, 1, "cube"), "`rule` must be 'seesaw', 'sqrt' or 'linear'"),
    "growth": ((0.5, 1000, 10, 80, 1, "sqrt", 1.0), "`growth` must be above 1"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_wrong_plan_is_told(name):
    arguments, message = BAD[name]
    with pytest.raises(ValueError, match=message):
        js.batch_plan(*arguments)


def test_a_plan_of_part_samples_is_told():
    with pytest.raises(ValueError, match="`plan` must be of batches that are multiples of 32"):
        js.to_megatron_batches([(10, 48)], seq_length=32)
    with pytest.raises(ValueError, match="`plan` must be a plan with at least one"):
        js.to_megatron_batches([])
