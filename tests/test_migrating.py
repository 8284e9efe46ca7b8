"""Every line that docs/migrating.md gives is one that runs."""

import importlib
import json
import math
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jax
import numpy as np
import optax
import pytest

import jaxsched
from jaxsched.interop.levanter.exporter import levanter_class
from tests.oracles.objects import stand_in
from tests.oracles.record import PEERS
from tests.test_interop import kind_of

PAGE = (Path(__file__).parent.parent / "docs" / "migrating.md").read_text()
NUMBERS = dict(
    lr=0.1, W=10, T=100, decay=20, end=0.01, factor=0.5, start_factor=0.1, end_factor=0.5,
    total_iters=20, power=2.0, gamma=0.9, step_size=10, milestones=[10, 20], T_max=50, eta_min=0.01,
    T_0=10, T_mult=2, base_lr=0.01, max_lr=0.1, step_size_up=5, step_size_down=8, total_steps=100,
    patience=3, cooldown=2, anneal_epochs=10, swa_lr=0.05, timescale=30, mult=0.1, step=50,
    steps_per_decay=10, decay_factor=0.5, steps_per_cycle=20, d_model=512,
    steps=30, rate=0.9, staircase=True, s1=10, s2=20, v0=0.1, v1=0.05, v2=0.01, alpha=0.1, peak=0.2,
    t_mul=2, m_mul=0.9, min_delta=1e-3, min_lr=0.01, epochs=9, n=2, h=20, lr_end=0.001, r=0.1, d=20,
    threshold=1e-3, max_lr_scale=10.0, b2=0.99, w=10,
    a=0.1, z=0.01, v=0.1, N=100, g=0.5, k=10, p=2.0, m=0.01, D=20, tau=30, begin=50, lb=-6.0,
    ub=4.0, w0=0.01, w1=0.1, values=[0.1, 0.05, 0.01], knots=[0, 10, 20], boundaries=[10, 20],
    c=28.6, b=-0.51, start_value=0.01, end_value=0.1,
    up=5, down=8, decay_rate=0.5, patience_t=3, noise_pct=0.5, noise_std=1.0, updates_per_epoch=7,
)  # fmt: skip
SCHEDULES = dict(
    schedule=jaxsched.linear_schedule(1.0, 0.0, 10),
    schedules=[jaxsched.linear_schedule(1.0, 0.0, 10), 0.5, 0.1],
    first=jaxsched.linear_schedule(1.0, 0.0, 10),
    s=jaxsched.linear_schedule(1.0, 0.0, 10),
    cycles=[dict(init_value=0.0, peak_value=0.1, warmup_steps=2, decay_steps=10)] * 2,
    math=math,
    f=lambda epoch: 0.1 / (1 + epoch),
    second=jaxsched.cosine_decay_schedule(1.0, 10),
)
TRAINERS = dict(
    megatron=dict(lr=0.1, train_iters=100, global_batch_size=8, end_weight_decay=0.1),
    levanter=dict(learning_rate=0.1, cycles=2, rewarmup=0.1),
    maxtext=dict(learning_rate=0.1, steps=99, per_device_batch_size=2, num_target_devices=4),
    big_vision=dict(
        lr=0.1, total_epochs=3, schedule={"warmup_epochs": 0.5}, input={"batch_size": 16}
    ),
)  # fmt: skip
CELLS = re.findall(r"^\| [^|]+ \| `([^`]+)`(?:,| \|)", PAGE, flags=re.MULTILINE)
CALLS = sorted(
    set(re.findall(r"`((?:jaxsched\.)?(?:\w+_)?(?:from|to|megatron|maxtext)_\w+\(.*?\))`", PAGE))
)
LINES = [
    cell
    for cell in CELLS
    if ("(" in cell or "*" in cell) and cell not in CALLS and not cell.startswith("optax.")
]
RECORDED = Path(__file__).parent / "oracles" / "recorded"


def recorded(peer: str, kind: str | None = None) -> Any:
    """A stand-in for a live object of another library, as it was recorded."""
    functions = importlib.import_module(PEERS[peer]).FUNCTIONS
    cases = json.loads((RECORDED / f"{peer}.json").read_text())["cases"]
    found = (one["object"] for one in cases if kind in (None, kind_of(one["object"])))
    return stand_in(next(found), functions)


