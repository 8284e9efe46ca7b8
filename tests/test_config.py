"""Schedules, monitors and controllers as dicts, and back."""

import json
from collections.abc import Mapping
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import ml_collections
import numpy as np
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import jaxsched as js
from jaxsched.core.tables import Table
from jaxsched.notation.catalogue import OPERATORS, makers, public
from tests.control_table import CONTROLLERS, MONITORS
from tests.table import ROWS

ALL = [*ROWS, *MONITORS, *CONTROLLERS]
every_row = pytest.mark.parametrize("row", ALL, ids=lambda row: row.name)
COSINE = {"name": "cosine_decay_schedule", "init_value": 0.1, "decay_steps": 100}


def through_json(config: Any) -> Any:
    return json.loads(json.dumps(config, allow_nan=False))


def through_yaml(config: Any) -> Any:
    return yaml.safe_load(yaml.safe_dump(config))


def versioned(**entries: Any) -> dict[str, Any]:
    return {"version": 1, **entries}


@every_row
def test_it_comes_back_through_json_and_yaml(row):
    made = row.make(row.sample)
    config = js.to_config(made)
    assert through_json(config) == through_yaml(config) == config
    for read in (config, through_json(config), through_yaml(config)):
        assert js.from_config(read) == made


@every_row
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_numbers_come_back(row, data: st.DataObject):
    made = row.make(data.draw(row.draw))
    assert js.from_config(through_json(js.to_config(made))) == made


def test_everything_public_can_be_named():
    assert all(name == maker.__name__ for name, maker in makers().items())
    assert len(makers()) == len(public()) + len(OPERATORS) > 60
    arguments = {name for maker in makers().values() for name in maker.readers}
    assert not arguments & {"name", "version"}


def test_form():
    rate = js.piecewise_constant_schedule(1, {100: 0.1, 20: 0.5}) - js.minimum(0.5, 1)
    assert js.to_config(rate) == {
        "version": 1,
        "name": "subtract",
        "left": {
            "name": "piecewise_constant_schedule",
            "init_value": 1,
            "boundaries_and_scales": {"20": 0.5, "100": 0.1},
        },
        "right": {"name": "minimum", "left": 0.5, "right": 1},
    }


def test_steps_may_be_numbers_or_strings():
    entries = dict(name="piecewise_constant_schedule", init_value=1.0)
    made = js.piecewise_constant_schedule(1.0, {10.5: 0.5, 20: 0.1})
    for steps in ({10.5: 0.5, 20: 0.1}, {"10.5": 0.5, "20": 0.1}):
        assert js.from_config(versioned(**entries, boundaries_and_scales=steps)) == made
    assert js.from_config(through_json(js.to_config(made))) == made


def test_numbers_of_numpy_and_of_devices_become_numbers():
    made = js.join_schedules(
        [js.table_schedule(jnp.array([0.5, 0.25])), js.constant_schedule(np.float64(0.1))],
        jnp.array([10]),
    )
    config = js.to_config(js.with_warmup(made, jnp.int32(5), jnp.bfloat16(0.25), shape="sqrt"))
    assert config == versioned(
        name="with_warmup",
        schedule=dict(
            name="join_schedules",
            schedules=[
                dict(name="table_schedule", values=[0.5, 0.25]),
                dict(name="constant_schedule", value=0.1),
            ],
            boundaries=[10],
        ),
        warmup_steps=5,
        init_value=0.25,
        shape="sqrt",
    )
    assert through_yaml(config) == config
    assert type(js.to_config(js.exponential_decay(1.0, 2, 0.5, 0, np.True_))["staircase"]) is bool


def test_float32_keeps_every_digit():
    third = jnp.float32(1) / 3
    read = js.from_config(through_json(js.to_config(js.constant_schedule(third))))
    assert read(0) == third


def test_several_axes_are_a_list():
    made = js.reduce_on(js.plateau(), 0.1, axis_name=("hosts", "devices"))
    config = js.to_config(made)
    assert config["axis_name"] == ["hosts", "devices"]
    assert js.from_config(through_json(config)) == made


def test_many_segments():
    made = js.join_schedules(
        [js.linear_schedule(1.0 / i, 0.5, i) for i in range(1, 2001)], list(range(10, 20000, 10))
    )
    assert js.from_config(through_json(js.to_config(made))) == made


