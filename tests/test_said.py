"""Lengths as people say them, wherever a number of steps stands."""

import json

import pytest

import jaxsched as js
from jaxsched.cli.app import app

RUN = js.Run(total_steps=10_000, steps_per_epoch=250, tokens_per_step=2**19, batch_size=256)
SAID = {
    "10%": 1000,
    "0%": 0,
    "100 %": 10_000,
    "0.015%": 2,
    "5 epochs": 1250,
    "1 epoch": 250,
    "2e9 tokens": 3815,
    "1_000_000 examples": 3906,
    "7 steps": 7,
    " 1e3 steps ": 1000,
}


def cosine(steps):
    return js.cosine_decay_schedule(0.5, steps)


@pytest.mark.parametrize("text", SAID)
def test_text_is_read_in_a_configuration_and_an_expression(text):
    expected = cosine(SAID[text])
    config = {"version": 1, "name": "cosine_decay_schedule", "init_value": 0.5}
    assert js.from_config({**config, "decay_steps": text}, run=RUN) == expected
    assert js.parse(f"cosine_decay_schedule(0.5, {text!r})", run=RUN) == expected


@pytest.mark.parametrize(
    ("said", "steps"),
    [
        ({"fraction": 0.1}, 1000),
        ({"epochs": 5}, 1250),
        ({"tokens": 2e9}, 3815),
        ({"examples": 256}, 1),
    ],
)
def test_a_unit_and_a_number(said, steps):
    config = {"version": 1, "name": "with_warmup", "schedule": 1.0, "warmup_steps": said}
    assert js.from_config(json.loads(json.dumps(config)), run=RUN) == js.with_warmup(1.0, steps)


def test_inner_schedules_and_lists():
    config = {
        "version": 1,
        "name": "join_schedules",
        "schedules": [
            {
                "name": "linear_schedule",
                "init_value": 0,
                "end_value": 1,
                "transition_steps": "5%",
            },
            1.0,
            {"name": "cosine_decay_schedule", "init_value": 1, "decay_steps": "20%"},
        ],
        "boundaries": ["5%", {"fraction": 0.8}],
    }
    expected = js.join_schedules(
        [js.linear_schedule(0, 1, 500), 1.0, js.cosine_decay_schedule(1, 2000)], [500, 8000]
    )
    assert js.from_config(config, run=RUN) == expected
    text = (
        "join_schedules([linear_schedule(0, 1, '5%'), 1.0, cosine_decay_schedule(1, '20%')],"
        " ['5%', '80%'])"
    )
    assert js.parse(text, run=RUN) == expected


def test_steps_of_tables():
    expected = js.piecewise_constant_schedule(1.0, {8000: 0.5, 9000: 0.5})
    scales = {"80%": 0.5, "9000": 0.5}
    config = {"version": 1, "name": "piecewise_constant_schedule", "init_value": 1.0}
    assert js.from_config({**config, "boundaries_and_scales": scales}, run=RUN) == expected
    text = "piecewise_constant_schedule(1.0, {'80%': 0.5, 9000: 0.5})"
    assert js.parse(text, run=RUN) == expected


def test_a_monitor_counts_observations():
    with pytest.raises(ValueError, match="patience"):
        js.parse("plateau(patience='10%')", run=RUN)


BAD = {
    "'110%'": (RUN, "`decay_steps` must be between 0% and 100%, got '110%'"),
    "'-1%'": (RUN, "`decay_steps` must be between 0% and 100%, got '-1%'"),
    "'10%'": (None, "`decay_steps` is '10%', of which only a `Run` tells"),
    "'5 epochs'": (js.Run(total_steps=10), "`decay_steps` is '5 epochs': `epochs` need a `Run`"),
    "'5 weeks'": (RUN, "`decay_steps` must be a number of steps, or such as"),
    "'many'": (RUN, "`decay_steps` must be a number of steps, or such as"),
    "'-2 epochs'": (RUN, "`decay_steps` is '-2 epochs': `epochs` must be at least 0"),
    "'1.5 steps'": (RUN, "`decay_steps` must be a whole number of steps"),
}


@pytest.mark.parametrize("text", BAD)
def test_what_cannot_be_read_is_told(text):
    run, message = BAD[text]
    with pytest.raises(ValueError, match=message):
        js.parse(f"cosine_decay_schedule(0.5, {text})", run=run)
    config = {"version": 1, "name": "cosine_decay_schedule", "init_value": 0.5}
    with pytest.raises(ValueError, match=message):
        js.from_config({**config, "decay_steps": text.strip("'")}, run=run)


def test_numbers_are_not_lengths():
    with pytest.raises(ValueError, match="`init_value`"):
        js.parse("cosine_decay_schedule('10%', 5)", run=RUN)
    with pytest.raises(TypeError, match="`init_value`"):
        js.from_config(
            {
                "version": 1,
                "name": "cosine_decay_schedule",
                "init_value": "10%",
                "decay_steps": 1,
            },
            run=RUN,
        )


def test_the_command_line_reads_them(capsys):
    def printed(expr, *options):
        with pytest.raises(SystemExit) as end:
            app(["table", expr, "--steps", "1000", "--every", "100", *options])
        return end.value.code, capsys.readouterr()

    in_steps = printed("with_warmup(1.0, 100)")
    assert in_steps[0] == 0
    assert printed("with_warmup(1.0, '10%')") == in_steps
    assert printed("with_warmup(1.0, '2 epochs')", "--run", "steps_per_epoch=50") == in_steps
    assert printed("with_warmup(1.0, '2 epochs')")[0] != 0
    assert "`--run` has NAME=X" in printed("1.0", "--run", "weeks=3")[1].err
