"""How the batch size trades steps against tokens, and the loss along a run at any batch."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import log
from typing import Any

from bayescale.laws.base import Law
from bayescale.laws.claims import Example, Limit
from bayescale.laws.numerics import logaddexp, root_from_below, softplus
from bayescale.laws.parameters import Parameters
from bayescale.laws.roles import exponent, level, location

_KAPLAN_BATCH = 2.1e8  # tokens, at a loss of 1 nat
_KAPLAN_STEPS = 2.1e3  # at a loss of 1 nat
_KAPLAN_EXPONENT = 0.21


def _kaplan_batch(at: float) -> dict[str, float]:
    """Critical batch of Kaplan et al. at a loss, and its exponent."""
    return {"B_r": _KAPLAN_BATCH * at ** (-1 / _KAPLAN_EXPONENT), "aB": _KAPLAN_EXPONENT}


@dataclass(frozen=True)
class CriticalBatch(Law):
    r"""Steps that reach a loss at a batch size.

    .. math:: S = S_{min}(L) \left( 1 + B_{crit}(L) / B \right), \quad
        S_{min} = S_r (L/L_r)^{-1/\alpha_S}, \quad B_{crit} = B_r (L/L_r)^{-1/\alpha_B}

    The same in tokens: :math:`(S/S_{min} - 1)(BS/E_{min} - 1) = 1` with
    :math:`E_{min} = B_{crit} S_{min}`.

    Parameters
    ----------
    at : float
        Loss :math:`L_r` at which `S_r` and `B_r` are given, amid the targets.
    floor : float
        Taken off the losses first, for a law of the reducible loss.

    Notes
    -----
    The inputs are the target loss L in nats per token and the batch B in tokens; the response is
    the number of steps, `B_r` is in tokens and `S_r` in steps.  In the convention of the paper the
    critical batch at 1 nat is ``B_r * at**(1 / aB)``.  Three batch sizes that reach one loss are
    the least that can tell `B_r` from `S_r`.

    References
    ----------
    McCandlish et al. (2018), arXiv:1812.06162; Kaplan et al. (2020), arXiv:2001.08361, equations
    1.4, 5.1 and 5.4, tables 3 and 5.

    Examples
    --------
    >>> law = CriticalBatch()
    >>> kaplan = law.presets["kaplan_2020"]
    >>> round(float(law.critical(3.0, kaplan)) / 1e6, 1)
    1.1
    >>> round(float(law(3.0, kaplan["B_r"], **kaplan) / kaplan["S_r"]), 9)
    2.0
    """

    at: float = 3.0
    floor: float = 0.0

    name = "critical_batch"
    variants = ({"at": 2.0, "floor": 1.0},)
    inputs = ("L", "B")
    conditions = ("L",)
    parameters = (
        level("S_r"),
        exponent("aS", median=0.6),
        location("B_r", of="B"),
        exponent("aB", median=0.25),
    )
    monotone = {"L": -1, "B": -1}

    def __post_init__(self) -> None:
        """Check the reference loss."""
        if not 0 <= self.floor < self.at:
            raise ValueError(f"floor must lie between 0 and at={self.at:g}, not {self.floor!r}")

    def _kaplan(self) -> dict[str, float]:
        """Return the published constants at the reference loss."""
        steps = {"S_r": _KAPLAN_STEPS * self.at ** (-1 / 0.76), "aS": 0.76}
        return {**steps, **_kaplan_batch(self.at)}

    @property
    def presets(self) -> dict[str, dict[str, float]]:
        """Constants at the reference loss; none for a law of the reducible loss."""
        return {} if self.floor else {"kaplan_2020": self._kaplan()}

    @property
    def example(self) -> Example:
        """Losses of language models."""
        return Example(self._kaplan(), {"L": (2.5, 4.5), "B": (6e4, 3e7)}, noise=0.05)

    def _log_loss(self, xp: Any, L: Any) -> Any:
        """Logarithm of the loss in units of the reference, both above the floor."""
        return xp.log(xp.maximum(L - self.floor, 1e-12 * L)) - log(self.at - self.floor)

    def critical(self, L: Any, constants: Mapping[str, Any]) -> Any:
        """Critical batch in tokens at a loss; `constants` may be the variables of a posterior."""
        import numpy as np

        return constants["B_r"] * np.exp(-self._log_loss(np, L) / constants["aB"])

    def log_mean(self, xp: Any, p: Parameters, L: Any, B: Any) -> Any:
        """See :meth:`Law.log_mean`."""
        log_loss = self._log_loss(xp, L)
        excess = softplus(xp, p.log_B_r - xp.log(B) - log_loss / p.aB)
        return p.log_S_r - log_loss / p.aS + excess

    def identifiability(self, x: Any) -> list[str]:
        """Say where there are too few batch sizes."""
        found = len(set(x["B"].tolist()))
        if found < 3:
            return [f"{found} batch sizes: B_r and S_r trade off; three is the least that tells"]
        return []


@dataclass(frozen=True)
class BatchTrajectory(Law):
    r"""Loss along a run of any model size and batch size, given implicitly.

    .. math:: L = (N_c/N)^{\alpha_N} +
        \left[ \frac{S_c}{S} \left( 1 + B_{crit}(L)/B \right) \right]^{\alpha_S}, \quad
        B_{crit} = B_r (L/L_r)^{-1/\alpha_B}

    Parameters
    ----------
    at : float
        Loss :math:`L_r` at which the critical batch `B_r` is given, amid the measurements.

    Notes
    -----
    N are parameters, without embeddings for the published constants, S steps, B tokens in a
    batch, L nats per token; `Nc`, `Sc` and `B_r` have the units of N, S and B.  The right side
    falls in L, so there is one root.  Give checkpoints of one run their correlated noise,
    ``LogStudentT() + Checkpoints()``, and leave the warm-up out.

    References
    ----------
    Kaplan et al. (2020), arXiv:2001.08361, sections 5 and 6; Su et al. (2024), arXiv:2403.06563.

    Examples
    --------
    >>> law = BatchTrajectory()
    >>> kaplan = law.presets["kaplan_2020"]
    >>> large = float(law(1e9, 1e5, 1e12, **kaplan))
    >>> round(large, 3)
    2.401
    >>> bool(law(1e9, 1e5, 1e5, **kaplan) > large)
    True
    """

    at: float = 3.0

    name = "batch_trajectory"
    inputs = ("N", "S", "B")
    parameters = (
        level("Nc"),
        exponent("aN", median=0.1),
        level("Sc"),
        exponent("aS", median=0.6),
        location("B_r", of="B"),
        exponent("aB", median=0.25),
    )
    monotone = {"N": -1, "S": -1, "B": -1}
    limits = (
        Limit(
            "kaplan_ns",
            {"B_r": 1e-60},
            lambda v: {k: v[k] for k in ("Nc", "aN", "Sc", "aS")},
            lambda N, S, B: (N, S),
        ),
    )

    @property
    def presets(self) -> dict[str, dict[str, float]]:
        """Constants at the reference loss."""
        run = {"Nc": 6.5e13, "aN": 0.077, "Sc": _KAPLAN_STEPS, "aS": 0.76}
        return {"kaplan_2020": {**run, **_kaplan_batch(self.at)}}

    @property
    def example(self) -> Example:
        """Runs of language models."""
        ranges = {"N": (1e6, 1e9), "S": (1e3, 2e5), "B": (3e4, 3e6)}
        return Example(self.presets["kaplan_2020"], ranges)

    def _excess(self, xp: Any, p: Parameters, log_loss: Any, B: Any) -> Any:
        """``ln(B_crit / B)`` at a loss."""
        return p.log_B_r - xp.log(B) - (log_loss - log(self.at)) / p.aB

    def log_mean(self, xp: Any, p: Parameters, N: Any, S: Any, B: Any) -> Any:
        """See :meth:`Law.log_mean`."""
        by_size, by_steps = p.aN * (p.log_Nc - xp.log(N)), p.aS * (p.log_Sc - xp.log(S))

        def right(log_loss: Any) -> tuple[Any, Any]:
            """Right side, and minus its derivative."""
            excess = self._excess(xp, p, log_loss, B)
            u = softplus(xp, -excess)
            term = by_steps + p.aS * (excess + u)
            total = logaddexp(xp, by_size, term)
            return total, xp.exp(term - total - u) * p.aS / p.aB

        def gap(log_loss: Any) -> tuple[Any, Any]:
            total, fall = right(log_loss)
            return log_loss - total, 1 + fall

        return root_from_below(xp, gap, logaddexp(xp, by_size, by_steps))

    def levels_at(
        self, xp: Any, p: Parameters, log_response: Any, log_shares: Mapping[str, Any], *x: Any
    ) -> dict[str, Any]:
        """Given the loss, the equation is explicit in both levels."""
        excess = softplus(xp, self._excess(xp, p, log_response, x[2]))
        return {
            "Nc": xp.log(x[0]) + (log_response + log_shares["Nc"]) / p.aN,
            "Sc": xp.log(x[1]) + (log_response + log_shares["Sc"]) / p.aS - excess,
        }

    def identifiability(self, x: Any) -> list[str]:
        """Say where there are too few batch sizes."""
        found = len(set(x["B"].tolist()))
        if found < 3:
            return [f"{found} batch sizes: B_r and Sc trade off; three is the least that tells"]
        return []
