"""Many schedules at once: `stack`, `select`, and `population`."""

import os
import pickle
import re
import sys
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from scipy import stats

import jaxsched as js
from tests.control_reference import answers
from tests.control_table import CONTROLLERS
from tests.measure import DTYPE, as_seen, distance, exact, interesting
from tests.table import ROWS

BY_NAME = {row.name: row for row in ROWS}
FAMILIES = ["linear", "exponential", "cosine", "join", "with_warmup", "cosine_restarts", "multiply"]
MEMBERS = [BY_NAME[name].make(BY_NAME[name].sample) for name in FAMILIES]
COUNTS = np.array([0, 1, 7, 99, 100, 101, 1000, 1013, 2**24 + 1, 2**31 - 1], np.int32)

called = jax.jit(lambda schedule, counts: schedule(counts))


# Many of one form.


def doubled(schedule):
    """The same with other numbers: all but steps and flags twice as large."""
    return jax.tree.map(lambda x: 2 * x if isinstance(x, float) else x, schedule)


def test_a_stack_has_the_rates_of_its_members_to_the_bit():
    each = jax.jit(jax.vmap(called, in_axes=(0, None)))
    for member in (MEMBERS[FAMILIES.index(name)] for name in ("exponential", "join")):
        members = [member, doubled(member), member]
        found = each(js.stack(members), COUNTS)
        np.testing.assert_array_equal(found, [called(member, COUNTS) for member in members])


def test_a_stack_is_taken_apart_again():
    members = [js.with_warmup(js.cosine_decay_schedule(i / 8, 10 * i), i) for i in range(1, 4)]
    stacked = js.stack(members)
    assert [jax.tree.map(lambda x, i=i: x[i].item(), stacked) for i in range(3)] == members
    assert {x.dtype for x in jax.tree.leaves(stacked)} == {np.dtype("int32"), np.dtype("float64")}
    assert pickle.loads(pickle.dumps(stacked)) == stacked == js.stack(members)


def test_a_stack_prints_the_numbers_of_each_place():
    """However many schedules are stacked: fewer, as many or more than are joined."""
    for size in (2, 3, 4):
        peaks = [0.5**i for i in range(size)]
        lines = [
            js.join_schedules([js.linear_schedule(p * n, 0.0, 4) for n in (1, 2, 4)], [3, 9])
            for p in peaks
        ]
        assert re.findall(r"init_value=(\[.*?\])", repr(js.stack(lines))) == [
            str([p * n for p in peaks]) for n in (1, 2, 4)
        ]
        stairs = [js.piecewise_constant_schedule(p, {3: p}) for p in peaks]
        assert repr([{3: p} for p in peaks]) in repr(js.stack(stairs))


def test_flags_and_large_numbers():
    rates = js.stack(
        [
            js.exponential_decay(init_value, 4, 0.5, staircase=flag)
            for init_value, flag in ((3 * 10**9, True), (4, False))
        ]
    )
    found = jax.jit(jax.vmap(lambda rate: rate(2)))(rates)
    np.testing.assert_allclose(found, [3e9, 4 * 0.5**0.5], rtol=1e-6)


LINE, COSINE = js.linear_schedule(1.0, 0.0, 3), js.cosine_decay_schedule(1.0, 3)


@pytest.mark.parametrize(
    ("schedules", "error", "message"),
    [
        (LINE, TypeError, "`schedules` must be a list of schedules, got linear_schedule"),
        ([], ValueError, "`schedules` must be a list of at least one schedule"),
        ([LINE, 0.1], TypeError, r"`schedules\[1\]` must be a schedule or a controller, got 0.1"),
        ([LINE, LINE, COSINE], ValueError, r"`schedules\[2\]` must be of the same form as `sched"),
        (
            [js.shift(LINE, 1) * 2, js.shift(COSINE, 1) * 2],
            ValueError,
            r"`schedules\[1\].left.schedule` must be of the same form as"
            r" `schedules\[0\].left.schedule`, which is linear_.*, got cosine_",
        ),
        (
            [js.clip(abs, 0, 1), js.clip(round, 0, 1)],
            ValueError,
            r"`schedules\[1\].schedule` .* <built-in function abs>, got <built-in function round>",
        ),
        (
            [js.table_schedule([1.0, 2.0]), js.table_schedule([1.0, 2.0, 3.0])],
            ValueError,
            r"`schedules\[1\].values` .* which is \[1.0, 2.0\], got \[1.0, 2.0, 3.0\]",
        ),
        (
            [js.join_schedules([LINE, 1.0], [3]), js.join_schedules([1.0, LINE], [3])],
            ValueError,
            r"`schedules\[1\].schedules`",
        ),
    ],
)
def test_what_cannot_be_stacked(schedules, error, message):
    with pytest.raises(error, match=message):
        js.stack(schedules)


