"""How many of a package's classes are compared with live ones: `python -m tests.oracles.coverage`.

The classes are found by looking into the package, so a new version's new class fails the run.
"""

import inspect
import sys

from tests.oracles import torch_cases


def torch_classes() -> set[str]:
    """The public schedulers of `torch.optim.lr_scheduler`, and `SWALR`."""
    import torch
    from torch.optim import lr_scheduler

    public = {
        name: cls
        for name, cls in inspect.getmembers(lr_scheduler, inspect.isclass)
        if issubclass(cls, lr_scheduler.LRScheduler) and not name.startswith("_")
    }
    return (public.keys() - {"LRScheduler"}) | {torch.optim.swa_utils.SWALR.__name__}


PEERS = {"torch": (torch_classes, {*torch_cases.STRATEGIES, "ReduceLROnPlateau"})}
"""For each package the classes that exist, and those with cases."""


def main() -> int:
    """Prints the counts, and says whether a class is missing."""
    missing = 0
    for name, (existing, covered) in PEERS.items():
        classes = existing()
        print(f"{name}: {len(classes & covered)} of {len(classes)}", *sorted(classes - covered))
        missing += len(classes - covered)
    return int(missing > 0)


if __name__ == "__main__":
    sys.exit(main())
