"""The command line prints what the library says, and ends mistakes in a message."""

import inspect
import json
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from typer.testing import CliRunner

import jaxsched as js
from jaxsched import cli
from jaxsched.cli import names
from jaxsched.cli.app import app
from jaxsched.cli.options import MOST
from jaxsched.cli.reading import before_events
from jaxsched.inspect import samples
from jaxsched.notation import walking as _walking
from jaxsched.notation.catalogue import public
from tests.test_parse import random_texts, survivors

LINE = "linear_schedule(1, 0, 100)"
WARM = "with_warmup(cosine_decay_schedule(1e-3, 900), 100)"


def run(*arguments: object, code: int = 0):
    """What a command prints, and what it says beside that."""
    result = CliRunner(env={"COLUMNS": "80"}).invoke(app, [str(one) for one in arguments])
    assert result.exit_code == code, result.output
    assert isinstance(result.exception, SystemExit | None)
    assert "Traceback" not in result.output
    return result.stdout, result.stderr


def process(*arguments: str, **options):
    program = "from jaxsched.cli import main; main()"
    return subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def rates(text: str, steps) -> np.ndarray:
    return np.asarray(js.parse(text)(np.asarray(steps)))


def test_list_has_every_name_and_help_its_documentation():
    entries = names.entries()
    assert entries.keys() == public().keys()
    printed, _ = run("list")
    for name, maker in public().items():
        entry = entries[name]
        assert entry.kind == maker.kind.__name__.lower()
        assert entry.documentation == inspect.getdoc(maker.function)
        shown = [
            parameter.replace(annotation=parameter.empty)
            for parameter in maker.__signature__.parameters.values()
        ]
        assert entry.call == f"{name}({', '.join(map(str, shown))})"
        assert f"\n  {name} " in printed
    assert run("list", "repeat")[0].startswith("repeat(schedule, period, period_mult=1")


