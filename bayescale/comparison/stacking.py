"""Weights of a mixture of forms."""

from typing import Any

import numpy as np

#: Weights below this are none.
NO_WEIGHT = 1e-4


def stacking_weights(log_density: np.ndarray, importance: np.ndarray) -> np.ndarray:
    r"""Weights of a mixture of forms that maximise its log score on held-out rows.

    Maximises the concave :math:`\sum_i v_i \log \sum_k w_k p_k(y_i)` over the simplex.

    Parameters
    ----------
    log_density : array, shape (forms, items)
        Log predictive densities.
    importance : array, shape (items,)
        How much every item counts.

    References
    ----------
    Yao et al. (2018), arXiv:1704.02030.

    Examples
    --------
    >>> import numpy as np
    >>> from bayescale.comparison.stacking import stacking_weights
    >>> stacking_weights(np.log([[0.9, 0.9, 0.1], [0.1, 0.1, 0.9]]), np.ones(3)).round(3)
    array([0.708, 0.292])
    """
    from scipy.optimize import minimize

    density = np.exp(log_density - log_density.max(axis=0))
    forms, share = len(density), importance / importance.sum()

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        mixed = np.maximum(weights @ density, np.exp(-700.0))
        return -float(share @ np.log(mixed)), -(density / mixed) @ share

    on_the_simplex: dict[str, Any] = {
        "bounds": [(0.0, 1.0)] * forms,
        "constraints": {"type": "eq", "fun": lambda weights: weights.sum() - 1.0},
        "options": {"ftol": 1e-10, "maxiter": 500},
    }
    start = np.full(forms, 1 / forms)
    found = minimize(loss, start, jac=True, method="SLSQP", **on_the_simplex).x
    weights = np.where(found < NO_WEIGHT, 0.0, found)
    return np.asarray(weights / weights.sum())
