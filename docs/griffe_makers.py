"""How the API reference reads this package: what is decorated shows as it is called."""

import re
from typing import Any

from griffe import Extension, Function, Object

_FIRST = {
    "schedule": ("count",),
    "controller": ("view",),
    "monitor": ("state", "value"),
    "ticking": ("state", "value", "observed"),
}


class Makers(Extension):
    """Leaves out the arguments that a maker supplies, and reads `Example:` as examples."""

    def on_function_instance(self, *, func: Function, **_: Any) -> None:
        """Takes the first arguments off a decorated function."""
        for decorator in func.decorators:
            name = re.split(r"\W", str(decorator.value))[0]
            for parameter in list(func.parameters)[: len(_FIRST.get(name, ()))]:
                del func.parameters[parameter.name]

    def on_object(self, *, obj: Object, **_: Any) -> None:
        """Google's name of the section is `Examples:`."""
        if obj.docstring:
            text = obj.docstring.value
            obj.docstring.value = re.sub(r"^( *)Example:$", r"\1Examples:", text, flags=re.M)
