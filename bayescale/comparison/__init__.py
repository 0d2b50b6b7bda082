"""Which law predicts best: cross-validation, evidence, stacking weights and a verdict."""

from bayescale.comparison.comparison import Comparison, compare
from bayescale.comparison.evidence import log_evidence

__all__ = ["Comparison", "compare", "log_evidence"]
