"""What the rows of every unit say by themselves: how well they pin down a level and a slope.

A quadratic fit of log y on log x, unit by unit, decides two things before sampling.  A coordinate
that its own data determine is sampled as it is (centred); one that leans on the population is
sampled as a deviation from it.  And every coordinate is measured in steps of about its posterior
standard deviation, so that the sampler starts near the typical set with a metric near the identity.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

#: Residual standard deviation that is assumed where the rows cannot tell.
TYPICAL_RESIDUAL = 0.02


@dataclass(frozen=True)
class Information:
    """Result of the local fits, one value a unit.

    Attributes
    ----------
    level_error : array, shape (units,)
        Standard error of the mean of log y.
    slope_error : array, shape (units,)
        Standard error of the slope of a straight line, relative to the slope; infinite where the
        rows have no slope.
    bend_error : array, shape (units,)
        The same for the curvature of a parabola; infinite where the rows do not bend upwards.
    level : array, shape (units,)
        Parabola at the mean of log x, less the mean of log y.
    slope : array, shape (inputs, units)
        Decrease of log y per unit of log x there; at least a small positive number.
    floor_odds : array, shape (units,)
        Odds of the irreducible share that give the bend: the curvature over the squared slope,
        summed over inputs.
    """

    level_error: np.ndarray
    slope_error: np.ndarray
    bend_error: np.ndarray
    level: np.ndarray
    slope: np.ndarray
    floor_odds: np.ndarray

    @property
    def pins_slope(self) -> np.ndarray:
        """Whether the rows of a unit determine its slope, shape (units,)."""
        return self.slope_error < 0.15

    @property
    def pins_bend(self) -> np.ndarray:
        """Whether the rows of a unit determine its bend, shape (units,)."""
        return self.bend_error < 0.35


def local_information(
    log_x: np.ndarray, log_y: np.ndarray, unit: np.ndarray, count: int
) -> Information:
    """Fit every unit by itself.

    Parameters
    ----------
    log_x : array, shape (inputs, rows)
        Logarithms of the inputs.
    log_y : array, shape (rows,)
        Logarithm of the response.
    unit : array of int, shape (rows,)
        Unit of every row.
    count : int
        Number of units.
    """
    order = np.argsort(unit, kind="stable")
    edges = np.searchsorted(unit[order], np.arange(count + 1))
    parts = [order[a:b] for a, b in pairwise(edges)]
    parabolas = [_fitted(log_x[:, rows], log_y[rows], 2) for rows in parts]
    residual = np.array([_residual(d, log_y[r]) for d, r in zip(parabolas, parts, strict=True)])
    known = residual[np.isfinite(residual)]
    typical = float(np.median(known)) if known.size else TYPICAL_RESIDUAL
    residual = np.where(np.isfinite(residual), residual, typical)
    lines = [_fitted(log_x[:, rows], log_y[rows], 1) for rows in parts]
    starts = [
        _start(log_x[:, rows], log_y[rows], d, line)
        for rows, d, line in zip(parts, parabolas, lines, strict=True)
    ]
    return Information(
        residual / np.sqrt(np.maximum(np.diff(edges), 1)),
        np.array([_relative_error(line, s, 1) for line, s in zip(lines, residual, strict=True)]),
        np.array([_relative_error(d, s, 2) for d, s in zip(parabolas, residual, strict=True)]),
        np.array([level for level, _, _ in starts]),
        np.array([slope for _, slope, _ in starts]).T,
        np.array([odds for _, _, odds in starts]),
    )


#: Design of a local fit, shape (rows, columns), and its coefficients.
_Fitted = tuple[np.ndarray, np.ndarray]


def _fitted(log_x: np.ndarray, log_y: np.ndarray, degree: int) -> _Fitted | None:
    """Least squares on 1, z, z^2, ...; None where those are not independent."""
    design = _design(log_x, degree)
    return None if design is None else (design, np.linalg.lstsq(design, log_y, rcond=None)[0])


def _start(
    log_x: np.ndarray, log_y: np.ndarray, parabola: _Fitted | None, line: _Fitted | None
) -> tuple[float, np.ndarray, float]:
    """Level, slopes and floor odds of one unit, from a parabola or else a straight line."""
    flat = np.full(len(log_x), 1e-3)
    if line is None:
        return 0.0, flat, 1.0
    spread = log_x.std(axis=1)
    if parabola is None or log_y.size <= parabola[0].shape[1]:
        return 0.0, np.maximum(-line[1][1:] / spread, 1e-3), 1.0
    coefficients = parabola[1]
    slope = np.maximum(-coefficients[1::2] / spread, 1e-3)
    bend = np.maximum(2 * coefficients[2::2] / spread**2, 0.0)
    return float(coefficients[0] - log_y.mean()), slope, float(bend.sum() / np.sum(slope**2))


def _design(log_x: np.ndarray, degree: int) -> np.ndarray | None:
    """Columns 1, z, z^2, ... of every input; None where they are not independent."""
    columns = [np.ones(log_x.shape[1])]
    for v in log_x:
        if v.size < 2 or np.ptp(v) == 0:
            return None
        z = (v - v.mean()) / v.std()
        columns += [z**power for power in range(1, degree + 1)]
    design = np.stack(columns, axis=1)
    return design if np.linalg.matrix_rank(design) == design.shape[1] else None


def _residual(fitted: _Fitted | None, log_y: np.ndarray) -> float:
    if fitted is None or log_y.size <= fitted[0].shape[1]:
        return float("nan")
    design, coefficients = fitted
    return float(
        np.sqrt(np.sum((log_y - design @ coefficients) ** 2) / (log_y.size - design.shape[1]))
    )


def _relative_error(fitted: _Fitted | None, residual: float, degree: int) -> float:
    """Relative standard error of the coefficient of highest degree, the worst over inputs.

    Slopes count whatever their sign; a bend must be upwards, as a floor bends a curve.
    """
    if fitted is None:
        return float("inf")
    design, coefficients = fitted
    errors = residual * np.sqrt(np.diag(np.linalg.inv(design.T @ design)))
    highest = slice(degree, None, degree)
    size = np.abs(coefficients) if degree == 1 else np.maximum(coefficients, 0.0)
    return float(np.max(errors[highest] / np.maximum(size[highest], 1e-12)))


@dataclass(frozen=True)
class End:
    """What rows say about one end of every unit.

    Attributes
    ----------
    slope, slope_error : array, shape (units,)
        Steepness of log y there, and its relative standard error.
    rise : array, shape (units,)
        How much higher log y is there than at the mean of log x.
    """

    slope: np.ndarray
    slope_error: np.ndarray
    rise: np.ndarray


def end_information(
    log_x: np.ndarray, log_y: np.ndarray, unit: np.ndarray, count: int, end: str
) -> End:
    """Read the end, "low" or "high", of a parabola through the rows of every unit.

    Parameters are those of :func:`local_information`, for one input, shape (rows,).
    """
    found = np.array(
        [_at_end(log_x[unit == u], log_y[unit == u], end == "low") for u in range(count)]
    )
    return End(*found.reshape(-1, 3).T)


def _at_end(log_x: np.ndarray, log_y: np.ndarray, low: bool) -> tuple[float, float, float]:
    fitted = _fitted(log_x[None], log_y, 2) if log_y.size > 3 else None
    if fitted is None:
        return 1e-3, float("inf"), 0.0
    design, (_, slope, bend) = fitted
    z = float(np.quantile(design[:, 1], 0.1 if low else 0.9))
    steepness = slope + 2 * bend * z
    toward = np.array([0.0, 1.0, 2 * z])
    variance = toward @ np.linalg.inv(design.T @ design) @ toward
    error = _residual(fitted, log_y) * float(np.sqrt(variance)) / max(abs(steepness), 1e-12)
    return (
        max(float(abs(steepness)) / float(log_x.std()), 1e-3),
        float(error),
        float(slope * z + bend * z**2),
    )
