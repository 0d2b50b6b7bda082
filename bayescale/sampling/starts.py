r"""Where chains start: near the data, and at modes where a posterior may have several.

A curve that bends may do so early or late, and a chain that starts near one explanation never finds
the other; or it starts near one that explains nothing, and stays.  Sums of power laws have one
mode and need none of this.  For other laws the density is climbed from dispersed points to its
modes; chains then start from draws of the Laplace approximation,
:math:`p(\theta) \approx \sum_m w_m N(\theta_m, H_m^{-1})` with
:math:`w_m \propto p(\theta_m) |H_m|^{-1/2}` (Gelman et al. 2013, Bayesian Data Analysis,
section 13.3), so that chains share themselves out over modes about as the posterior does.
"""

import ctypes
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

#: Points from which modes are searched for chains to start at.
POINTS = 10
#: Steps of the search for modes, how well it finds their log density, and steps of a short climb.
MAX_STEPS, PRECISION, FEW_STEPS = 300, 1e-6, 150
#: Steps of finite differences of a gradient.
DIFFERENCE = 1e-4
#: Curvature that finite differences still tell from none.
FLATTEST = 1e-5
#: How far below the highest point, in log density, a mode may lie and still hold some mass.
DEEP = 50.0
#: How far below the top of its own Gaussian a point may lie and still be called a mode.
BELOW_TOP = 0.1

Density = Callable[[np.ndarray], tuple[float, np.ndarray]]


@dataclass(frozen=True)
class Mode:
    """A Gaussian around one mode.

    Attributes
    ----------
    at : array, shape (n,)
        The mode.
    spread : array, shape (n, n)
        Turns standard normals into deviations from it.
    log_mass : float
        Logarithm of the mass that the approximation gives it, up to a constant.
    """

    at: np.ndarray
    spread: np.ndarray
    log_mass: float


def start_near_zero(compiled: Any) -> Any:
    """Let every chain start within a step of zero, which is where the data put the coordinates.

    By default chains would start near the prior of the table that the model was compiled with.
    """
    density = density_of(compiled)

    def start(seed: Any) -> np.ndarray:
        rng = np.random.default_rng(seed)
        for reach in (1.0, 0.3, 0.1):
            point = rng.uniform(-reach, reach, compiled.n_dim)
            if np.isfinite(density(point)[0]):
                return point
        return np.zeros(compiled.n_dim)

    return replace(compiled, initial_point_func=start)


def start_at_modes(compiled: Any, random_seed: int, pooled: bool) -> Any:
    """Let every chain of a compiled model start at a draw of the Laplace mixture.

    Where groups are `pooled`, the top of the joint density lies where groups hardly differ and
    holds little mass: chains start on the way there.
    """
    density = density_of(compiled)
    search = find_hills if pooled else find_modes
    modes = search(density, compiled.n_dim, np.random.default_rng(random_seed), POINTS)
    if not modes:
        return start_near_zero(compiled)

    def start(seed: Any) -> np.ndarray:
        return draw_near(modes, density, np.random.default_rng(seed))

    return replace(compiled, initial_point_func=start)


def draw_near(modes: list[Mode], density: Density, rng: np.random.Generator) -> np.ndarray:
    """Draw from the Laplace mixture, nearer to a mode where the density does not follow it."""
    log_mass = np.array([mode.log_mass for mode in modes])
    weight = np.exp(log_mass - log_mass.max())
    mode = modes[rng.choice(len(modes), p=weight / weight.sum())]
    deviation = mode.spread @ rng.standard_normal(len(mode.at))
    # A draw of a Gaussian lies about n / 2 below its top.
    lowest = density(mode.at)[0] - len(mode.at)
    for reach in (1.0, 0.5, 0.25, 0.1):
        point = mode.at + reach * deviation
        if density(point)[0] >= lowest:
            return point
    return mode.at


