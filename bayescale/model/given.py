"""A user's distribution as the prior of a coordinate, in a unit that suits the sampler.

Where chains start, and how flat a direction may be, is counted in steps of one; a distribution on
the natural scale may be as narrow as 0.01 or as wide as 1000.  What is sampled is therefore its
value, without bounds, less its median, in units of half the width that holds two thirds of it.
"""

from typing import Any

import numpy as np

from bayescale.laws.links import natural_to_coordinate
from bayescale.laws.roles import Parameter

#: Draws that say where a distribution lies; it is the same whatever they say.
DRAWS = 1000
#: Share of them below which a distribution says nothing about where its parameter can be.
LEAST_INSIDE = 0.01


def from_user(
    q: Parameter, prior: Any, scale: Any, size: int, name: str, shape: dict[str, Any]
) -> Any:
    """Coordinate, in units of `scale`, whose natural value follows the user's distribution."""
    import pymc as pm
    import pytensor.tensor as pt
    from pymc.distributions.shape_utils import change_dist_size

    if hasattr(prior, "to_pymc"):
        prior = prior.to_pymc()
    _refuse_other_kinds(q, prior)
    value = pm.modelcontext(None).register_rv(
        change_dist_size(prior, (size,)), f"{name}_natural", transform=_standardised(q, prior)
    )
    z = natural_to_coordinate(pt, q.link, value)
    return pm.Deterministic(name, (z - q.centre) / scale, dims=shape.get("dims"))


def _refuse_other_kinds(q: Parameter, prior: Any) -> None:
    """Refuse distributions of counts and of vectors."""
    if any(length != 1 for length in prior.type.shape):
        raise ValueError(
            f"the prior of {q.name!r} is one of arrays: give that of one number, which serves "
            "every label"
        )
    if not prior.dtype.startswith("float"):
        raise ValueError(
            f"the prior of {q.name!r} is one of whole numbers: give a continuous distribution, "
            "e.g. pm.LogNormal.dist(np.log(0.3), 0.5)"
        )


def _where_it_can_be(q: Parameter, values: np.ndarray) -> np.ndarray:
    """Which draws of a prior are values that the parameter can have; refuse where none are."""
    with np.errstate(invalid="ignore", divide="ignore"):
        inside = np.isfinite(natural_to_coordinate(np, q.link, values))
    if np.mean(inside) < LEAST_INSIDE:
        where = "above 0" if q.link == "log" else "between 0 and 1"
        sign = "; mind the sign: x**-alpha falls where alpha > 0" if q.role == "exponent" else ""
        raise ValueError(
            f"the prior of {q.name!r} has no mass {where}, where it can be: it lies around "
            f"{np.median(values):.3g}{sign}"
        )
    return inside


def _standardised(q: Parameter, prior: Any) -> Any:
    """Shift and scale that follow the transform by which PyMC removes bounds."""
    import pymc as pm
    from pymc.distributions.shape_utils import change_dist_size
    from pymc.distributions.transforms import ChainedTransform, _default_transform
    from pymc.logprob.transforms import LocTransform, ScaleTransform

    natural = unbounded = change_dist_size(prior, (DRAWS,))
    if unbound := _default_transform(natural.owner.op, natural):
        unbounded = unbound.forward(natural, *natural.owner.inputs)
    try:
        drawn, values = pm.draw([natural, unbounded], random_seed=0, mode="FAST_COMPILE")
    except NotImplementedError:  # a density of the user's own, without a way to draw from it
        low, median, high = -1.0, 0.0, 1.0
    else:
        inside = _where_it_can_be(q, drawn)
        if np.mean(inside) < 1 / 2:  # chains cannot start at the median
            values = values[inside]
        low, median, high = np.quantile(values, [1 / 6, 1 / 2, 5 / 6])
        if low == high:
            raise ValueError(
                f"the prior of {q.name!r} is the number {np.median(drawn):g}: give a narrow "
                f"distribution, e.g. pm.Normal.dist({np.median(drawn):g}, 0.01)"
            )
    steps = LocTransform(lambda *_: -median), ScaleTransform(lambda *_: 2 / (high - low))
    return ChainedTransform(steps)
