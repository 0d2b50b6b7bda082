"""Answers from posteriors, one question a file: a distribution, a sentence and a figure."""

from bayescale.quantities.allocation import Allocation, compute_optimal
from bayescale.quantities.breaks import Breaks, break_probability
from bayescale.quantities.contrasts import Contrast, exponent_contrast
from bayescale.quantities.costs import FLOPs6ND
from bayescale.quantities.crossover import Crossover, crossover_scale
from bayescale.quantities.design import Design, next_run
from bayescale.quantities.emergence import Emergence, emergence_test
from bayescale.quantities.frontier import Pareto, pareto
from bayescale.quantities.limits import Asymptote, asymptote, asymptote_gap
from bayescale.quantities.multiplier import (
    Multiplier,
    Speedup,
    compute_multiplier,
    optimizer_speedup,
)
from bayescale.quantities.regimes import Regimes, regime_at
from bayescale.quantities.statements import Probability, probability
from bayescale.quantities.superiority import Superiority, better_at
from bayescale.quantities.targets import Reach, scale_for

__all__ = [
    "Allocation",
    "Asymptote",
    "Breaks",
    "Contrast",
    "Crossover",
    "Design",
    "Emergence",
    "FLOPs6ND",
    "Multiplier",
    "Pareto",
    "Probability",
    "Reach",
    "Regimes",
    "Speedup",
    "Superiority",
    "asymptote",
    "asymptote_gap",
    "better_at",
    "break_probability",
    "compute_multiplier",
    "compute_optimal",
    "crossover_scale",
    "emergence_test",
    "exponent_contrast",
    "next_run",
    "optimizer_speedup",
    "pareto",
    "probability",
    "regime_at",
    "scale_for",
]
