"""Back-test: hide the largest scales, forecast them, and score what was said about them."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from bayescale.arrays import Arrays, arrays_of
from bayescale.doubt import Discrepancy
from bayescale.execution import map_fits
from bayescale.fitting import Fit
from bayescale.forecast import points_of, predict_runs
from bayescale.hiding import labels_hidden, scales_hidden
from bayescale.laws.base import Law
from bayescale.noise import Noise, default_noise
from bayescale.pooling import Pooling
from bayescale.predictive import Predictive
from bayescale.runs import Runs
from bayescale.sampling import Sampled, diagnose, is_trusted, mix, sample
from bayescale.structure import Structure, structure_of

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

#: Discrepancies per decade among which the back-test chooses.
SCALES = (0.0, *np.geomspace(0.002, 1.0, 28))


@dataclass(frozen=True)
class _Case:
    """A forecast of hidden rows by one law under one cut."""

    law: str
    cut: str
    predictive: Predictive
    rows: np.ndarray
    beyond: np.ndarray
    cell: np.ndarray
    trusted: bool


def backtest(
    laws: "Mapping[str, Law | Fit] | Law | Fit",
    runs: Runs | None = None,
    *,
    cut: Sequence[float] = (0.3, 0.6, 1.0),
    by: str | None = None,
    keep: int = 2,
    of: str | None = None,
    pooling: Mapping[str, Pooling] | None = None,
    noise: Noise | None = None,
    priors: Mapping[str, Any] | None = None,
    draws: int = 500,
    tune: int = 500,
    chains: int = 4,
    ci_prob: Sequence[float] = (0.5, 0.8, 0.9, 0.95),
    random_seed: int = 0,
    executor: Executor | None = None,
) -> "Backtest":
    r"""Forecast runs that were hidden from the fit, and score the forecasts.

    Parameters
    ----------
    laws : Law, Fit, or mapping of str to Law or Fit
        What is tested.  A fit brings its law, pooling, noise and priors along.
    runs : Runs, optional
        The table; that of the fit when absent.
    cut : sequence of float
        Decades of the input that are hidden, one refit each: of every combination of labels, the
        rows within that distance of its largest input.
    by : str, optional
        A group: instead of the largest scales, hide one label at a time, except for its `keep`
        smallest runs.
    keep : int
        Runs of a hidden label that stay in; the fewest that a cut leaves to a combination.
    of : str, optional
        Symbol of the input that is cut; the first of the table when absent.
    pooling, noise, priors
        As for :func:`bayescale.fit`, for laws that are not yet fits.
    draws, tune, chains : int
        As for :func:`bayescale.fit`.
    ci_prob : sequence of float
        Probabilities of the equal-tailed intervals that are scored.
    random_seed : int
        Reproduces the back-test.
    executor : concurrent.futures.Executor, optional
        Where refits run; the cores of this machine by default.  See :func:`bayescale.fit_many`.

    Returns
    -------
    Backtest

    Raises
    ------
    ValueError
        If there is no table, an unknown group or input, or nothing is left to hide.
    RuntimeError
        If a refit fails.

    References
    ----------
    Gneiting and Raftery (2007), Journal of the American Statistical Association 102, 359 (scores).

    Examples
    --------
    >>> import numpy as np
    >>> import bayescale as bs
    >>> x = np.geomspace(1e17, 1e21, 17)
    >>> y = (1.5 + 3e3 * x**-0.19) * np.exp(0.01 * np.sin(7 * np.arange(17)))
    >>> runs = bs.Runs({"flops": x, "loss": y}, y="loss", x={"C": "flops"})
    >>> tested = bs.backtest(bs.laws.OffsetPowerLaw(), runs, cut=(0.8,), draws=300, chains=2)
    >>> bool(tested.table["rmsle"].iloc[0] < 0.05)
    True
    """
    named = dict(laws) if isinstance(laws, Mapping) else {_name(laws): laws}
    table = runs if runs is not None else _table_of(named)
    hides = labels_hidden(table, by, keep, of) if by else scales_hidden(table, cut, keep, of)
    if not hides:
        raise ValueError(f"nothing to hide: every cut leaves fewer than {keep} runs of a curve")
    plans = []
    for name, law in named.items():
        if isinstance(law, Fit):
            s = law.structure
            model = (s.law, dict(s.pooling), s.noise, dict(s.priors))
        else:
            expected = noise or default_noise(law, table.is_counts)
            model = (law, dict(pooling or {}), expected, dict(priors or {}))
        for i, (label, hidden) in enumerate(hides.items()):
            plans.append(_plan(name, label, model, table, hidden, random_seed + i))
    options = {"draws": draws, "tune": tune, "chains": chains}
    tasks = [(plan.structure, plan.arrays, plan.seed, options) for plan in plans]
    cases = []
    for plan, outcome in zip(plans, map_fits(_sample, tasks, executor), strict=True):
        if outcome.error is not None:
            raise RuntimeError(f"the refit of {plan.law} to {plan.cut} failed: {outcome.error}")
        cases.append(_forecast(plan, outcome.value, table))
    return Backtest(tuple(cases), table, tuple(sorted(ci_prob)), by, random_seed)


@dataclass(frozen=True)
class Backtest:
    """Forecasts of hidden runs, with what became of them.

    Attributes
    ----------
    cases : tuple
        One forecast a law and cut.
    runs : Runs
        The whole table.
    ci_prob : tuple of float
        Probabilities of the intervals.
    by : str or None
        The group whose labels were hidden, or None for scales.
    random_seed : int
        Seed of predictive draws.
    """

    cases: tuple[_Case, ...] = field(repr=False)
    runs: Runs = field(repr=False)
    ci_prob: tuple[float, ...]
    by: str | None
    random_seed: int = 0

    @cached_property
    def points(self) -> "pd.DataFrame":
        """One row a hidden run, law and cut.

        Columns: ``law``, ``cut``, ``row``, ``decades_beyond``, ``y``, ``median``,
        ``log_density`` (in units of y), ``crps`` (unit of y), ``log_error``,
        ``probability_below`` (of a new measurement at most y), and for every probability p
        ``lower_p``, ``upper_p``, ``inside_p``.
        """
        import pandas as pd

        rng = np.random.default_rng(self.random_seed)
        return pd.concat([self._scored(case, rng) for case in self.cases], ignore_index=True)

    def _scored(self, case: _Case, rng: np.random.Generator) -> "pd.DataFrame":
        import pandas as pd

        counted = self.runs.y[case.rows]
        trials = None if self.runs.trials is None else self.runs.trials[case.rows]
        y = counted if trials is None else counted / trials
        drawn = np.sort(case.predictive.sample(rng), axis=0)
        frame = pd.DataFrame(
            {
                "law": case.law,
                "cut": case.cut,
                "row": case.rows,
                "decades_beyond": case.beyond,
                "y": y,
                "median": np.median(drawn, axis=0),
                "log_density": case.predictive.log_density(counted),
                "crps": crps(drawn, y),
                "probability_below": case.predictive.cdf(y),
                "trusted": case.trusted,
            }
        )
        with np.errstate(invalid="ignore", divide="ignore"):
            frame["log_error"] = np.log(frame["median"] / frame["y"])
        for prob in self.ci_prob:
            low, high = np.quantile(drawn, [(1 - prob) / 2, (1 + prob) / 2], axis=0)
            frame[f"lower_{prob:g}"], frame[f"upper_{prob:g}"] = low, high
            frame[f"inside_{prob:g}"] = (low <= y) & (y <= high)
        return frame

    @cached_property
    def table(self) -> "pd.DataFrame":
        """Scores by law and cut, the mean over hidden runs.

        ``runs``, ``decades_beyond`` (largest), ``log_density``, ``crps``, ``rmsle`` (root mean
        square of ln(median / y)), and for every probability ``coverage_p`` and ``width_p`` (unit
        of y); ``trusted`` says whether the refit converged.
        """
        import pandas as pd

        rows = []
        for (law, cut), part in self.points.groupby(["law", "cut"], sort=False):
            row: dict[str, Any] = {
                "law": law,
                "cut": cut,
                "runs": len(part),
                "decades_beyond": part["decades_beyond"].max(),
                "log_density": part["log_density"].mean(),
                "crps": part["crps"].mean(),
                "rmsle": float(np.sqrt(np.mean(part["log_error"] ** 2))),
            }
            for prob in self.ci_prob:
                row[f"coverage_{prob:g}"] = part[f"inside_{prob:g}"].mean()
                width = part[f"upper_{prob:g}"] - part[f"lower_{prob:g}"]
                row[f"width_{prob:g}"] = width.mean()
            rows.append({**row, "trusted": bool(part["trusted"].all())})
        return pd.DataFrame(rows)

    def supported(self, law: str | None = None, ci_prob: float = 0.9) -> float:
        """Decades beyond the data up to which the bands of a law kept their promise.

        Going outwards cut by cut, the last distance at which the coverage of the `ci_prob`
        interval is not below its probability by more than two standard errors, with the
        curves (combinations of labels) that were hidden as independent units.

        Parameters
        ----------
        law : str, optional
            Name of the law; the only one when absent.
        ci_prob : float
            One of the probabilities of the back-test.

        Returns
        -------
        float
            Decades; 0 where already the nearest hidden runs fell outside too often.
        """
        points = self.points[self.points["law"] == self._only(law)]
        if ci_prob not in self.ci_prob:
            raise ValueError(f"ci_prob must be one of {self.ci_prob}, not {ci_prob}")
        reached = 0.0
        cells: dict[Any, dict[Any, Any]] = {
            case.cut: dict(zip(case.rows, case.cell, strict=True)) for case in self.cases
        }
        for cut, part in sorted(
            points.groupby("cut"), key=lambda item: item[1]["decades_beyond"].max()
        ):
            curve = part["row"].map(cells[cut])
            by_curve = part.groupby(curve.to_numpy())[f"inside_{ci_prob:g}"].mean()
            allowed = 2 * np.sqrt(ci_prob * (1 - ci_prob) / len(by_curve))
            if not part["trusted"].all() or by_curve.mean() < ci_prob - allowed:
                break
            reached = float(part["decades_beyond"].max())
        return reached

    def verdict(self, law: str | None = None, ci_prob: float = 0.9) -> str:
        """Say how far beyond the data these data support forecasting.

        Parameters
        ----------
        law, ci_prob
            As for :meth:`supported`.
        """
        name = self._only(law)
        decades = self.supported(name, ci_prob)
        points = self.points[self.points["law"] == name]
        share = points[f"inside_{ci_prob:g}"].mean()
        seen = f"{share:.0%} of {len(points)} hidden runs fell into their {ci_prob:.0%} band"
        begun = f"These data support forecasting with {name}"
        if decades == 0.0:
            return f"These data do not support forecasting with {name}: {seen}."
        return f"{begun} about {decades:.1f} decades beyond: {seen}."

    def discrepancy(self, law: str | None = None) -> Discrepancy:
        """Doubt in a law that its own back-test asks for.

        The scale maximises the summed log predictive density of the hidden runs, each forecast
        with that much doubt; 0 means that the bands are wide enough.

        Parameters
        ----------
        law : str, optional
            Name of the law; the only one when absent.
        """
        name = self._only(law)
        totals = []
        for scale in SCALES:
            doubt, total = Discrepancy(float(scale)), 0.0
            for case in (c for c in self.cases if c.law == name):
                rng = np.random.default_rng(self.random_seed)
                location = np.asarray(case.predictive.location)
                shift = doubt.shift(rng, case.beyond, np.zeros((len(location), 1)), case.cell)
                moved = replace(case.predictive, location=location + shift)
                total += float(np.sum(moved.log_density(self.runs.y[case.rows])))
            totals.append(total)
        return Discrepancy(float(SCALES[int(np.argmax(totals))]))

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Draw the reliability figure; see :func:`bayescale.plots.plot_reliability`."""
        from bayescale.plots import plot_reliability

        return plot_reliability(self, ax)

    def _only(self, law: str | None) -> str:
        names = list(dict.fromkeys(case.law for case in self.cases))
        if law is None and len(names) == 1:
            return names[0]
        if law not in names:
            raise ValueError(f"law must be one of {', '.join(names)}, not {law!r}")
        return law


