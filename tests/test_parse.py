"""Texts are read as schedules, monitors and controllers, or refused; none is run."""

import inspect
import random
import re
import sys
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import jaxsched as js
from jaxsched.notation import parse as parsing
from jaxsched.notation import walking as _walking
from jaxsched.notation.catalogue import OPERATORS, public
from tests.control_table import CONTROLLERS, MONITORS
from tests.table import ROWS

ALL = [*ROWS, *MONITORS, *CONTROLLERS]
every_row = pytest.mark.parametrize("row", ALL, ids=lambda row: row.name)
COSINE = js.cosine_decay_schedule(0.5, 100)


@every_row
def test_it_is_the_inverse_of_repr(row):
    made = row.make(row.sample)
    assert js.parse(repr(made)) == made


@every_row
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_of_any_numbers(row, data: st.DataObject):
    made = row.make(data.draw(row.draw))
    assert js.parse(repr(made)) == made


compounds = st.recursive(
    st.sampled_from([row.make(row.sample) for row in ROWS]),
    lambda inner: st.one_of(
        st.builds(lambda a, b: a + b, inner, inner),
        st.builds(lambda a, x: a - x, inner, st.floats(-1e30, 1e30)),
        st.builds(lambda a, n: n * a, inner, st.integers(-(10**30), 10**30)),
        st.builds(lambda a, b: a / b, inner, inner),
        st.builds(lambda a: -a, inner),
        st.builds(js.with_warmup, inner, st.integers(0, 9)),
        st.builds(lambda a, b: js.join_schedules([a, b], [5]), inner, inner),
    ),
    max_leaves=8,
)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(made=compounds)
def test_of_compounds(made):
    assert js.parse(repr(made)) == made
    assert js.from_config(js.to_config(made)) == made


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("cosine_decay_schedule(0.5, 100)", COSINE),
        ("  cosine_decay_schedule(\n  0.5,  # the peak\n  decay_steps=1_00,\n)\n", COSINE),
        ("cosine_decay_schedule(1 / 4 + 2.5e-1, 10 * (12 - 2))", COSINE),
        ("-cosine_decay_schedule(0.5, 100)", -COSINE),
        ("2 - -1 * cosine_decay_schedule(0.5, 100)", 2 - -1 * COSINE),
        (
            "piecewise_constant_schedule(1, {100: 0.1, 2 * 10: 1 / 2})",
            js.piecewise_constant_schedule(1, {100: 0.1, 20: 0.5}),
        ),
        ("any_of((every(3), nonfinite()))", js.any_of([js.every(3), js.nonfinite()])),
        ("exponential_decay(1, 2, .5, 0, True, None)", js.exponential_decay(1, 2, 0.5, 0, True)),
        ("reduce_on(plateau(), 1, metric='höhe')", js.reduce_on(js.plateau(), 1, metric="höhe")),
    ],
)
def test_other_ways_to_write(text, made):
    assert js.parse(text) == made


