"""A process of `examples/multihost.py`, killed when it asks for its batch of a step.

python -m tests.killed_process STEP ARGUMENTS...
"""

import os
import runpy
import signal
import sys
from pathlib import Path

EXAMPLE = Path(__file__).parent.parent / "examples" / "multihost.py"


def main(last, *arguments):
    """Runs the example with a last step that is never made."""
    functions = runpy.run_path(str(EXAMPLE))["main"].__globals__
    local_batch = functions["local_batch"]

    def batch_or_death(step, part):
        if step == last:
            os.kill(os.getpid(), signal.SIGKILL)
        return local_batch(step, part)

    functions["local_batch"] = batch_or_death
    functions["main"](arguments)


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
