"""timm's schedulers without the rest of timm, which needs torchvision."""

import importlib
import importlib.metadata
import importlib.util
import sys
import types
from typing import Any


def schedulers() -> Any:
    """The module `timm.scheduler`."""
    if "timm" not in sys.modules:
        spec = importlib.util.find_spec("timm")
        if spec is None:
            raise ImportError("timm is not installed.")
        package = types.ModuleType("timm")
        package.__path__ = list(spec.submodule_search_locations or ())
        package.__spec__ = spec
        package.__version__ = importlib.metadata.version("timm")
        sys.modules["timm"] = package
    return importlib.import_module("timm.scheduler")
