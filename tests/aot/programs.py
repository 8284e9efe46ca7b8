"""A compiled train step, and what its optimized program consists of."""

import re
from collections import Counter
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import optax

from tests.aot.networks import CLASSES, Network
from tests.aot.targets import described, mesh_of

BATCH = 8
SCOPE = "the_rate"
COLLECTIVES = ("all-reduce", "all-gather", "all-to-all", "reduce-scatter", "collective-permute")
# For these nothing is started.
FREE = {"parameter", "constant", "tuple", "get-tuple-element", "bitcast", "partition-id"}
LEAVING = ("conditional", "while", "infeed", "outfeed", "send", "recv", "call")


class Program:
    """The optimized program of a train step.

    Attributes:
      text: of all its computations.
      state_bytes: of the optimizer's state.
    """

    def __init__(self, text: str, state_bytes: int):
        self.text, self.state_bytes = text, state_bytes

    @cached_property
    def computations(self) -> dict[str, list[tuple[str, str]]]:
        """The opcode and the line of each instruction, by computation; the main one is `ENTRY`."""
        found: dict[str, list[tuple[str, str]]] = {}
        name = ""
        for line in self.text.splitlines():
            if head := re.match(r"(ENTRY )?%?(\S+) \(.*\) -> .*{$", line):
                name = "ENTRY" if head[1] else head[2]
                found[name] = []
            elif instruction := re.search(r" = (?:\(.*?\)|\S+) ([a-z][a-z0-9-]*)\(", _bare(line)):
                found[name].append((instruction[1], line))
        return found

    @property
    def opcodes(self) -> Counter[str]:
        """Of all computations."""
        return Counter(opcode for lines in self.computations.values() for opcode, _ in lines)

    @property
    def instructions(self) -> int:
        """Their number, inside fusions too."""
        return self.opcodes.total()

    @property
    def copies(self) -> int:
        """Of whole arrays, where one is written while it is read."""
        return sum(opcode.startswith("copy") for opcode in self._started)

    @property
    def kernels(self) -> int:
        """What a GPU starts one after another besides: kernels, and collectives."""
        return len(self._started) - self.copies

    @property
    def fusions(self) -> int:
        """What a TPU starts on its vector units; the rest of the main program are scalars."""
        return self._started.count("fusion")

    @property
    def _started(self) -> list[str]:
        main = [opcode for opcode, _ in self.computations["ENTRY"]]
        return [opcode for opcode in main if opcode not in FREE and not opcode.endswith("-done")]

    @property
    def collectives(self) -> int:
        """Their number, an asynchronous one counted once."""
        return sum(
            number
            for opcode, number in self.opcodes.items()
            if opcode.startswith(COLLECTIVES) and not opcode.endswith("-done")
        )

    @property
    def rates(self) -> int:
        """What the main computation calls, and itself, if it computes some of the rate."""
        main = self.computations["ENTRY"]
        called = re.findall(r"calls=%?([\w.-]+)", "\n".join(line for _, line in main))
        return sum(
            any(f"/{SCOPE}/" in line and opcode not in {*FREE, "fusion"} for opcode, line in lines)
            for lines in (main, *map(self.computations.__getitem__, called))
        )

    @property
    def departures(self) -> set[str]:
        """What would make the device wait: branches, loops, and calls of the host."""
        calls = [line for line in self.text.splitlines() if "custom_call_target=" in line]
        return {opcode for opcode in self.opcodes if opcode.startswith(LEAVING)} | {
            line.strip() for line in calls if re.search("callback|host", line, re.IGNORECASE)
        }


def _bare(line: str) -> str:
    """A line without layouts, which may hold parentheses, and without comments."""
    line = re.sub(r"/\*.*?\*/", "", line)
    while (shorter := re.sub(r"{[^{}]*}", "", line)) != line:
        line = shorter
    return line


def compiled(
    target: str, network: Network, optimizer: optax.GradientTransformation, **metrics: bool
) -> Program:
    """A step of data-parallel training: parameters on all devices, a part of the batch on each.

    The parameters and the state are donated, and the loss of the whole batch is an output.

    Args:
      target: the machine.
      network: what is trained.
      optimizer: what with.
      **metrics: `value=True` if the optimizer is given the loss.
    """
    mesh = mesh_of(target)
    update = optax.with_extra_args_support(optimizer).update

    def loss_of(params: Any, inputs: jax.Array, targets: jax.Array) -> jax.Array:
        error = network.apply(params, inputs) - targets
        return jnp.mean(error.astype(jnp.float32) ** 2)

    def step(params: Any, state: Any, inputs: jax.Array, targets: jax.Array) -> Any:
        loss, gradients = jax.value_and_grad(loss_of)(params, inputs, targets)
        values = {name: loss for name, given in metrics.items() if given}
        updates, state = update(gradients, state, params, **values)
        return optax.apply_updates(params, updates), state, loss

    state = jax.eval_shape(optimizer.init, network.parameters)
    size = BATCH * mesh.size
    inputs = jax.ShapeDtypeStruct((size, *network.example), network.dtype)
    targets = jax.ShapeDtypeStruct((size, CLASSES), network.dtype)
    everywhere = jax.NamedSharding(mesh, jax.P())
    lowered = jax.jit(step, donate_argnums=(0, 1), out_shardings=everywhere).lower(
        described(network.parameters, mesh),
        described(state, mesh),
        described(inputs, mesh, "data"),
        described(targets, mesh, "data"),
    )
    size = sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(state))
    return Program(lowered.compile().as_text() or "", size)
