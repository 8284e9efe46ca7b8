"""Every line that docs/migrating.md gives is one that runs."""

import math
import re
from pathlib import Path

import jax
import numpy as np
import pytest

import jaxsched

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
CELLS = re.findall(r"^\| [^|]+ \| `([^`]+)` \|", PAGE, flags=re.MULTILINE)
LINES = [
    cell
    for cell in CELLS
    if ("(" in cell or "*" in cell) and not cell.startswith(("optax.", "from_"))
]


@pytest.mark.parametrize("line", LINES)
def test_line_runs(line: str):
    rate = eval(line, {**vars(jaxsched), **NUMBERS, **SCHEDULES})
    if isinstance(rate, jaxsched.Controller):
        assert float(rate(rate.init())) == np.float32(0.1)
    else:
        assert np.isfinite(jax.jit(rate)(np.arange(200))).all()


def test_every_importer_is_on_the_page():
    importers = [
        name
        for name, public in vars(jaxsched).items()
        if getattr(public, "__module__", "").startswith("jaxsched.interop.")
    ]
    assert [name for name in importers if f"{name}(" not in PAGE] == []
    assert len(LINES) > 30
