"""Megatron-LM's options as plain data, and the scheduler that it makes of them."""

import inspect
import re
from argparse import Namespace
from types import SimpleNamespace
from typing import Any

from hypothesis import strategies as st

STYLES = ("constant", "linear", "cosine", "inverse-square-root", "WSD")
SHAPES = ("exponential", "linear", "cosine", "minus_sqrt")


def existing(scheduler: Any) -> set[str]:
    """The styles and shapes that the source of the scheduler tells apart."""
    source = inspect.getsource(scheduler)
    names = ("lr_decay_style", "lr_wsd_decay_style", "wd_incr_style")
    pairs = (rf"self\.({name}) == ['\"]([\w-]+)['\"]" for name in names)
    return {f"{name}={value}" for pair in pairs for name, value in re.findall(pair, source)}


COVERED = {
    *(f"lr_decay_style={style}" for style in STYLES),
    *(f"lr_wsd_decay_style={shape}" for shape in SHAPES),
    *(f"wd_incr_style={style}" for style in ("constant", "linear", "cosine")),
}


def build(args: Namespace) -> Any:
    """A live scheduler, with the lengths in samples that the training script makes of options."""
    from megatron.core.optimizer_param_scheduler import OptimizerParamScheduler

    unit, size = ("iters", args.global_batch_size) if args.train_iters else ("samples", 1)
    given = {
        name: getattr(args, f"{name}_{unit}") for name in ("train", "lr_decay", "lr_wsd_decay")
    }
    decay = size * (given["lr_decay"] or given["train"])
    warmup = size * getattr(args, f"lr_warmup_{unit}")
    if args.lr_warmup_fraction is not None:
        warmup = args.lr_warmup_fraction * decay
    annealing = given["lr_wsd_decay"]
    return OptimizerParamScheduler(
        SimpleNamespace(param_groups=[{"default_config": True}]),
        init_lr=args.lr_warmup_init,
        max_lr=args.lr,
        min_lr=args.min_lr,
        lr_warmup_steps=warmup,
        lr_decay_steps=decay,
        lr_decay_style=args.lr_decay_style,
        start_wd=args.start_weight_decay,
        end_wd=args.end_weight_decay,
        wd_incr_steps=given["train"] * size,
        wd_incr_style=args.weight_decay_incr_style,
        wsd_decay_steps=None if annealing is None else annealing * size,
        lr_wsd_decay_style=args.lr_wsd_decay_style,
    )


def values_of(scheduler: Any, sizes: list[int]) -> tuple[list[float], list[float]]:
    """The rate and the weight decay at each update on a batch of a size."""
    (group,) = scheduler.optimizer.param_groups
    rates, decays = [], []
    for size in sizes:
        rates.append(float(group["lr"]))
        decays.append(float(group["weight_decay"]))
        scheduler.step(increment=size)
    return rates, decays


lengths = st.one_of(st.integers(1, 12), st.integers(1, 900))


@st.composite
def options(draw: Any) -> Namespace:
    """Options of a run that Megatron-LM takes."""
    unit = draw(st.sampled_from(["iters", "samples"]))
    other = "samples" if unit == "iters" else "iters"
    train = draw(st.integers(2, 900)) * (1 if unit == "iters" else draw(st.integers(1, 40)))
    decay = draw(st.sampled_from([None, train + 7, max(train // 2, 2)]))
    whole = decay or train
    fraction = draw(st.sampled_from([None, None, 0.0, 0.01, 0.1234, 0.9]))
    warmup = 0 if fraction is not None else draw(st.integers(0, whole - 1))
    incr = draw(st.sampled_from(["constant", "linear", "cosine"]))
    return Namespace(
        lr=0.3,
        min_lr=draw(st.sampled_from([0.0, 0.01, 0.3])),
        lr_warmup_init=draw(st.sampled_from([0.0, 0.05])),
        lr_decay_style=draw(st.sampled_from(STYLES)),
        lr_wsd_decay_style=draw(st.sampled_from(SHAPES)),
        global_batch_size=draw(st.integers(1, 64)),
        lr_warmup_fraction=fraction,
        weight_decay=0.1,
        weight_decay_incr_style=incr,
        start_weight_decay=0.1 if incr == "constant" else 0.02,
        end_weight_decay=0.1,
        **{f"train_{unit}": train, f"train_{other}": None},
        **{f"lr_decay_{unit}": decay, f"lr_decay_{other}": None},
        **{f"lr_warmup_{unit}": warmup, f"lr_warmup_{other}": 0},
        **{f"lr_wsd_decay_{unit}": draw(st.integers(0, whole + 9)), f"lr_wsd_decay_{other}": None},
    )
