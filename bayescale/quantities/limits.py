"""Asymptotes: where curves end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from bayescale.quantities.contrasts import Contrast
from bayescale.quantities.curves import Curve, Form, natural_of
from bayescale.quantities.inputs import given
from bayescale.quantities.results import Result, columns, span
from bayescale.quantities.sources import Source, curves_of, every_curve

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class Asymptote(Result):
    """Response that every mean curve tends to with scale.

    Attributes
    ----------
    labels : tuple of str
        One per combination of labels.
    draws : array, shape (sample, labels)
        In the unit of the response; inf where a curve turns upwards without end, -inf where one
        that may be negative falls without end.
    best_measured : array, shape (labels,)
        Best response in the data of the label, for scale.
    response : str
        Name of the response.
    """

    noun: ClassVar[str] = "the asymptote"

    labels: tuple[str, ...]
    draws: np.ndarray = field(repr=False)
    best_measured: np.ndarray
    response: str

    def summary(self, ci_prob: float = 0.9) -> "pd.DataFrame":
        """One row a combination of labels."""
        import pandas as pd

        table = pd.DataFrame(columns(self.draws, ci_prob), index=list(self.labels))
        return table.assign(best_measured=self.best_measured)

    @property
    def sentence(self) -> str:
        """Asymptote of every label beside the best measurement."""
        each = (
            f"{label}: {span(draws)}, best measured {best:.3g}"
            for label, draws, best in zip(
                self.labels, self.draws.T, self.best_measured, strict=True
            )
        )
        return f"{self.response} tends to: {'; '.join(each)}."

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Draw an interval for every label."""
        from bayescale.plots.limits import plot_asymptote

        return plot_asymptote(self, ax)


def asymptote(
    fit: Source,
    *,
    groups: Mapping[str, Any] | None = None,
    at: Mapping[str, float] | None = None,
) -> Asymptote:
    """Response that the mean curves tend to with scale, as inputs grow together without end.

    Inputs that a law calls its conditions, such as tokens per parameter or a bit-width, do not
    grow: they stay where the data have them.

    Parameters
    ----------
    fit : Fit or Comparison
        Where the curves come from; a mixture of forms mixes their asymptotes.
    groups : mapping of str to label, optional
        Labels to keep; groups that are left out run over all combinations of the table.
    at : mapping of str to float, optional
        Inputs to hold, e.g. ``{"N": 7e9}`` for a model of this size on data without end.

    Returns
    -------
    Asymptote
        One per combination of labels, all with joint draws.

    Raises
    ------
    ValueError
        If nothing is left that grows, or conditions matter whose value is not given.

    Notes
    -----
    Unless the data come near it, an asymptote is an extrapolation that leans on the prior and the
    form: compare its interval with the best measurement, and forms with one another.

    Examples
    --------
    >>> import bayescale as bs
    >>> runs = bs.Runs({"C": [1e17, 1e21], "loss": [3.9, 2.0]}, y="loss", x={"C": "C"})
    >>> draws = {"E": [1.0, 1.2, 1.4], "A": 3e3, "alpha": 0.2}
    >>> fit = bs.known_fit(bs.laws.OffsetPowerLaw(), runs, draws)
    >>> bs.asymptote(fit).summary(0.9)["median"].round(6).tolist()
    [1.2]
    """
    curves = every_curve(fit, groups)
    pick = np.max if curves[0].better == "higher" else np.min
    best = np.array([pick(curve.measured) for curve in curves])
    draws = np.stack([limit_of(curve, at) for curve in curves], axis=1)
    return Asymptote(tuple(c.label for c in curves), draws, best, curves[0].response)


