"""Bayesian neural scaling laws: hierarchical fits, honest forecasts, decisions.

Everything a user needs is here; names are loaded when they are first used, so that importing the
package is fast.
"""

import importlib
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "Runs": "runs",
    "RunsError": "runs",
    "RunsWarning": "runs",
    "Law": "laws.base",
    "Shared": "pooling",
    "Partial": "pooling",
    "Independent": "pooling",
    "LogStudentT": "noise",
    "LogNormal": "noise",
    "Normal": "noise",
    "StudentT": "noise",
    "LogitNormal": "noise",
    "LogitStudentT": "noise",
    "Binomial": "counts",
    "BetaBinomial": "counts",
    "ZeroInflatedBetaBinomial": "counts",
    "NegativeBinomial": "counts",
    "BetaNegativeBinomial": "counts",
    "Checkpoints": "parts",
    "Effect": "parts",
    "ScaleTrend": "doubt",
    "Discrepancy": "doubt",
    "LogOneSided": "onesided",
    "build_model": "model",
    "ConvergenceWarning": "sampling",
    "prior_predictive": "prior",
    "fit": "fitting",
    "Fit": "fitting",
    "fit_many": "sweeps",
    "Sweep": "sweeps",
    "pool_fits": "two_stage",
    "PooledFits": "two_stage",
    "load": "storage",
    "known_fit": "known",
    "read_tracker": "trackers",
    "to_paper": "tables",
    "Forecast": "forecast",
    "chain": "chains",
    "Chain": "chains",
    "learned": "learning",
    "log_evidence": "evidence",
    "compare": "comparison",
    "Comparison": "comparison",
    "backtest": "backtesting",
    "Backtest": "scoring",
    "doubted": "backtesting",
    "crossover_scale": "quantities",
    "better_at": "quantities",
    "compute_multiplier": "quantities",
    "optimizer_speedup": "quantities",
    "compute_optimal": "quantities",
    "FLOPs6ND": "quantities",
    "scale_for": "quantities",
    "probability": "quantities",
    "asymptote": "quantities",
    "asymptote_gap": "quantities",
    "exponent_contrast": "quantities",
    "break_probability": "quantities",
    "regime_at": "quantities",
    "emergence_test": "quantities",
    "pareto": "quantities",
    "next_run": "quantities",
}
_ROOMS = ("laws", "noise", "datasets", "plots", "quantities")

__all__ = ["__version__", *_HOMES, *_ROOMS]


def __getattr__(name: str) -> Any:
    """Load a public name from its module."""
    if name in _ROOMS:
        return importlib.import_module(f"bayescale.{name}")
    if name in _HOMES:
        return getattr(importlib.import_module(f"bayescale.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'bayescale' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
