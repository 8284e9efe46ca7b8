"""What the figures are measured on."""

import os
import platform
from pathlib import Path

import jax
import optax

import jaxsched
from benchmarks.markdown import table


def processor() -> str:
    """The model of the processor."""
    try:
        info = Path("/proc/cpuinfo").read_text()
    except OSError:
        info = ""
    names = [line.split(":")[1].strip() for line in info.splitlines() if "model name" in line]
    return names[0] if names else platform.processor() or platform.machine()


def device() -> str:
    """The name of the device that JAX computes on."""
    return jax.devices()[0].device_kind


def machine() -> str:
    """A table of the machine and the versions."""
    rows = [
        ["processor", processor()],
        ["cores", str(os.cpu_count())],
        ["JAX backend", jax.default_backend()],
        ["device", device()],
        ["Python", platform.python_version()],
        ["JAX", jax.__version__],
        ["Optax", optax.__version__],
        ["jaxsched", jaxsched.__version__],
    ]
    return table(["", ""], rows)
