"""Which runs make up the experiment, and about how long they take."""

from __future__ import annotations

from collections.abc import Callable

from .corpora import CONTEXT
from .models import Shape, flops_per_byte
from .train import BATCH, Spec

SIZES = {
    "mlp": [
        Shape("mlp", width, embed=embed)
        for width, embed in (
            (12, 8), (24, 12), (44, 16), (76, 24), (128, 44), (232, 64), (384, 104)
        )
    ],
    "gru": [Shape("gru", width) for width in (18, 32, 48, 80, 136, 224, 360)],
    "transformer": [
        Shape("transformer", width, depth)
        for width, depth in ((12, 1), (16, 2), (24, 2), (32, 3), (48, 4), (80, 4), (128, 4))
    ],
}  # fmt: skip
"""Seven shapes of each architecture, about 1.7e3 to 7.9e5 non-embedding parameters."""

STEPS = (64, 192, 512, 1536, 4096, 8192)
"""Lengths of a run: 65 kB to 8.4 MB of text."""

PROSE_STEPS = (64, 512, 4096)
FIT_CAP = {"code": 1.06e12, "prose": 4e11}
"""Largest ``6 N D`` of a fit run."""

REPEAT_CAP = {"code": 3.55e11, "prose": 3.2e11}
THREE_SEEDS_CAP = 4e10
ALWAYS_REPEATED = 4e9
"""Up to these ``6 N D`` a cell of the repeated diagonals gets two seeds, three, and any cell three.
"""

TARGET_SIZE = 5
TARGET_STEPS = 4736
"""The forecast runs: at least eight times the larger `FIT_CAP`."""

OVERHEAD = {"mlp": 1.5e-3, "gru": 2.0e-3, "transformer": 3.0e-3}
SPEED = {"mlp": 60e9, "gru": 36e9, "transformer": 35e9}
"""Seconds a step, and counted FLOP a second, measured on one 2023 server core."""

Rate = Callable[[str, int, int], float]
"""Learning rate from architecture, index of the size and number of steps."""


def fit_specs(rate: Rate) -> list[Spec]:
    """Fit runs in the order in which they are trained: first seeds first, small runs first."""
    specs = [
        Spec("fit", corpus, shape, steps, rate(arch, i, steps), seed)
        for corpus, lengths in (("code", STEPS), ("prose", PROSE_STEPS))
        for arch, shapes in SIZES.items()
        for i, shape in enumerate(shapes)
        for steps in lengths
        for seed in _seeds(corpus, i, steps, shape)
    ]
    kept = [spec for spec in specs if spec.compute <= FIT_CAP[spec.corpus]]
    return sorted(kept, key=lambda spec: (spec.seed > 0, spec.corpus, spec.compute))


def _seeds(corpus: str, i: int, steps: int, shape: Shape) -> range:
    """Seeds of a cell: several on every third diagonal, the longest runs and large cells apart."""
    compute = Spec("fit", corpus, shape, steps, 0.0, 0).compute
    if compute <= ALWAYS_REPEATED:
        return range(3)
    if (i + STEPS.index(steps)) % 3 or steps == STEPS[-1] or compute > REPEAT_CAP[corpus]:
        return range(1)
    return range(3 if compute <= THREE_SEEDS_CAP else 2)


def target_specs(rate: Rate) -> list[Spec]:
    """One forecast run for each architecture and corpus, code first."""
    return [
        Spec("target", corpus, shapes[TARGET_SIZE], TARGET_STEPS,
             rate(arch, TARGET_SIZE, TARGET_STEPS), 0)
        for corpus in ("code", "prose")
        for arch, shapes in SIZES.items()
    ]  # fmt: skip


def seconds(spec: Spec) -> float:
    """Rough training time of one run on one core."""
    arch = spec.shape.arch
    step = flops_per_byte(spec.shape) * BATCH * CONTEXT / SPEED[arch] + OVERHEAD[arch]
    return spec.steps * step
