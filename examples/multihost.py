"""Several processes train one network, and go on from their last checkpoint when one has died.

Each process holds a part of scikit-learn's digits. The rate is a cosine that starts again when
the training loss, the mean over all processes, has stalled: at the same step in each process, as
all of them compute the same state. Checkpoints hold all of that state, so an interrupted run
ends with the bits of an undisturbed one. Try it: kill a process, then give the same command again.

    python examples/multihost.py            # two processes with four CPU devices each

On a cluster, start it on every host, with a folder that all of them share:

    python examples/multihost.py --coordinator HOST:PORT --processes N --process I --folder FOLDER
"""

import argparse
import functools
import hashlib
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np
import optax
import orbax.checkpoint as ocp
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from sklearn.datasets import load_digits

import jaxsched

ROWS_PER_DEVICE, LOG_EVERY, CPU_DEVICES = 16, 20, 4


def load_part() -> tuple[np.ndarray, np.ndarray]:
    """The images and labels of this process."""
    part = slice(jax.process_index(), None, jax.process_count())
    images, labels = load_digits(return_X_y=True)
    return images[part].astype(np.float32) / 16, labels[part].astype(np.int32)


def local_batch(step: int, part: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, ...]:
    """What this process adds to a batch; the step alone decides, so a resumed run sees the same."""
    random = np.random.default_rng([step, jax.process_index()])
    rows = random.integers(len(part[0]), size=ROWS_PER_DEVICE * jax.local_device_count())
    return tuple(array[rows] for array in part)


def make_params() -> dict[str, np.ndarray]:
    """A network with one hidden layer, the same in each process."""
    normal = np.random.default_rng(0).standard_normal
    params = {"w1": normal((64, 32)) / 8, "b1": np.zeros(32), "w2": normal((32, 10)) / 6}
    return {name: param.astype(np.float32) for name, param in params.items()}


def make_optimizer(period: int) -> optax.GradientTransformationExtraArgs:
    """Adam, with a cosine that starts again, half as high, when three means are no better."""
    warmup_steps = window = max(period // 10, 1)
    cosine = jaxsched.cosine_decay_schedule(1e-2, period - warmup_steps)
    rate = jaxsched.with_warmup(cosine, warmup_steps)
    rule = jaxsched.plateau(patience=3, rtol=0.1, window=window)
    restarts = jaxsched.restart_on(rule, rate, peak_mult=0.5)
    return optax.chain(optax.scale_by_adam(), jaxsched.scale_by_learning_rate(restarts))


def cross_entropy(params: Any, images: jax.Array, labels: jax.Array) -> jax.Array:
    """The mean loss."""
    logits = jax.nn.relu(images @ params["w1"] + params["b1"]) @ params["w2"]
    return optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean()


def train_step(optimizer: Any, state: Any, images: jax.Array, labels: jax.Array) -> Any:
    """One step on the batch of all processes, whose mean loss the restarts hear."""
    params, opt_state = state
    loss, grads = jax.value_and_grad(cross_entropy)(params, images, labels)
    updates, opt_state = optimizer.update(grads, opt_state, params, value=loss)
    return (optax.apply_updates(params, updates), opt_state), loss


def train(args: argparse.Namespace) -> Any:
    """Trains from the last complete checkpoint, if there is one, and returns the last state."""
    mesh = Mesh(np.array(jax.devices()), "data")
    replicated, rows = (NamedSharding(mesh, PartitionSpec(*axes)) for axes in ((), ("data",)))
    optimizer, part = make_optimizer(args.period), load_part()
    init = jax.jit(lambda params: (params, optimizer.init(params)), out_shardings=replicated)
    step_all = jax.jit(functools.partial(train_step, optimizer), out_shardings=replicated)
    state, folder = init(make_params()), args.folder.absolute()
    options = ocp.CheckpointManagerOptions(save_interval_steps=args.save_every, max_to_keep=2)
    with ocp.CheckpointManager(folder, options=options) as manager:
        start = manager.latest_step() or 0
        if start:
            state = manager.restore(start, args=ocp.args.StandardRestore(state))
            log(f"goes on from step {start}")
        for step in range(start, args.steps):
            batch = local_batch(step, part)
            batch = (jax.make_array_from_process_local_data(rows, array) for array in batch)
            state, loss = step_all(state, *batch)
            manager.save(step + 1, args=ocp.args.StandardSave(state))
            if (step + 1) % LOG_EVERY == 0:
                log(f"step {step + 1}: loss {loss:.4f}, {describe(state)}")
    return state


def describe(state: Any) -> str:
    """The rate, and what the controller has done."""
    record, rate = jaxsched.record(state), jaxsched.learning_rate(state)
    return f"rate {rate:.5f}, restarts {record['events']}, the last at step {record['last_event']}"


def fingerprint(state: Any) -> str:
    """A text that is another one if any bit of the state is."""
    leaves = (np.asarray(leaf).tobytes() for leaf in jax.tree.leaves(state))
    return hashlib.sha256(b"".join(leaves)).hexdigest()[:16]


def log(text: str) -> None:
    """Prints in the first process only."""
    if jax.process_index() == 0:
        print(text, flush=True)


def work(args: argparse.Namespace) -> None:
    """What each process does."""
    if args.on_cpu:
        jax.config.update("jax_platforms", "cpu")
        jax.config.update("jax_num_cpu_devices", CPU_DEVICES)
        jax.config.update("jax_cpu_collectives_implementation", "gloo")
    jax.distributed.initialize(args.coordinator, args.processes, args.process)
    state = train(args)
    print(f"process {args.process} ends: {describe(state)}, state {fingerprint(state)}", flush=True)


def launch(arguments: Sequence[str], processes: int) -> int:
    """Runs all processes on this machine until they end; when one fails, stops the others."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{found.getsockname()[1]}"
    command = [sys.executable, __file__, *arguments, "--on-cpu", "--coordinator", address]
    children: list[subprocess.Popen] = []
    try:
        for process in range(processes):
            children.append(subprocess.Popen([*command, "--process", str(process)]))
            print(f"process {process} has the id {children[-1].pid}", flush=True)
        while not any(codes := [child.poll() for child in children]) and None in codes:
            time.sleep(0.1)
    finally:
        for child in children:
            child.kill()
            child.wait()
    if any(codes):
        print("A process has failed; the same command goes on from the last checkpoint.")
    return int(any(codes))


def main(argv: Sequence[str] | None = None) -> None:
    """Is one of the processes, or starts all of them if no coordinator is given."""
    arguments = sys.argv[1:] if argv is None else argv
    parser = argparse.ArgumentParser(
        description="Train one network with several processes, and resume after a failure.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--steps", type=int, default=300, help="steps of the whole run")
    parser.add_argument("--period", type=int, default=100, help="steps of the cosine")
    parser.add_argument("--save-every", type=int, default=50, help="steps between checkpoints")
    parser.add_argument("--folder", type=Path, default="checkpoints", help="for the checkpoints")
    parser.add_argument("--processes", type=int, default=2, help="how many there are")
    parser.add_argument("--coordinator", help="HOST:PORT of the first; none: run all of them here")
    parser.add_argument("--process", type=int, help="which one this is, from 0")
    parser.add_argument("--on-cpu", action="store_true", help="use the CPU as several devices")
    args = parser.parse_args(arguments)
    if args.coordinator is None:
        sys.exit(launch(arguments, args.processes))
    work(args)


if __name__ == "__main__":
    main()
