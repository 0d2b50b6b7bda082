"""The convergence gate: what draws must pass before they are believed."""

from collections.abc import Mapping
from typing import Any

import numpy as np

#: Thresholds of the convergence gate.
MAX_RHAT, MIN_ESS, MIN_EBFMI = 1.01, 400.0, 0.3
#: Largest R-hat of a refit that only averages a density or a score.
TRUSTED_RHAT = 1.05


class ConvergenceWarning(UserWarning):
    """The posterior draws do not pass the convergence gate: do not trust the fit."""


def diagnose(
    posterior: Mapping[str, np.ndarray], stats: Mapping[str, np.ndarray]
) -> dict[str, Any]:
    """Convergence diagnostics over every variable; arrays have shape (chain, draw, ...).

    R-hat and effective sample sizes are the rank-normalised ones of Vehtari et al. (2021),
    arXiv:1903.08008; E-BFMI is that of Betancourt (2016), arXiv:1604.00695.
    """
    energy = stats["energy"]
    ebfmi = np.mean(np.diff(energy, axis=1) ** 2, axis=1) / np.var(energy, axis=1)
    found = {
        **mixing(posterior),
        "divergences": int(np.sum(stats["diverging"])),
        "ebfmi": float(np.min(ebfmi)),
    }
    found["converged"] = not complaints(found)
    return found


def is_mixed(found: Mapping[str, Any]) -> bool:
    """Whether chains agree and have moved enough."""
    enough = min(found["min_ess_bulk"], found["min_ess_tail"]) >= MIN_ESS
    return bool(found["max_rhat"] <= MAX_RHAT and enough)


def is_trusted(found: Mapping[str, Any]) -> bool:
    """Whether chains agree well enough for the mean of a density, which needs few draws."""
    return bool(found["max_rhat"] <= TRUSTED_RHAT)


def mixing(posterior: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Largest R-hat and smallest effective sample sizes; arrays have shape (chain, draw, ...).

    A variable that never moves, or is not finite somewhere, has an infinite R-hat and no effective
    draws; the R-hat of a single chain is not a number.
    """
    rhat, bulk, tail = [1.0], [np.inf], [np.inf]
    for values in posterior.values():
        flat = values.reshape(*values.shape[:2], -1)
        for column in np.moveaxis(flat, -1, 0):
            moves = np.isfinite(column).all() and np.ptp(column) > 0
            r, b, t = rank_diagnostics(column) if moves else (np.inf, 0.0, 0.0)
            rhat.append(r)
            bulk.append(b)
            tail.append(t)
    return {
        "max_rhat": float(np.max(rhat)),
        "min_ess_bulk": float(np.min(bulk)),
        "min_ess_tail": float(np.min(tail)),
    }


def rank_diagnostics(column: np.ndarray) -> tuple[float, float, float]:
    """R-hat, bulk and tail effective sample size of one variable, shape (chain, draw)."""
    from arviz_stats.base import array_stats

    return (
        float(array_stats.rhat(column, chain_axis=0, draw_axis=1)),
        float(array_stats.ess(column, chain_axis=0, draw_axis=1, method="bulk")),
        float(array_stats.ess(column, chain_axis=0, draw_axis=1, method="tail", prob=0.9)),
    )


def complaints(found: Mapping[str, Any]) -> list[str]:
    """Say what a fit fails in the convergence gate; numbers are rounded away from its limits."""
    said, rhat = [], found["max_rhat"]
    if np.isnan(rhat):
        said.append("R-hat needs at least two chains, of four draws each")
    elif np.isinf(rhat):
        said.append("some parameter is not finite or never moves")
    elif rhat > MAX_RHAT:
        said.append(f"R-hat {np.ceil(1000 * rhat) / 1000:.3f} > {MAX_RHAT}")
    for kind in ("bulk", "tail"):
        ess = found[f"min_ess_{kind}"]
        if not ess >= MIN_ESS:
            said.append(f"{kind} ESS {np.floor(ess):.0f} < {MIN_ESS:.0f}")
    if found["divergences"]:
        said.append(f"{found['divergences']} divergences")
    if not found["ebfmi"] >= MIN_EBFMI:
        said.append(f"E-BFMI {np.floor(100 * found['ebfmi']) / 100:.2f} < {MIN_EBFMI}")
    return said
