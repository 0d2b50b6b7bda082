"""Hide the largest scales, forecast them, and score the forecasts."""

from bayescale.backtesting.backtesting import backtest, doubted
from bayescale.backtesting.scoring import Backtest

__all__ = ["Backtest", "backtest", "doubted"]