# One of several forms.


def test_a_selected_schedule_has_the_rates_of_the_member_to_the_bit():
    traced = jax.jit(jax.vmap(lambda index: js.select(index, MEMBERS)(COUNTS)))
    found = traced(jnp.arange(len(MEMBERS)))
    for index, member in enumerate(MEMBERS):
        np.testing.assert_array_equal(found[index], member(COUNTS), FAMILIES[index])
    np.testing.assert_array_equal(js.select(4, MEMBERS)(COUNTS), MEMBERS[4](COUNTS))


def test_members_of_one_form_are_exact_in_the_numbers_that_the_program_sees():
    row = BY_NAME["cosine"]
    draws = [{**row.sample, "init_value": 0.1 * (i + 1)} for i in range(3)]
    counts = interesting(row, row.sample)[::8]
    schedules = [row.make(draw) for draw in draws] + [0.5]
    found = jax.jit(jax.vmap(lambda i: js.select(i, schedules)(counts)))(jnp.arange(4))
    for rates, draw in zip(found, draws, strict=False):
        assert distance(rates, exact(row, as_seen(draw), counts)).max() <= row.units(draw)[1]
    np.testing.assert_array_equal(found[3], np.full(counts.size, DTYPE(0.5)))


def test_an_index_that_is_traced_is_held_within_the_list():
    rate = jax.jit(lambda index: js.select(index, [0.25, LINE, 0.75])(0))
    rates = [float(rate(index)) for index in (-1, 0, 1, 2, 3, 10**6)]
    assert rates == [0.25, 0.25, 1, 0.75, 0.75, 0.75]


@pytest.mark.parametrize(
    ("index", "error", "message"),
    [
        (2, ValueError, "`index` must be below 2, the number of schedules, got 2"),
        (-1, ValueError, "`index` must be at least 0, got -1"),
        (1.0, TypeError, "`index` must be a whole number, got 1.0"),
        (True, TypeError, "`index` must be a whole number, got True"),
    ],
)
def test_an_index_that_is_known_is_checked(index, error, message):
    with pytest.raises(error, match=message):
        js.select(index, [0.25, 0.5])


def test_a_selection_is_a_schedule():
    rate = js.select(1, MEMBERS)
    assert eval(repr(rate), vars(js)) == js.parse(repr(rate)) == rate != js.select(0, MEMBERS)
    assert pickle.loads(pickle.dumps(rate)) == js.from_config(js.to_config(rate)) == rate
    slope = jax.grad(lambda x, i: js.select(i, [LINE * x, COSINE, LINE * 3.0])(1))
    np.testing.assert_allclose([slope(1.0, i) for i in (0, 1, 2)], [2 / 3, 0, 0], rtol=1e-6)


# All schedules, all seeds.


STEPS = 6


def decayed(traces, schedule, seed):
    """Each step takes the part of a weight away that the rate is."""
    traces.append(schedule)

    def step(weight, count):
        rate = schedule(count)
        return weight * (1 - rate), rate

    weight, rates = jax.lax.scan(step, 1.0 + seed, jnp.arange(STEPS))
    return {"weight": weight, "curve": (rates, seed.astype(jnp.bfloat16))}


SCHEDULES = [
    0.5,
    js.linear_schedule(0.75, 0.25, 4),
    js.linear_schedule(0.5, 0.0, 2),
    optax.piecewise_constant_schedule(0.5, {3: 0.5}),
    js.with_warmup(js.constant_schedule(0.5), 2),
]
SEEDS = np.arange(2)
RATES = np.array(
    [
        [0.5] * 6,
        [0.75, 0.625, 0.5, 0.375, 0.25, 0.25],
        [0.5, 0.25, 0, 0, 0, 0],
        [0.5] * 3 + [0.25] * 3,
        [0, 0.25, 0.5, 0.5, 0.5, 0.5],
    ]
)
WEIGHTS = np.prod(1 - RATES, axis=1)[:, None] * (1 + SEEDS)


