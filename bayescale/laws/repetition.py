"""Training on data that repeat."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bayescale.laws.base import Law
from bayescale.laws.claims import Example, Limit
from bayescale.laws.numerics import LOG_ZERO, choose, log_sum, logaddexp
from bayescale.laws.parameters import Parameters
from bayescale.laws.roles import Parameter, exponent, floor, level, positive


@dataclass(frozen=True)
class DataConstrained(Law):
    r"""Additive law of effective parameters and effective data when tokens repeat.

    .. math:: L = E + A N'^{-\alpha} + B D'^{-\beta}, \quad
        D' = U_D \left(1 + R_D^* (1 - e^{-R_D/R_D^*})\right), \quad
        N' = U_N \left(1 + R_N^* (1 - e^{-R_N/R_N^*})\right)

    with the unique tokens :math:`U_D`, their repetitions :math:`R_D = D/U_D - 1`, the parameters
    :math:`U_N = \min(N, G (G U_D)^{\beta/\alpha})` that the unique tokens can use,
    :math:`G = (\alpha A/\beta B)^{1/(\alpha+\beta)}`, and the excess :math:`R_N = N/U_N - 1`.

    Parameters
    ----------
    degradation : bool
        Add :math:`\kappa (N/U_D)^g R_D^h`, for losses that rise again with many epochs.

    Notes
    -----
    N are parameters, D all tokens seen, U unique tokens (D divided by epochs), L nats per token.
    `Rd` and `Rn` are the repetitions after which more of the same is worth little; `kappa`, with
    ``degradation=True``, is in nats.  Three numbers of epochs, the largest near `Rd`, are the least
    that can tell it.

    References
    ----------
    Muennighoff et al. (2023), arXiv:2305.16264, and the authors' code; the degradation term is this
    package's own, for the overfitting of Xue et al. (2023), arXiv:2305.13230.

    Examples
    --------
    >>> law = DataConstrained()
    >>> round(float(law(6.34e9, 242e9, 25e9, **law.presets["muennighoff_2023"])), 10)
    2.225644089
    >>> worth = law.effective_data(100e9, 10e9, law.presets["muennighoff_2023"])
    >>> round(float(worth) / 1e9)
    78
    """

    degradation: bool = False

    name = "data_constrained"
    variants = ({"degradation": True},)
    inputs = ("N", "D", "U")
    presets = {
        "muennighoff_2023": {
            "E": 2.718281828459045**0.6254804,
            "A": 2.718281828459045**6.255414,
            "alpha": 0.3526596,
            "B": 2.718281828459045**7.3049974,
            "beta": 0.3526596,
            "Rd": 15.387756,
            "Rn": 5.309743,
        }
    }
    example = Example(
        {**presets["muennighoff_2023"], "kappa": 0.01, "g": 0.4, "h": 0.5},
        {"N": (1e8, 1e10), "D": (1e9, 3e11), "U": (3e8, 3e10)},
    )

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Those of the additive law, both scales of repetition, and the degradation."""
        wear = (
            positive("kappa", median=0.01, spread=1.5),
            exponent("g", median=0.5),
            exponent("h", median=0.5),
        )
        return (
            floor("E"),
            level("A"),
            exponent("alpha", of="A"),
            level("B"),
            exponent("beta", of="B"),
            positive("Rd", median=10.0),
            positive("Rn", median=5.0),
            *(wear if self.degradation else ()),
        )

    @property
    def monotone(self) -> dict[str, int]:
        """Unless repeating harms, more of anything helps."""
        return {"U": -1} if self.degradation else {"N": -1, "D": -1, "U": -1}

    @property
    def limits(self) -> tuple[Limit, ...]:
        """Where repeated tokens are as good as fresh ones, the additive law."""
        harmless = {"kappa": 0.0} if self.degradation else {}
        return (
            Limit(
                "chinchilla",
                {"Rd": 1e12, "Rn": 1e12, **harmless},
                lambda v: {k: v[k] for k in ("E", "A", "alpha", "B", "beta")},
                lambda N, D, U: (N, D),
                tolerance=1e-6,
            ),
        )

    def effective_data(self, D: Any, U: Any, constants: Mapping[str, Any]) -> Any:
        """Fresh tokens that D tokens of U unique ones are worth; `constants` may be a posterior."""
        import numpy as np

        repeats = np.maximum(D / U - 1, 0.0)
        worn = constants["Rd"] * (1 - np.exp(-repeats / constants["Rd"]))
        return np.minimum(U, D) * (1 + worn)

    def _log_data(self, xp: Any, p: Parameters, D: Any, U: Any) -> Any:
        """Logarithm of the effective data."""
        unique = xp.minimum(U, D)
        return xp.log(unique) + xp.log1p(-p.Rd * xp.expm1(-(D / unique - 1) / p.Rd))

    def _log_size(self, xp: Any, p: Parameters, log_ratio: Any, N: Any, D: Any, U: Any) -> Any:
        """Logarithm of the effective parameters, given log A/B."""
        log_N, log_unique = xp.log(N), xp.log(xp.minimum(U, D))
        log_G = (log_ratio + p.log_alpha - p.log_beta) / (p.alpha + p.beta)
        used = xp.minimum(log_N, log_G + p.beta / p.alpha * (log_G + log_unique))
        excess = -xp.expm1(-xp.expm1(xp.minimum(log_N - used, 50.0)) / p.Rn)
        return used + xp.log1p(p.Rn * excess)

    def log_mean(self, xp: Any, p: Parameters, N: Any, D: Any, U: Any) -> Any:
        """See :meth:`Law.log_mean`."""
        by_size = p.log_A - p.alpha * self._log_size(xp, p, p.log_A - p.log_B, N, D, U)
        by_data = p.log_B - p.beta * self._log_data(xp, p, D, U)
        terms = [p.log_E, by_size, by_data]
        if self.degradation:
            unique = xp.minimum(U, D)
            repeats = D / unique - 1
            growth = p.g * xp.log(N / unique) + p.h * xp.log(xp.maximum(repeats, 1e-12))
            terms.append(choose(repeats > 0, p.log_kappa + growth, LOG_ZERO))
        return log_sum(xp, *terms)

    def log_reducible(self, xp: Any, p: Parameters, *x: Any) -> Any:
        """See :meth:`Law.log_reducible`; the degradation comes on top."""
        return super().log_reducible(xp, p.with_values(kappa=0.0), *x)

    def levels_at(
        self, xp: Any, p: Parameters, log_response: Any, log_shares: Mapping[str, Any], *x: Any
    ) -> dict[str, Any]:
        """Levels of a known response; shares are those without parameters in excess.

        With many in excess both terms are in balance whatever their shares would be, so that the
        true shares tell nothing.
        """
        N, D, U = x
        by_size, by_data = p.alpha * xp.log(N), p.beta * self._log_data(xp, p, D, U)
        odds = log_shares["A"] - log_shares["B"]
        lost = by_size - p.alpha * self._log_size(xp, p, odds + by_size - by_data, N, D, U)
        log_term = log_response - logaddexp(xp, 0.0, odds + lost)
        return {"A": log_term + odds + by_size, "B": log_term + by_data}

    def identifiability(self, x: Any) -> list[str]:
        """Say where there are too few numbers of epochs."""
        epochs = sorted({round(float(e), 1) for e in x["D"] / x["U"]})
        if len(epochs) < 3 or epochs[-1] < 4:
            return [f"{len(epochs)} numbers of epochs up to {epochs[-1]:g}: Rd stays at its prior"]
        return []
