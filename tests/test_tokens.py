"""The clock of tokens beside Python's integers."""

import math
import re
from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import jaxsched
from jaxsched.optimizers.tokens import ScaleByTokensState, advance, position
from tests.measure import DTYPE, REACH, WHOLE

MAX = 2**31 - 1
PARAMS = jnp.ones(2)
SIZES = [1, 2, 7, 1000, 2**19, 3_999_744, 2**30 + 3, MAX]


def scale(rate, tokens_per_step, **kwargs):
    return jaxsched.scale_by_learning_rate(
        rate, clock="tokens", tokens_per_step=tokens_per_step, **kwargs
    )


def start(tokens, size):
    count, remainder = divmod(tokens, size)
    return WHOLE(count), WHOLE(remainder)


def batches(size, seed):
    """Batches from nothing to the largest, some of them whole steps or next to one."""
    random = np.random.default_rng(seed)
    spread = (2.0 ** random.uniform(0, 31, 90)).astype(np.int64)
    near = [k * size + d for k in (1, 2, 3) for d in (-1, 0, 1)]
    tokens = np.clip([0, 1, MAX, *near, *spread], 0, MAX)
    return random.permutation(tokens).astype(np.int32)


@pytest.mark.parametrize("seen", [0, 15 * 10**12], ids=["from 0", "from 15 trillion"])
@pytest.mark.parametrize("size", SIZES)
def test_tokens_are_counted_as_python_counts_them(size, seen):
    tokens = batches(size, seed=size)

    def step(state, tokens):
        state = advance(*state, tokens, size)
        return state, (*state, position(*state, size))

    seen = min(seen, size * 2**30)
    begin = start(seen, size)
    counts, remainders, positions = map(np.asarray, jax.lax.scan(step, begin, tokens)[1])
    assert counts.dtype == remainders.dtype == WHOLE
    assert positions.dtype == DTYPE
    totals = seen + np.cumsum(tokens.astype(object))
    for total, count, remainder, found in zip(totals, counts, remainders, positions, strict=True):
        if total >= size * (REACH + 1):
            assert count == REACH
            continue
        assert (int(count), int(remainder)) == divmod(total, size)
        exact = Fraction(int(total), size)
        # A part in 2^24; in the first steps the three roundings of the fraction count too.
        part = exact * Fraction(float(np.finfo(DTYPE).eps)) / 2
        assert abs(Fraction(float(found)) - exact) <= part * (1 + 3 / (1 + exact))


