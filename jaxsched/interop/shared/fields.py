"""Reading a trainer's configuration by the names of its fields."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from jaxsched.core import checks

REQUIRED: Any = object()

# Fields that no other of these trainers has.
TELLTALES: dict[str, tuple[str, ...]] = {
    "from_megatron": ("train_iters", "train_samples", "lr_decay_style"),
    "from_levanter": ("min_lr_ratio", "lr_schedule", "rewarmup"),
    "from_maxtext": ("lr_schedule_type", "learning_rate_schedule_steps", "warmup_steps_fraction"),
    "from_big_vision": ("decay_type", "optax_name"),
}


@dataclass(frozen=True)
class Fields:
    """A configuration, and the importer that reads it.

    Attributes:
      config: a mapping, or an object with the fields as attributes.
      importer: the name of the function that was called.
    """

    config: Any
    importer: str

    def read(self, name: str, check: Callable[[str, Any], Any], default: Any = REQUIRED) -> Any:
        """A field, checked like an argument; its default where it is missing or None.

        Raises:
          ValueError: for a missing field that has no default.
        """
        value = self.get(name)
        if value is not None:
            return check(name, value)
        if default is REQUIRED:
            raise ValueError(f"`{name}` is missing from what `{self.importer}` was given.")
        return default

    def get(self, name: str) -> Any:
        """A field as it is, or None."""
        if isinstance(self.config, Mapping):
            return self.config.get(name)
        return getattr(self.config, name, None)

    def any_of(self, names: tuple[str, ...]) -> list[str]:
        """Those of some fields that are there and not None."""
        return [name for name in names if self.get(name) is not None]


def fields_of(config: Any, importer: str) -> Fields:
    """The fields of a configuration, unless it is one of another trainer.

    Names may be those of a command line: `--min-lr` is read as `min_lr`.

    Raises:
      TypeError: for what has no fields.
      ValueError: for the configuration of another trainer.
    """
    if config is None or isinstance(config, (str, int, float, list, tuple)):
        checks.refuse("config", config, "a mapping, or an object with fields", TypeError)
    if hasattr(config, "keys") and hasattr(config, "__getitem__"):
        config = {_attribute(key): config[key] for key in list(config.keys())}
    fields = Fields(config, importer)
    if not fields.any_of(TELLTALES.get(importer, ())):
        for other, names in TELLTALES.items():
            for name in fields.any_of(names):
                raise ValueError(f"`{name}` is not read by `{importer}`, but by `{other}`.")
    return fields


def _attribute(key: Any) -> str:
    return str(key).lstrip("-").replace("-", "_")


def text(*choices: str) -> Callable[[str, Any], str]:
    """A reader of one of some strings, or of an enumeration whose values they are."""

    def read(name: str, value: Any) -> str:
        value = getattr(value, "value", value)
        if value not in choices:
            checks.refuse(name, value, "one of " + ", ".join(map(repr, choices)))
        return value

    return read
