"""The targets for the cost of a rate in a training step."""

from collections.abc import Mapping, Sequence

from benchmarks import optimizers
from benchmarks.overhead import Overhead
from benchmarks.targets import Target, at_most
from benchmarks.timing import Estimate

LARGE = 1_000_000
SMALL = 100_000
COPIED = (
    "On a CPU, XLA copies a schedule inside `optax.adam` into the update of every parameter."
    " `scale_by_learning_rate` prevents that with a division. A division at the end of every"
    " schedule would take the step with a join of 1,000 lines from 509 instructions to 368, but the"
    " schedule alone from 80 to 83, above its own target."
)
BUFFERS = (
    "Each array of the state is one more output of the program. Controllers hold theirs in two"
    " vectors."
)


def targets(measured: Sequence[Overhead]) -> list[Target]:
    """The targets on any machine, with all figures under each."""
    small = [one for one in measured if one.size.parameters < SMALL / 10]
    large = [one for one in measured if one.size.parameters >= LARGE]
    schedules, controllers = optimizers.SCHEDULES, optimizers.CONTROLLERS
    found = [
        Target(f"with {n}, at 1k parameters, {way}: at most {limit}", parts, tried)
        for n, names, way, limit, tried in [
            ("a schedule", schedules, "in a scan", 1.03, COPIED),
            ("`scale_by_learning_rate`", optimizers.APPLIED, "in a scan", 1.03, ""),
            ("a controller", controllers, "in a scan", 1.10, ""),
            ("a schedule", schedules, "one by one", 1.05, ""),
            ("a controller", controllers, "one by one", 1.25, BUFFERS),
        ]
        if (parts := at_most(limit, _of(small, way, names)))
    ]
    found += [
        Target(f"with any rate, from 1M parameters on, {way}: at most 1.01", parts)
        for way in ("one by one", "in a scan")
        if (parts := at_most(1.01, _of(large, way, optimizers.OURS)))
    ]
    found += [
        Target(f"all rates as one sample, from 1M parameters on, {way}: at most 1.01", parts)
        for i, way in enumerate(("one by one", "in a scan"))
        if (
            parts := at_most(
                1.01, {f"{one.size.name} parameters": one.together[i] for one in large}
            )
        )
    ]
    return [*found, faster_than_the_host(measured)]


def faster_than_the_host(measured: Sequence[Overhead]) -> Target:
    """The target for the controller that does as the rule on the host does."""
    times = {f"{one.size.name} parameters": one.over_host for one in measured}
    return Target("`reduce_on` over the rule on the host: below 1", at_most(1.0, times))


def half_again_as_fast_as_the_host(measured: Sequence[Overhead]) -> Target:
    """The target for small networks on a GPU."""
    times = {
        f"{one.size.name} parameters": one.over_host
        for one in measured
        if one.size.parameters <= SMALL
    }
    wanted = "`reduce_on` over the rule on the host, up to 100k parameters: at most 1/1.5"
    return Target(wanted, at_most(1 / 1.5, times))


def _of(measured: Sequence[Overhead], way: str, names: Mapping[str, object]) -> dict[str, Estimate]:
    """The ratios of these rates, by name and network."""
    return {
        f"{name}, {one.size.name}": ratio
        for one in measured
        for name, ratio in (one.scan if way == "in a scan" else one.one).items()
        if name in names
    }
