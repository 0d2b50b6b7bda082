"""Answers from posteriors, one question a file: a distribution, a sentence and a figure."""

from bayescale.quantities.allocation import Allocation, compute_optimal
from bayescale.quantities.costs import FLOPs6ND
from bayescale.quantities.crossover import Crossover, crossover_scale
from bayescale.quantities.multiplier import (
    Multiplier,
    Speedup,
    compute_multiplier,
    optimizer_speedup,
)
from bayescale.quantities.superiority import Superiority, better_at
from bayescale.quantities.targets import Reach, scale_for

__all__ = [
    "Allocation",
    "Crossover",
    "FLOPs6ND",
    "Multiplier",
    "Reach",
    "Speedup",
    "Superiority",
    "better_at",
    "compute_multiplier",
    "compute_optimal",
    "crossover_scale",
    "optimizer_speedup",
    "scale_for",
]
