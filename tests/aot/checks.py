"""What is compared with a constant rate, and what is written down of it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import optax

from tests.aot import cases, networks
from tests.aot.programs import Program, compiled

NETWORKS = {"MLP, float32": networks.mlp, "transformer, bfloat16": networks.transformer}
MLP, TRANSFORMER = NETWORKS
Record = Callable[[str, object], None]
COUNT_AND_RATE = 8


@cache
def constant(target: str, network: str) -> Program:
    """Optax's Adam with a number as its rate."""
    return compiled(target, NETWORKS[network](), optax.adam(cases.RATE))


FIGURES = ("kernels", "copies", "fusions", "collectives", "instructions", "state_bytes")


@dataclass(frozen=True)
class Step:
    """A compiled step, to be seen beside the one with a constant rate.

    Attributes:
      name: of the schedule or controller.
      target: the machine.
      network: what is trained.
      program: the step.
    """

    name: str
    target: str
    network: str
    program: Program

    def added(self) -> dict[str, int]:
        """What it has more than the step with a constant rate."""
        other = constant(self.target, self.network)
        return {name: getattr(self.program, name) - getattr(other, name) for name in FIGURES}


def with_optimizer(target: str, network: str, name: str, optimizer: Any, **metrics: bool) -> Step:
    return Step(name, target, network, compiled(target, NETWORKS[network](), optimizer, **metrics))


def with_schedule(target: str, network: str, name: str, schedule: Any) -> Step:
    return with_optimizer(target, network, name, cases.adam(cases.marked(schedule)))


def with_controller(target: str, network: str, name: str) -> Step:
    return with_optimizer(target, network, name, cases.CONTROLLED[name](), value=True)


def check(step: Step, record: Record) -> dict[str, int]:
    """What holds on every machine. The figures are recorded for the report."""
    added = step.added()
    record("target", step.target)
    record("network", step.network)
    record("name", step.name)
    for figure, number in {**added, "rates": step.program.rates}.items():
        record(figure, number)
    assert not step.program.departures
    assert added["collectives"] <= 0
    return added


def check_schedule(step: Step, record: Record) -> dict[str, int]:
    """And what holds of every schedule: its state is the count and the rate."""
    added = check(step, record)
    assert added["state_bytes"] == COUNT_AND_RATE
    return added


def check_controller(step: Step, record: Record) -> dict[str, int]:
    """And of every controller: its state is as documented."""
    added = check(step, record)
    assert added["state_bytes"] == cases.STATE_BYTES[step.name]
    return added
