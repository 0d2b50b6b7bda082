"""Learning rates by a rule, from a small recorded sweep.

For each architecture and size the sweep climbs over powers of two until the best rate has a
worse neighbour on both sides, and takes the vertex of the parabola through the three.  One
size of each architecture is swept at three lengths of run; the mean slope of its optimum gives
the common exponent with which the rate changes with the number of steps.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .grid import SIZES, Rate
from .train import Spec

UNIT = 1e-3
SWEEP_STEPS = (512, 512, 512, 512, 192, 192, 64)
LENGTH_SIZE = 2
LENGTH_STEPS = (128, 512, 2048)

Loss = Callable[[Spec], float]
"""Trains a run, or finds it on disk, and returns its validation loss."""


def optimum(arch: str, i: int, steps: int, start: int, loss: Loss) -> float:
    """Best base-2 exponent of the learning rate in units of 1e-3, climbing from ``start``."""

    def at(exponent: int) -> float:
        rate = UNIT * 2.0**exponent
        return loss(Spec("sweep", "code", SIZES[arch][i], steps, rate, 0))

    best = start
    while True:
        left, middle, right = at(best - 1), at(best), at(best + 1)
        if middle <= min(left, right):
            return best + 0.5 * (left - right) / (left - 2 * middle + right)
        best += -1 if left < right else 1


def tune(loss: Loss) -> Rate:
    """Run (or reread) the sweep and return the rule for the learning rate."""
    best: dict[tuple[str, int], float] = {}
    slopes = []
    for arch, shapes in SIZES.items():
        previous = 4.0
        for i in range(len(shapes)):
            previous = optimum(arch, i, SWEEP_STEPS[i], round(previous), loss)
            best[arch, i] = previous
        middle = round(best[arch, LENGTH_SIZE])
        optima = [optimum(arch, LENGTH_SIZE, steps, middle, loss) for steps in LENGTH_STEPS]
        slopes.append(np.polyfit(np.log2(LENGTH_STEPS), optima, 1)[0])
    slope = float(np.mean(slopes))

    def rate(arch: str, i: int, steps: int) -> float:
        exponent = best[arch, i] + slope * np.log2(steps / SWEEP_STEPS[i])
        return float(f"{UNIT * 2**exponent:.2g}")

    return rate
