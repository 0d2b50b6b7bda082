"""The validated table of runs: what was measured, at which inputs, in which groups."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from bayescale.runs import describe, storage
from bayescale.runs.columns import (
    FloatArray,
    IntArray,
    frozen,
    parts_of,
    plain,
    same,
    take_rows,
    used,
)
from bayescale.runs.groups import SEQUENCE, labels_of_rows
from bayescale.runs.hints import warn_about
from bayescale.runs.joining import differences, joined
from bayescale.runs.labels import known_label
from bayescale.runs.problems import RunsError, refusal
from bayescale.runs.roles import read_cells, read_roles
from bayescale.runs.tables import read_table
from bayescale.runs.words import did_you_mean

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr


@dataclass(frozen=True, slots=True, init=False, repr=False, eq=False)
class Runs:
    """An immutable, checked table of training runs.

    Parameters
    ----------
    table : DataFrame, mapping of str to array, str or Path
        A pandas or polars DataFrame, a dict of columns, or the path of a CSV or Parquet file.
    y : str or tuple of two str
        The column of the measured response, or the columns ``(successes, trials)`` of a count.
    x : str or mapping of str to str
        The inputs, symbol to column, such as ``{"N": "params", "D": "tokens"}``. One column
        alone gets the symbol ``"x"``.
    groups : str, sequence of str or mapping of str to str, optional
        What the rows are grouped by, name to column, such as ``{"family": "arch"}``.
    y_se : str, optional
        The column of standard errors of `y`.
    weight : str, optional
        The column of precision weights, in any unit: the variance of a row, its standard error
        included, is divided by its weight over the usual one, which is the median of the fitted
        table and the weight of new measurements. Rows of weight 0 are left out, unchecked.
    sequence : str, optional
        The column of run ids, when rows are checkpoints of runs.
    better : {"lower", "higher"}, optional
        Which responses are better, where it does not go without saying: losses are better when
        lower, numbers of successes when higher.

    Attributes
    ----------
    y : ndarray (shape[n])
        The response; the successes of a count.
    trials : ndarray of int (shape[n]) or None
        The trials of a count.
    x : mapping of str to ndarray (shape[n])
        The inputs by symbol.
    groups : mapping of str to tuple of str
        The labels of each group, in the order of first appearance.
    codes : mapping of str to ndarray of int (shape[n])
        The place of each row's label in `groups`.
    y_se, weight : ndarray (shape[n]) or None
        Standard errors and precision weights.
    sequence : ndarray of int (shape[n]) or None
        The place of each row's run in `sequence_labels`.
    sequence_labels : tuple of str
        The run ids.
    better : str or None
        As it was given.
    names : mapping of str to str
        The column behind each role, symbol and group.
    rows : ndarray of int (shape[n])
        The number of each row in the user's table, counted from 0.

    Raises
    ------
    RunsError
        With every problem of the table at once.

    Warns
    -----
    RunsWarning
        When the table can be used but cannot say all that one may want of it.

    Examples
    --------
    >>> from bayescale import Runs
    >>> runs = Runs(
    ...     {"arch": ["lstm", "lstm", "mlp", "mlp"], "flops": [1e17, 1e19, 1e17, 1e18],
    ...      "loss": [3.9, 3.1, 4.2, 3.8]},
    ...     y="loss", x={"C": "flops"}, groups={"family": "arch"},
    ... )
    >>> runs
    Runs: 4 rows
      y = loss   3.1 .. 4.2
      C = flops  1e17 .. 1e19 (2.0 decades)
      family = arch, 2 labels
        lstm  2 rows  C 1e17 .. 1e19 (2.0 decades)
        mlp   2 rows  C 1e17 .. 1e18 (1.0 decades)
    >>> runs.where(family="mlp").y
    array([4.2, 3.8])
    """

    y: FloatArray
    x: Mapping[str, FloatArray]
    groups: Mapping[str, tuple[str, ...]]
    codes: Mapping[str, IntArray]
    names: Mapping[str, str]
    rows: IntArray
    trials: IntArray | None
    y_se: FloatArray | None
    weight: FloatArray | None
    sequence: IntArray | None
    sequence_labels: tuple[str, ...]
    better: str | None

    def __init__(
        self,
        table: Any,
        *,
        y: str | tuple[str, str],
        x: str | Mapping[str, str],
        groups: str | Sequence[str] | Mapping[str, str] | None = None,
        y_se: str | None = None,
        weight: str | None = None,
        sequence: str | None = None,
        better: str | None = None,
    ) -> None:
        if better not in (None, "lower", "higher"):
            raise refusal(
                "better", f"{better!r} is no direction", 'give better="higher" or "lower"'
            )
        roles = read_roles(y, x, groups, {"y_se": y_se, "weight": weight, "sequence": sequence})
        columns = read_table(table, roles.labels.__contains__)
        _fill(self, {**read_cells(columns, roles), "better": better})
        warn_about(self)

    # What it holds ------------------------------------------------------------------------------

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.y)

    @property
    def is_counts(self) -> bool:
        """Whether the response is a number of successes among trials."""
        return self.trials is not None

    @property
    def response(self) -> FloatArray:
        """Measured responses; of a count the share of successes."""
        return np.asarray(self.y if self.trials is None else self.y / self.trials, float)

    @property
    def has_checkpoints(self) -> bool:
        """Whether some run has several rows."""
        return self.sequence is not None and len(np.unique(self.sequence)) < len(self)

    def labels(self, group: str) -> tuple[str, ...]:
        """Give the labels of one group.

        Parameters
        ----------
        group : str
            The name of the group.

        Returns
        -------
        tuple of str
            Its labels; ``runs.codes[group]`` counts along them.
        """
        if group not in self.groups:
            raise refusal(group, "no such group", did_you_mean(group, self.groups))
        return self.groups[group]

    def code(self, group: str, label: object) -> int:
        """Give the place of one label among the labels of its group.

        Parameters
        ----------
        group : str
            The name of the group.
        label : object
            The label as text, or as the number or date that it is.

        Returns
        -------
        int
            Its code.
        """
        labels = self.labels(group)
        name = known_label(label, labels)
        if name not in labels:
            raise refusal(group, f"there is no label {name!r}", did_you_mean(name, labels))
        return labels.index(name)

    def to_frame(self) -> pd.DataFrame:
        """Give a pandas DataFrame with the columns of the user's table that are in use.

        Returns
        -------
        DataFrame
            One row per run, indexed by the row of the user's table.
        """
        import pandas as pd

        columns: dict[str, Any] = {
            **{"y": self.y, "trials": self.trials, "y_se": self.y_se, "weight": self.weight},
            **self.x,
            **{group: labels_of_rows(self, group) for group in self.groups},
        }
        if self.sequence is not None:
            columns[SEQUENCE] = labels_of_rows(self, SEQUENCE)
        return pd.DataFrame(
            {column: columns[role] for role, column in self.names.items()},
            index=pd.Index(self.rows, name="row"),
        )

    def to_dataset(self) -> xr.Dataset:
        """Give an xarray Dataset that holds everything, for saving.

        Returns
        -------
        Dataset
            Dimension ``row``; labels and names are JSON in the attributes.
        """
        return storage.dataset_of(self)

    @classmethod
    def from_dataset(cls, dataset: xr.Dataset) -> Runs:
        """Give back the runs of `to_dataset`.

        Parameters
        ----------
        dataset : Dataset
            What `to_dataset` returned, perhaps after a file.

        Returns
        -------
        Runs
            Equal to the runs that were saved.
        """
        return _new(**storage.parts_in(dataset))

    # Parts of it --------------------------------------------------------------------------------

    def select(self, which: ArrayLike) -> Runs:
        """Keep some rows, and all labels.

        Parameters
        ----------
        which : array_like of bool (shape[n]) or of int
            A mask, or the positions of the rows to keep, in their new order.

        Returns
        -------
        Runs
            The rows; labels without rows stay, so that the structure of a model stays.
        """
        index = np.asarray(which)
        if index.dtype == bool and index.shape != self.y.shape:
            message = f"a mask of shape {index.shape} for {len(self)} rows"
            raise refusal("which", message, "give one True or False per row")
        if index.size == 0:
            index = index.astype(np.int64)
        if index.ndim != 1 or index.dtype.kind not in "biu":
            message = f"not a mask or a list of positions, but {index.dtype} of shape {index.shape}"
            raise refusal("which", message, "give a one-dimensional array of bool or int")
        return _new(**{name: take_rows(value, index) for name, value in parts_of(self).items()})

    def where(self, **labels: Any) -> Runs:
        """Keep the rows with the given labels, and all labels.

        Parameters
        ----------
        **labels : str or collection of str
            A label, or a collection of labels, for each group named.

        Returns
        -------
        Runs
            The rows that match in every group.
        """
        keep = np.ones(len(self), dtype=bool)
        for group, wanted in labels.items():
            one = isinstance(wanted, str) or not isinstance(wanted, Iterable)
            codes = [self.code(group, label) for label in ([wanted] if one else list(wanted))]
            keep &= np.isin(self.codes[group], codes)
        return self.select(keep)

    def below(self, symbol: str, value: float) -> Runs:
        """Keep the rows with an input below a value; `above` keeps the others.

        Parameters
        ----------
        symbol : str
            The input.
        value : float
            The first value left out.

        Returns
        -------
        Runs
            The rows, with all labels.
        """
        return self.select(self._input(symbol) < _number(symbol, value))

    def above(self, symbol: str, value: float) -> Runs:
        """Keep the rows with an input at a value or above it; `below` keeps the others.

        Parameters
        ----------
        symbol : str
            The input.
        value : float
            The first value kept.

        Returns
        -------
        Runs
            The rows, with all labels.
        """
        return self.select(self._input(symbol) >= _number(symbol, value))

    def drop_unused(self) -> Runs:
        """Remove the labels that have no rows.

        Returns
        -------
        Runs
            The same rows; labels keep their order.
        """
        parts = parts_of(self)
        present = {g: used(labels, self.codes[g]) for g, labels in self.groups.items()}
        parts["groups"] = {group: labels for group, (labels, _) in present.items()}
        parts["codes"] = {group: codes for group, (_, codes) in present.items()}
        if self.sequence is not None:
            ids, sequence = used(self.sequence_labels, self.sequence)
            parts |= {"sequence_labels": ids, "sequence": sequence}
        return _new(**parts)

    def concat(self, other: Runs) -> Runs:
        """Put the rows of another table below these.

        Parameters
        ----------
        other : Runs
            Rows with the same response, inputs and groups. Its own labels come after these.

        Returns
        -------
        Runs
            All rows, numbered anew, with the labels of both.

        Raises
        ------
        RunsError
            If the tables have other roles, such as other inputs or groups.
        TypeError
            If `other` is not Runs.

        Warns
        -----
        RunsWarning
            What the two tables cannot say together, such as two units of one input.
        """
        if not isinstance(other, Runs):
            raise TypeError(
                f"concat takes Runs, not {type(other).__name__}: read it first, as "
                "runs.concat(Runs(table, y=..., x=...))"
            )
        if problems := list(differences(self, other)):
            raise RunsError(problems)
        both = _new(**joined(self, other))
        if len(both):
            warn_about(both)
        return both

    def _input(self, symbol: str) -> FloatArray:
        if symbol not in self.x:
            raise refusal(symbol, "no such input", did_you_mean(symbol, self.x))
        return self.x[symbol]

    # How it behaves -----------------------------------------------------------------------------

    def __eq__(self, other: object) -> bool:
        """Say whether two tables hold the same runs, wherever the rows come from."""
        if not isinstance(other, Runs):
            return NotImplemented
        mine, others = parts_of(self), parts_of(other)
        return all(same(mine[name], others[name]) for name in mine if name != "rows")

    def __reduce__(self) -> tuple[Any, tuple[dict[str, Any]]]:
        """Pickle and copy without checking again."""
        return _restore, ({name: plain(value) for name, value in parts_of(self).items()},)

    def __repr__(self) -> str:
        """Show the number of rows, and the range of every input in every group."""
        return describe.as_text(self)

    def _repr_html_(self) -> str:
        return describe.as_html(self)


# Building ---------------------------------------------------------------------------------------


def _new(**parts: Any) -> Runs:
    """Make runs of checked parts."""
    return _restore(parts)


def _restore(parts: dict[str, Any]) -> Runs:
    runs = object.__new__(Runs)
    _fill(runs, parts)
    return runs


def _fill(runs: Runs, parts: Mapping[str, Any]) -> None:
    for part in fields(Runs):
        object.__setattr__(runs, part.name, frozen(parts.get(part.name)))


def _number(symbol: str, value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise refusal(symbol, f"{value!r} is not a number", "cut at one such as 1e20") from error