def doubted(fit: Fit, discrepancy: Discrepancy) -> Fit:
    """Return the same posterior, whose forecasts carry a discrepancy in place of any other.

    Parameters
    ----------
    fit : Fit
        A posterior; it is not sampled again, because the doubt acts beyond the data only.
    discrepancy : Discrepancy
        For instance ``bs.backtest(fit).discrepancy()``.
    """
    noise = fit.structure.noise.without(Discrepancy) + discrepancy
    return replace(fit, structure=replace(fit.structure, noise=noise))


def crps(drawn: np.ndarray, y: np.ndarray) -> np.ndarray:
    r"""Continuous ranked probability score of sorted draws, shape (points,), in the unit of y.

    .. math:: \mathrm{E}|Y - y| - \tfrac12 \mathrm{E}|Y - Y'|

    Parameters
    ----------
    drawn : array, shape (sample, points)
        Predictive draws, sorted along the first axis.
    y : array, shape (points,)
        What was measured.

    References
    ----------
    Gneiting and Raftery (2007), Journal of the American Statistical Association 102, 359.

    Examples
    --------
    >>> crps(np.array([[0.0], [1.0]]), np.array([0.5]))
    array([0.25])
    """
    count = len(drawn)
    order = 2 * np.arange(1, count + 1) - count - 1
    spread = 2 * (order @ drawn) / count**2
    return np.asarray(np.abs(drawn - y).mean(axis=0) - spread / 2)


