"""Values of the parameters of a law, as logarithms or as they are."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from bayescale.laws.numerics import LOG_ZERO

#: Every parameter as its logarithm or its value, as it comes from a coordinate.
Found = Mapping[str, tuple[str, Any]]


class Parameters(Mapping[str, Any]):
    """Values of the parameters of a law: ``p.alpha``, ``p["alpha"]`` and ``p.log_alpha``.

    Logarithms of positive parameters are kept as they come, because the sampler works on them and
    ``exp`` of an amplitude may overflow where its logarithm is harmless.
    """

    def __init__(
        self,
        xp: Any,
        values: Mapping[str, Any] | None = None,
        logs: Mapping[str, Any] | None = None,
        unit_of_row: Mapping[str, Any] | None = None,
    ):
        self._xp = xp
        self._values = dict(values or {})
        self._logs = dict(logs or {})
        self._unit_of_row = dict(unit_of_row or {})
        self._at_rows: dict[tuple[str, str], Any] = {}

    @classmethod
    def of(
        cls, xp: Any, found: "Found", unit_of_row: Mapping[str, Any] | None = None
    ) -> "Parameters":
        """Collect ("logs" | "values", array) pairs, spread over rows where units have an index."""
        values = {name: value for name, (kind, value) in found.items() if kind == "values"}
        logs = {name: value for name, (kind, value) in found.items() if kind == "logs"}
        return cls(xp, values, logs, unit_of_row)

    def __getitem__(self, name: str) -> Any:
        if name not in self._values:
            self._values[name] = self._xp.exp(self._logs[name])
        return self._at_row("value", name, self._values[name])

    def log(self, name: str) -> Any:
        """Logarithm of a positive parameter; of a number 0, that of a term that is off."""
        if name not in self._logs:
            value = self._values[name]
            if isinstance(value, int | float):
                if value < 0:
                    raise ValueError(f"the parameter {name!r} must be positive, not {value!r}")
                self._logs[name] = np.log(value) if value > 0 else LOG_ZERO
            else:
                self._logs[name] = self._xp.log(value)
        return self._at_row("log", name, self._logs[name])

    def _at_row(self, kind: str, name: str, at_units: Any) -> Any:
        """Spread over rows what was worked out for units, of which there are fewer."""
        if name not in self._unit_of_row:
            return at_units
        if (kind, name) not in self._at_rows:
            self._at_rows[kind, name] = at_units[..., self._unit_of_row[name]]
        return self._at_rows[kind, name]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if name in self:
            return self[name]
        if name.startswith("log_") and name[4:] in self:
            return self.log(name[4:])
        raise AttributeError(f"no parameter {name!r}; there are {', '.join(self)}")

    def __contains__(self, name: object) -> bool:
        return name in self._values or name in self._logs

    def __iter__(self) -> Iterator[str]:
        return iter({**self._values, **self._logs})

    def __len__(self) -> int:
        return len({**self._values, **self._logs})

    def with_values(self, **values: float) -> "Parameters":
        """Return these parameters with some of them replaced by numbers."""
        logs = {k: v for k, v in self._logs.items() if k not in values}
        units = {k: v for k, v in self._unit_of_row.items() if k not in values}
        return Parameters(self._xp, {**self._values, **values}, logs, units)
