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
from bayescale.pooling import Partial
from bayescale.population import draw_between
from bayescale.structure import Structure, is_seen_as_reach, leans_on_level


@dataclass(frozen=True)
class Lean:
    """What is sampled of a parameter, given earlier ones: ``(coordinate + shift) * scale``."""

    shift: Any = 0.0
    scale: Any = 1.0


UPRIGHT = Lean()


def coordinates(
    xp: Any, structure: Structure, draws: Mapping[str, Any], arrays: Mapping[str, Any]
) -> dict[str, Any]:
    """Coordinates of all parameters at their units, from the variables that are sampled."""
    z: dict[str, Any] = {}
    for q in itertools.chain(*structure.stages):
        z[q.name] = coordinate(structure, q, draws, arrays, lean_of(xp, structure, q, z, arrays))
    return z


def coordinate(
    structure: Structure,
    q: Parameter,
    draws: Mapping[str, Any],
    arrays: Mapping[str, Any],
    lean: Lean = UPRIGHT,
) -> Any:
    """Coordinate of one parameter at its units, from the variables that are sampled."""
    name = q.name
    raw = arrays[f"start_{name}"] + arrays[f"step_{name}"] * draws[f"{name}_raw"]
    if q.role == "effect":
        raw = draws[f"{name}_sd"] * raw
    if lean is not UPRIGHT:
        raw = raw / lean.scale - lean.shift
    if isinstance(structure.pooling_of[name], Partial) and q.role != "effect":
        raw = raw + (1 - arrays[f"centred_{name}"]) * population_mean(structure, q, draws)
    scale = 1.0 if q.role == "ceiling" else arrays[f"scale_{name}"]
    return arrays[f"offset_{name}"] + scale * raw


def lean_of(
    xp: Any, structure: Structure, q: Parameter, z: Mapping[str, Any], arrays: Mapping[str, Any]
) -> Lean:
    """How what is sampled of a parameter leans on the coordinates of earlier stages.

    It is a choice of coordinates: any smooth function of earlier ones gives the same posterior.
    """
    if leans_on_level(structure, q):
        return Lean(shift=arrays[f"centred_{q.name}"] * _slope_shift(xp, structure, q, z, arrays))
    if is_seen_as_reach(structure, q):
        return Lean(scale=_reach(xp, structure, q, z, arrays))
    return UPRIGHT


def _slope_shift(
    xp: Any, structure: Structure, q: Parameter, z: Mapping[str, Any], arrays: Mapping[str, Any]
) -> Any:
    r"""How much the logarithm of the slope of the response at the anchor exceeds an exponent's.

    The slope is the exponent, plus what bends add to it, times the share that its term has in the
    response.  Where bends would take more than the slope that the data show, the shift levels off.
    An exponent that rules at one end of the data gives the slope there, times the share there.
    """
    parts = _split(xp, structure, z)
    if q.end:
        beside = 1 - xp.exp(parts.log_reducible - parts.log_response)
        share = 1 - beside * xp.exp(-arrays[f"rise_{q.name}"])
        return xp.log(softplus(xp, END_SHARPNESS * share) / END_SHARPNESS)
    log_share = parts.log_reducible - parts.log_response + parts.log_shares[str(q.of)]
    if not structure.law.with_role("bend"):
        return log_share
    term = _log_term(xp, structure, z, arrays, (-0.5, 0.5))
    bends = (term[0] - term[1]) / _half_range(arrays)
    left = softplus(xp, SHARPNESS * (1 - bends * xp.exp(log_share) / _slope(xp, q, arrays)))
    return log_share - xp.log(left / SHARPNESS)


def _reach(
    xp: Any, structure: Structure, q: Parameter, z: Mapping[str, Any], arrays: Mapping[str, Any]
) -> Any:
    """How far a bend of unit size takes the response off a straight line within the data."""
    fixed = {r.name: 0.0 for r in structure.law.with_role("bend")} | {q.name: 1.0}
    term = _log_term(xp, structure, z, arrays, (-1.0, 0.0, 1.0), **fixed)
    parts = _split(xp, structure, z)
    exponent = structure.law.with_role("exponent")[0]
    fall = _slope(xp, exponent, arrays) * _half_range(arrays)
    log_share = parts.log_reducible - parts.log_response
    odds = log_share - log1mexp(xp, log_share) - fall * xp.exp(-log_share)
    off = (term[2] + term[0] - 2 * term[1]) * xp.exp(log_sigmoid(xp, odds))
    return _transfer(structure, xp.sqrt(off**2 + NEAR**2), str(structure.anchored), q.name)


def _log_term(
    xp: Any,
    structure: Structure,
    z: Mapping[str, Any],
    arrays: Mapping[str, Any],
    at: tuple[float, ...],
    **fixed: float,
) -> Any:
    """Logarithm of the first term without its level and exponent, so many half ranges off.

    The first axis runs over `at`.
    """
    law, anchored = structure.law, str(structure.anchored)
    names = {q.name for q in law.parameters if q.role not in ("floor", "exponent", "level")}
    found = {
        n: (kind, _transfer(structure, v, n, anchored))
        for n, (kind, v) in _plain(xp, structure, z, arrays).items()
        if n in names - set(fixed)
    }
    off = {q.name: 0.0 for q in law.with_role("floor", "exponent")}
    p = _parameters(xp, found).with_values(**off, **{anchored: 1.0}, **fixed)
    away = np.reshape(at, (-1, *[1] * z[anchored].ndim)) * _half_range(arrays)
    return law.log_mean(xp, p, *(xp.exp(away + xp.log(x)) for x in anchor(xp, arrays)))


def _half_range(arrays: Mapping[str, Any]) -> Any:
    """Half the range of the first input in the data of every anchored unit, in ln x."""
    return next(values for name, values in arrays.items() if name.startswith("reach_"))


def _slope(xp: Any, q: Parameter, arrays: Mapping[str, Any]) -> Any:
    """Slope of log y at the anchor that the data of every unit show."""
    return xp.exp(arrays[f"start_{q.name}"] + q.centre)


#: How sharply the share of a slope that bends leave to an exponent levels off at zero.
SHARPNESS = 3.0
#: The same for the share of a term at one end of the data.
END_SHARPNESS = 10.0
#: Distance from a straight line, in ln y, below which data say little about a bend.
NEAR = 0.1


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
        made[f"{q.name}_sd"] = draw_between(q, raw / lean.scale - lean.shift - centre, rng)
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
        name: (kind, _transfer(structure, value, name, anchored))
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
            name: ("logs", _transfer(structure, value, name, anchored))
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
        below = _transfer(structure, log_floors[q.name], q.name, anchored) - log_reducible
        log_reducible = log_reducible + log1mexp(xp, below)
    logits = {anchored: 0.0 * log_response}
    for q in law.with_role("level")[1:]:
        logits[q.name] = _transfer(structure, z[q.name], q.name, anchored)
    total = log_sum(xp, *logits.values()) if len(logits) > 1 else logits[anchored]
    return _Parts(
        log_response,
        log_reducible,
        log_floors,
        {name: logit - total for name, logit in logits.items()},
    )


def _transfer(structure: Structure, values: Any, source: str, target: str) -> Any:
    """Values at the units of one parameter, seen from the units of another."""
    from_units, to_units = structure.units[source], structure.units[target]
    if from_units.groups == to_units.groups:
        return values
    weights = to_units.averaging(from_units)
    if weights is None:
        return values[..., to_units.members(from_units)[:, 0]]
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
