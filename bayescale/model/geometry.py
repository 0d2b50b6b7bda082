r"""From the coordinates that the sampler moves in to the parameters of a law.

A law :math:`y = E + A g(x)` is badly conditioned in :math:`(E, A, \alpha)`.  The sampler moves in

- the logarithm of the response at the geometric mean of the inputs (for the first level),
- the logit of the share of it that is irreducible (for the floor),
- logits of the shares of further terms (for further levels),

which the data determine almost independently of one another.  Everything here runs on numbers (any
leading dimensions, units last) and on graphs.
"""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bayescale.laws.base import Parameter, Parameters
from bayescale.laws.numerics import log1mexp, log_sigmoid, log_sum, softplus
from bayescale.model.leans import BelowEnd, Curved, FromZero, Lean
from bayescale.model.least_squares import linear_prior, normal_equation
from bayescale.model.population import draw_between
from bayescale.model.structure import (
    Structure,
    is_linear,
    leans_on_end,
    leans_on_knots,
    leans_on_length,
    leans_on_level,
)
from bayescale.noise.parts import LENGTH
from bayescale.pooling import Partial

UPRIGHT = Lean()


def coordinates(
    xp: Any, structure: Structure, draws: Mapping[str, Any], arrays: Mapping[str, Any]
) -> dict[str, Any]:
    """Coordinates of all parameters at their units, from the variables that are sampled."""
    z: dict[str, Any] = {}
    for q in itertools.chain(*structure.stages):
        z[q.name] = coordinate(
            xp, structure, q, draws, arrays, lean_of(xp, structure, q, z, arrays)
        )
    return z


def coordinate(
    xp: Any,
    structure: Structure,
    q: Parameter,
    draws: Mapping[str, Any],
    arrays: Mapping[str, Any],
    lean: Lean | Curved = UPRIGHT,
) -> Any:
    """Coordinate of one parameter at its units, from the variables that are sampled."""
    name = q.name
    raw = arrays[f"start_{name}"] + arrays[f"step_{name}"] * draws[f"{name}_raw"]
    if q.role == "effect":
        raw = draws[f"{name}_sd"] * raw
    if lean is not UPRIGHT:
        raw = lean.coordinate(xp, raw)
    if isinstance(structure.pooling_of[name], Partial) and q.role != "effect":
        raw = raw + (1 - arrays[f"centred_{name}"]) * population_mean(structure, q, draws)
    return arrays[f"offset_{name}"] + _scale(q, arrays) * raw


