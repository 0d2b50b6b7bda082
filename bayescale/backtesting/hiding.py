"""Which rows of a table a back-test hides: the largest scales, or most of a label."""

from collections.abc import Sequence

import numpy as np

from bayescale.forecast.labels import distinct
from bayescale.runs import Runs
from bayescale.runs.groups import group_codes


def scales_hidden(
    runs: Runs, groups: tuple[str, ...], cut: float | Sequence[float], keep: int, of: str | None
) -> dict[str, np.ndarray]:
    """Rows hidden by every cut; curves that it would leave too little of are not cut.

    A curve is a combination of labels of the groups.
    """
    x, curve = np.log10(_input(runs, of)), distinct(group_codes(runs, groups))[1]
    cuts = np.atleast_1d(np.asarray(cut, float))
    if not (cuts.size and np.all(cuts > 0)):
        raise ValueError(f"cut is in decades and must be positive, e.g. cut=1.0, not {cut}")
    hides = {}
    for decades in cuts:
        hidden = np.zeros(len(runs), bool)
        for c in range(curve.max() + 1):
            mine = curve == c
            beyond = mine & (x > x[mine].max() - decades)
            if len(np.unique(x[mine & ~beyond])) >= max(keep, 2):
                hidden |= beyond
        if hidden.any():
            hides[f"{decades:g} decades"] = hidden
    return hides


def labels_hidden(runs: Runs, by: str, keep: int, of: str | None) -> dict[str, np.ndarray]:
    """Rows hidden of every label, all but its smallest ones."""
    if by not in runs.groups:
        raise ValueError(f"by={by!r} is no group; there are {', '.join(runs.groups) or 'none'}")
    x, hides = _input(runs, of), {}
    for code, label in enumerate(runs.groups[by]):
        mine = np.flatnonzero(runs.codes[by] == code)
        hidden = np.zeros(len(runs), bool)
        hidden[mine[np.argsort(x[mine], kind="stable")][keep:]] = True
        if hidden.any() and not hidden.all():
            hides[str(label)] = hidden
    return hides


def _input(runs: Runs, of: str | None) -> np.ndarray:
    symbol = of if of is not None else next(iter(runs.x))
    if symbol not in runs.x:
        raise ValueError(f"of={symbol!r} is no input; there are {', '.join(runs.x)}")
    return np.asarray(runs.x[symbol], float)
