"""The one-cycle policy of PyTorch's descendants, from its numbers."""

from collections.abc import Sequence
from types import SimpleNamespace

from jaxsched.core.schedule import Schedule
from jaxsched.interop.torch.entry import Entry
from jaxsched.interop.torch.onecycle import onecycle


def one_cycle(
    total: int, ends: Sequence[float], values: Sequence[float], curve: str, faithful: bool
) -> Schedule:
    """Phases that end at real steps, through one value more; with the rate beyond them."""
    names = [f"value {i}" for i in range(len(values))]
    phases = [
        {"end_step": end, "start_lr": first, "end_lr": last}
        for end, first, last in zip(ends, names[:-1], names[1:], strict=True)
    ]
    scheduler = SimpleNamespace(
        total_steps=total,
        _schedule_phases=phases,
        _anneal_func_type=curve,
        optimizer=SimpleNamespace(param_groups=[dict(zip(names, values, strict=True))]),
    )
    return onecycle(scheduler, Entry(0, init=0.0, faithful=faithful))
