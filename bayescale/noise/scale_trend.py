"""Scatter that changes with scale."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bayescale.laws.parameters import Parameters
from bayescale.laws.roles import Parameter
from bayescale.noise.parts import Part, check_positive


@dataclass(frozen=True)
class ScaleTrend(Part):
    r"""Residual scale that varies with an input as a power law.

    .. math:: \sigma(x) = \sigma_{\max} (x_{\max} / x)^{\gamma}

    Small runs often scatter more (:math:`\gamma > 0`), and a form that is only nearly right
    misses most where it was bent furthest.  :math:`\sigma_{\max}` is the scale at the largest
    input of the table; beyond it the scale stays, for no data say that it keeps falling.  Known
    standard errors (``y_se=``) are what they are at every input, and join it in quadrature.

    Parameters
    ----------
    input : str
        Input of the law, such as ``"N"``; ``"x"`` for laws of one input.
    spread : float
        Prior standard deviation of :math:`\gamma` around 0.

    References
    ----------
    Carroll and Ruppert (1988), Transformation and Weighting in Regression, chapter 2.

    Examples
    --------
    >>> from bayescale.noise import LogStudentT
    >>> [q.name for q in (LogStudentT() + ScaleTrend("N")).parameters]
    ['sigma', 'gamma_N']
    """

    input: str = "x"
    spread: float = 0.5

    def __post_init__(self) -> None:
        """Check the spread."""
        check_positive(spread=self.spread)

    def parameters(self) -> tuple[Parameter, ...]:
        """Return the exponent."""
        return (Parameter(f"gamma_{self.input}", "trend", "real", 0.0, self.spread, 0.3),)

    def numbers(self, rows: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Where the data end."""
        if f"log_{self.input}" not in rows:
            known = ", ".join(name[4:] for name in rows if name.startswith("log_"))
            raise ValueError(
                f"ScaleTrend({self.input!r}): the law has no such input, only {known}; "
                f"write ScaleTrend({known.split(', ')[0]!r})"
            )
        return {f"edge_{self.input}": np.array([np.max(rows[f"log_{self.input}"])])}

    def scaling(self, xp: Any, p: Parameters, data: Mapping[str, Any]) -> Any:
        """Factor of the scale of every row."""
        below = xp.minimum(data[f"log_{self.input}"] - data[f"edge_{self.input}"], 0.0)
        return xp.exp(-p[f"gamma_{self.input}"] * below)