GIVEN: dict[str, Callable[[str], dict[str, Any]]] = {
    "from_torch(s)": lambda _: {"s": recorded("torch")},
    "from_torch": lambda _: {"scheduler": recorded("torch")},
    "state_from_torch": lambda _: {"scheduler": recorded("torch", "ReduceLROnPlateau")},
    "to_torch": lambda _: {"optimizer": SimpleNamespace(param_groups=[{"lr": 0.1}])},
    "from_keras": lambda _: {"schedule": recorded("keras")},
    "to_keras": lambda _: {},
    "from_transformers": lambda _: {"name": "cosine", "training_arguments": {"warmup_ratio": 0.1}},
    "from_warmup": lambda _: {"warmup": recorded("pytorch_warmup")},
    "from_timm": lambda _: {"scheduler": recorded("timm")},
    "from_mmengine": lambda _: {"schedulers": recorded("mmengine")},
    "from_fvcore": lambda _: {"scheduler": recorded("fvcore"), "num_updates": 100},
    "from_ignite": lambda _: {"scheduler": recorded("ignite")},
    "from_paddle": lambda _: {"scheduler": recorded("paddle")},
    "from_t5x": lambda _: {"factors": "constant * linear_warmup"},
    "from_scenic": lambda _: {"lr_configs": {"base_learning_rate": 0.1}},
    "to_levanter": lambda _: {},
    "to_megatron_batches": lambda _: {"plan": [(10, 64), (5, 128)], "seq_length": 32},
}
GIVEN |= {
    name: lambda name: {"args": TRAINERS[trainer_of(name)], "config": TRAINERS[trainer_of(name)]}
    for name in (
        "from_megatron",
        "megatron_weight_decay",
        "megatron_batches",
        "from_levanter",
        "from_maxtext",
        "maxtext_batches",
        "from_big_vision",
    )
}
"""What the names in the calls of importers and exporters stand for."""


def trainer_of(name: str) -> str:
    """The trainer that a function is named after."""
    return next(trainer for trainer in TRAINERS if trainer in name)


def check(made: Any) -> None:
    """That something is a controller, or a schedule."""
    if isinstance(made, jaxsched.Controller):
        assert float(made(made.init())) == np.float32(0.1)
    else:
        assert np.isfinite(jax.jit(made)(np.arange(200))).all()


@pytest.mark.parametrize("line", LINES)
def test_line_runs(line: str):
    check(eval(line, {**vars(jaxsched), **NUMBERS, **SCHEDULES}))


@pytest.mark.parametrize(
    "line", [cell for cell in CELLS if cell.startswith("optax.") and "(" in cell]
)
def test_line_with_optax_runs(line: str):
    made = eval(line, {"optax": optax, "rate": SCHEDULES["first"], **SCHEDULES})
    state = made.init({"w": np.zeros(2)})
    made.update({"w": np.ones(2)}, state)


@pytest.fixture
def peers(monkeypatch: pytest.MonkeyPatch):
    """The little of other libraries that exporters need."""
    schedules = SimpleNamespace(LearningRateSchedule=object)
    keras = SimpleNamespace(
        backend=SimpleNamespace(backend=lambda: "jax"),
        ops=SimpleNamespace(convert_to_tensor=lambda step: step),
        optimizers=SimpleNamespace(schedules=schedules),
    )
    torch = SimpleNamespace(LambdaLR=lambda optimizer, function: function)
    base = type("LrSchedule", (), {"register_subclass": lambda name: lambda cls: cls})
    monkeypatch.setitem(sys.modules, "keras", keras)
    monkeypatch.setitem(sys.modules, "torch.optim.lr_scheduler", torch)
    monkeypatch.setitem(sys.modules, "levanter.optim.config", SimpleNamespace(LrSchedule=base))
    levanter_class.cache_clear()
    yield
    levanter_class.cache_clear()


@pytest.mark.parametrize("call", CALLS)
def test_call_of_an_importer_or_exporter_runs(call: str, peers: None):
    line = call.removeprefix("jaxsched.")
    name = line.split("(")[0]
    given = GIVEN.get(line, GIVEN[name])(name)
    names = {"data_size": 640, "num_train_steps": 100, **NUMBERS, **SCHEDULES, **given}
    made = eval(line, {**vars(jaxsched), **names})
    if name == "to_megatron_batches":
        assert made == "0:2 640:4"
    elif name.endswith("batches"):
        assert sum(steps for steps, _ in made) in (99, 100)
    elif name == "state_from_torch":
        assert isinstance(made, jaxsched.ControllerState)
    elif name.startswith("from") or name == "megatron_weight_decay":
        check(made)
    else:
        rate = made.build(None) if name == "to_levanter" else made
        assert np.isfinite(float(rate(3)))


def test_every_importer_is_on_the_page():
    importers = [
        name
        for name, public in vars(jaxsched).items()
        if getattr(public, "__module__", "").startswith("jaxsched.interop.")
    ]
    assert [name for name in importers if f"{name}(" not in PAGE] == []
    called = {call.removeprefix("jaxsched.").split("(")[0] for call in CALLS}
    assert set(importers) - called == set()
    assert len(LINES) > 30
