"""The importers against what the live packages did, as recorded: without the packages."""

import importlib
import json
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

import jaxsched as js
from tests.oracles.measure import agree
from tests.oracles.objects import stand_in
from tests.oracles.record import PEERS

IMPORTERS = {"torch": js.from_torch}
RECORDED = Path(__file__).parent / "oracles" / "recorded"


def cases() -> list[Any]:
    return [
        pytest.param(peer, case, id=f"{peer}-{case['object']['class']}-{i}")
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


def answers(controller: Any, metrics: list[float]) -> list[Any]:
    """The rate before any metric, and those at each of them."""
    state = controller.init()
    rates = [controller(state)]
    for metric in metrics:
        rate, state = controller.advance(state, value=jnp.asarray(metric, jnp.float32))
        rates.append(rate)
    return rates
