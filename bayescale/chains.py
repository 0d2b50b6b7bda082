"""A downstream metric at a compute: a law of the loss, then a law of the metric given the loss."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from bayescale.fitting import Fit
from bayescale.forecast import Forecast
from bayescale.forecast.labels import check_labels
from bayescale.forecast.points import by_symbol, points_of
from bayescale.forecast.predictive import Predictive, predict
from bayescale.forecast.tables import from_table
from bayescale.model.slips import labels_by_group
from bayescale.posterior.chains import samples_of
from bayescale.posterior.intervals import check_probabilities
from bayescale.runs.problems import warn_owner

if TYPE_CHECKING:
    import pandas as pd


def chain(loss_fit: Fit, metric_fit: Fit) -> "Chain":
    """Chain a fit of the loss and a fit of a metric given the loss.

    Parameters
    ----------
    loss_fit : Fit
        Loss over compute, or over parameters and tokens.
    metric_fit : Fit
        Metric over the measured loss, with a law of one input such as
        ``bs.laws.LossToError()``.

    Returns
    -------
    Chain
        Its ``forecast`` speaks of the metric at the inputs of the loss.

    Raises
    ------
    ValueError
        If the metric depends on more than the loss.

    Warns
    -----
    RunsWarning
        If the losses of both tables do not overlap, as those in nats and in bits may not.

    Notes
    -----
    Both posteriors enter with joint draws: every draw of the loss law predicts a loss, and a draw
    of the metric law predicts the metric at that loss.  The metric law was fitted to measured
    losses, so a forecast of a new run hands over a measured loss, scatter included.  The two tables
    may hold different runs; where they share runs the two stages are taken as independent.

    Examples
    --------
    >>> import bayescale as bs
    >>> table = {"C": [1e17, 1e18, 1e19, 1e20, 1e21], "loss": [4.1, 3.4, 2.9, 2.6, 2.4],
    ...          "error": [0.78, 0.71, 0.63, 0.56, 0.50]}
    >>> options = {"draws": 2000, "progressbar": False}
    >>> loss = bs.fit(bs.laws.PowerLaw(), bs.Runs(table, y="loss", x={"C": "C"}), **options)
    >>> error = bs.fit(bs.laws.LossToError(), bs.Runs(table, y="error", x={"L": "loss"}), **options)
    >>> forecast = bs.chain(loss, error).forecast({"C": [1e22]})
    >>> bool(0.2 < forecast.table["median"][0] < 0.5)
    True
    """
    for name, given in (("loss_fit", loss_fit), ("metric_fit", metric_fit)):
        if not isinstance(given, Fit):
            raise TypeError(f"{name} must be a Fit, not {type(given).__name__}")
    inputs = metric_fit.law.inputs
    if len(inputs) != 1:
        raise ValueError(
            f"the metric must depend on the loss alone; {metric_fit.law.title} has the inputs "
            f"{', '.join(inputs)}"
        )
    response = metric_fit.runs.names["y"]
    if response in (loss_fit.runs.names[symbol] for _, symbol in loss_fit.structure.columns):
        raise ValueError(f"the second fit predicts {response!r}, the input of the first: swap them")
    losses, known = loss_fit.runs.y, metric_fit.runs.x[metric_fit.structure.columns[0][1]]
    if losses.min() > known.max() or losses.max() < known.min():
        warn_owner(
            f"the losses of the first fit ({losses.min():.3g} to {losses.max():.3g}) and those of "
            f"the second ({known.min():.3g} to {known.max():.3g}) do not overlap: measure both on "
            "one set, in one unit (a bit is 0.693 nats)"
        )
    return Chain(loss_fit, metric_fit)


@dataclass(frozen=True)
class Chain:
    """A law of the loss and a law of a metric given the loss; see :func:`chain`.

    Attributes
    ----------
    loss, metric : Fit
        The two stages.
    """

    loss: Fit
    metric: Fit

    def forecast(
        self,
        x: Any,
        *,
        groups: Mapping[str, Any] | None = None,
        kind: str = "run",
        ci_prob: float | Iterable[float] = (0.5, 0.8, 0.95),
        random_seed: int | None = None,
    ) -> Forecast:
        """Forecast the metric at inputs of the loss.

        Parameters
        ----------
        x : mapping of str to array_like, array_like, DataFrame or Runs
            Inputs of the loss; ``"trials"`` as well where the metric counts successes.  Numbers
            alone and a table are read as by :meth:`bayescale.Fit.forecast`.
        groups : mapping of str to label or array of labels, optional
            Labels of groups of either fit, as for :meth:`bayescale.Fit.forecast`.
        kind : {"run", "mean"}
            A new run, with the scatter of its loss and of its metric, or the two curves.
        ci_prob : float or iterable of float
            Probabilities of the bands.
        random_seed : int, optional
            Seed of new labels and measurements, and of the pairing of draws.

        Returns
        -------
        Forecast
            ``points`` has the inputs, the labels of both fits and the median ``loss``; a point is
            extrapolated where either law is.

        Raises
        ------
        ValueError
            As for :meth:`bayescale.Fit.forecast`, or if no fit has a group that is named.
        """
        x, groups = from_table(x, groups, self.loss.runs, self.metric.runs)
        x = by_symbol(x, [column for _, column in self.loss.structure.columns])
        if kind not in ("run", "mean"):
            raise ValueError(f"kind must be 'run' or 'mean', not {kind!r}")
        probabilities = check_probabilities(ci_prob)
        seed = self.loss.random_seed if random_seed is None else random_seed
        rng = np.random.default_rng(seed)
        of_loss, of_metric = self._split(labels_by_group(groups))
        before, after = (fit.flat_draws for fit in (self.loss, self.metric))
        first, second = _paired(samples_of(before), samples_of(after), rng)
        loss, frame = _predicted(self.loss, {k: v[first] for k, v in before.items()}, x, of_loss)
        drawn = loss.sample(rng) if kind == "run" else loss.curve
        at = np.median(drawn, axis=0)
        given = {g: frame[g].to_numpy() for g in self._groups(self.metric) if g in frame}
        place = loss.points.asked_for
        given |= {g: _for_every(labels, place) for g, labels in of_metric.items()}
        s = self.metric.structure
        symbol, column = s.columns[0]
        trials = {"trials": _for_every(x["trials"], place)} if "trials" in x else {}
        points, metric_frame = points_of(
            s, self.metric.arrays, self.metric.runs, {column: at, **trials}, given
        )
        check_labels(s, self.metric.runs, metric_frame)
        origin = points.asked_for
        points = replace(points, log_x={symbol: np.log(drawn[:, origin])})
        metric = predict(
            s, {k: v[second] for k, v in after.items()}, self.metric.arrays, points, rng
        )
        return Forecast(
            _described(frame.iloc[origin].reset_index(drop=True), metric_frame, column),
            metric.sample(rng) if kind == "run" else metric.curve,
            kind,
            probabilities,
            self.metric.runs,
        )

    def _groups(self, fit: Fit) -> set[str]:
        return {*fit.runs.groups, *fit.structure.groups}

    def _split(self, groups: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Labels for the loss, and those for the metric alone."""
        first, second = self._groups(self.loss), self._groups(self.metric)
        if unknown := [g for g in groups if g not in first | second]:
            known = ", ".join(sorted(first | second)) or "none"
            raise ValueError(f"no group is called {unknown[0]!r}; the two fits have {known}")
        return (
            {g: v for g, v in groups.items() if g in first},
            {g: v for g, v in groups.items() if g not in first},
        )