def asymptote_gap(
    fit: Source,
    a: Any,
    b: Any,
    *,
    groups: Mapping[str, Any] | None = None,
    at: Mapping[str, float] | None = None,
) -> Contrast:
    """Difference between the asymptotes of two curves, and P(that of `a` is lower).

    Parameters
    ----------
    fit, a, b, groups
        As for :func:`bayescale.crossover_scale`.
    at
        As for :func:`bayescale.asymptote`.

    Returns
    -------
    Contrast

    Examples
    --------
    >>> import bayescale as bs
    >>> table = {"C": [1e17, 1e21] * 2, "loss": [3.9, 2.0, 4.1, 1.7],
    ...          "arch": ["lstm", "lstm", "gpt", "gpt"]}
    >>> runs = bs.Runs(table, y="loss", x={"C": "C"}, groups={"family": "arch"})
    >>> A, alpha = [[60.0, 169.0]], [[0.070, 0.095]]
    >>> fit = bs.known_fit(bs.laws.PowerLaw(), runs, {"A": A, "alpha": alpha})
    >>> bs.asymptote_gap(fit, "lstm", "gpt").is_shared
    True
    """
    one, other = curves_of(fit, [a, b], groups)
    with np.errstate(invalid="ignore"):
        gap = limit_of(one, at) - limit_of(other, at)
    return Contrast("asymptote", one.label, other.label, gap, one.averaged)


def limit_of(curve: Curve, at: Mapping[str, float] | None) -> np.ndarray:
    """Response of a curve as the inputs grow that are neither given nor conditions, (sample,)."""
    held = given(curve, at)
    return np.concatenate([_limit(form, curve.data, held) for form in curve.forms])


def _limit(form: Form, data: Mapping[str, np.ndarray], at: Mapping[str, float]) -> np.ndarray:
    """Limit of a form, the same at either end of what the data have of a condition."""
    title = form.law.title
    conditions = [s for mine, s in form.columns if mine in form.law.conditions and s not in at]
    growing = [s for _, s in form.columns if s not in at and s not in conditions]
    if not growing:
        raise ValueError(f"{title} has no asymptote: no input is left that grows with a run")
    ends = [
        _followed(form, data, growing, {**at, **{s: end(data[s]) for s in conditions}})
        for end in ((np.min, np.max) if conditions else (np.min,))
    ]
    if not np.allclose(ends[0], ends[-1], rtol=1e-6, atol=0.0, equal_nan=True):
        example = ", ".join(f"{s!r}: {np.max(data[s]):g}" for s in conditions)
        raise ValueError(
            f"the asymptote of {title} depends on {', '.join(conditions)}: "
            f"say where it is meant, e.g. at={{{example}}}"
        )
    return ends[0]


def _followed(
    form: Form,
    data: Mapping[str, np.ndarray],
    growing: Sequence[str],
    held: Mapping[str, float],
) -> np.ndarray:
    """Follow a form far out, then decide what it tends to.

    A form that still falls there tends to its floor (0 without one), or goes on as it falls where
    inputs that are held add to the floor; one that still rises has no limit; any other has arrived.
    """
    with np.errstate(all="ignore"):
        at_data, before, near, far = (
            form.mean(
                {s: np.array([v]) for s, v in held.items()}
                | {s: np.array([x or data[s].max()]) for s in growing}
            )[:, 0]
            for x in (0.0, 1e230, 1e240, 1e250)
        )
    if form.law.response == "real":
        arrived = np.abs(far - near) <= 1e-6 * np.maximum(np.abs(far), np.abs(near))
        return np.where(arrived, far, np.copysign(np.inf, far - near))
    floors = [natural_of(form, q.name) for q in form.law.with_role("floor")]
    floor = np.sum(floors, axis=0).mean(axis=1) if floors else np.zeros(len(far))
    falls = far < at_data
    to_floor = falls & (bool(floors) | (far < near * (1 - 1e-6)))
    rises = (far > at_data) & ~(far <= near * (1 + 1e-6))
    if held:
        limit = _continued(before, near, far)
    else:
        limit = np.where(to_floor & (floor <= far * (1 + 1e-12)), floor, far)
    return np.where(rises | np.isposinf(far), np.inf, limit)


def _continued(before: np.ndarray, near: np.ndarray, far: np.ndarray) -> np.ndarray:
    """Limit of values whose steps go on shrinking as they do, by Aitken's formula."""
    step, last = near - before, far - near
    with np.errstate(all="ignore"):
        return np.where(np.abs(last) < np.abs(step), far + last**2 / (step - last), far)
