"""Each finding by a schedule that has it, and none on sound schedules."""

import jax.numpy as jnp
import numpy as np
import optax
import pytest

import jaxsched as js
from jaxsched.inspect.checks.lengths import lengths


def cosine(init_value=1e-5, warmup_steps=100, decay_steps=1000):
    return js.warmup_cosine_decay_schedule(init_value, 0.1, warmup_steps, decay_steps)


def wsd(total_steps):
    begin, length = total_steps * 4 // 5, total_steps // 5
    return js.warmup_stable_decay_schedule(1e-5, 0.1, total_steps // 10, begin, length)


sgdr_cycle = dict(init_value=1e-3, peak_value=0.1, warmup_steps=10, end_value=1e-3)
SOUND = {
    "constant": (js.constant_schedule(0.1), 1000),
    "number": (0.1, 1),
    "warmup_cosine": (cosine(), 1000),
    "long_warmup_cosine": (cosine(decay_steps=3_000_000), 3_000_000),
    "optax": (optax.warmup_cosine_decay_schedule(1e-5, 0.1, 100, 1000), 1000),
    "wsd": (wsd(1000), 1000),
    "onecycle": (js.cosine_onecycle_schedule(1000, 0.1), 1000),
    "linear_onecycle": (js.linear_onecycle_schedule(1000, 0.1), 1000),
    "short_line": (js.linear_schedule(1.0, 0.0, 20), 20),
    "restarts": (js.cosine_restarts_schedule(0.1, 100), 1000),
    "restarts_growing": (js.cosine_restarts_schedule(0.1, 100, 2), 1500),
    "restarts_falling": (js.cosine_restarts_schedule(0.1, 100, 2, 0.5), 700),
    "restarts_rising": (js.cosine_restarts_schedule(0.1, 100, peak_mult=1.5), 400),
    "restarts_warmed": (js.cosine_restarts_schedule(0.1, 100, 1, 1.0, 10, 1e-3), 1000),
    "warmup_restarts": (
        js.shift(js.with_warmup(js.repeat(js.cosine_decay_schedule(0.1, 100), 100), 10), -1),
        209,
    ),
    "sgdr": (js.sgdr_schedule([dict(sgdr_cycle, decay_steps=n) for n in (100, 200)]), 300),
    "triangles": (js.cyclic_schedule(1e-3, 0.1, 100), 1000),
    "sawtooth": (js.cyclic_schedule(1e-3, 0.1, 100, 0), 950),
    "rewarm": (js.rewarm(js.cosine_decay_schedule(0.1, 1000), 250, 20), 1000),
    "inverse_sqrt": (js.shift(js.with_warmup(js.inverse_sqrt_schedule(0.1, 99), 99), -1), 5000),
    "power": (js.power_schedule(0.1, -2), 1000),
    "exponential": (js.exponential_decay(0.1, 100, 0.5), 1000),
    "steps": (js.piecewise_constant_schedule(0.1, {150: 0.1, 250: 0.1}), 350),
    "stairs": (js.exponential_decay(0.1, 100, 0.1, staircase=True), 1000),
    "epochs": (js.by_epoch(js.with_warmup(js.cosine_decay_schedule(1.0, 9), 1, 0.5), 100), 1000),
    "noise": (js.cosine_decay_schedule(0.1, 1000) * js.noise_schedule(0.05), 1000),
    "product": (js.untuned_warmup_schedule(0.9) * js.cosine_decay_schedule(0.1, 1000), 1000),
}


@pytest.mark.parametrize("name", SOUND)
def test_no_false_alarm(name):
    schedule, steps = SOUND[name]
    found = js.check(schedule, steps, steps_per_epoch=max(steps // 10, 1), accumulation_steps=4)
    assert found == []


def only(schedule, total_steps, **kwargs):
    ((step, message),) = js.check(schedule, total_steps, **kwargs)
    assert type(step) is int
    return step, message


def test_first_step_at_0():
    step, message = only(cosine(init_value=0.0), 1000)
    assert step == 0
    assert "first step" in message
    assert js.check(js.shift(cosine(init_value=0.0), -1), 1000) == []
    assert "every step" in only(0.0, 10)[1]
    assert "every step" in only(0.0, 1)[1]


def test_negative_and_not_finite():
    step, message = only(js.linear_schedule(1.0, -1.0, 1000), 1000)
    assert step == 501
    assert "negative, -0.002" in message
    assert "498 other" in message
    step, message = only(lambda count: 1.0 / (count - 7.0) ** 2, 100)
    assert step == 7
    assert "inf" in message
    assert only(lambda count: jnp.where(count == 3, jnp.nan, 0.1), 100)[0] == 3
    assert js.check(js.exponential_decay(1e-3, 100, 2.0), 100)[0].message.startswith("The run ends")


def test_over_before_the_peak():
    step, message = only(cosine(warmup_steps=2000, decay_steps=10_000), 1000)
    assert step == 999
    assert "0.1 would come at about step 2000" in message


def test_over_before_the_end():
    step, message = only(cosine(decay_steps=1100), 1000)
    assert step == 999
    assert "goes on to 0, at about step 1100" in message
    assert "step 1000:" in only(wsd(1000), 850)[1]
    assert only(cosine(decay_steps=3_300_000), 3_000_000)[0] == 2_999_999


def test_at_its_end_for_long():
    step, message = only(cosine(decay_steps=700), 1000)
    assert step == 700
    assert "for 30%" in message
    assert js.check(cosine(decay_steps=850), 1000) == []


def test_decay_in_warmup():
    decay = js.cosine_decay_schedule(0.1, 400)
    warmup = js.warmup_constant_schedule(0.01, 1.0, 100)
    for product in (warmup * decay, 0.5 * (decay * warmup)):
        step, message = only(product, 400)
        assert step == 100
        assert "15%" in message
    assert js.check(js.warmup_constant_schedule(0.01, 1.0, 10) * decay, 400) == []
    assert js.check(js.with_warmup(decay, 100, 0.001), 500) == []


def test_fall_before_the_peak():
    joined = js.join_schedules([js.cosine_decay_schedule(0.05, 100), cosine()], [100])
    step, message = only(joined, 1100)
    assert step == 0
    assert "at step 100 before it is at its peak of 0.1 at step 200" in message


def test_jumps():
    rise, fall = js.linear_schedule(0.01, 0.1, 100), js.cosine_decay_schedule(1.0, 900)
    step, message = only(js.join_schedules([rise, fall], [100]), 1000)
    assert step == 100
    assert "from 0.0991 at step 99 to 1 at step 100" in message
    step, message = only(js.join_schedules([rise, 0.01 * fall], [100]), 1000)
    assert step == 100
    assert "from 0.0991 at step 99 to 0.01 at step 100" in message
    assert js.check(js.join_schedules([rise, 0.1 * fall], [100]), 1000) == []
    assert js.check(js.join_schedules([rise, 0.15 * fall], [100]), 1000) == []
    ended = js.join_schedules([js.cosine_decay_schedule(0.1, 500), 0.05], [500])
    assert "from 9.87e-07 at step 499 to 0.05" in only(ended, 1000)[1]


@pytest.mark.parametrize(
    ("schedule", "steps", "begin", "end"),
    [
        (js.cosine_restarts_schedule(0.1, 100), 950, 900, 999),
        (js.cosine_restarts_schedule(0.1, 100, 2), 1000, 700, 1499),
        (js.cosine_restarts_schedule(0.1, 100, warmup_steps=10, end_value=1e-3), 350, 300, 400),
        (js.cyclic_schedule(0.001, 0.1, 100), 900, 800, 1000),
        (js.cyclic_schedule(0.001, 0.1, 100), 950, 800, 1000),
    ],
)
def test_cycle_cut_off(schedule, steps, begin, end):
    step, message = only(schedule, steps)
    assert step == steps - 1
    assert f"began at step {begin} and goes on to about step {end}" in message


@pytest.mark.parametrize(
    ("schedule", "step"),
    [
        (cosine(warmup_steps=5, decay_steps=90), 89),
        (optax.cosine_decay_schedule(0.1, 90), 89),
        (js.cosine_restarts_schedule(0.1, 10), 9),
        (js.piecewise_constant_schedule(0.1, {30: 0.1, 60: 0.1, 90: 0.1}), 90),
    ],
)
def test_lengths_in_epochs(schedule, step):
    found, message = only(schedule, 50_000, steps_per_epoch=500)
    assert found == step
    assert "first of 100 epochs of 500 steps" in message
    assert not any("epochs" in message for _, message in js.check(schedule, 50_000))
    in_steps = js.by_epoch(schedule, 500)
    assert not any("epochs" in m for _, m in js.check(in_steps, 50_000, steps_per_epoch=500))


def test_lengths_in_micro_batches():
    schedule = cosine(warmup_steps=400, decay_steps=4000)
    step, message = only(schedule, 1000, accumulation_steps=4)
    assert step == 999
    assert "4 times as long" in message
    assert js.check(schedule, 4000, accumulation_steps=4) == []
    assert "longer run" in only(schedule, 1000, accumulation_steps=8)[1]


def test_lengths_are_found_wherever_they_are():
    schedule = js.join_schedules(
        [js.with_warmup(cosine(1e-5, 10, 100), 20), js.by_epoch(cosine(1e-5, 1, 2), 500)], [150]
    )
    assert sorted(lengths(schedule * 0.5)) == [
        ("boundaries", 150),
        ("decay_steps", 100),
        ("warmup_steps", 10),
        ("warmup_steps", 20),
    ]
    assert lengths(optax.constant_schedule(0.1)) == lengths(js.power_schedule(0.1, -1)) == []


def test_findings_come_by_step():
    steps = [step for step, _ in js.check(cosine(init_value=0.0, decay_steps=500), 1000)]
    assert steps == [0, 500]


@pytest.mark.parametrize(
    ("steps", "highest", "end"),
    [(1, "1e-05", "at about step 1."), (2, "0.00101", ""), (3, "0.00201", ""), (5, "0.00401", "")],
)
def test_the_shortest_runs(steps, highest, end):
    for schedule in (0.1, js.cosine_restarts_schedule(0.1, 2)):
        assert js.check(schedule, steps) == []
    (warming,) = js.check(cosine(), steps)
    assert warming.step == steps - 1
    assert f"its highest rate is {highest}, and 0.1 would come at about step 100" in warming.message
    (cut,) = js.check(wsd(10), steps)
    assert cut.step == steps - 1
    ends_at_once = "ends at a rate of 0.1, but the schedule goes on to 0, at about step 10"
    assert (end or ends_at_once) in cut.message


def test_the_longest_run():
    assert js.check(cosine(decay_steps=2**31 - 1), 2**31 - 1) == []


def test_impossible_arguments():
    for kwargs in (dict(steps_per_epoch=0), dict(accumulation_steps=1.5)):
        with pytest.raises(ValueError, match=next(iter(kwargs))):
            js.check(0.1, 10, **kwargs)
    with pytest.raises(ValueError, match="total_steps"):
        js.check(0.1, np.float32(2.5))