def _predicted(
    fit: Fit, draws: Mapping[str, np.ndarray], x: Mapping[str, Any], groups: Mapping[str, Any]
) -> tuple[Predictive, "pd.DataFrame"]:
    inputs = {name: values for name, values in x.items() if name != "trials"}
    points, frame = points_of(fit.structure, fit.arrays, fit.runs, inputs, groups)
    check_labels(fit.structure, fit.runs, frame)
    rng = np.random.default_rng(fit.random_seed)
    return predict(fit.structure, draws, fit.arrays, points, rng), frame


def _paired(first: int, second: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Positions of as many draws of both posteriors as the longer one has, in random pairs."""
    longer = max(first, second)
    return np.resize(np.arange(first), longer), rng.permutation(
        np.resize(np.arange(second), longer)
    )


def _for_every(values: Any, place: np.ndarray) -> Any:
    """Repeat values of the points that were asked for over the combinations of other groups."""
    single = isinstance(values, str) or np.ndim(values) == 0
    return values if single else np.resize(np.array(values, object), place.max() + 1)[place]


def _described(frame: "pd.DataFrame", metric: "pd.DataFrame", column: str) -> "pd.DataFrame":
    """One table of inputs, labels and distances beyond the data of either fit."""
    beyond = ["extrapolated", "decades_beyond"]
    described = frame.drop(columns=beyond)
    for name in metric.columns.difference([*beyond, *described.columns], sort=False):
        described["loss" if name == column else name] = metric[name]
    described["extrapolated"] = frame["extrapolated"] | metric["extrapolated"]
    described["decades_beyond"] = np.maximum(frame["decades_beyond"], metric["decades_beyond"])
    return described