class OnlyItems:
    """A mapping in all but type, as a `ConfigDict` is."""

    def __init__(self, **entries: Any):
        self.entries = entries

    def keys(self):
        return self.entries.keys()

    def items(self):
        return self.entries.items()


class Frozen(Mapping):
    def __init__(self, entries: dict[str, Any]):
        self.entries = entries

    def __getitem__(self, name: str):
        return self.entries[name]

    def __iter__(self):
        return iter(self.entries)

    def __len__(self):
        return len(self.entries)


def test_any_mapping_is_read_and_left_as_it_is():
    inner = OnlyItems(**COSINE)
    config = Frozen(versioned(name="join_schedules", schedules=(inner, 0.1), boundaries=(10,)))
    made = js.join_schedules([js.cosine_decay_schedule(0.1, 100), 0.1], [10])
    assert js.from_config(config) == js.from_config(config) == made


def test_a_config_dict():
    config_dict = ml_collections.ConfigDict
    for row in ALL:
        made = row.make(row.sample)
        assert js.from_config(config_dict(js.to_config(made))) == made


@js.schedule
def harmonic(count, init_value):
    return init_value / (1 + count)


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda: 0.1, "`schedule` must be a schedule, a monitor or a controller, got 0.1"),
        (lambda: harmonic(0.1), "`schedule` is made by `harmonic`, which is not one of"),
        (lambda: js.clip(harmonic(0.1), 0, 1), "`schedule` is made by `harmonic`"),
        (lambda: js.shift(js.clip(abs, 0, 1), 1), "`schedule.schedule` must be a number or a sche"),
        (lambda: js.join_schedules([0.1, abs], [3]), r"`schedules\[1\]` must be a number or"),
        (
            lambda: js.constant_schedule(0.1).replace(value=jnp.ones(())) * jnp.array(1.0) + abs,
            "`right` must be a number or a schedule .* got <built-in function abs>",
        ),
        (
            lambda: jax.vmap(js.constant_schedule)(jnp.ones(3)),
            r"`value` must be a real number, got \[1.0, 1.0, 1.0\]",
        ),
        (
            lambda: js.piecewise_constant_schedule(1.0, {3: 0.1}).replace(
                boundaries_and_scales=Table(np.ones((2, 1)), np.ones((2, 1)))
            ),
            "`boundaries_and_scales` holds several tables",
        ),
        (
            lambda: jax.tree.map(lambda _: object(), js.constant_schedule(0.1)),
            "`value` must be a number or a schedule of jaxsched's to be written, got <object",
        ),
    ],
)
def test_what_cannot_be_written(made, message):
    with pytest.raises(TypeError, match=message):
        js.to_config(made())


def test_what_is_traced_cannot_be_written():
    @jax.jit
    def traced(schedule):
        js.to_config(schedule)

    with pytest.raises(TypeError, match=r"`schedule.init_value` is traced"):
        traced(js.shift(js.cosine_decay_schedule(0.1, 10), 3))
    with pytest.raises(TypeError, match=r"`boundaries_and_scales` is traced"):
        jax.jit(lambda table: js.to_config(js.piecewise_constant_schedule(0.1, table)))(
            Table(np.array([3]), np.array([0.1]))
        )


def test_what_is_not_finite_is_not_written():
    made = jax.tree.map(lambda _: float("nan"), js.constant_schedule(0.1))
    with pytest.raises(ValueError, match="`value` must be finite, got nan"):
        js.to_config(made)


def nested(depth: int) -> dict[str, Any]:
    config = COSINE
    for _ in range(depth):
        config = {"name": "negative", "operand": config}
    return config


def cyclic() -> dict[str, Any]:
    config: dict[str, Any] = versioned(name="negative")
    config["operand"] = config
    return config


JOIN = dict(name="join_schedules", boundaries=[10, 20])
PIECES = dict(name="piecewise_constant_schedule", init_value=1.0)