def run(traces=None, schedules=SCHEDULES, seeds=SEEDS, **options):
    traces = [] if traces is None else traces
    return js.population(partial(decayed, traces), schedules, seeds, progress=False, **options)


def check(metrics):
    weights, (rates, seeds) = metrics["weight"], metrics["curve"]
    assert all(isinstance(leaf, np.ndarray) for leaf in (weights, rates, seeds))
    np.testing.assert_array_equal(weights, WEIGHTS.astype(DTYPE))
    np.testing.assert_array_equal(rates, np.repeat(RATES[:, None], 2, axis=1).astype(DTYPE))
    assert seeds.dtype == jnp.bfloat16
    np.testing.assert_array_equal(seeds.astype(float), np.tile(SEEDS, (len(SCHEDULES), 1)))


@pytest.mark.parametrize("chunk", [None, 4, 1])
def test_every_schedule_meets_every_seed_in_one_program(chunk):
    traces = []
    check(run(traces, chunk=chunk))
    assert len(traces) == 1


def test_keys_of_jax():
    keys = jax.random.split(jax.random.key(0), 3)
    found = js.population(lambda _, key: jax.random.uniform(key), [0.1, 0.2], keys, progress=False)
    np.testing.assert_array_equal(found, 2 * [jax.vmap(jax.random.uniform)(keys)])


def test_data_are_made_once_a_key():
    data = np.arange(6.0, dtype=DTYPE).reshape(3, 2)
    keys = {"seed": np.arange(3), "data": data}
    found = js.population(
        lambda rate, key: rate(0) * key["data"] + key["seed"], [0.5, 0.25], keys, progress=False
    )
    expected = [rate * data + np.arange(3)[:, None] for rate in (0.5, 0.25)]
    np.testing.assert_array_equal(found, np.asarray(expected, DTYPE))


def test_a_table_of_results():
    values = np.random.default_rng(0).normal([[3.0], [1.0], [2.0]], 0.1, (3, 8))
    first, *lines = js.results_table(SCHEDULES[:3], values, confidence=0.9).splitlines()
    assert first.split() == ["schedule", "mean", "minus", "the", "best"]
    for line, place in zip(lines, (1, 2, 0), strict=True):
        found = [
            float(x) for x in line.removeprefix(repr(SCHEDULES[place])).split() if x not in "+-"
        ]
        wanted = []
        for sample in (values[place], values[place] - values[1])[: 1 if place == 1 else 2]:
            low, high = stats.t.interval(0.9, 7, sample.mean(), stats.sem(sample))
            wanted += [(low + high) / 2, (high - low) / 2]
        np.testing.assert_allclose(found, wanted, rtol=1e-3)
    assert js.results_table(["a", "b"], [[1.0], [2.0]], maximize=True).split()[5] == "b"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            (["a"], [1.0]),
            r"`values` must be of shape \(1, keys\), with at least one key, got \(1,\)",
        ),
        ((["a", "b"], [[1.0]]), r"`values` must be of shape \(2, keys\)"),
        ((["a"], [[]]), r"`values` must be of shape \(1, keys\)"),
    ],
)
def test_what_is_no_result(arguments, message):
    with pytest.raises(ValueError, match=message):
        js.results_table(*arguments)
    with pytest.raises(ValueError, match="`confidence` must be between 0 and 1, got 95"):
        js.results_table(["a"], [[1.0]], confidence=95)


def test_controllers_of_one_form():
    row = next(row for row in CONTROLLERS if row.name.startswith("reduce_on"))
    losses = np.array([1.0, 0.5, 0.5, 0.5, 0.5, 0.5, 0.25], DTYPE)
    samples = [{**row.sample, "factor": factor} for factor in (0.5, 0.25)]

    def train(controller, seed):
        def step(state, loss):
            rate, state = controller.advance(state, value=loss)
            return state, rate

        return jax.lax.scan(step, controller.init(), jnp.asarray(losses) + seed)[1]

    found = js.population(train, [row.make(s) for s in samples], [0, 1], progress=False)
    for rates, sample in zip(found, samples, strict=True):
        for seed in (0, 1):
            expected = answers(row.reference(sample), list(losses + seed))
            np.testing.assert_allclose(rates[seed], expected, rtol=5e-6)


