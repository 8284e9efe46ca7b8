"""The importers against what the live packages did, as recorded: without the packages."""

import importlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import jaxsched as js
from tests.oracles.measure import agree, answers
from tests.oracles.objects import stand_in
from tests.oracles.record import PEERS

IMPORTERS = {
    "torch": js.from_torch,
    "keras": js.from_keras,
    "transformers": js.from_transformers,
    "pytorch_warmup": js.from_warmup,
    "timm": js.from_timm,
    "mmengine": js.from_mmengine,
    "fvcore": js.from_fvcore,
    "ignite": js.from_ignite,
    "paddle": js.from_paddle,
}
RECORDED = Path(__file__).parent / "oracles" / "recorded"


def kind_of(record: Any) -> str:
    """The class of what was recorded, or the name that says it all."""
    if isinstance(record, list):
        return "+".join(map(kind_of, record))
    return record if isinstance(record, str) else record["class"]


def cases() -> list[Any]:
    return [
        pytest.param(peer, case, id=f"{peer}-{kind_of(case['object'])}-{i}")
        for peer in IMPORTERS
        for i, case in enumerate(json.loads((RECORDED / f"{peer}.json").read_text())["cases"])
    ]


def test_every_record_has_an_importer():
    assert IMPORTERS.keys() == PEERS.keys() == {path.stem for path in RECORDED.iterdir()}


@pytest.mark.parametrize(("peer", "case"), cases())
def test_an_importer_gives_the_recorded_rates(peer: str, case: dict[str, Any]):
    functions = importlib.import_module(PEERS[peer]).FUNCTIONS
    imported = IMPORTERS[peer](stand_in(case["object"], functions), **case["arguments"])
    counts, wanted = map(np.array, zip(*case["rates"], strict=True))
    agree(answers(imported, case["metrics"]) if case["metrics"] else imported(counts), wanted)
