"""Slices of constant compute: the best model size at a budget, and how it grows."""

from typing import Any

import numpy as np

from bayescale.laws.base import Law
from bayescale.laws.claims import Example
from bayescale.laws.parameters import Parameters
from bayescale.laws.roles import level, location, named, positive


class IsoFLOPParabola(Law):
    r"""Loss against size at one compute budget, :math:`L = L_{min} (1 + c (\ln N - \ln N^*)^2)`.

    Parameters
    ----------
    of : str, optional
        Symbol of the input in the table: parameters or tokens.

    Notes
    -----
    `L_min` has the unit of the loss, `N_opt` that of the input; `c` is the curvature relative to
    `L_min`, common in scale to all budgets.  Give the budget as a group: every budget then has its
    own `L_min` and `N_opt`; :func:`growth` turns them into an exponent.  A parabola is good within
    about one e-fold of the optimum on either side.

    References
    ----------
    Hoffmann et al. (2022), arXiv:2203.15556, approach 2.

    Examples
    --------
    >>> round(float(IsoFLOPParabola()(1e9, L_min=2.5, N_opt=1e9, c=0.01)), 3)
    2.5
    """

    name = "isoflop_parabola"
    parameters = (
        level("L_min"),
        named(location("N_opt", of="x"), pooling="independent"),
        positive("c", median=0.02, spread=1.5),
    )
    example = Example({"L_min": 2.6, "N_opt": 6e8, "c": 0.02}, {"x": (1e8, 4e9)}, noise=0.003)

    def log_mean(self, xp: Any, p: Parameters, x: Any) -> Any:
        """See :meth:`Law.log_mean`."""
        return p.log_L_min + xp.log1p(p.c * (xp.log(x) - p.log_N_opt) ** 2)


def growth(optimum: Any, budgets: Any) -> tuple[np.ndarray, np.ndarray]:
    """Exponent and level of an optimum against compute, one pair for every posterior draw.

    Parameters
    ----------
    optimum : array, shape (..., budgets)
        Draws of ``N_opt``, the budgets last, such as ``fit.posterior["N_opt"].values``.
    budgets : array, shape (budgets,)
        Compute of every budget, in the same order.

    Returns
    -------
    exponent, log_level : array, shape (...,)
        Of :math:`N^* = e^{level} C^{exponent}`, by least squares in logarithms.

    Examples
    --------
    >>> exponent, _ = growth(np.array([[1e8, 1e9]]), np.array([1e18, 1e20]))
    >>> exponent.round(6).tolist()
    [0.5]
    """
    log_C, log_N = np.log(np.asarray(budgets, float)), np.log(np.asarray(optimum, float))
    centred = log_C - log_C.mean()
    exponent = (log_N * centred).sum(axis=-1) / (centred**2).sum()
    return exponent, log_N.mean(axis=-1) - exponent * log_C.mean()