def chunks_in(folder):
    return sorted(folder.glob("chunk-*"))


def test_chunks_are_as_large_as_the_memory_allows(tmp_path):
    def train(_, seed):
        return jnp.sort(jnp.cos(jnp.arange(1000.0) + seed))[::-1]

    grow = partial(js.population, train, [0.1, 0.2], np.arange(8), progress=False)
    found = grow(memory=60_000, directory=tmp_path / "some")
    np.testing.assert_array_equal(found, grow(memory=1e9, directory=tmp_path / "all"))
    assert len(chunks_in(tmp_path / "all")) == 1
    assert 1 < len(chunks_in(tmp_path / "some")) < 16
    with pytest.raises(ValueError, match=r"`memory` must be at least the \d+ bytes of one run"):
        grow(memory=100)


class Killed(BaseException):
    pass


def test_finished_chunks_outlive_a_kill(tmp_path, monkeypatch):
    """The third chunk is cut off before its file has its name; others are not computed again."""
    folder, kept = tmp_path / "a" / "b", []

    def replace(partial, file, move=os.replace):
        if file.name == "chunk-00002.npz":
            raise Killed
        move(partial, file)

    with monkeypatch.context() as patch:
        patch.setattr("os.replace", replace)
        with pytest.raises(Killed):
            run(chunk=3, directory=folder)
    finished = chunks_in(folder)[:2]
    assert [file.name for file in finished] == ["chunk-00000.npz", "chunk-00001.npz"]
    kept = [file.stat().st_mtime_ns for file in finished]
    with np.load(finished[1]) as arrays:
        changed = {name: arrays[name].copy() for name in arrays}
    changed["arr_2"] = changed["arr_2"] + 10
    np.savez(finished[1], **changed)

    again = run(chunk=3, directory=str(folder))
    expected = WEIGHTS.ravel().copy()
    expected[3:6] += 10
    np.testing.assert_array_equal(again["weight"].ravel(), expected.astype(DTYPE))
    assert finished[0].stat().st_mtime_ns == kept[0]
    assert len(chunks_in(folder)) == 4


@pytest.mark.parametrize(
    "changes",
    [
        dict(seeds=SEEDS + 1),
        dict(schedules=[0.25, *SCHEDULES[1:]]),
        dict(schedules=[*SCHEDULES[:3], optax.piecewise_constant_schedule(0.5, {3: 0.25}), 0.5]),
        dict(chunk=5),
    ],
)
def test_another_population_is_not_mixed_in(changes, tmp_path):
    run(**{"chunk": 4, **changes}, directory=tmp_path)
    with pytest.raises(ValueError, match="`directory` holds the chunks of another population"):
        run(chunk=4, directory=tmp_path)


def test_a_bar_shows_how_far_it_is(capsys, monkeypatch):
    js.population(lambda rate, seed: rate(0) + seed, [0.1], [1, 2, 3], chunk=2)
    assert "3/3" in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, "tqdm", None)
    js.population(lambda rate, seed: rate(0) + seed, [0.1], [1])
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        (dict(schedules=[]), ValueError, "`schedules` must be a list of at least one schedule"),
        (dict(schedules=0.1), TypeError, "`schedules` must be a list of schedules, got 0.1"),
        (dict(schedules=[abs, "a"]), TypeError, r"`schedules\[1\]` must be a schedule or a number"),
        (
            dict(schedules=[js.reduce_on(js.plateau(), 0.1), "a"]),
            TypeError,
            r"`schedules\[1\]` must be a schedule or a number",
        ),
        (dict(seeds=3), TypeError, "`keys` must be an array with a leading axis, got 3"),
        (dict(seeds=[]), ValueError, "`keys` must be at least one key"),
        (
            dict(seeds=(np.ones(2), np.ones(3))),
            ValueError,
            r"`keys` must have one leading axis, got arrays of \[2, 3\] rows",
        ),
        (dict(chunk=0), ValueError, "`chunk` must be at least 1, the number of devices, got 0"),
        (dict(chunk=2.5), TypeError, "`chunk` must be a whole number, got 2.5"),
        (dict(memory=-1), ValueError, "`memory` must be positive, got -1"),
    ],
)
def test_what_is_no_population(changes, error, message):
    with pytest.raises(error, match=message):
        run(**changes)
