"""Joint posterior draws of mean curves.

Every question of this folder is asked of curves: functions from inputs to an array of shape
(sample, points).  Curves that are made together share their draws, so that a contrast of two of
them is a contrast within every draw.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from bayescale.laws.base import Law
from bayescale.laws.parameters import Found, Parameters

Inputs = Mapping[str, Any]

#: Keeps a relative difference of nothing finite.
TINY = 1e-300


@dataclass(frozen=True)
class Form:
    """One law on some consecutive draws of a curve.

    Attributes
    ----------
    law : Law
        The formula.
    columns : tuple of (str, str)
        Input of the law -> symbol in the table.
    found : dict
        Parameters as (kind, array of shape (draws, cells)); the curve is the mean over cells.
    rows : slice
        Which draws of the curve these are.
    """

    law: Law
    columns: tuple[tuple[str, str], ...]
    found: Found = field(repr=False)
    rows: slice

    def log_mean(self, x: Inputs) -> np.ndarray:
        """Logarithm of the curve, shape (draws, points)."""
        from bayescale.laws.numerics import log_sum

        each = [self.law.log_mean(np, p, *self._features(x)) for p in self._cells()]
        return np.asarray(log_sum(np, *each) - np.log(len(each)))

    def mean(self, x: Inputs) -> np.ndarray:
        """Response, shape (draws, points)."""
        each = [self.law.mean(np, p, *self._features(x)) for p in self._cells()]
        return np.asarray(sum(each[1:], start=each[0]) / len(each))

    def _features(self, x: Inputs) -> list[Any]:
        inputs = {}
        for mine, symbol in self.columns:
            values = np.asarray(x[symbol], float)
            inputs[mine] = values[self.rows] if values.ndim == 2 and len(values) > 1 else values
        return list(self.law.features(inputs, None).values())

    def _cells(self) -> list[Any]:
        cells = next(iter(self.found.values()))[1].shape[1]
        return [
            Parameters.of(
                np, {name: (kind, v[:, i : i + 1]) for name, (kind, v) in self.found.items()}
            )
            for i in range(cells)
        ]


@dataclass(frozen=True)
class Curve:
    """Draws of a mean response as a function of inputs.

    Attributes
    ----------
    label : str
        What the curve belongs to, e.g. ``"lstm"``.
    response : str
        Name of the response.
    symbols : tuple of str
        Inputs that the curve reads, in the unit of the table.
    forms : tuple of Form
        Laws and their draws.
    samples : int
        Number of draws.
    data : mapping of str to array
        Inputs of the runs of the label, all runs where it has none.
    measured : array
        Responses of those runs.
    averaged : tuple of str
        Groups over whose labels the curve is averaged.
    better : {"lower", "higher"} or None
        Which responses are better, as far as table and law say.
    is_share : bool
        Whether responses are shares between 0 and 1.
    names : mapping of str to str
        What an axis calls an input: the column of the table and its symbol.
    """

    label: str
    response: str
    symbols: tuple[str, ...]
    forms: tuple[Form, ...] = field(repr=False)
    samples: int
    data: Mapping[str, np.ndarray] = field(repr=False)
    measured: np.ndarray = field(repr=False)
    averaged: tuple[str, ...] = ()
    better: str | None = "lower"
    is_share: bool = False
    names: Mapping[str, str] = field(default_factory=dict, repr=False)

    def named(self, scale: str) -> str:
        """Name of an axis: that of an input, or what a path calls its scale, such as budget."""
        return self.names.get(scale, scale)

    @property
    def higher_is_better(self) -> bool:
        """Whether higher responses are better.

        Raises
        ------
        ValueError
            If neither the table nor the law says so.
        """
        if self.better is None:
            raise ValueError(
                f"is a higher {self.response} better? Neither the table nor "
                f"{self.forms[0].law.title} says so: give Runs(..., better='higher') or 'lower'"
            )
        return self.better == "higher"

    @property
    def is_positive(self) -> bool:
        """Whether the logarithm of the response exists."""
        return all(form.law.response != "real" for form in self.forms)

    def __call__(self, x: Inputs) -> np.ndarray:
        """Response at inputs of shape (points,) or (sample, points); shape (sample, points)."""
        return self._joined([form.mean(x) for form in self.forms])

    def log(self, x: Inputs) -> np.ndarray:
        """Logarithm of the response; arguments and shape as for calling the curve."""
        return self._joined([form.log_mean(x) for form in self.forms])

    def _joined(self, parts: list[np.ndarray]) -> np.ndarray:
        width = max(part.shape[1] for part in parts)
        full = [
            np.broadcast_to(p, (f.rows.stop - f.rows.start, width))
            for p, f in zip(parts, self.forms, strict=True)
        ]
        return full[0] if len(full) == 1 else np.concatenate(full)


def excess(a: Curve, b: Curve) -> Callable[[Inputs], np.ndarray]:
    """By how much `a` is higher than `b`, relative to them: of logarithms where they exist."""
    if a.is_positive and b.is_positive:
        return lambda x: a.log(x) - b.log(x)

    def relative(x: Inputs) -> np.ndarray:
        one, other = a(x), b(x)
        return np.asarray((one - other) / np.maximum(np.maximum(abs(one), abs(other)), TINY))

    return relative


def thinned(curve: Curve, samples: int) -> Curve:
    """Keep fewer draws of a curve, evenly over its forms."""
    if samples >= curve.samples:
        return curve
    kept = np.floor(np.arange(samples) * (curve.samples / samples)).astype(int)
    forms, start = [], 0
    for form in curve.forms:
        mine = kept[(kept >= form.rows.start) & (kept < form.rows.stop)] - form.rows.start
        found = {name: (kind, v[mine]) for name, (kind, v) in form.found.items()}
        forms.append(Form(form.law, form.columns, found, slice(start, start + len(mine))))
        start += len(mine)
    return replace(curve, forms=tuple(forms), samples=samples)


def natural_of(form: Form, parameter: str) -> np.ndarray:
    """Draws of one parameter of a form in its own unit, shape (draws, cells)."""
    return np.asarray(Parameters.of(np, form.found)[parameter])
