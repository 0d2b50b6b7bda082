"""Tables that experiment trackers export: one row a run, columns with a prefix."""

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bayescale.runs.reading import (
    Columns,
    Problem,
    RunsError,
    RunsWarning,
    did_you_mean,
    name_some,
)
from bayescale.runs.tables import read_table

if TYPE_CHECKING:
    import pandas as pd

#: What trackers put before the names of settings, results and labels.
PREFIXES = ("config.", "config/", "summary.", "summary/", "params.", "metrics.", "tags.")


def read_tracker(table: Any, columns: Mapping[str, str] | None = None) -> "pd.DataFrame":
    """Read the wide table that an experiment tracker exports, one row a run.

    Parameters
    ----------
    table : DataFrame, mapping of str to array, str or Path
        As for :class:`bayescale.Runs`.
    columns : mapping of str to str, optional
        New name -> column of the export, with its prefix or without where that is not ambiguous.
        By default all columns stay, under their names without ``config.``, ``summary.``,
        ``params.``, ``metrics.`` or ``tags.``.

    Returns
    -------
    DataFrame
        One row a run, for :class:`bayescale.Runs`.  Text that holds only numbers has become
        numbers.

    Raises
    ------
    RunsError
        With all columns that are missing or ambiguous, and what may be meant.

    Warns
    -----
    RunsWarning
        If runs are left out because a column of `columns` is empty there, as it is in runs that
        crashed or still go on.

    Examples
    --------
    >>> export = {"Name": ["a", "b"], "config.model.n_params": [1e6, 1e7],
    ...           "config.flops": ["1e15", "1e17"], "summary.val/loss": [4.1, 3.2]}
    >>> read_tracker(export, {"N": "model.n_params", "C": "config.flops", "loss": "val/loss"})
                N             C  loss
    0   1000000.0  1.000000e+15   4.1
    1  10000000.0  1.000000e+17   3.2
    """
    import pandas as pd

    cells = read_table(table, lambda column: False)
    chosen = _stripped(cells) if columns is None else _found(cells, columns)
    frame = pd.DataFrame({name: _numbers(pd.Series(cells[c])) for name, c in chosen.items()})
    if columns is None:
        return frame
    empty = frame.isna()
    if not (lost := empty.any(axis=1)).any():
        return frame
    culprits = [name for name in frame if empty[name].any()]
    warnings.warn(
        f"{int(lost.sum())} of {len(frame)} runs are left out, because {name_some(culprits)} is "
        f"empty there (rows {', '.join(map(str, frame.index[lost][:5]))}"
        f"{', ...' if lost.sum() > 5 else ''}): crashed, or still going on?",
        RunsWarning,
        stacklevel=2,
    )
    return frame[~lost].reset_index(drop=True)


def _bare(column: str) -> str:
    return next((column.removeprefix(p) for p in PREFIXES if column.startswith(p)), column)


def _stripped(cells: Columns) -> dict[str, str]:
    """Find the column behind every short name."""
    short: dict[str, list[str]] = {}
    for column in cells:
        short.setdefault(_bare(column), []).append(column)
    if twice := {name: owners for name, owners in short.items() if len(owners) > 1}:
        raise RunsError(
            Problem(
                name,
                (),
                f"without their prefixes {' and '.join(map(repr, owners))} have one name",
                f"name what you need, e.g. columns={{{name!r}: {owners[0]!r}}}",
            )
            for name, owners in twice.items()
        )
    return {name: owners[0] for name, owners in short.items()}


def _found(cells: Columns, columns: Mapping[str, str]) -> dict[str, str]:
    """Find the column of the export behind every new name."""
    problems, found = [], {}
    for name, wanted in columns.items():
        matches = [wanted] if wanted in cells else [c for c in cells if _bare(c) == wanted]
        if len(matches) == 1:
            found[name] = matches[0]
        elif matches:
            mend = f"give it with its prefix: {' or '.join(map(repr, matches))}"
            problems.append(Problem(wanted, (), "several columns have this name", mend))
        else:
            known = [_bare(c) for c in cells] if _bare(wanted) == wanted else list(cells)
            problems.append(Problem(wanted, (), "no such column", did_you_mean(wanted, known)))
    if problems:
        raise RunsError(problems)
    return found


def _numbers(column: "pd.Series") -> "pd.Series":
    """Turn text that holds only numbers into numbers, and empty text into missing."""
    import pandas as pd

    is_text = column.map(lambda cell: isinstance(cell, str))
    if not is_text.any():
        return column.infer_objects()
    column = column.where(~(is_text & (column.map(str).str.strip() == "")))
    numbers = pd.to_numeric(column, errors="coerce")
    return column if (numbers.isna() & column.notna()).any() else numbers
