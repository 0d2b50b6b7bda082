"""The catalogue of scaling laws; a law in any file of this folder is found by itself.

What a law of your own is written with, the roles of parameters among it, is here too.
"""

import importlib
import pkgutil
from typing import Any

from bayescale.laws.base import Law
from bayescale.laws.registry import available, classes, get
from bayescale.laws.roles import (
    Parameter,
    bend,
    ceiling,
    exponent,
    floor,
    fraction,
    intercept,
    level,
    location,
    named,
    positive,
    positive_bend,
    slope,
    width,
)

__all__ = [
    "Law",
    "Parameter",
    "available",
    "bend",
    "ceiling",
    "exponent",
    "floor",
    "fraction",
    "get",
    "intercept",
    "level",
    "location",
    "named",
    "positive",
    "positive_bend",
    "slope",
    "width",
]

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")


def __getattr__(name: str) -> Any:
    """Find a law by its class name."""
    for cls in classes().values():
        if cls.__name__ == name:
            return cls
    raise AttributeError(f"no law is called {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, *(cls.__name__ for cls in classes().values())])
