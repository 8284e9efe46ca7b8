"""`from_megatron` against the live scheduler of Megatron core, at every update."""

from argparse import Namespace

import numpy as np
from hypothesis import HealthCheck, given, settings

import jaxsched as js
from tests.oracles.measure import agree
from tests.oracles.megatron_cases import build, options, values_of

UPDATES = 1000
drawn = settings(
    max_examples=120, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)


@drawn
@given(args=options())
def test_every_update_has_the_rate_and_the_weight_decay(args: Namespace):
    rates, decays = values_of(build(args), [args.global_batch_size] * UPDATES)
    agree(js.from_megatron(args)(np.arange(UPDATES)), rates)
    agree(js.megatron_weight_decay(args)(np.arange(UPDATES)), decays)


@drawn
@given(args=options())
def test_every_update_on_batches_that_grow(args: Namespace):
    if args.train_iters:
        return
    size = args.global_batch_size
    args.global_batch_size = None
    args.step_batch_size_schedule = f"0:{size} {9 * size}:{2 * size} {30 * size + 1}:{5 * size}"
    plan = js.megatron_batches(args)
    sizes = [size for steps, size in plan for _ in range(steps)]
    assert sum(sizes) >= args.train_samples > sum(sizes[:-1])
    rates, decays = values_of(build(args), sizes)
    agree(js.from_megatron(args)(np.arange(len(sizes))), rates)
    agree(js.megatron_weight_decay(args)(np.arange(len(sizes))), decays)