@pytest.mark.parametrize("arguments", [["list"], ["show", "--help"]])
def test_what_needs_no_jax_does_not_wait_for_it(arguments):
    program = (
        "import sys; sys.argv[0] = 'jaxsched'\n"
        "from jaxsched.cli import main\n"
        "try: main()\n"
        "except SystemExit as end: assert end.code == 0\n"
        "assert not {'jax', 'numpy', 'plotext'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program, *arguments], check=True, capture_output=True)


def test_show_draws_and_describes():
    printed, noted = run("show", LINE, "--steps", 100)
    plot, words = printed.split("\nsteps", 1)
    assert f"steps{words}" == js.describe(js.linear_schedule(1, 0, 100), 100) + "\n"
    assert noted == ""
    rows = [line.split("┤")[-1].split("│", 1)[-1] for line in plot.splitlines()[1:16]]
    assert max(map(len, plot.splitlines())) == 80
    # From the top left to the bottom right, as a line does.
    for place in range(len(rows[0]) - 1):
        (inked,) = [i for i, row in enumerate(rows) if row[place] not in " ⠀"][:1]
        assert abs(inked - 15 * place / len(rows[0])) < 1.5
    assert [line.split("┤")[0].strip() for line in plot.splitlines() if "┤" in line] == [
        *("1", "0.75", "0.5", "0.25", "0")
    ]
    assert plot.splitlines()[-1].split() == ["0", "25", "50", "75", "100"]


def test_a_logarithmic_axis_has_equal_distances_between_powers():
    printed, _ = run("show", "exponential_decay(1, 10, 0.1)", "--steps", 41, "--log")
    labels = [line.split("┤")[0].strip() for line in printed.splitlines() if "┤" in line]
    assert labels == ["1", "0.1", "0.01", "0.001", "0.0001"]
    assert (
        "no positive rate" in run("show", "constant_schedule(0)", "--steps", 9, "--log", code=2)[1]
    )


def test_csv_and_json_have_the_exact_rates():
    heading, *lines = run("show", WARM, "--steps", 1000, "--csv")[0].splitlines()
    assert heading == "step,rate"
    table = np.array([line.split(",") for line in lines], float)
    np.testing.assert_array_equal(table[:, 0], np.arange(1000))
    expected = rates(WARM, np.arange(1000))
    np.testing.assert_array_equal(table[:, 1].astype(expected.dtype), expected)
    some = json.loads(run("show", WARM, "--steps", 1000, "--json", "--points", 4)[0])
    assert some["schedule"] == WARM
    assert some["steps"] == [0, 333, 666, 999]
    np.testing.assert_array_equal(np.array(some["rates"], expected.dtype), expected[some["steps"]])


def test_json_has_null_for_what_is_not_finite():
    text = "constant_schedule(1) / linear_schedule(1, 0, 2)"
    assert json.loads(run("show", text, "--steps", 3, "--json")[0])["rates"] == [1, 2, None]


def test_long_runs_are_sampled_and_it_is_said():
    printed, noted = run("show", LINE, "--steps", 2**31 - 1, "--csv", "--points", 3)
    assert printed.split() == ["step,rate", "0,1.0", "1073741823,0.0", "2147483646,0.0"]
    assert noted == "Note: 3 of the 2147483647 steps are looked at.\n"
    assert MOST == samples.MOST


@pytest.mark.parametrize(("steps", "code"), [(600, 1), (1000, 0)])
def test_check_has_the_findings_and_their_exit_code(steps, code):
    text = "warmup_cosine_decay_schedule(1e-5, 0.1, 100, 1000)"
    printed, _ = run("check", text, "--steps", steps, code=code)
    findings = [f"step {step}: {message}" for step, message in js.check(js.parse(text), steps)]
    assert len(findings) == code
    assert " ".join(printed.split()) == "".join(findings or ["Nothing looks wrong."])


def test_check_knows_epochs_and_micro_batches():
    text = "cosine_decay_schedule(0.1, 90)"
    printed, _ = run("check", text, "--steps", 9000, "--steps-per-epoch", 100, code=1)
    assert "lengths seem to be in epochs" in " ".join(printed.split())
    printed, _ = run("check", text, "--steps", 45, "--accumulation-steps", 2, code=1)
    assert "count micro-batches" in " ".join(printed.split())


def test_compare_draws_each_and_says_where_they_differ():
    held = "maximum(linear_schedule(1, 0, 100), 0.5)"
    printed, _ = run("compare", LINE, held, LINE, "--steps", 100)
    plot, _, rest = printed.partition("A: ")
    assert {"B", "C"} <= set(plot)
    assert rest.splitlines()[:3] == [LINE, f"B: {held}", f"C: {LINE}"]
    _, first, second, third = [line.split() for line in rest.splitlines()[4:8]]
    values = np.maximum(1 - np.arange(100) / 100, 0.5)
    expected = [values[0], values[-1], values.max(), 0, values.mean(), values.sum()]
    assert second == ["B", *(f"{value:.4g}" for value in expected)]
    assert first[1:] == third[1:] == ["1", "0.01", "1", "0", "0.505", "50.5"]
    assert rest.splitlines()[-2:] == [
        "A and B differ first at step 51: 0.49 and 0.5.",
        "A and C are the same at all steps.",
    ]


def test_table_has_the_steps_where_something_changes_or_every_so_many():
    text = "warmup_stable_decay_schedule(0, 0.5, 100, 800, 200)"
    assert [line.split() for line in run("table", text, "--steps", 1000)[0].splitlines()] == [
        ["step", "rate", "then"],
        ["0", "0", "rises"],
        ["100", "0.5", "constant"],
        ["800", "0.5", "falls"],
        ["999", "0.0025"],
    ]
    printed, _ = run("table", text, "--steps", 1000, "--every", 450)
    assert printed.split() == [
        *("step", "rate"),
        *("0", "0", "450", "0.5", "900", "0.25", "999", "0.0025"),
    ]
    printed, _ = run("table", "noise_schedule(0.3)", "--steps", 1000)
    assert printed.endswith("more rows; --every K has every K-th step.\n")


def test_pictures_have_a_line_for_each(tmp_path):
    run("show", LINE, "--steps", 100, "--png", tmp_path / "one.png")
    run("compare", LINE, f"{LINE} * 0.5", "--steps", 100, "--log", "--png", tmp_path / "two.png")
    for name, lines in ("one", 1), ("two", 2):
        picture = matplotlib.image.imread(tmp_path / f"{name}.png")[..., :3]
        inked = [(np.abs(picture - to_rgb(f"C{i}")).max(-1) < 0.01).sum() > 500 for i in range(3)]
        assert inked == [i < lines for i in range(3)]


CONTROLLERS = [
    "reduce_on(every(3), linear_schedule(1, 0, 4))",
    "advance_on(any_of([plateau(), nonfinite()]), [linear_schedule(1, 0, 4), 0.5])",
    "follow(greedy(), linear_schedule(1, 0, 4))",
]


@pytest.mark.parametrize("text", CONTROLLERS)
def test_controllers_are_shown_as_they_are_before_an_event(text):
    controller = js.parse(text)
    assert isinstance(controller, js.Controller)
    shown = samples.sample(before_events(controller), np.arange(2)).values
    state = controller.init()
    for rate in shown:
        assert float(controller(state)) == rate
        state = controller.update(state)


def test_it_is_said_that_there_are_no_events():
    printed, noted = run("show", CONTROLLERS[0], "--steps", 3, "--csv")
    assert printed.split() == ["step,rate", "0,1.0", "1,0.75", "2,0.5"]
    assert noted.startswith("Note: `reduce_on` reacts to the metric `value`")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["show", "cosine(1, 2)", "--steps", 3], "Expected the name of a schedule"),
        (["show", "shift(1, -)", "--steps", 3], "    shift(1, -)\n              ^"),
        (["show", "plateau()", "--steps", 3], "`plateau` is a monitor: it gives events, not rates"),
        (["show", LINE], "Missing option '--steps'"),
        (["show", LINE, "--steps", 0], "--steps"),
        (["show", LINE, "--steps", 2**31], "--steps"),
        (["show", LINE, "--steps", "ten"], "--steps"),
        (["show", LINE, "--steps", 3, "--csv", "--json"], "Only one of --png, --csv and --json"),
        (["show", LINE, "--steps", 3, "--png", "/none/a.png"], "`--png` /none/a.png cannot be"),
        (["show", LINE, "--steps", 3, "--png", "/tmp/a.xyz"], "xyz"),
        (["check", LINE, "--steps", 3, "--steps-per-epoch", 0], "`steps_per_epoch` must be"),
        (["compare", LINE, "--steps", 3], "Expected 2 to 26 schedules, got 1"),
        (["table", LINE, "--steps", 2**31 - 1, "--every", 2], "`--every` must be at least 2148"),
        (["list", "cosine_decay"], "Did you mean `cosine_decay_schedule`?"),
        (["draw"], "No such command 'draw'"),
    ],
)
def test_mistakes_end_in_a_message(arguments, message):
    assert message in run(*arguments, code=2)[1]


