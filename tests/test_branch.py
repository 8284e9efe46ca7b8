"""A run that goes on has the rates it would have had, or is told where it would not."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import jaxsched as js
from jaxsched.planning.ending import ending
from jaxsched.planning.warming import warmed_up
from tests.table import ROWS

WSD = js.warmup_stable_decay_schedule(0.0, 1.0, 100, 800, 200)
COSINE = js.warmup_cosine_decay_schedule(0.0, 1.0, 100, 1000)


def step_in(row):
    """A step of the row's that a run may branch at, in the middle where there is one."""
    first, end = warmed_up(row.schedule), ending(row.schedule)
    last = end.steps if end else first + 1000
    return int(np.ceil((first + last) / 2))


def at_some_counts(at):
    """Always as many, so that operations are compiled once for all."""
    near = np.arange(max(at - 300, 0), at + 1)
    counts = np.unique(
        np.concatenate([np.arange(min(300, at + 1)), np.arange(201) * at // 200, near])
    )
    return np.pad(counts, (0, 802 - counts.size), mode="edge")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_branch_is_its_trunk_bit_for_bit(row):
    at = min(step_in(row), 2**31 - 1000)
    new = js.branch(row.schedule, at, 500)
    counts = at_some_counts(at)
    assert new(counts).tobytes() == row.schedule(counts).tobytes()
    assert float(new(at + 500)) == 0
    assert float(new(2**31 - 1)) == 0


TRUNK = np.asarray(WSD(np.arange(200)))


@pytest.mark.parametrize("at", range(100, 160))
def test_a_branch_is_its_trunk_at_every_count(at):
    new = js.branch(WSD, at, 40, end_value=0.125)
    rates = np.asarray(new(np.arange(200)))
    assert rates[: at + 1].tobytes() == TRUNK[: at + 1].tobytes()
    exact = 0.125 + (1 - 0.125) * (1 - np.sqrt(np.arange(41) / 40))
    np.testing.assert_allclose(rates[at : at + 41], exact, rtol=3e-7)
    assert rates[at + 40] == 0.125


@pytest.mark.parametrize("shape", ["linear", "cosine", "mirror_cosine", "square", "exponential"])
def test_a_branch_takes_the_shapes_of_cooldowns(shape):
    assert js.branch(WSD, 500, 100, shape) == js.with_cooldown(WSD, 500, 100, 0.0, shape)


LOSSES = np.abs(np.cos(np.arange(60, dtype=np.float32)))
EVERY_THIRD = range(0, 60, 3)


def step(rate, carry, loss):
    params, state = carry
    grads = jax.grad(lambda p: jnp.sum((p - 1) ** 2))(params)
    updates, state = js.scale_by_learning_rate(rate).update(grads, state, params, value=loss)
    return optax.apply_updates(params, updates), state


def started(rate):
    params = jnp.zeros(3)
    return params, js.scale_by_learning_rate(rate).init(params)


def trunk_and_branch(reacts, count):
    trunk = js.with_warmup(0.1, 0)
    rate = js.reduce_on(js.plateau(5), trunk) if reacts else trunk
    return rate, js.branch(rate, count, 20)


def assert_same_bits(first, second):
    for one, two in zip(jax.tree.leaves(first), jax.tree.leaves(second), strict=True):
        assert one.tobytes() == two.tobytes()


@jax.jit
def trained(rate, carry, first, last):
    """The steps from the first to before the last; one program whatever these are."""

    def kept(carry, numbered):
        number, loss = numbered
        active = (first <= number) & (number < last)
        after = step(rate, carry, loss)
        return jax.tree.map(lambda new, old: jnp.where(active, new, old), after, carry), None

    return jax.lax.scan(kept, carry, (jnp.arange(60), LOSSES))[0]


@pytest.mark.parametrize("count", EVERY_THIRD)
@pytest.mark.parametrize("reacts", [False, True])
def test_resumed_parameters_are_those_of_the_undisturbed_run(count, reacts):
    rate, other = trunk_and_branch(reacts, count)
    whole = trained(other, started(other), 0, 60)
    here = trained(rate, started(rate), 0, count)
    assert_same_bits(whole, trained(other, here, count, 60))


def train(rate, carry, losses):
    """As a program of its own, in which the rate is known."""
    return jax.jit(
        lambda carry: jax.lax.scan(lambda c, loss: (step(rate, c, loss), None), carry, losses)[0]
    )(carry)


@pytest.mark.parametrize("count", [0, 21, 57])
@pytest.mark.parametrize("reacts", [False, True])
def test_resumed_parameters_are_the_same_in_programs_of_their_own(count, reacts):
    rate, other = trunk_and_branch(reacts, count)
    whole = train(other, started(other), LOSSES)
    here = train(rate, started(rate), LOSSES[:count])
    assert_same_bits(whole, train(other, here, LOSSES[count:]))


BAD_BRANCHES = {
    "in the warm-up": ((WSD, 99, 10), "`at` must be at least 100"),
    "in an onecycle": ((js.cosine_onecycle_schedule(1000, 1.0), 10, 10), "at least 300"),
    "in a bound": ((js.minimum(js.linear_schedule(0.0, 1.0, 50), 1.0), 49, 9), "at least 50"),
    "of parts": ((js.join_schedules([js.linear_schedule(0.0, 1.0, 9), 1.0], [9]), 3, 9), "least 9"),
    "past the end": ((WSD, 1001, 10), "`at` must be at most 1000"),
    "no steps": ((WSD, 500, 0), "`cooldown_steps` must be at least 1"),
    "negative": ((WSD, -1, 10), "`at` must be at least 0"),
    "shape": ((WSD, 500, 10, "round"), "`shape` must be"),
    "restarts": ((js.restart_on(js.plateau(), WSD), 500, 10), "counts the updates"),
}


@pytest.mark.parametrize("name", BAD_BRANCHES)
def test_a_wrong_branch_is_told(name):
    arguments, message = BAD_BRANCHES[name]
    with pytest.raises(ValueError, match=message):
        js.branch(*arguments)


LINE = js.linear_schedule(1.0, 0.0, 200)
EXTENDED = {
    "wsd": (WSD, WSD.replace(decay_begin=4800)),
    "cooldown": (js.with_cooldown(1.0, 800, 200), js.with_cooldown(1.0, 4800, 200)),
    "warmed": (
        js.with_warmup(js.with_cooldown(1.0, 700, 200), 100),
        js.with_warmup(js.with_cooldown(1.0, 4700, 200), 100),
    ),
    "joined": (js.join_schedules([1.0, LINE], [800]), js.join_schedules([1.0, LINE], [4800])),
    "shifted": (js.shift(WSD, 50), js.shift(WSD.replace(decay_begin=4750), 50)),
    "skipped": (js.shift(WSD, -50), js.shift(WSD.replace(decay_begin=4850), -50)),
    "stretched": (js.stretch(WSD, 2), js.stretch(WSD.replace(decay_begin=2300), 2)),
    "times": (0.5 * WSD, 0.5 * WSD.replace(decay_begin=4800)),
    "bounded": (
        js.minimum(js.linear_schedule(0.0, 1.0, 2000), js.with_cooldown(1.0, 3000, 200)),
        js.minimum(js.linear_schedule(0.0, 1.0, 2000), js.with_cooldown(1.0, 4800, 200)),
    ),
}


@pytest.mark.parametrize("name", EXTENDED)
def test_what_turns_late_is_extended_with_the_same_beginning(name):
    schedule, longer = EXTENDED[name]
    new = js.extend(schedule, 5000)
    assert new == longer
    counts = np.arange(700)
    assert new(counts).tobytes() == schedule(counts).tobytes()
    assert float(new(5000)) == float(schedule(10_000))
    assert float(new(4999)) != float(new(5000))


def test_a_controller_is_extended_inside():
    rate = js.reduce_on(js.plateau(), WSD)
    assert js.extend(rate, 5000) == rate.replace(schedule=WSD.replace(decay_begin=4800))


FROM_THE_BEGINNING = {
    "cosine": (js.cosine_decay_schedule(1.0, 1000), "at 1000 from 0 to 0.5"),
    "warmed": (js.with_warmup(js.cosine_decay_schedule(1.0, 900), 100), "at 1000 from 0 to "),
    "warmup_cosine": (COSINE, "at 1000 from 0 to "),
    "onecycle": (js.linear_onecycle_schedule(1000, 1.0), "at 1000 from 4e-06 to "),
    "joined": (
        js.join_schedules([js.linear_schedule(0.0, 1.0, 100), js.rex_schedule(1.0, 900)], [100]),
        "at 1000 from 0 to ",
    ),
}


@pytest.mark.parametrize("name", FROM_THE_BEGINNING)
def test_what_is_on_its_way_from_the_beginning_would_jump(name):
    schedule, message = FROM_THE_BEGINNING[name]
    with pytest.raises(ValueError, match=message):
        js.extend(schedule, 2000)
    longer = js.extend(schedule, 2000, count=0)
    assert float(longer(2000)) == float(schedule(1000))


def test_within_the_warm_up_a_cosine_can_be_made_longer():
    assert js.extend(COSINE, 2000, count=100) == COSINE.replace(decay_steps=2000)
    with pytest.raises(ValueError, match=r"would jump at 500 from 0\.5868 to"):
        js.extend(COSINE, 2000, count=500)


def test_a_run_is_made_shorter():
    assert js.extend(WSD, 500) == WSD.replace(decay_begin=300)
    with pytest.raises(ValueError, match=r"would jump at 400 from 1 to 0\.5"):
        js.extend(WSD, 500, count=400)
    with pytest.raises(ValueError, match="would jump at 500 from"):
        js.extend(COSINE, 500)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((js.constant_schedule(1.0), 100), "one that has an end"),
        ((js.inverse_sqrt_schedule(1.0, 100), 100), "one that has an end"),
        ((js.with_warmup(1.0, 100), 100), "one that has an end"),
        ((js.linear_schedule(0.0, 1.0, 100) * js.inverse_sqrt_schedule(1.0, 9), 100), "an end"),
        ((WSD, 250), "`total_steps` is too short, got 250"),
        ((WSD, 0), "`total_steps` must be at least 1"),
        ((WSD, 900, 900), "`total_steps` must be above the `count` of 900"),
    ],
)
def test_a_wrong_extension_is_told(arguments, message):
    with pytest.raises(ValueError, match=message):
        js.extend(*arguments)


