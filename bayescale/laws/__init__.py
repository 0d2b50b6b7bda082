"""The catalogue of scaling laws; a law in any file of this folder is found by itself."""

import importlib
import pkgutil
from typing import Any

from bayescale.laws.base import Law, available, get

__all__ = ["Law", "available", "get"]

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")


def __getattr__(name: str) -> Any:
    """Find a law by its class name."""
    from bayescale.laws.base import _REGISTRY

    for cls in _REGISTRY.values():
        if cls.__name__ == name:
            return cls
    raise AttributeError(f"no law is called {name!r}")


def __dir__() -> list[str]:
    from bayescale.laws.base import _REGISTRY

    return sorted([*__all__, *(cls.__name__ for cls in _REGISTRY.values())])
