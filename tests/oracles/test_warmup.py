"""`from_warmup` of live warm-ups, at every one of some thousand steps."""

import numpy as np
import pytest
import pytorch_warmup
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import jaxsched as js
from tests.oracles.measure import agree
from tests.oracles.warmup_cases import WARMUPS, build, factors_of

STEPS = 3500
drawn = settings(
    max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)


@pytest.mark.parametrize("name", WARMUPS)
@drawn
@given(data=st.data())
def test_every_step_is_that_of_the_live_warmup(name: str, data: st.DataObject):
    case = data.draw(WARMUPS[name])
    group = data.draw(st.integers(0, 1))
    warmup = build(pytorch_warmup, case, 0.97)
    factors_of(warmup, data.draw(st.one_of(st.just(0), st.integers(0, 1000))))
    factor = js.from_warmup(warmup, group=group)
    agree(factor(np.arange(STEPS + 1)), factors_of(warmup, STEPS, group))


def test_with_a_scheduler():
    """The scheduler is read before the warm-up changes its rate."""
    optimizer = torch.optim.AdamW([torch.zeros(1, requires_grad=True)], lr=0.1)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 100)
    rate = js.from_torch(scheduler)
    warmup = pytorch_warmup.LinearWarmup(optimizer, 20)
    rate = rate * js.from_warmup(warmup)
    wanted = [optimizer.param_groups[0]["lr"]]
    for _ in range(100):
        optimizer.step()
        with warmup.dampening():
            scheduler.step()
        wanted.append(optimizer.param_groups[0]["lr"])
    agree(rate(np.arange(101)), wanted)
