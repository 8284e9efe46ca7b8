"""Learning-rate schedules for JAX: pure functions of the step count that Optax accepts."""

import importlib
from typing import TYPE_CHECKING

__version__ = "0.2.0"

if TYPE_CHECKING:
    from jaxsched.control import *
    from jaxsched.core import *
    from jaxsched.inspect import *
    from jaxsched.interop import *
    from jaxsched.notation import *
    from jaxsched.optimizers import *
    from jaxsched.planning import *
    from jaxsched.schedules import *
    from jaxsched.tuning import *
else:
    # All at the first use: JAX takes most of a second to import, and the command line has
    # answers that do not need it.

    _FACES = (
        "core",
        "schedules",
        "control",
        "optimizers",
        "interop",
        "inspect",
        "notation",
        "planning",
        "tuning",
    )

    def __getattr__(name):
        if name in _FACES:
            # One alone, as another may be asking for it while it is itself being imported.
            return importlib.import_module(f"jaxsched.{name}")
        if not name.startswith("_") or name == "__all__":
            _load()
            if name in globals():
                return globals()[name]
        raise AttributeError(f"module 'jaxsched' has no attribute {name!r}")

    def __dir__():
        _load()
        return [*__all__, "__version__"]

    def _load():
        from types import ModuleType

        faces = [vars(importlib.import_module(f"jaxsched.{face}")) for face in _FACES]
        names = {
            name: value
            for face in faces
            for name, value in face.items()
            if not name.startswith("_") and not isinstance(value, ModuleType)
        }
        globals().update(names, __all__=sorted(names))