def sampled_of(
    structure: Structure, z: Mapping[str, np.ndarray], arrays: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Variables that are sampled, from all coordinates of a model without pooling."""
    made, earlier = {}, dict[str, np.ndarray]()
    for q in itertools.chain(*structure.stages):
        name, lean = q.name, lean_of(np, structure, q, earlier, arrays)
        raw = lean.sampled((z[name] - arrays[f"offset_{name}"]) / _scale(q, arrays))
        made[f"{name}_raw"] = (raw - arrays[f"start_{name}"]) / arrays[f"step_{name}"]
        earlier[name] = z[name]
    return made


def _scale(q: Parameter, arrays: Mapping[str, Any]) -> Any:
    """Return the scale of a coordinate; that of a ceiling is where it starts."""
    return 1.0 if q.role == "ceiling" else arrays[f"scale_{q.name}"]


def lean_of(
    xp: Any, structure: Structure, q: Parameter, z: Mapping[str, Any], arrays: Mapping[str, Any]
) -> Lean | Curved:
    """How what is sampled of a parameter leans on the coordinates of earlier ones."""
    if leans_on_level(structure, q):
        return Lean(shift=arrays[f"centred_{q.name}"] * _slope_shift(xp, structure, q, z, arrays))
    if leans_on_knots(structure, q):
        return _from_least_squares(xp, structure, q, z, arrays)
    if leans_on_end(structure, q):
        return BelowEnd(arrays[f"end_{q.name}"], arrays[f"offset_{q.name}"], _leaning(q, arrays))
    if leans_on_length(structure, q):
        length = xp.exp(_beside(structure, z[LENGTH], LENGTH, q.name))
        return Lean(shift=0.5 * log1mexp(xp, -2 * arrays[f"apart_{q.name}"] / length))
    return UPRIGHT


def _leaning(q: Parameter, arrays: Mapping[str, Any]) -> Any:
    """1 where a unit leans: where it is centred and its data bend, if that is asked of them."""
    return arrays.get(f"centred_{q.name}", 1.0) * arrays.get(f"bends_{q.name}", 1.0)


def _slope_shift(
    xp: Any, structure: Structure, q: Parameter, z: Mapping[str, Any], arrays: Mapping[str, Any]
) -> Any:
    """How much the logarithm of the slope of the response at the anchor exceeds an exponent's.

    The slope is the exponent times the share that its term has in the response.  An exponent that
    rules at one end of the data gives the slope there, times the share there.
    """
    parts = _split(xp, structure, z)
    if q.end:
        beside = 1 - xp.exp(parts.log_reducible - parts.log_response)
        share = 1 - beside * xp.exp(-arrays[f"rise_{q.name}"])
        return xp.log(softplus(xp, END_SHARPNESS * share) / END_SHARPNESS)
    return parts.log_reducible - parts.log_response + parts.log_shares[str(q.of)]


def _from_least_squares(
    xp: Any, structure: Structure, q: Parameter, z: Mapping[str, Any], arrays: Mapping[str, Any]
) -> Lean | Curved:
    r"""Place an exponent, or a change of it, where least squares at a few knots put it.

    With the reducible response :math:`r = y - E` at knots of the data and at the anchor,
    :math:`\log (r_k / r_0) = \sum_j c_j X_{jk}` over the exponent and those changes of it that
    it is linear in; of another change it is so nearly, once it is roughly known.
    """
    knots = _Knots(xp, structure, z, arrays, *_fall_of_reducible(xp, structure, z, arrays))
    clear, error = _solved(knots, q) if is_linear(q) else _approached(knots, q)
    centred = _leaning(q, arrays)
    if q.is_positive:
        return FromZero(softplus(xp, clear), error, q.centre, centred)
    return Lean(centred * (q.centre - clear * error), 1 + centred * (1 / error - 1))


@dataclass(frozen=True)
class _Knots:
    """What a few points of the data say about the exponents of the first term."""

    xp: Any
    structure: Structure
    z: Mapping[str, Any]
    arrays: Mapping[str, Any]
    away: Any
    rest: Any
    weight: Any

    @property
    def linear(self) -> list[Parameter]:
        """Parameters that the logarithm of the term is linear in."""
        return [r for r in self.structure.law.parameters if is_linear(r)]

    def term(self, **fixed: Any) -> Any:
        """Logarithm of the term less that at the anchor; linear parameters are 0 unless fixed."""
        all_fixed = {r.name: 0.0 for r in self.linear} | fixed
        found = _log_term(self.xp, self.structure, self.z, self.arrays, self.away, **all_fixed)
        return found - found[:1]

    def beside(self, values: Any, q: Parameter) -> Any:
        """Values of a parameter beside the level."""
        return _beside(self.structure, values, q.name, str(self.structure.anchored))

    def solve(
        self, q: Parameter, columns: list[Any], rest: Any, later: list[Parameter]
    ) -> tuple[Any, Any]:
        """Estimate of the parameter of the first column in standard errors, and those."""
        anchored, units = str(self.structure.anchored), self.structure.units
        members, (centre, spread) = len(units[anchored]) / len(units[q.name]), linear_prior(q)
        pull, precision = (
            members * _transfer(self.structure, found, anchored, q.name)
            for found in normal_equation(
                columns, rest, self.weight, [linear_prior(r) for r in later]
            )
        )
        error = 1 / self.xp.sqrt(precision + spread**-2)
        return (pull + centre * spread**-2) * error, error


def _solved(knots: _Knots, q: Parameter) -> tuple[Any, Any]:
    """Estimate of a linear parameter given those before it, in standard errors, and those."""
    xp, z, bends = knots.xp, knots.z, set(knots.structure.law.with_role("bend"))
    base = 0.0 if bends <= set(knots.linear) else knots.term()
    column = {r.name: knots.term(**{r.name: 1.0}) - base for r in knots.linear}
    rest = knots.rest - base
    for r in knots.linear:
        if r.name in z:
            value = xp.exp(z[r.name]) if r.is_positive else z[r.name]
            rest = rest - knots.beside(value, r) * column[r.name]
    later = [r for r in knots.linear if r.name not in z and r is not q]
    return knots.solve(q, [column[r.name] for r in (q, *later)], rest, later)


def _approached(knots: _Knots, q: Parameter) -> tuple[Any, Any]:
    """Estimate of a positive change in steps of Gauss and Newton, likewise."""
    centre, _ = linear_prior(q)
    guess, clear, error = centre, 0.0, 1.0
    for _ in range(ROUNDS):
        here = knots.term(**{q.name: guess})
        slope = (knots.term(**{q.name: guess + NUDGE * centre}) - here) / (NUDGE * centre)
        columns = [
            slope,
            *(knots.term(**{q.name: guess, r.name: 1.0}) - here for r in knots.linear),
        ]
        clear, error = knots.solve(q, columns, knots.rest - here + guess * slope, knots.linear)
        guess = knots.beside(softplus(knots.xp, clear) * error, q)
    return clear, error


def _fall_of_reducible(
    xp: Any, structure: Structure, z: Mapping[str, Any], arrays: Mapping[str, Any]
) -> tuple[Any, Any, Any]:
    """Distance of knots from the anchor, log r there less that at the anchor, and its weight."""
    anchored, parts = str(structure.anchored), _split(xp, structure, z)
    away, log_y, weight = (_at_knots(arrays["knots"][i], z[anchored].ndim) for i in range(3))
    left: Any = 1.0
    for name, value in parts.log_floors.items():
        below = xp.exp(_beside(structure, value, name, anchored) - log_y)
        left = left * (softplus(xp, FLOOR_SHARPNESS * (1 - below)) / FLOOR_SHARPNESS + LEAST_LEFT)
    return away, log_y + xp.log(left) - parts.log_reducible, weight * left**2


def _at_knots(knots: Any, ndim: int) -> Any:
    """Knots of every unit, shape (knots, units), with dimensions for draws between."""
    return knots if ndim == 1 else np.expand_dims(knots, tuple(range(1, ndim)))


def _log_term(
    xp: Any,
    structure: Structure,
    z: Mapping[str, Any],
    arrays: Mapping[str, Any],
    away: Any,
    **fixed: Any,
) -> Any:
    """Logarithm of the first term without its level, so far off the anchor in ln x."""
    law, anchored = structure.law, str(structure.anchored)
    names = {q.name for q in law.parameters if q.role not in ("floor", "exponent", "level")}
    found = {
        n: (kind, _beside(structure, v, n, anchored))
        for n, (kind, v) in _plain(xp, structure, z, arrays).items()
        if n in names - set(fixed)
    }
    off = {q.name: 0.0 for q in law.with_role("floor", "exponent")}
    p = _parameters(xp, found).with_values(**(off | {anchored: 1.0} | fixed))
    return law.log_mean(xp, p, *(xp.exp(away + xp.log(x)) for x in anchor(xp, arrays)))


#: Steps of Gauss and Newton, and their finite difference as a share of the prior median.
ROUNDS, NUDGE = 3, 0.01
#: How sharply the share of a term at one end of the data levels off at zero.
END_SHARPNESS = 10.0
#: How sharply what floors leave of the data levels off at zero, and the least share left.
FLOOR_SHARPNESS, LEAST_LEFT = 30.0, 1e-3


def population_mean(structure: Structure, q: Parameter, draws: Mapping[str, Any]) -> Any:
    """Mean of a partially pooled parameter at its units, before its own deviation."""
    units = structure.units[q.name]
    mean = draws.get(f"{q.name}_mean", 0.0)
    for group in structure.main_effects(q.name):
        codes = np.array(units.codes)[:, units.groups.index(group)]
        mean = mean + draws[f"{q.name}_effect_{group}"][..., codes]
    return mean


def with_spreads(
    structure: Structure,
    draws: Mapping[str, np.ndarray],
    arrays: Mapping[str, np.ndarray],
    rng: np.random.Generator,
) -> dict[str, np.ndarray]:
    """Add the standard deviations between groups, which are integrated out while sampling.

    Parameters
    ----------
    structure, arrays
        The model.
    draws : mapping
        Sampled variables, shape (..., units).
    rng : numpy.random.Generator
        Draws them from their exact conditional distribution.
    """
    made = dict(draws)
    z = coordinates(np, structure, draws, arrays)
    for q in structure.parameters:
        if not isinstance(structure.pooling_of[q.name], Partial) or q.role == "effect":
            continue
        for group in structure.main_effects(q.name):
            effects = draws[f"{q.name}_effect_{group}"]
            made[f"{q.name}_sd_{group}"] = draw_between(q, effects, rng)
        raw = arrays[f"start_{q.name}"] + arrays[f"step_{q.name}"] * draws[f"{q.name}_raw"]
        centre = arrays[f"centred_{q.name}"] * population_mean(structure, q, draws)
        lean = lean_of(np, structure, q, z, arrays)
        made[f"{q.name}_sd"] = draw_between(q, lean.coordinate(np, raw) - centre, rng)
    return made


def natural(
    xp: Any, structure: Structure, draws: Mapping[str, Any], arrays: Mapping[str, Any]
) -> dict[str, tuple[str, Any]]:
    """Every parameter at its units, as ("logs" | "values", array)."""
    return natural_of(xp, structure, coordinates(xp, structure, draws, arrays), arrays)


def natural_of(
    xp: Any, structure: Structure, z: Mapping[str, Any], arrays: Mapping[str, Any]
) -> dict[str, tuple[str, Any]]:
    """Every parameter at its units, from the coordinates."""
    law = structure.law
    found = _plain(xp, structure, z, arrays)
    if structure.anchored:
        found.update(_anchored(xp, structure, z, found, arrays))
    return {q.name: found[q.name] for q in (*law.parameters, *structure.noise.parameters)}


def _plain(
    xp: Any, structure: Structure, z: Mapping[str, Any], arrays: Mapping[str, Any]
) -> dict[str, tuple[str, Any]]:
    """Undo the links of coordinates, as if nothing were anchored."""
    found: dict[str, tuple[str, Any]] = {}
    for q in structure.parameters:
        if q.name not in z:
            continue
        if q.role == "ceiling":
            top = arrays[f"scale_{q.name}"]
            found[q.name] = ("values", top + (1 - top) * xp.exp(log_sigmoid(xp, z[q.name])))
        elif q.link == "log" and q.after is None:
            found[q.name] = ("logs", z[q.name])
        elif q.link == "log":
            found[q.name] = ("logs", found[str(q.after)][1] + xp.exp(z[q.name]))
        elif q.link == "unit":
            found[q.name] = ("logs", log_sigmoid(xp, z[q.name]))
        else:
            found[q.name] = ("values", z[q.name])
    return found


def anchor(xp: Any, arrays: Mapping[str, Any]) -> list[Any]:
    """Collect what the formula reads at the anchor: mean features, or mean log inputs."""
    made = [values for name, values in arrays.items() if name.startswith("anchor_feature_")]
    return made or [xp.exp(v) for name, v in arrays.items() if name.startswith("anchor_")]


def _anchored(
    xp: Any,
    structure: Structure,
    z: Mapping[str, Any],
    found: Mapping[str, tuple[str, Any]],
    arrays: Mapping[str, Any],
) -> dict[str, tuple[str, Any]]:
    law, anchored = structure.law, str(structure.anchored)
    placed = {q.name for q in law.with_role("level", "floor", "intercept")}
    at_anchor = {
        name: (kind, _beside(structure, value, name, anchored))
        for name, (kind, value) in found.items()
        if name not in placed and name in {q.name for q in law.parameters}
    }
    x = anchor(xp, arrays)
    if law.parameter(anchored).role == "intercept":
        p = _parameters(xp, at_anchor).with_values(**{anchored: 0.0})
        return {anchored: ("values", z[anchored] - law.mean(xp, p, *x))}

    parts = _split(xp, structure, z)
    result = {name: ("logs", value) for name, value in parts.log_floors.items()}
    at_anchor.update(
        {
            name: ("logs", _beside(structure, value, name, anchored))
            for name, value in parts.log_floors.items()
        }
    )
    shares, log_response = parts.log_shares, parts.log_reducible
    p = _parameters(xp, at_anchor).with_values(**dict.fromkeys(shares, 1.0))
    log_response = log_response + law.log_top(p)
    for name, log_level in law.levels_at(xp, p, log_response, shares, *x).items():
        result[name] = ("logs", _transfer(structure, log_level, anchored, name))
    return result


@dataclass(frozen=True)
class _Parts:
    """The response at the anchor, taken apart."""

    log_response: Any
    log_reducible: Any
    log_floors: dict[str, Any]
    log_shares: dict[str, Any]


def _split(xp: Any, structure: Structure, z: Mapping[str, Any]) -> _Parts:
    """Take the response apart: floors at their units, the rest at the anchored ones."""
    law, anchored = structure.law, str(structure.anchored)
    units = structure.units[anchored]
    log_response = log_sigmoid(xp, z[anchored]) if law.response == "unit" else z[anchored]
    log_reducible, log_floors = log_response, {}
    for q in law.with_role("floor"):
        if q.name in structure.prior_of:
            log_floors[q.name] = z[q.name]
            continue
        own = structure.units[q.name]
        lowest = log_response
        if own.groups != units.groups:
            lowest = log_response[..., own.members(units)].min(axis=-1)
        log_floors[q.name] = log_sigmoid(xp, z[q.name]) + lowest
        below = _beside(structure, log_floors[q.name], q.name, anchored) - log_reducible
        log_reducible = log_reducible + log1mexp(xp, below)
    logits = {anchored: 0.0 * log_response}
    for q in law.with_role("level")[1:]:
        logits[q.name] = _beside(structure, z[q.name], q.name, anchored)
    total = log_sum(xp, *logits.values()) if len(logits) > 1 else logits[anchored]
    return _Parts(
        log_response,
        log_reducible,
        log_floors,
        {name: logit - total for name, logit in logits.items()},
    )


def _beside(structure: Structure, values: Any, source: str, target: str) -> Any:
    """Values of one parameter beside those of another; of a single unit, as they are."""
    if len(structure.units[source]) == 1:
        return values
    return _transfer(structure, values, source, target)


def _transfer(structure: Structure, values: Any, source: str, target: str) -> Any:
    """Values at the units of one parameter, seen from the units of another."""
    from_units, to_units = structure.units[source], structure.units[target]
    if from_units.groups == to_units.groups:
        return values
    weights = to_units.averaging(from_units)
    if weights is None:
        return values[..., to_units.members(from_units)[:, 0]]
    if len(weights) == 1:
        # The compiler has a short way for sums over everything.
        return (values * weights[0]).sum(axis=-1)[..., None]
    return (values[..., None, :] * weights).sum(axis=-1)


def _parameters(
    xp: Any,
    found: Mapping[str, tuple[str, Any]],
    unit_of_row: Mapping[str, Any] | None = None,
) -> Parameters:
    return Parameters(
        xp,
        {name: value for name, (kind, value) in found.items() if kind == "values"},
        {name: value for name, (kind, value) in found.items() if kind == "logs"},
        unit_of_row,
    )


def at_rows(
    xp: Any, found: Mapping[str, tuple[str, Any]], unit_of_row: Mapping[str, Any]
) -> Parameters:
    """Parameters at every row; a parameter without an index has one unit."""
    return _parameters(xp, found, unit_of_row)