def _name(law: "Law | Fit") -> str:
    return law.law.title if isinstance(law, Fit) else law.title


def _table_of(named: "Mapping[str, Law | Fit]") -> Runs:
    fits = [law for law in named.values() if isinstance(law, Fit)]
    if not fits:
        raise ValueError("a law needs a table: backtest(law, runs)")
    return fits[0].runs


@dataclass(frozen=True)
class _Plan:
    """A refit that has not been made: rows of the table that it hides, and its model."""

    law: str
    cut: str
    hidden: np.ndarray
    structure: Structure
    arrays: Arrays
    seed: int


def _plan(
    name: str,
    label: str,
    model: tuple[Law, dict[str, Any], Noise, dict[str, Any]],
    runs: Runs,
    hidden: np.ndarray,
    seed: int,
) -> _Plan:
    law, pooling, noise, priors = model
    seen = runs.select(~hidden)
    structure = structure_of(law, seen, pooling, noise, priors)
    return _Plan(name, label, hidden, structure, arrays_of(structure, seen), seed)


def _sample(
    structure: Structure, arrays: Arrays, seed: int, options: dict[str, Any], *, cores: int
) -> Sampled:
    sampled = sample(structure, arrays, random_seed=seed, cores=cores, **options)
    return mix(structure, arrays, sampled, seed, is_trusted)[0]


def _forecast(plan: _Plan, sampled: Sampled, runs: Runs) -> _Case:
    hidden, structure, arrays, seed = plan.hidden, plan.structure, plan.arrays, plan.seed
    seen, new = runs.select(~hidden), runs.select(hidden)
    flat = {k: v.reshape(-1, *v.shape[2:]) for k, v in sampled.draws.items()}
    predictive = predict_runs(structure, flat, arrays, seen, new, seed)
    groups = {g: np.array(new.labels(g), object)[new.codes[g]] for g in new.groups}
    points, frame = points_of(structure, arrays, seen, dict(new.x), groups)
    return _Case(
        plan.law,
        plan.cut,
        predictive,
        np.flatnonzero(hidden),
        frame["decades_beyond"].to_numpy(),
        points.cell,
        is_trusted(diagnose(sampled.draws, sampled.stats)),
    )