def test_fifteen_trillion_tokens_one_update_at_a_time():
    size = 2**22
    transform = scale(1.0, size)
    state = transform.init(PARAMS)._replace(count=jnp.asarray(15 * 10**12 // size))
    seen = 15 * 10**12 // size * size
    for tokens in (MAX, 1, np.int64(2**31 - 1), np.uint32(5), jnp.int32(size)):
        _, state = transform.update(PARAMS, state, tokens=tokens)
        seen += int(tokens)
    assert int(state.count) * size + int(state.remainder) == seen


@pytest.mark.parametrize("ramp", ["doubling", "growing by one"])
def test_a_cosine_stays_right_while_batches_grow(ramp):
    size, steps = 4096, 1000
    rate = jaxsched.cosine_decay_schedule(0.5, decay_steps=steps)
    sizes = 256 * 2 ** (np.arange(800) // 100) if ramp == "doubling" else 3000 + np.arange(1000)
    transform = scale(rate, size)

    def step(state, tokens):
        updates, state = transform.update(PARAMS, state, tokens=tokens)
        return state, (updates[0], state.learning_rate)

    updates, rates = jax.lax.scan(step, transform.init(PARAMS), sizes.astype(np.int32))[1]
    seen = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    exact = 0.25 * (1 + np.cos(np.pi * np.minimum(seen / (size * steps), 1)))
    assert seen[-1] > size * steps / 2
    np.testing.assert_allclose(rates, exact, rtol=2e-6, atol=1e-12)
    np.testing.assert_array_equal(updates, -rates)


def test_batches_of_the_nominal_size_are_steps():
    rate = jaxsched.with_warmup(jaxsched.exponential_decay(0.5, 3, 0.5, staircase=True), 4)
    by_tokens, by_steps = scale(rate, 1000), jaxsched.scale_by_learning_rate(rate)
    states = by_tokens.init(PARAMS), by_steps.init(PARAMS)
    for _ in range(12):
        first, one = by_tokens.update(PARAMS, states[0], tokens=1000)
        other, two = by_steps.update(PARAMS, states[1])
        states = one, two
        np.testing.assert_allclose(first, other, rtol=1e-6)
        assert jaxsched.learning_rate(one) == pytest.approx(jaxsched.learning_rate(two))
    assert states[0].count == states[1].count == 12


def test_it_works_in_chains_under_jit_and_donation():
    rate = jaxsched.linear_schedule(1.0, 0.0, 8)
    optimizer = optax.chain(optax.clip(1.0), optax.masked(scale(rate, 10), True))
    state = optimizer.init(PARAMS)

    def step(state, tokens):
        return optimizer.update(PARAMS, state, PARAMS, tokens=tokens)[1]

    step = jax.jit(step, donate_argnums=0)
    for tokens in (5, 30, 5, 100):
        state = step(state, tokens)
    assert jaxsched.learning_rate(state) == 0.5
    assert step(state, 0)[1].inner_state.count == 14
    assert isinstance(scale(0.5, 10, flip_sign=False).init(PARAMS), ScaleByTokensState)


def test_a_state_of_steps_goes_on_with_tokens():
    rate = jaxsched.linear_schedule(1.0, 0.0, 8)
    steps, tokens = jaxsched.scale_by_learning_rate(rate), scale(rate, 10)
    _, state = steps.update(PARAMS, steps.init(PARAMS))
    state = jaxsched.carry_over(state, tokens.init(PARAMS))
    _, state = tokens.update(PARAMS, state, tokens=10)
    assert jaxsched.learning_rate(state) == 0.875


@pytest.mark.parametrize("tokens", [{}, dict(tokens=None), dict(tokens=2.0), dict(tokens=True)])
def test_an_update_needs_a_whole_number_of_tokens(tokens):
    transform = scale(0.1, 10)
    with pytest.raises(TypeError, match="tokens"):
        transform.update(PARAMS, transform.init(PARAMS), **tokens)


@pytest.mark.parametrize("tokens", [-1, REACH + 1, np.int64(2**60)])
def test_a_number_of_tokens_out_of_reach(tokens):
    transform = scale(0.1, 10)
    with pytest.raises(ValueError, match=f"`tokens` must be.*{re.escape(str(tokens))}"):
        transform.update(PARAMS, transform.init(PARAMS), tokens=tokens)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (dict(clock="tokens"), TypeError, "needs `tokens_per_step`"),
        (dict(clock="epochs"), ValueError, "`clock` must be 'steps' or 'tokens', got 'epochs'"),
        (dict(clock=3), TypeError, "`clock`"),
        (dict(tokens_per_step=5), ValueError, "`tokens_per_step`.*only, got 5"),
        (dict(clock="tokens", tokens_per_step=0), ValueError, "`tokens_per_step`"),
        (dict(clock="tokens", tokens_per_step=2.5), ValueError, "`tokens_per_step`.*2.5"),
        (dict(clock="tokens", tokens_per_step=REACH + 1), ValueError, "`tokens_per_step`"),
        (dict(clock="tokens", tokens_per_step=math.nan), ValueError, "`tokens_per_step`"),
        (dict(clock="tokens", tokens_per_step="1"), TypeError, "`tokens_per_step`"),
    ],
)
def test_mistakes_raise_when_it_is_made(arguments, error, message):
    with pytest.raises(error, match=message):
        jaxsched.scale_by_learning_rate(0.1, **arguments)


def test_controllers_have_no_tokens():
    controller = jaxsched.restart_on(jaxsched.plateau(), 0.1)
    with pytest.raises(TypeError, match=r"`learning_rate`.*controllers count updates.*restart_on"):
        scale(controller, 10)
