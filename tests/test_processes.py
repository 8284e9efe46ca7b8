"""Two processes with several devices and data of their own train as one, and resume as one."""

import json
import os
import re
import runpy
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tests.killed_process import EXAMPLE
from tests.two_processes import EVENT, PROGRAMS, STEPS

PROCESSES, SECONDS = 2, 180
ALONE = "pmap, no axis_name"
TOGETHER = [name for name in PROGRAMS if name != ALONE]


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return str(found.getsockname()[1])


def start(folder, process, arguments, **environment):
    """A process that writes to files, as a pipe that is not read would stop it."""
    with open(folder / f"{process}.out", "wb") as out, open(folder / f"{process}.err", "wb") as err:
        return subprocess.Popen(
            [sys.executable, *arguments],
            cwd=Path(__file__).parent.parent,
            env={**os.environ, **environment},
            stdout=out,
            stderr=err,
        )


def wait(processes):
    """Until all have ended, one has failed, or time is up."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        codes = [process.poll() for process in processes]
        if None not in codes or any(codes):
            return
        time.sleep(0.1)


def run(folder, arguments, **environment):
    """The exit codes and outputs, given each process' arguments. None is left running."""
    folder.mkdir(exist_ok=True)
    processes = []
    try:
        for process in range(PROCESSES):
            processes.append(start(folder, process, arguments(process), **environment))
        wait(processes)
        codes = [process.poll() for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.wait()
    return codes, [(folder / f"{process}.out").read_text() for process in range(PROCESSES)]


def assert_succeeded(codes, folder):
    errors = [(folder / f"{process}.err").read_text()[-4000:] for process in range(PROCESSES)]
    assert codes == [0] * PROCESSES, "\n".join(errors)


def assert_fires_at_the_event(values, rates, record):
    assert values[EVENT] > 10 * min(values[:EVENT])
    assert rates == [0.125] * EVENT + [0.0625] * (STEPS - EVENT)
    assert (record["events"], record["last_event"]) == (1, EVENT)
    assert record["observations"] == STEPS


def test_two_processes_hear_the_mean_and_end_with_the_same_bits(tmp_path):
    program, port = ["-m", "tests.two_processes"], free_port()
    codes, outputs = run(
        tmp_path,
        lambda process: [*program, str(process), str(PROCESSES), port],
        XLA_FLAGS="--xla_force_host_platform_device_count=2",
    )
    assert_succeeded(codes, tmp_path)
    results = [json.loads(output.splitlines()[-1]) for output in outputs]
    for name in TOGETHER:
        first, second = (result[name] for result in results)
        assert first == second
        assert_fires_at_the_event(first["values"], first["rates"], first["record"])
    values = np.array([results[0][name]["values"] for name in TOGETHER])
    np.testing.assert_allclose(values, np.broadcast_to(values[0], values.shape), rtol=1e-5)
    best = [results[0][name]["record"]["best_value"] for name in TOGETHER]
    np.testing.assert_allclose(best, values.min(), rtol=1e-5)
    # Without an axis_name each process hears its own loss, and only the second one's jumps.
    assert [result[ALONE]["record"]["events"] for result in results] == [0, 1]


KILLED, SAVE_EVERY = 27, 8


def train(folder, checkpoints, killed=None):
    """What the example prints, and its exit codes; `killed` is the last process' last step."""
    numbers = ["--steps", "36", "--period", "20", "--save-every", str(SAVE_EVERY)]
    address = ["--processes", str(PROCESSES), "--coordinator", f"127.0.0.1:{free_port()}"]
    arguments = [*numbers, *address, "--folder", str(checkpoints), "--on-cpu"]

    def command(process):
        is_killed = killed is not None and process == PROCESSES - 1
        program = ["-m", "tests.killed_process", str(killed)] if is_killed else [str(EXAMPLE)]
        return [*program, *arguments, "--process", str(process)]

    return run(folder, command)


def numbers_in(output, text):
    """The numbers in place of each # of the text, wherever the output has it."""
    found = re.finditer(text.replace("#", r"(\d+)"), output)
    return [[int(number) for number in match.groups()] for match in found]


def test_a_run_whose_process_was_killed_goes_on_to_the_same_bits(tmp_path):
    codes, undisturbed = train(tmp_path / "undisturbed", tmp_path / "one")
    assert_succeeded(codes, tmp_path / "undisturbed")
    codes, killed = train(tmp_path / "killed", tmp_path / "other", KILLED)
    assert codes[-1] == -signal.SIGKILL
    codes, resumed = train(tmp_path / "resumed", tmp_path / "other")
    assert_succeeded(codes, tmp_path / "resumed")

    ends = [re.search(r"ends: (.*)", output)[1] for output in [*undisturbed, *resumed]]
    assert ends == ends[:1] * len(ends)
    [[restarts, last]] = numbers_in(resumed[0], "ends: .*restarts #, the last at step #")
    assert restarts == 2
    assert last > KILLED
    [[went_on_from]] = numbers_in(resumed[0], "goes on from step #")
    assert went_on_from in range(SAVE_EVERY, KILLED, SAVE_EVERY)
    # The first restart, too, is at the same step, before the end of one run or in the other.
    lines = re.findall(r"step \d+: loss .*", undisturbed[0])
    assert [line for line in lines if line in killed[0] + resumed[0]] == lines


@pytest.mark.parametrize("code", [0, 3])
def test_the_launcher_waits_for_all_processes_or_stops_them(code, tmp_path, capfd):
    child = tmp_path / "child.py"
    child.write_text(
        "import sys, time\n"
        "process = int(sys.argv[-1])\n"
        f"time.sleep(60 * (process == 0 and {code}))\n"
        f"sys.exit({code})\n"
    )
    main = runpy.run_path(str(EXAMPLE))["main"]
    main.__globals__["__file__"] = str(child)
    with pytest.raises(SystemExit) as stop:
        main(["--processes", "3"])
    assert stop.value.code == bool(code)
    output = capfd.readouterr().out
    ids = numbers_in(output, "has the id #")
    assert len(ids) == 3
    assert ("the same command goes on" in output) == bool(code)
    for [number] in ids:
        with pytest.raises(ProcessLookupError):
            os.kill(number, 0)
