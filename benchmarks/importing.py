"""How long `import jaxsched` takes where Optax is imported already."""

import subprocess
import sys

import numpy as np

from benchmarks.timing import Estimate, estimate

CODE = """
import time
begin = time.perf_counter()
import optax
middle = time.perf_counter()
import jaxsched
print(middle - begin, time.perf_counter() - middle)
"""


def measure(times: int = 15) -> tuple[Estimate, Estimate]:
    """The seconds that importing Optax takes, and then jaxsched, in new processes."""
    subprocess.run([sys.executable, "-c", CODE], check=True, capture_output=True)
    runs = [
        subprocess.run([sys.executable, "-c", CODE], check=True, capture_output=True, text=True)
        for _ in range(times)
    ]
    sample = np.array([[float(word) for word in run.stdout.split()] for run in runs])
    return estimate(sample[:, 0]), estimate(sample[:, 1])


def section(optax: Estimate, ours: Estimate) -> str:
    """The sentence."""
    return f"""## Import time

`import optax` takes {optax.median:.2f} s ({optax.low:.2f} to {optax.high:.2f}), and
`import jaxsched` after it {ours.median:.3f} s ({ours.low:.3f} to {ours.high:.3f}).
"""
