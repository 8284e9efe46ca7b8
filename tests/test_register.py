"""Makers of one's own, known by name."""

import os
import subprocess
import sys

import pytest

import jaxsched as js
from jaxsched.notation import registering


@pytest.fixture(autouse=True)
def _nothing_stays(monkeypatch):
    monkeypatch.setattr(registering, "_REGISTERED", {})


def ramp(count, top, steps=8):
    return top * count / steps


def test_a_schedule_of_ones_own_is_written_and_read():
    with pytest.raises(TypeError, match=r"jaxsched\.register"):
        js.to_config(js.schedule(ramp)(2.0))
    made = js.register(js.schedule(ramp))
    rate = js.with_warmup(made(0.5, steps=4), 2) * 0.5
    assert js.from_config(js.to_config(rate)) == rate == js.parse(repr(rate))
    assert js.parse("ramp(2.0)") == made(2.0)


def test_monitors_and_controllers_too():
    @js.register
    @js.monitor(start=lambda **_: 0.0)
    def jumps(previous, value, by=1.0):
        return value, value > previous + by

    @js.register
    @js.controller()
    def halve_on(phase, monitor, value):
        phase = phase._replace(events=phase.events + monitor)
        return phase, value * 0.5**phase.events

    rate = halve_on(jumps(by=2.0), 0.1)
    assert js.parse(repr(rate)) == rate == js.from_config(js.to_config(rate))


def test_names_that_are_taken():
    def cosine_decay_schedule(count, init_value):
        return init_value

    with pytest.raises(ValueError, match=r"`cosine_decay_schedule` is already .* `jaxsched"):
        js.register(js.schedule(cosine_decay_schedule))
    first, again = js.schedule(ramp), js.schedule(ramp)
    js.register(first)
    assert js.register(again) is again
    assert js.parse("ramp(1.0)").maker is again
    with pytest.raises(TypeError, match="`maker` must be"):
        js.register(ramp)


def test_the_command_line_imports_a_module_that_is_named(tmp_path):
    (tmp_path / "mine.py").write_text(
        "import jaxsched\n\n@jaxsched.register\n@jaxsched.schedule\n"
        "def ramp(count, top):\n    return top * count\n"
    )

    def run(*arguments):
        command = [sys.executable, "-m", "jaxsched", *arguments]
        environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
        return subprocess.run(command, capture_output=True, text=True, env=environment)

    table = ["table", "ramp(0.5)", "--steps", "4", "--every", "2"]
    assert "   2     1\n" in run("--import", "mine", *table).stdout
    assert run(*table).returncode != 0
    assert "no_such_module" in run("--import", "no_such_module", *table).stderr