def density_of(compiled: Any) -> Density:
    """Log density of a compiled model and its gradient, minus infinity outside its support."""
    number = ctypes.POINTER(ctypes.c_double)
    call = ctypes.CFUNCTYPE(
        ctypes.c_int64, ctypes.c_uint64, number, number, number, ctypes.c_void_p
    )(compiled.compiled_logp_func.address)

    def density(point: np.ndarray) -> tuple[float, np.ndarray]:
        point = np.ascontiguousarray(point, float)
        gradient, value = np.zeros_like(point), np.zeros(1)
        failed = call(
            len(point),
            point.ctypes.data_as(number),
            gradient.ctypes.data_as(number),
            value.ctypes.data_as(number),
            compiled.user_data.ctypes.data,
        )
        return (-np.inf, np.zeros_like(point)) if failed else (float(value[0]), gradient)

    return density


def find_modes(density: Density, size: int, rng: np.random.Generator, points: int) -> list[Mode]:
    """Climb from so many dispersed points; drop low ones, repetitions and where a climb gave up."""
    # Along a ridge the dense curvature of this method takes half the steps of one of small memory.
    climbs = _climbs(density, size, rng, points, "SLSQP", {"maxiter": MAX_STEPS, "ftol": PRECISION})
    highest_first = sorted(climbs, key=lambda top: -density(top)[0])
    found = _gaussians(density, highest_first)
    return _distinct([mode for mode in found if _is_top(density, mode)])


def find_hills(density: Density, size: int, rng: np.random.Generator, points: int) -> list[Mode]:
    """Climb some way from so many dispersed points; drop low ones and repetitions."""
    options = {"maxiter": FEW_STEPS, "maxcor": 20}
    climbs = _climbs(density, size, rng, points, "L-BFGS-B", options)
    return _distinct(_gaussians(density, climbs))


def _climbs(
    density: Density,
    size: int,
    rng: np.random.Generator,
    points: int,
    method: str,
    options: dict[str, Any],
) -> list[np.ndarray]:
    from scipy.optimize import minimize

    def downhill(point: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = density(point)
        return (-value, -gradient) if np.isfinite(value) else (1e12, gradient)

    tops = []
    for k in range(points):
        start = rng.standard_normal(size) * (k > 0)
        if np.isfinite(density(start)[0]):
            top = np.asarray(minimize(downhill, start, jac=True, method=method, options=options).x)
            if np.isfinite(density(top)[0]):
                tops.append(top)
    return tops


def _gaussians(density: Density, tops: list[np.ndarray]) -> list[Mode]:
    heights = [density(top)[0] for top in tops]
    lowest = max(heights, default=0.0) - DEEP
    return [
        _gaussian_at(density, top)
        for top, height in zip(tops, heights, strict=True)
        if height >= lowest
    ]


def _distinct(modes: list[Mode]) -> list[Mode]:
    kept: list[Mode] = []
    for mode in modes:
        if not any(_same(mode, known) for known in kept):
            kept.append(mode)
    return kept


def _gaussian_at(density: Density, at: np.ndarray) -> Mode:
    steps = DIFFERENCE * np.eye(len(at))
    hessian = np.array([density(at - h)[1] - density(at + h)[1] for h in steps]) / (2 * DIFFERENCE)
    curvature, axes = np.linalg.eigh((hessian + hessian.T) / 2)
    # A saddle, or a difference that is lost in rounding, says nothing about how wide it is there.
    curvature = np.where(curvature > FLATTEST, curvature, 0.1)
    spread = axes / np.sqrt(curvature)
    return Mode(at, spread, density(at)[0] - 0.5 * float(np.sum(np.log(curvature))))


def _is_top(density: Density, mode: Mode) -> bool:
    """Whether half the squared Newton decrement is small: the slope says that no top lies beyond.

    A climb along a ridge that ended on its way would count as one more mode, with all its mass.
    """
    slope = mode.spread.T @ density(mode.at)[1]
    return bool(slope @ slope / 2 < BELOW_TOP)


def _same(one: Mode, other: Mode) -> bool:
    """Whether two modes lie within a fraction of a standard deviation of each other."""
    distance = np.linalg.solve(other.spread, one.at - other.at)
    return bool(np.max(np.abs(distance)) < 0.3)