def test_what_parse_refuses_the_command_refuses(monkeypatch):
    monkeypatch.setattr(_walking, "hint", lambda name: "")
    texts = [text for text in random_texts(7, 400) if not survivors([text], js.parse)]
    assert len(texts) > 250
    for text in texts:
        run("table", "--steps", 9, "--", text, code=2)


@pytest.mark.parametrize("package", ["plotext", "typer"])
def test_it_is_said_which_package_is_missing(package, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    monkeypatch.setattr(sys, "argv", ["jaxsched", "show", LINE, "--steps", "9"])
    if package == "typer":
        monkeypatch.delitem(sys.modules, "jaxsched.cli.app")
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 2
    assert "jaxsched[cli]" in capsys.readouterr().err


def test_as_a_process():
    settings = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text())
    assert settings["project"]["scripts"] == {"jaxsched": "jaxsched.cli:main"}
    shown = process("show", "linear_schedule(1, 0, 4)", "--steps", "3", "--csv")
    assert shown.communicate() == ("step,rate\n0,1.0\n1,0.75\n2,0.5\n", "")
    assert shown.returncode == 0


def test_an_interrupt_ends_it_at_once():
    shown = process("show", "noise_schedule(0.3)", "--steps", "2147483647", "--csv")
    assert "Note" in shown.stderr.readline()
    shown.send_signal(signal.SIGINT)
    assert shown.communicate()[1] == ""
    assert shown.returncode == -signal.SIGINT


def test_a_reader_may_stop_reading():
    listed = process("list")
    listed.stdout.close()
    listed.stdout = None
    assert "Traceback" not in listed.communicate()[1]