def test_many_segments():
    made = js.join_schedules(
        [js.linear_schedule(1.0 / i, 0.5, i) for i in range(1, 2001)], list(range(10, 20000, 10))
    )
    assert js.parse(repr(made)) == made


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "cosine_decay_schedule(0.5, -1)",
            "`decay_steps` must be at least 0, got -1.\n"
            "    cosine_decay_schedule(0.5, -1)\n"
            "                               ^",
        ),
        (
            "shift(\n  cosine_decay(1, 2), 3)",
            "Expected the name of a schedule, a monitor or a controller."
            " Did you mean `cosine_decay_schedule`?\n"
            "      cosine_decay(1, 2), 3)\n"
            "      ^",
        ),
        (
            "reduce_on(plateau(), 1, metric='höhe', factor=2)",
            "`factor` must be between 0 and 1, without them, got 2.\n"
            "    reduce_on(plateau(), 1, metric='höhe', factor=2)\n"
            "                                                  ^",
        ),
        (
            "clip(1, 2, 0) * 0.5",
            "`min_value` must be at most `max_value`, got 2 > 0.\n    clip(1, 2, 0) * 0.5\n    ^",
        ),
        ("shift(1, 2", "'(' was never closed.\n    shift(1, 2\n         ^"),
        ("", "invalid syntax.\n    \n    ^"),
        (
            "shift(constant_schedule(1))",
            "shift: missing a required argument: 'steps'\n    shift(constant_schedule(1))\n    ^",
        ),
        (
            "shift(1, 2, 3)",
            "shift: too many positional arguments\n    shift(1, 2, 3)\n    ^",
        ),
        (
            "constant_schedule(1) / (1 - 1)",
            "`right` must be other than 0 to divide by, got 0.\n"
            "    constant_schedule(1) / (1 - 1)\n    ^",
        ),
        (
            "constant_schedule(1 / 0)",
            "division by zero\n    constant_schedule(1 / 0)\n                      ^",
        ),
    ],
)
def test_mistakes_are_shown(text, message):
    with pytest.raises(ValueError, match=rf"^{re.escape(message)}\Z"):
        js.parse(text)


REFUSED = """
    ().__class__.__bases__[0].__subclasses__()
    __import__('os').system('true')
    __import__
    __import__('os')
    __builtins__
    open('file')
    print(1)
    eval('1')
    exec('1')
    getattr(shift, 'function')
    js.shift(1, 2)
    jaxsched.shift(1, 2)
    shift(1, 2).replace(steps=3)
    shift.function(0, 1, 2)
    shift(1, 2)(0)
    (shift)(1, 2)[0]
    shift(1, lambda: 2)
    (lambda: shift(1, 2))()
    [shift(1, 2) for _ in (1,)][0]
    constant_schedule([x for x in (1, 2)])
    table_schedule([x for x in (1, 2)])
    table_schedule({x for x in (1, 2)})
    table_schedule(x for x in (1, 2))
    piecewise_constant_schedule(1, {x: 1 for x in (1, 2)})
    piecewise_constant_schedule(1, {**{1: 2}})
    piecewise_constant_schedule(1, {1: 2, 1: 3})
    piecewise_constant_schedule(1, {'1': 2})
    piecewise_constant_schedule(1, {True: 2})
    table_schedule({1, 2})
    table_schedule([*[1, 2]])
    shift(*[1, 2])
    shift(**{'schedule': 1, 'steps': 2})
    shift(1, steps=2, steps=2)
    shift(1, 2, schedule=1)
    shift(1, steps_=2)
    shift(1, node=2)
    shift(1, (n := 2))
    shift(1, f'{2}')
    reduce_on(plateau(), 1, metric=f'value')
    reduce_on(plateau(), 1, metric=b'value')
    reduce_on(plateau(), 1, metric='va' + 'lue')
    reduce_on(plateau(), 1, metric='value' * 3)
    reduce_on(plateau(), 1, metric='\\d')
    shift(1, 2 if True else 3)
    shift(1, 2 and 3)
    shift(1, not 2)
    shift(1, +2)
    shift(1, ~2)
    shift(1, 2 ** 3)
    shift(1, 7 // 3)
    shift(1, 7 % 3)
    shift(1, 1 << 3)
    shift(1, 1 @ 3)
    shift(1, 1 | 3)
    shift(1, 1 < 3)
    shift(1, 2j)
    shift(1, ...)
    shift(1, True + 1)
    shift(1, -True)
    shift(1, None * 2)
    shift(1, [2] * 3)
    shift(1, inf)
    shift(1, nan)
    shift(1, 1e999)
    shift(1, 1e300 * 1e300)
    shift(1, -1e999)
    shift(shift, 2)
    shift
    add(1, 2)
    multiply(1, shift(1, 2))
    Schedule(1, 2)
    schedule(1)
    parse('shift(1, 2)')
    from_config({})
    sgdr_schedule([])
    scale_by_schedule(1)
    plateau() + 1
    reduce_on(plateau(), 1) * 2
    -plateau()
    0.5
    'shift(1, 2)'
    [shift(1, 2)]
    shift(1, 2),
    None
    await shift(1, 2)
    (yield)
    shift(1, 2); shift(1, 2)
    import os
    s = shift(1, 2)
    s: shift = 1
    shift(1, 2) shift(1, 2)
    1if 2else 3
    shift(1, 012)
    shift(1, $)
    shift(1, 2)?
    shift(1, '
    constant_schedule(`1`)
"""


