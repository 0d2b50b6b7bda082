"""Forecasts of several fits, each at those of the inputs that its own table has."""

import itertools
from collections.abc import Mapping
from typing import Any

from bayescale.fitting import Fit
from bayescale.forecast import Forecast
from bayescale.forecast.points import by_symbol, inputs_of
from bayescale.forecast.tables import from_table


def forecasts_of(
    fits: Mapping[str, Fit], x: Any, groups: Mapping[str, Any] | None = None, **options: Any
) -> dict[str, Forecast]:
    """Forecast with every fit at those inputs that its own table has.

    Parameters
    ----------
    fits : mapping of str to Fit
        One per form.
    x : mapping of str to array_like, array_like, DataFrame or Runs
        Inputs of any of them, and labels in a table; numbers alone where all have one input.
    groups : mapping of str to label or array of labels, optional
        Labels.
    **options
        As for :meth:`bayescale.Fit.forecast`.

    Raises
    ------
    ValueError
        As for :meth:`bayescale.Fit.forecast`.
    """
    x, groups = from_table(x, groups, *(fit.runs for fit in fits.values()))
    if not isinstance(x, Mapping):
        read_by_laws = (s for fit in fits.values() for _, s in fit.structure.columns)
        x = by_symbol(x, list(dict.fromkeys(read_by_laws)))
    own = {name: inputs_of(fit.structure, fit.runs) for name, fit in fits.items()}
    known = set(itertools.chain(*own.values()))
    read = {name: {s: x[s] for s in x if s in mine or s not in known} for name, mine in own.items()}
    return {name: fit.forecast(read[name], groups=groups, **options) for name, fit in fits.items()}