@pytest.mark.parametrize(
    ("config", "error", "message"),
    [
        (3, TypeError, "`config` must be a mapping, got 3"),
        (COSINE, ValueError, "`version` must be 1, got None"),
        ({**COSINE, "version": 2}, ValueError, "`version` must be 1, got 2"),
        ({**COSINE, "version": True}, ValueError, "`version` must be 1, got True"),
        ({**COSINE, "version": "1"}, ValueError, "`version` must be 1, got '1'"),
        (versioned(), ValueError, "`name` is missing"),
        (
            versioned(name="cosine_decay"),
            ValueError,
            "`name` must be a schedule, .* got 'cosine_decay'. Did you mean `cosine_decay_sch",
        ),
        (versioned(name="__import__"), ValueError, "`name` must be a schedule"),
        (versioned(name=["a"]), ValueError, r"`name` must be a schedule, .* got \['a'\]"),
        (
            versioned(name="shift", schedule=COSINE, count=3, steps=1),
            TypeError,
            "`count` is not an argument of `shift`, whose arguments are schedule, steps",
        ),
        (
            versioned(name="shift", schedule=versioned(**COSINE), steps=1),
            TypeError,
            "`schedule.version` is not an argument",
        ),
        (
            versioned(name="shift", schedule=dict(name="cosine_decay_schedule", init_value=1)),
            TypeError,
            "`steps` is missing: `shift` needs it",
        ),
        (
            versioned(**JOIN, schedules=[COSINE, 1, {**COSINE, "decay_steps": -1}]),
            ValueError,
            r"`schedules\[2\].decay_steps` must be at least 0, got -1",
        ),
        (
            versioned(
                name="clip",
                schedule=dict(JOIN, schedules=[1, 1, dict(name="cosine_decay_schedule")]),
                min_value=0,
                max_value=1,
            ),
            TypeError,
            r"`schedule.schedules\[2\].init_value` is missing",
        ),
        (
            versioned(**JOIN, schedules=[COSINE] * 9),
            ValueError,
            "`boundaries` must be",
        ),
        (
            versioned(
                name="negative",
                operand=dict(name="clip", schedule=1, min_value=1, max_value=0),
            ),
            ValueError,
            "`operand`: `min_value` must be at most `max_value`",
        ),
        (
            versioned(name="shift", schedule="cosine", steps=1),
            TypeError,
            "`schedule` must be a schedule or a number, got 'cosine'",
        ),
        (
            versioned(name="shift", schedule=dict(init_value=1), steps=1),
            ValueError,
            "`schedule` needs a `name`, or has steps as keys, got 'init_value'",
        ),
        (
            versioned(**COSINE | dict(init_value="1e-3")),
            TypeError,
            "`init_value` must be a real number, got '1e-3'",
        ),
        (
            versioned(**PIECES, boundaries_and_scales={"10": 0.5, 10: 0.1}),
            ValueError,
            "`boundaries_and_scales` has a step twice",
        ),
        (
            versioned(**PIECES, boundaries_and_scales={"nan": 0.5}),
            ValueError,
            "`a step of boundaries_and_scales` must be finite",
        ),
        (
            versioned(name="any_of", monitors=[dict(name="plateau", patience=-1)]),
            ValueError,
            r"`monitors\[0\].patience` must be at least 0",
        ),
        (
            versioned(name="reduce_on", monitor=COSINE, schedule=0.1),
            TypeError,
            "`monitor` must be a monitor",
        ),
        (versioned(**nested(100_000)), ValueError, "nested too deeply"),
        (cyclic(), TypeError, "`operand.version` is not an argument"),
    ],
)
def test_what_cannot_be_read(config, error, message):
    with pytest.raises(error, match=message):
        js.from_config(config)


texts = st.one_of(st.sampled_from(sorted(makers())), st.text(max_size=4))
names = st.sampled_from(sorted({n for maker in makers().values() for n in maker.readers}))
numbers = st.one_of(st.integers(), st.floats(), st.booleans(), st.none(), texts)
configs = st.recursive(
    numbers,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.one_of(names, st.just("name"), texts, st.integers()), inner, max_size=4),
        st.sampled_from(sorted(makers())).flatmap(
            lambda name: st.fixed_dictionaries(
                {"name": st.just(name), **dict.fromkeys(makers()[name].readers, inner)}
            )
        ),
    ),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(config=configs)
def test_nonsense_is_refused(config):
    make = partial(js.from_config, {**config, "version": 1} if isinstance(config, dict) else config)
    try:
        made = make()
    except (TypeError, ValueError):
        return
    assert js.from_config(js.to_config(made)) == made
