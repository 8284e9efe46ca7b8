"""Installs each file in a folder of distributions in a fresh environment, and tries it there.

python tests/try_distributions.py dist
"""

import subprocess
import sys
import tempfile
import venv
from pathlib import Path

SMOKE = """
import jax, jax.numpy as jnp, optax, jaxsched
schedule = jaxsched.with_warmup(jaxsched.cosine_decay_schedule(0.1, 900), 100)
assert float(schedule(1000)) == 0 and eval(repr(schedule), vars(jaxsched)) == schedule
rate = jaxsched.reduce_on(jaxsched.plateau(patience=2), schedule)
optimizer = optax.chain(optax.scale_by_adam(), jaxsched.scale_by_learning_rate(rate))
params = jnp.ones(3)
state = optimizer.init(params)
for loss in (3.0, 3.0, 3.0, 3.0):
    updates, state = jax.jit(optimizer.update)(params, state, value=loss)
assert int(jaxsched.record(state)["events"]) == 1
assert "site-packages" in jaxsched.__file__
print(jaxsched.__version__, "works")
"""


def try_one(distribution: Path) -> None:
    """Raises if what the file installs does not work."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = str(Path(folder, "bin", "python"))
        quiet = ["--quiet", "--disable-pip-version-check"]
        install = [python, "-m", "pip", "install", *quiet, f"{distribution}[cli]"]
        for command in (
            install,
            [python, "-c", SMOKE],
            [python, "-m", "jaxsched", "--version"],
            [str(Path(folder, "bin", "jaxsched")), "list"],
        ):
            subprocess.run(command, cwd=folder, check=True)


def main() -> None:
    """Tries the files of a folder, one sdist and one wheel."""
    found = sorted(Path(sys.argv[1]).resolve().glob("jaxsched-*"))
    assert {path.suffix for path in found} == {".whl", ".gz"}, found
    for distribution in found:
        print(distribution.name)
        try_one(distribution)


if __name__ == "__main__":
    main()
