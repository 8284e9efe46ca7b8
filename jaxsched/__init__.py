"""Learning-rate schedules for JAX: pure functions of the step count that Optax accepts."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jaxsched._public import *  # noqa: F403
    from jaxsched._public import __version__ as __version__
else:
    # All at the first use: JAX takes most of a second to import, and the command line has
    # answers that do not need it.

    def __getattr__(name):
        if not name.startswith("_") or name in ("__all__", "__version__"):
            _load()
            if name in globals():
                return globals()[name]
        raise AttributeError(f"module 'jaxsched' has no attribute {name!r}")

    def __dir__():
        _load()
        return [*__all__, "__version__"]  # noqa: F405

    def _load():
        from importlib import import_module

        names = vars(import_module("jaxsched._public"))
        public = [name for name in names if not name.startswith("_")]
        globals().update({name: names[name] for name in [*public, "__version__"]}, __all__=public)
