"""Best learning rate and batch size, from the whole surface of losses around them."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import log
from typing import Any

import numpy as np

from bayescale.laws.base import Law
from bayescale.laws.claims import Example
from bayescale.laws.numerics import log_sum, logaddexp
from bayescale.laws.parameters import Parameters
from bayescale.laws.roles import exponent, floor, level, location, positive, slope


@dataclass(frozen=True)
class StepLaw(Law):
    r"""Loss around the best learning rate and batch, which are powers of N and D.

    .. math:: L = E + (A_N N^{-a_N} + A_D D^{-a_D})
        \left[1 + h_{lr} (u + t v)^2 + h_B v^2 \right]

    with :math:`u = \ln lr - \ln lr^*`, :math:`v = \ln B - \ln B^*` and

    .. math:: lr^* = lr_r (N/N_r)^{-p} (D/D_r)^{q}, \quad B^* = B_r (D/D_r)^{r}

    so that the uncertainty of every optimum enters the exponents.

    Parameters
    ----------
    N_r, D_r : float
        Model and data size at which `lr_r` and `B_r` are given, amid the runs.

    Notes
    -----
    N are parameters without the vocabulary, D tokens, lr the peak learning rate, B tokens in a
    batch, L nats per token; `lr_r` has the unit of lr, `B_r` that of B; `h_lr` and `h_B` are the
    curvatures of the bowl relative to the reducible loss and `t` its tilt.  Diverged runs and those
    far from the optimum do not follow a bowl: keep the grid to within about one e-fold of it and
    some per cent of the best loss.  The preset is what was published: the optimum, not losses.

    References
    ----------
    Li et al. (2025), Predictable Scale: Part I, arXiv:2503.04715.

    Examples
    --------
    The authors' optimum for 1e9 parameters and 1e11 tokens:

    >>> law = StepLaw()
    >>> lr, batch = law.optimum(1e9, 1e11, law.presets["li_2025"])
    >>> round(float(lr), 4), round(float(batch) / 1e6, 2)
    (0.0016, 1.11)
    >>> constants = law.example.parameters
    >>> (low, high), _ = law.plateau(1e9, 1e11, constants, excess=0.01)
    >>> best = law(1e9, 1e11, lr, batch, **constants)
    >>> round(float(law(1e9, 1e11, low, batch, **constants) / best), 6)
    1.01
    """

    N_r: float = 1e9
    D_r: float = 1e11

    name = "step_law"
    inputs = ("N", "D", "lr", "B")
    conditions = ("lr", "B")
    parameters = (
        floor("E"),
        level("A_N"),
        exponent("a_N", of="A_N"),
        level("A_D"),
        exponent("a_D", of="A_D"),
        location("lr_r", of="lr"),
        slope("p", mean=0.5, spread=0.5),
        slope("q", mean=0.3, spread=0.5),
        location("B_r", of="B"),
        slope("r", mean=0.5, spread=0.5),
        positive("h_lr", median=0.03, between=0.3),
        positive("h_B", median=0.03, between=0.3),
        slope("t", spread=0.5),
    )

    @property
    def presets(self) -> dict[str, dict[str, float]]:
        """Constants of the optimum at this reference; they say nothing about losses."""
        lr = {"lr_r": 1.797 * self.N_r**-0.713 * self.D_r**0.307, "p": 0.713, "q": 0.307}
        return {"li_2025": {**lr, "B_r": 0.581 * self.D_r**0.571, "r": 0.571}}

    @property
    def example(self) -> Example:
        """Round numbers for the surface, and the bowl around the published optimum."""
        surface = {"E": 1.7, "A_N": 400.0, "a_N": 0.34, "A_D": 1500.0, "a_D": 0.36}
        bowl = {"h_lr": 0.02, "h_B": 0.02, "t": -0.3}
        return Example(
            {**surface, **self.presets["li_2025"], **bowl},
            {"N": (5e7, 1e9), "D": (2e9, 1e11), "lr": (5e-4, 6e-3), "B": (1e5, 2e6)},
            noise=0.003,
        )

    def optimum(self, N: Any, D: Any, constants: Mapping[str, Any]) -> tuple[Any, Any]:
        """Best learning rate and batch; `constants` may be the variables of a posterior."""
        size, data = N / self.N_r, D / self.D_r
        lr = constants["lr_r"] * size ** -constants["p"] * data ** constants["q"]
        return lr, constants["B_r"] * data ** constants["r"]

    def plateau(
        self, N: Any, D: Any, constants: Mapping[str, Any], excess: float = 0.01
    ) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
        r"""Learning rates, then batches, whose loss exceeds the best by at most a share `excess`.

        Learning rates are those at the best batch; batches those with the best learning rate of
        every batch.  With the reducible loss R, half a range in ln lr is
        :math:`\sqrt{e (E + R) / (R\, h_{lr})}` and in ln B :math:`\sqrt{e (E + R) / (R\, h_B)}`.

        Parameters
        ----------
        N, D : float
            Parameters and tokens of the run.
        constants : mapping
            All constants of the law; may be the variables of a posterior.
        excess : float
            Share of the best loss.

        Returns
        -------
        tuple of tuple
            Lowest and highest learning rate; lowest and highest batch, in the units of the table.
        """
        v = constants
        reducible = v["A_N"] * N ** -v["a_N"] + v["A_D"] * D ** -v["a_D"]
        bowl = excess * (v["E"] + reducible) / reducible
        best = self.optimum(N, D, constants)
        half = (np.exp((bowl / v[h]) ** 0.5) for h in ("h_lr", "h_B"))
        lr, batch = ((x / factor, x * factor) for x, factor in zip(best, half, strict=True))
        return lr, batch

    def log_mean(self, xp: Any, p: Parameters, N: Any, D: Any, lr: Any, B: Any) -> Any:
        """See :meth:`Law.log_mean`."""
        log_N, log_D = xp.log(N), xp.log(D)
        size, data = log_N - log(self.N_r), log_D - log(self.D_r)
        u = xp.log(lr) - (p.log_lr_r - p.p * size + p.q * data)
        v = xp.log(B) - (p.log_B_r + p.r * data)
        bowl = xp.log1p(p.h_lr * (u + p.t * v) ** 2 + p.h_B * v**2)
        reducible = log_sum(xp, p.log_A_N - p.a_N * log_N, p.log_A_D - p.a_D * log_D)
        return logaddexp(xp, p.log_E, reducible + bowl)

    def identifiability(self, x: Any) -> list[str]:
        """Say where the grid has too few values for a bowl."""
        few = [s for s in ("lr", "B") if len(set(x[s].tolist())) < 3]
        return [f"{s} has fewer than three values: no bowl can be seen in it" for s in few]
