"""What a GPU starts in a training step: counted in a profile, beside what the compiler promised."""

import functools
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import jax

from benchmarks import optimizers
from benchmarks.markdown import table
from benchmarks.targets import Target, number
from benchmarks.training import SIZES, Training, trainings
from tests.aot.programs import Program

STEPS = 20
NAMES = (
    "`warmup_cosine_decay_schedule`",
    "`cosine_restarts_schedule`",
    "`reduce_on`",
    "`restart_on`",
    "`reduce_on_plateau`",
)
PEERS = ("Optax `warmup_cosine_decay_schedule`", "Optax `reduce_on_plateau`")
CONSTANT = "a constant"


class Counted(NamedTuple):
    """What a step starts.

    Attributes:
      seen: kernels and copies a step in a profile; None where there is no GPU to profile.
      kernels: those of the compiled program.
      copies: likewise.
    """

    seen: float | None
    kernels: int
    copies: int


def measure() -> Mapping[str, Counted]:
    """Profiles some steps with each rate."""
    rates = {**optimizers.OURS, **optimizers.OPTAX}
    chosen = {CONSTANT: optimizers.CONSTANT, **{name: rates[name] for name in (*NAMES, *PEERS)}}
    compiled = trainings(SIZES[0], chosen)
    return {name: _counted(training) for name, training in compiled.items()}


def _counted(training: Training) -> Counted:
    program = Program(training.one.as_text(), state_bytes=0)
    return Counted(_seen(training), program.kernels, program.copies)


def _seen(training: Training) -> float | None:
    """What was started on the device in a step."""
    carry = training.start()
    with tempfile.TemporaryDirectory() as folder:
        with jax.profiler.trace(folder):
            for _ in range(STEPS):
                carry, _ = training.one(carry)
            jax.block_until_ready(carry)
        (trace,) = Path(folder).rglob("*.xplane.pb")
        started = _started(jax.profiler.ProfileData.from_file(str(trace)))
    return started / STEPS if started else None


def _started(profile: Any) -> int:
    return sum(
        1
        for plane in profile.planes
        if plane.name.startswith("/device:GPU")
        for line in plane.lines
        if line.name.startswith("Stream")
        for _ in line.events
    )


def targets(counted: Mapping[str, Counted]) -> list[Target]:
    """The target, where there was a profile."""
    base = counted[CONSTANT]
    parts = [
        number(name, added, limit, f"{added:+.1f}")
        for name, limit in zip(NAMES, (1, 1, 2, 2, 2), strict=True)
        if (added := _added(counted[name], base)) is not None
    ]
    wanted = "kernels a step more than with a constant: 1 a schedule, 2 a controller"
    return [Target(wanted, parts)] if parts else []


def _added(one: Counted, base: Counted) -> float | None:
    return None if one.seen is None or base.seen is None else one.seen - base.seen


def section(counted: Mapping[str, Counted]) -> str:
    """The table."""
    show = functools.partial("{:.1f}".format)
    rows = [
        [
            name,
            "not profiled" if one.seen is None else show(one.seen),
            str(one.kernels),
            str(one.copies),
        ]
        for name, one in counted.items()
    ]
    return f"""## Kernels in a step

A step of {SIZES[0].parameters:,} parameters: what the device started, kernels and copies together,
in a profile of {STEPS} steps, beside the kernels and the copies of the compiled program.

{table(["rate", "started a step", "kernels promised", "copies promised"], rows)}
"""
