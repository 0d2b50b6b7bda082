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
    "Binomial": "noise",
    "BetaBinomial": "noise",
    "ZeroInflatedBetaBinomial": "noise",
    "NegativeBinomial": "noise",
    "BetaNegativeBinomial": "noise",
    "Checkpoints": "noise",
    "Effect": "noise",
    "ScaleTrend": "noise",
    "Discrepancy": "noise",
    "LogOneSided": "noise",
    "build_model": "model",
    "ConvergenceWarning": "sampling",
    "prior_predictive": "forecast",
    "fit": "fitting",
    "Fit": "fitting",
    "fit_many": "sweeps",
    "Sweep": "sweeps",
    "pool_fits": "sweeps",
    "PooledFits": "sweeps",
    "load": "fitting",
    "known_fit": "fitting",
    "read_tracker": "runs",
    "to_paper": "reporting",
    "Forecast": "forecast",
    "chain": "chains",
    "Chain": "chains",
    "learned": "fitting",
    "log_evidence": "comparison",
    "compare": "comparison",
    "Comparison": "comparison",
    "backtest": "backtesting",
    "Backtest": "backtesting",
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
