"""A first look at which form data ask for, before anything is sampled."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from bayescale.laws.base import Law
from bayescale.model.arrays import arrays_of
from bayescale.model.packing import model_arrays
from bayescale.model.structure import Structure, structure_of
from bayescale.noise import Noise
from bayescale.pooling import Partial, Pooling
from bayescale.runs import Runs
from bayescale.sampling.sampling import compile_structure
from bayescale.sampling.starts import density_of, find_modes

#: Points from which modes are searched: a mode that is missed is evidence that is missed.
POINTS = 30


def log_evidence(
    law: Law,
    runs: Runs,
    *,
    pooling: Mapping[str, Pooling] | None = None,
    noise: Noise | None = None,
    priors: Mapping[str, Any] | None = None,
    random_seed: int = 0,
) -> float:
    r"""Logarithm of the marginal likelihood of a law by Laplace's approximation.

    .. math:: \log p(y) \approx \log \sum_m p(y, \theta_m)\, (2\pi)^{n/2} |H_m|^{-1/2}

    over the modes :math:`\theta_m` of the n coordinates of the sampler, with Hessians :math:`H_m`
    of the negative log density.

    Parameters
    ----------
    law, runs, pooling, noise, priors
        As for :func:`bayescale.fit`.
    random_seed : int
        Seed of the points from which modes are searched.

    Returns
    -------
    float
        In nats, for responses on the scale of the likelihood (log y by default); minus infinity
        where no mode is found.  Only differences between laws on the same table and scale mean
        something: above 2.3, odds of ten to one, they are called strong (Jeffreys 1961).

    Raises
    ------
    RunsError, ValueError
        As for :func:`bayescale.fit`; where parameters or effects are pooled over labels, for the
        top of their joint density, where labels hardly differ, says little of the mass.

    Notes
    -----
    For screening: it depends on how wide priors are, and the approximation is rough where a
    posterior is far from normal or has many modes, some of which the search may miss.  A climb that
    ends before it arrives is not counted.  What is reported should rest on
    :func:`bayescale.compare`.

    References
    ----------
    Tierney and Kadane (1986), Journal of the American Statistical Association 81, 82;
    Jeffreys (1961), Theory of Probability, appendix B.

    Examples
    --------
    >>> import bayescale as bs
    >>> x = np.geomspace(1e17, 1e22, 20)
    >>> rng = np.random.default_rng(0)
    >>> table = {"flops": x, "loss": (2 + (x / 1e18) ** -0.3) * np.exp(0.01 * rng.normal(size=20))}
    >>> runs = bs.Runs(table, y="loss", x={"C": "flops"})
    >>> with_floor = bs.log_evidence(bs.laws.OffsetPowerLaw(), runs)
    >>> bool(with_floor - bs.log_evidence(bs.laws.PowerLaw(), runs) > 2.3)
    True
    """
    structure = structure_of(law, runs, pooling, noise, priors)
    _refuse_pooled(structure)
    arrays = arrays_of(structure, runs)
    compiled = compile_structure(structure, arrays).with_data(**model_arrays(arrays))
    size = compiled.n_dim
    modes = find_modes(density_of(compiled), size, np.random.default_rng(random_seed), POINTS)
    masses = np.array([mode.log_mass for mode in modes])
    return float(np.logaddexp.reduce(masses, initial=-np.inf) + size / 2 * np.log(2 * np.pi))


def _refuse_pooled(structure: Structure) -> None:
    """Refuse what shares a prior over several labels, and say what can be asked instead."""
    pooled = [
        q
        for q in structure.parameters
        if isinstance(structure.pooling_of[q.name], Partial) and len(structure.units[q.name]) > 1
    ]
    if not pooled:
        return
    apart = ", ".join(
        f"{q.name!r}: bs.Independent({', '.join(map(repr, structure.units[q.name].groups))})"
        for q in pooled
        if q.role != "effect"
    )
    mends = [f"ask with labels apart, pooling={{{apart}}}"] if apart else []
    if any(q.role == "effect" for q in pooled):
        mends.append("leave the effect out")
    names = ", ".join(repr(q.name) for q in pooled)
    raise ValueError(
        f"log_evidence: {names} pooled over labels, where Laplace's approximation is off by nats: "
        f"{' and '.join(mends)}, or compare fits with bs.compare()"
    )
