"""ignite's schedulers as plain data: a class and its arguments, and how to build one."""

import random
from collections.abc import Iterator
from functools import partial
from types import SimpleNamespace
from typing import Any

from hypothesis import strategies as st

from tests.oracles import torch_cases
from tests.oracles.torch_cases import Case, decays, optimizer_of

FUNCTIONS = {**torch_cases.FUNCTIONS, "batches": lambda event: 8 * 2 ** min(event // 10, 4)}
NESTED = (
    *torch_cases.NESTED,
    *("schedulers", "lr_scheduler", "_lr_scheduler", "scheduler", "_current_scheduler"),
)


def build(case: Case, *rates: float, optimizer: Any = None) -> Any:
    """A live scheduler."""
    import torch
    from ignite import handlers
    from ignite.handlers import param_scheduler, state_param_scheduler

    name, arguments = case
    arguments = dict(arguments)
    optimizer = optimizer or optimizer_of(torch, *rates)
    if name.endswith("StateScheduler"):
        if "lambda_obj" in arguments:
            arguments["lambda_obj"] = FUNCTIONS[arguments["lambda_obj"]]
        return getattr(state_param_scheduler, name)(param_name="value", **arguments)
    if name == "BatchSizeScheduler":
        loader = torch.utils.data.DataLoader([0.0])
        return param_scheduler.BatchSizeScheduler(loader, FUNCTIONS[arguments["scheduler_fn"]])
    if "schedulers" in arguments:
        members = [build(member, optimizer=optimizer) for member in arguments["schedulers"]]
        arguments["schedulers"] = members
        return getattr(param_scheduler, name)(**arguments)
    if "lr_scheduler" in arguments:
        inner = arguments.pop("lr_scheduler")
        if inner[0] in torch_cases.LEAVES:
            inner = torch_cases.build(torch, optimizer, inner)
        else:
            inner = build(inner, optimizer=optimizer)
        return getattr(handlers, name)(inner, **arguments)
    if name == "ReduceLROnPlateauScheduler":
        return param_scheduler.ReduceLROnPlateauScheduler(optimizer, "loss", **arguments)
    return getattr(param_scheduler, name)(optimizer, "lr", **arguments)


def values_of(scheduler: Any, events: int, group: int = 0) -> list[float]:
    """The value that each event sets, up to where PyTorch raises."""
    values: list[float] = []
    state = SimpleNamespace()
    for _ in range(events):
        try:
            if hasattr(scheduler, "create_new"):
                scheduler(SimpleNamespace(state=state))
                values.append(float(state.value))
            else:
                scheduler(None)
                values.append(_set_by(scheduler, group))
        except (ValueError, ZeroDivisionError):  # Beyond an end; a cycle of no steps.
            break
    return values


def _set_by(scheduler: Any, group: int) -> float:
    if hasattr(scheduler, "dataloader"):
        return float(scheduler.dataloader.batch_sampler.batch_size)
    optimizer = scheduler.optimizer
    optimizer = optimizer[0] if isinstance(optimizer, list) else optimizer
    return float(optimizer.param_groups[group]["lr"])


sizes = st.one_of(st.integers(2, 12), st.integers(2, 600))
values = st.sampled_from([0.0, 1e-4, 0.01, 0.1, 1.0])
mults = st.sampled_from([1.0, 1.0, 0.5, 0.9])


def _case(name: str, **arguments: Any) -> st.SearchStrategy[Case]:
    return st.tuples(st.just(name), st.fixed_dictionaries(arguments))


cycles = {
    "start_value": values,
    "end_value": values,
    "cycle_size": sizes,
    "cycle_mult": st.sampled_from([1.0, 1.5, 2.0, 1.2, 0.7]),
    "start_value_mult": mults,
    "end_value_mult": mults,
}
points = st.lists(st.tuples(st.integers(0, 900), values), min_size=1, max_size=6).map(
    lambda pairs: sorted(pairs, key=lambda pair: pair[0])
)
CYCLICAL = {
    "LinearCyclicalScheduler": st.one_of(
        _case("LinearCyclicalScheduler", **cycles),
        _case(
            "LinearCyclicalScheduler",
            **cycles,
            monotonic=st.just(True),
            warmup_duration=st.integers(0, 40),
        ),
    ),
    "CosineAnnealingScheduler": _case(
        "CosineAnnealingScheduler", **cycles, warmup_duration=st.integers(0, 40)
    ),
}
STATES = {
    "LambdaStateScheduler": _case(
        "LambdaStateScheduler", lambda_obj=st.sampled_from(["inverse root", "halved every 30"])
    ),
    "PiecewiseLinearStateScheduler": _case(
        "PiecewiseLinearStateScheduler", milestones_values=points
    ),
    "ExpStateScheduler": _case("ExpStateScheduler", initial_value=values, gamma=decays),
    "StepStateScheduler": _case(
        "StepStateScheduler", initial_value=values, gamma=decays, step_size=sizes
    ),
    "MultiStepStateScheduler": _case(
        "MultiStepStateScheduler",
        initial_value=values,
        gamma=decays,
        milestones=st.lists(sizes, min_size=1, max_size=5).map(sorted),
    ),
    "BatchSizeScheduler": _case("BatchSizeScheduler", scheduler_fn=st.just("batches")),
}
from_torch = st.one_of(*torch_cases.LEAVES.values())
wrapped = _case("LRScheduler", lr_scheduler=from_torch)
piecewise = _case("PiecewiseLinear", milestones_values=points)
plain = st.one_of(*CYCLICAL.values(), piecewise)
parts = st.one_of(plain, wrapped)


def _concatenated(members: list[Case]) -> st.SearchStrategy[Case]:
    count = len(members) - 1
    durations = st.lists(st.integers(0, 500), min_size=count, max_size=count)
    return _case("ConcatScheduler", schedulers=st.just(members), durations=durations)


STRATEGIES = {
    **CYCLICAL,
    **STATES,
    "PiecewiseLinear": piecewise,
    "LRScheduler": wrapped,
    "ConcatScheduler": st.lists(parts, min_size=2, max_size=4).flatmap(_concatenated),
    "ParamGroupScheduler": _case("ParamGroupScheduler", schedulers=st.tuples(plain).map(list)),
    "create_lr_scheduler_with_warmup": _case(
        "create_lr_scheduler_with_warmup",
        lr_scheduler=st.one_of(from_torch, plain),
        warmup_start_value=st.sampled_from([0.0, 1e-4]),
        warmup_duration=st.integers(2, 60),
        warmup_end_value=st.sampled_from([None, 0.07]),
    ),
}

TABULATED = 1500
COSINE: Case = (
    "CosineAnnealingScheduler",
    {"start_value": 0.1, "end_value": 1e-3, "cycle_size": 300, "start_value_mult": 0.5},
)
LINES: Case = ("LinearCyclicalScheduler", {"start_value": 0.0, "end_value": 0.2, "cycle_size": 33})
STEPS: Case = (
    "PiecewiseLinear",
    {"milestones_values": [(10, 0.5), (20, 0.45), (20, 0.3), (90, 0.1)]},
)
FALLS: Case = ("PiecewiseLinear", {"milestones_values": [(0, 0.5), (3, 0.3)]})


def _wrapped(name: str, **arguments: Any) -> Case:
    return ("LRScheduler", {"lr_scheduler": (name, arguments)})


COOLED = _wrapped("ExponentialLR", gamma=0.95)
SAMPLES: list[tuple[Case, int]] = [
    (COSINE, 0),
    ((COSINE[0], {**COSINE[1], "warmup_duration": 20}), 310),
    ((COSINE[0], {**COSINE[1], "cycle_mult": 1.5, "end_value_mult": 0.9}), 0),
    (LINES, 0),
    ((LINES[0], {**LINES[1], "monotonic": True, "warmup_duration": 5, "cycle_mult": 2.0}), 3),
    (STEPS, 0),
    (("ConcatScheduler", {"schedulers": [LINES, COSINE, STEPS], "durations": [66, 400]}), 0),
    (("ConcatScheduler", {"schedulers": [LINES, COSINE, STEPS], "durations": [66, 0]}), 70),
    *(
        (
            ("ConcatScheduler", {"schedulers": members, "durations": [4, 9][: len(members) - 1]}),
            done,
        )
        for members in (
            [FALLS, _wrapped("ExponentialLR", gamma=0.9)],
            [FALLS, _wrapped("LinearLR", total_iters=9), _wrapped("StepLR", step_size=5)],
            [_wrapped("CosineAnnealingLR", T_max=9), _wrapped("PolynomialLR", total_iters=99)],
            [LINES, ("ConcatScheduler", {"schedulers": [STEPS, COOLED], "durations": [20]})],
        )
        for done in (0, 6, 15)
    ),
    *(
        (("LRScheduler", {"lr_scheduler": case}), done)
        for case in (
            ("ExponentialLR", {"gamma": 0.99}),
            ("LinearLR", {"start_factor": 0.2, "total_iters": 300}),
            ("CosineAnnealingLR", {"T_max": 90}),
            ("CosineAnnealingWarmRestarts", {"T_0": 10, "T_mult": 2}),
            ("MultiStepLR", {"milestones": [30, 60], "gamma": 0.1}),
        )
        for done in (0, 20)
    ),
    *(
        (
            (
                "create_lr_scheduler_with_warmup",
                {"lr_scheduler": case, "warmup_start_value": 0.0, "warmup_duration": 30},
            ),
            0,
        )
        for case in (("ExponentialLR", {"gamma": 0.99}), COSINE)
    ),
    (("LambdaStateScheduler", {"lambda_obj": "ramp by branches"}), 0),
    (("ExpStateScheduler", {"initial_value": 1.0, "gamma": 0.99}), 5),
    (("StepStateScheduler", {"initial_value": 1.0, "gamma": 0.5, "step_size": 7}), 0),
    (("MultiStepStateScheduler", {"initial_value": 1.0, "gamma": 0.5, "milestones": [3, 9]}), 0),
    (("BatchSizeScheduler", {"scheduler_fn": "batches"}), 0),
]
PLATEAUS: list[dict[str, Any]] = [
    {"patience": 2, "factor": 0.5},
    {"patience": 0, "mode": "max", "cooldown": 3, "threshold": 0.01, "threshold_mode": "abs"},
    {"patience": 1, "factor": 0.3, "min_lr": 0.01, "param_group_index": 0},
]


def plateau_values(scheduler: Any, metrics: list[float], group: int = 0) -> list[float]:
    """The rate in force, and those after each observation."""
    values = [float(scheduler.optimizer.param_groups[group]["lr"])]
    for metric in metrics:
        scheduler(SimpleNamespace(state=SimpleNamespace(metrics={"loss": metric})))
        values.append(float(scheduler.optimizer.param_groups[group]["lr"]))
    return values


def recorded(_: Any) -> Iterator[tuple[Any, dict[str, Any], list[float], Any]]:
    """For each sample a live scheduler, the importer's arguments, metrics, and how to run."""
    for case, done in SAMPLES:
        scheduler = build(case, 0.1)
        values_of(scheduler, done)
        tabulated = (
            {"steps": TABULATED}
            if case[0] in ("LambdaStateScheduler", "BatchSizeScheduler")
            else {}
        )
        yield scheduler, tabulated, [], partial(values_of, scheduler, 1000)
    noise = random.Random(1)
    metrics = [round(1 / (1 + step) + noise.random(), 3) for step in range(60)]
    for arguments in PLATEAUS:
        scheduler = build(("ReduceLROnPlateauScheduler", arguments), 0.1)
        yield scheduler, {}, metrics, partial(plateau_values, scheduler, metrics)
