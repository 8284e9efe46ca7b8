"""Two processes with several devices each, and data of their own, train as one."""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from tests.two_processes import EVENT, PROGRAMS, STEPS

PROCESSES, DEVICES, SECONDS = 2, 2, 180
ALONE = "pmap, no axis_name"
TOGETHER = [name for name in PROGRAMS if name != ALONE]


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def start(process, port, folder):
    """A process that writes to files, as a pipe that is not read would stop it."""
    flags = f"--xla_force_host_platform_device_count={DEVICES}"
    with open(folder / f"{process}.out", "wb") as out, open(folder / f"{process}.err", "wb") as err:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.two_processes", *map(str, (process, PROCESSES, port))],
            cwd=Path(__file__).parent.parent,
            env={**os.environ, "XLA_FLAGS": flags},
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


def run(folder):
    """What each process has come to, by program. None is left running, whatever happens."""
    port, processes = free_port(), []
    try:
        for process in range(PROCESSES):
            processes.append(start(process, port, folder))
        wait(processes)
        codes = [process.poll() for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.wait()
    errors = [(folder / f"{process}.err").read_text()[-4000:] for process in range(PROCESSES)]
    assert codes == [0] * PROCESSES, "\n".join(errors)
    outputs = [(folder / f"{process}.out").read_text() for process in range(PROCESSES)]
    return [json.loads(output.splitlines()[-1]) for output in outputs]


def assert_fires_at_the_event(values, rates, record):
    assert values[EVENT] > 10 * min(values[:EVENT])
    assert rates == [0.125] * EVENT + [0.0625] * (STEPS - EVENT)
    assert (record["events"], record["last_event"]) == (1, EVENT)
    assert record["observations"] == STEPS


def test_two_processes_hear_the_mean_and_end_with_the_same_bits(tmp_path):
    results = run(tmp_path)
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