@pytest.mark.parametrize("text", [line.strip() for line in REFUSED.strip().splitlines()])
def test_all_else_is_refused(text):
    with pytest.raises(ValueError, match=r"(?s).*\n    .*\n *\^$"):
        js.parse(text)


NESTINGS = ["(", "[", "{", "-", "- ", "shift(", "{1:", "(1,", "[(", "1+", "not ", "lambda:", "f'{"]
ENDS = ["", ")", "1", "1)", "]", "}"]


@pytest.mark.parametrize("opening", NESTINGS)
@pytest.mark.parametrize("times", [50, 150, 199, 1000, 50_000])
def test_nesting_ends_in_an_error(opening, times):
    for end in ENDS:
        with pytest.raises(ValueError, match=r"`text`|\^$"):
            js.parse(opening * times + end)


def test_nesting_of_operators_ends_in_an_error():
    with pytest.raises(ValueError, match="nested too deeply"):
        js.parse("shift(1, 2)" + " + 1" * 20_000)
    assert js.parse("shift(1, 2)" + " + 1" * 100)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("shift(1, 2)\0", "a character that no expression may have|null bytes"),
        ("shift(1, '\ud800')", "a character that no expression may have"),
        ("shift(1, " + "9" * 5000 + ")", "Exceeds the limit"),
        ("shift(1, 0x" + "f" * 5000 + ")", "a number that a float can hold"),
        ("shift(1, " + "9" * 400 + ")", "a number that a float can hold"),
        ("shift(1, " + "9" * 300 + ")", "`steps` must be"),
        (" " * 1_000_001, "at most 1000000 characters, has 1000001"),
    ],
)
def test_what_is_too_much_is_refused(text, message):
    with pytest.raises(ValueError, match=message):
        js.parse(text)


@pytest.mark.parametrize("text", [None, 1, b"shift(1, 2)", COSINE, ["shift(1, 2)"]])
def test_only_text_is_read(text):
    with pytest.raises(TypeError, match="`text` must be a string"):
        js.parse(text)


def test_a_long_line_is_cut_around_the_place():
    with pytest.raises(ValueError, match="Expected") as raised:
        js.parse(f"table_schedule([{'1, ' * 10_000}x{', 1' * 10_000}])")
    _, line, mark = str(raised.value).split("\n")
    assert len(line) < 130
    assert line[mark.index("^")] == "x"


def test_the_source_runs_nothing():
    source = inspect.getsource(_walking) + inspect.getsource(parsing)
    assert not re.search(r"\b(eval|exec|compile|getattr|globals|vars|__import__)\(", source)
    assert not set(OPERATORS) & set(public())


# Random texts: none does anything but be read or be refused.

WATCHED = ("exec", "import", "open", "os.", "subprocess.", "socket.", "shutil.", "ctypes.")
watching: list[list[str]] = []


def watch(event: str, _: Any) -> None:
    if watching and event.startswith(WATCHED):
        watching[-1].append(event)


sys.addaudithook(watch)

