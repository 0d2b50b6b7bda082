"""How measurements scatter around a law: likelihoods, and what each can be extended by."""

from bayescale.noise.base import Noise
from bayescale.noise.continuous import (
    LogitNormal,
    LogitStudentT,
    LogNormal,
    LogStudentT,
    Normal,
    StudentT,
    default_noise,
)
from bayescale.noise.counts import (
    BetaBinomial,
    BetaNegativeBinomial,
    Binomial,
    NegativeBinomial,
    ZeroInflatedBetaBinomial,
)
from bayescale.noise.discrepancy import Discrepancy
from bayescale.noise.one_sided import LogOneSided
from bayescale.noise.parts import Checkpoints, Effect
from bayescale.noise.scale_trend import ScaleTrend

__all__ = [
    "BetaBinomial",
    "BetaNegativeBinomial",
    "Binomial",
    "Checkpoints",
    "Discrepancy",
    "Effect",
    "LogNormal",
    "LogOneSided",
    "LogStudentT",
    "LogitNormal",
    "LogitStudentT",
    "NegativeBinomial",
    "Noise",
    "Normal",
    "ScaleTrend",
    "StudentT",
    "ZeroInflatedBetaBinomial",
    "default_noise",
]
