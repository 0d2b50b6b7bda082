"""Figures on matplotlib axes: axes in, axes out.

Every function draws one figure from a result, on the axes that are given or on new ones, and
returns the axes.  ``with publication():`` sets type sizes, line widths and colours for a figure
that is one column (8 cm) wide.
"""

from contextlib import AbstractContextManager
from pathlib import Path

from bayescale.plots.comparison import plot_comparison
from bayescale.plots.exponents import plot_exponents
from bayescale.plots.forecast import plot_forecast
from bayescale.plots.predictive_check import plot_predictive_check
from bayescale.plots.prior import plot_prior
from bayescale.plots.reliability import plot_reliability

__all__ = [
    "STYLE",
    "plot_comparison",
    "plot_exponents",
    "plot_forecast",
    "plot_predictive_check",
    "plot_prior",
    "plot_reliability",
    "publication",
]

#: The style sheet; ``plt.style.use(bayescale.plots.STYLE)`` sets it for good.
STYLE = Path(__file__).with_name("publication.mplstyle")


def publication(columns: int = 1) -> AbstractContextManager[None]:
    """Draw and save figures for a paper inside a ``with`` block.

    Parameters
    ----------
    columns : {1, 2}
        Width of new figures: 8 cm or 17 cm.

    Returns
    -------
    context manager
        Sets the style sheet, and takes it back at the end of the block.

    Raises
    ------
    ValueError
        If `columns` is neither 1 nor 2.

    References
    ----------
    Okabe and Ito (2008), Color Universal Design, https://jfly.uni-koeln.de/color.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from bayescale.plots import publication
    >>> with publication():
    ...     int(plt.rcParams["pdf.fonttype"])
    42
    """
    import matplotlib.pyplot as plt

    if columns not in (1, 2):
        raise ValueError(f"columns must be 1 or 2, not {columns!r}")
    size = {1: (3.15, 2.5), 2: (6.7, 2.7)}[columns]
    return plt.style.context([STYLE, {"figure.figsize": size}])