TOKENS = [
    *"()[]{},:=+-*/.'\"\\#\n\t `@;~|&^%<>!?$\0éλ\u2028😀\ud800",
    *("**", ":=", "->", "...", "if", "else", "for", "in", "lambda", "not", "and", "await", "yield"),
    *("f'{", "}'", "b''", "r'", "'''", "True", "None", "__import__('os')", "eval", "__class__"),
    *("0", "1", "-1", "2", "7", "100", "0.5", "1e-3", "1e999", "9" * 20, "9" * 320, "0x1F", "1j"),
    *("'linear'", "'max'", "'value'", "{10: 0.5}", "[1, 2]", "inf", "nan", "schedule", "steps"),
    *("0 * ", "1 / 0", "value=", "init_value=", "monitor=", "shape=", "metric=", "mode="),
]
CALLS = [*public(), *(f"{name}(" for name in public()), *(f"{name}()" for name in public())]
NUMBERS = ["0", "1", "2", "7", "100", "0.5", "1e-3", "-1", "-0.0", "-2.5", "1e38", "2147483647"]
VALUES = [
    *("1e-45", "1e39", "1e300", "1.7e308", "2147483648", "1.5", "1e999", "9" * 20, "9" * 320),
    *("True", "None", "'linear'", "'max'", "''", "'a b'", "[]", "()", "{}", "[1, 2]", "[0.5]"),
    *("[2, 1]", "{10: 0.5}", "{10: -1}", "{1: 2, 1.5: 3}", "{1: 'a'}", "[None]", "['a']", "[[1]]"),
    *("plateau()", "greedy()", "[constant_schedule(1), 2]", "reduce_on(plateau(), 1)"),
]
VALUE = re.compile(r"\d.*|'.*|True|None")
PIECE = re.compile(r"'\w+'|\w+(?:\.\d+)?(?:e-?\d+)?|\s+|.", re.DOTALL)


def random_texts(seed: int, number: int) -> list[str]:
    """Calls with pieces added, left out, repeated or exchanged, other values, tokens in a row."""
    chance = random.Random(seed)
    written = [repr(row.make(row.sample)) for row in ALL]
    pieces = [PIECE.findall(text) for text in written if len(text) < 150]

    def mutated() -> str:
        parts = list(chance.choice(pieces))
        for _ in range(chance.randint(1, 4)):
            place = chance.randrange(len(parts) + 1)
            taken = chance.randint(0, 2)
            donor = chance.choice(pieces)
            begin = chance.randrange(len(donor))
            parts[place : place + taken] = chance.choice(
                [
                    [],
                    [chance.choice(TOKENS)],
                    [chance.choice(CALLS)],
                    donor[begin : begin + chance.randint(1, 12)],
                    [chr(chance.randrange(1, 128))],
                ]
            )
        return "".join(parts)

    def revalued() -> str:
        parts = list(chance.choice(pieces))
        places = [i for i, part in enumerate(parts) if VALUE.fullmatch(part)]
        for place in chance.sample(places, min(len(places), chance.randint(1, 3))):
            parts[place] = chance.choice(NUMBERS if chance.random() < 0.7 else VALUES)
        return "".join(parts)

    def scattered() -> str:
        return "".join(chance.choices([*TOKENS, *CALLS], k=chance.randint(1, 8)))

    kinds = [mutated, mutated, revalued, scattered]
    return [chance.choice(kinds)() for _ in range(number)]


def survivors(texts: list[str], read: Callable[[str], Any]) -> list[Any]:
    """What was read; anything but a ValueError is a failure."""
    made = []
    for text in texts:
        try:
            made.append(read(text))
        except ValueError:
            pass
        except BaseException as error:
            raise AssertionError(f"{text!r} raised {error!r}") from error
    return made


def read_or_refused(seed: int, number: int) -> tuple[list[Any], list[str]]:
    """What was read of so many random texts, and all that the program did beside reading."""
    texts = random_texts(seed, number)
    watching.append([])
    try:
        return survivors(texts, js.parse), watching[-1]
    finally:
        watching.pop()


@pytest.mark.parametrize("seed", range(4))
def test_random_texts_are_read_or_refused(seed: int, monkeypatch: pytest.MonkeyPatch):
    # Looking for a similar name takes longer than all the rest.
    monkeypatch.setattr(_walking, "hint", lambda name: "")
    made, events = read_or_refused(seed, 25_000)
    assert events == []
    assert 25_000 * 0.05 < len(made) < 25_000 * 0.5
    for one in made[:200]:
        assert js.parse(repr(one)) == one
