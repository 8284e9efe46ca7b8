"""Writes what the live packages do to `recorded/`: `python -m tests.oracles.record [peer ...]`.

`tests/test_interop.py` compares the importers with it where the packages are not installed.
"""

import importlib
import json
import random
import sys
from pathlib import Path
from typing import Any

from tests.oracles.objects import snapshot

PEERS = {
    "torch": "tests.oracles.torch_cases",
    "keras": "tests.oracles.keras_cases",
    "transformers": "tests.oracles.transformers_cases",
    "pytorch_warmup": "tests.oracles.warmup_cases",
    "timm": "tests.oracles.timm_cases",
    "mmengine": "tests.oracles.mmengine_cases",
    "fvcore": "tests.oracles.fvcore_cases",
    "ignite": "tests.oracles.ignite_cases",
    "paddle": "tests.oracles.paddle_cases",
}
"""For each package the module with its `NESTED`, `FUNCTIONS` and `recorded(package)`."""

FOLDER = Path(__file__).parent / "recorded"


def chosen(rates: list[float]) -> list[int]:
    """Steps worth keeping: the first, the last, where the rate turns or jumps, and some others."""
    turns = [
        i
        for i in range(1, len(rates) - 1)
        if abs(rates[i + 1] - 2 * rates[i] + rates[i - 1]) > 0.05 * abs(rates[i])
    ]
    kept = {step for turn in turns[:8] + turns[-4:] for step in (turn - 1, turn, turn + 1)}
    others = random.Random(0).sample(range(len(rates)), min(12, len(rates)))
    return sorted({*range(min(5, len(rates))), *kept, *others, len(rates) - 1})


def record(peer: str) -> dict[str, Any]:
    """Every recorded case of a package."""
    cases = importlib.import_module(PEERS[peer])
    package = importlib.import_module(peer)
    records = []
    for thing, arguments, metrics, run in cases.recorded(package):
        # Taken before it runs on.
        things = thing if isinstance(thing, list) else [thing]
        taken = [
            one if isinstance(one, str) else snapshot(one, cases.NESTED, cases.FUNCTIONS)
            for one in things
        ]
        taken = taken if isinstance(thing, list) else taken[0]
        rates = run()
        steps = range(len(rates)) if metrics else chosen(rates)
        records.append(
            {
                "object": taken,
                "arguments": arguments,
                "metrics": metrics,
                "rates": [[step, rates[step]] for step in steps],
            }
        )
    return {"package": peer, "version": package.__version__, "cases": records}


if __name__ == "__main__":
    for name in sys.argv[1:] or PEERS:
        content = record(name)
        lines = ",\n".join(json.dumps(case) for case in content.pop("cases"))
        head = json.dumps(content)[:-1]
        (FOLDER / f"{name}.json").write_text(f'{head}, "cases": [\n{lines}\n]}}\n')
        print(f"{name} {content['version']}: {lines.count(chr(10)) + 1} cases")
