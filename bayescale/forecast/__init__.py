"""Posterior and prior predictive bands; nothing here knows a ``Fit``."""

from bayescale.forecast.forecast import Forecast
from bayescale.forecast.prior import prior_predictive

__all__ = ["Forecast", "prior_predictive"]