def found(*arguments, **options):
    return [(step, message) for step, message in js.check(*arguments, **options)]


def test_nothing_is_found_where_a_run_goes_on_as_it_was():
    for schedule in (WSD, COSINE, js.with_warmup(1.0, 10)):
        for count in (1, 50, 100, 500, 999):
            assert found(schedule, 1000, resumed_from=(schedule, count)) == []
    assert found(js.extend(WSD, 5000), 5000, resumed_from=(WSD, 700)) == []
    assert found(js.branch(WSD, 700, 100), 800, resumed_from=(WSD, 700)) == []


def test_a_jump_is_found():
    old = js.piecewise_constant_schedule(1e-3, {30_000: 0.5})
    ((step, message),) = found(9.1e-4, 50_000, resumed_from=(old, 40_000))
    assert step == 40_000
    assert "at 40000 from 0.0005 to 0.00091" in message


def test_a_second_warm_up_is_found():
    again = js.shift(js.with_warmup(1.0, 100), 700)
    ((step, message),) = found(again, 2000, resumed_from=(WSD, 700))
    assert step == 700
    assert "at 700 from 1 to 0, and is at 1 at step 800" in message


def test_a_schedule_that_is_over_is_found():
    ((step, message),) = found(WSD, 2000, resumed_from=(js.with_warmup(1.0, 100), 1200))
    assert step == 1200
    assert "over at about step 1000" in message
    assert "would be 0" in message


@pytest.mark.parametrize("wrong", [WSD, (WSD,), (WSD, 1.5), (WSD, -1), (WSD, 1000), ("a", 1)])
def test_a_wrong_resumption_is_told(wrong):
    with pytest.raises((TypeError, ValueError), match="`resumed_from"):
        js.check(WSD, 1000, resumed_from=wrong)
