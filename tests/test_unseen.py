"""Labels that were not fitted: draws from what is known of those that were."""

from dataclasses import replace

import numpy as np
import pymc as pm
import pytest
from scipy import stats

import bayescale as bs
from bayescale.forecast.prior import coordinates_from_prior
from bayescale.model.arrays import arrays_of
from bayescale.model.structure import structure_of
from bayescale.posterior.unseen import natural_at_cells

X = np.geomspace(1e17, 1e20, 8)


def families(count=3):
    y = np.concatenate([(1 + 0.2 * i) * (0.5 + (X / 1e17) ** -0.3) for i in range(count)])
    table = {"x": np.tile(X, count), "y": y, "arch": np.repeat([*"abcd"][:count], len(X))}
    return bs.Runs(table, y="y", x={"C": "x"}, groups={"family": "arch"})


@pytest.mark.parametrize(
    ("name", "prior"),
    [
        ("alpha", pm.LogNormal.dist(np.log(0.3), 0.02)),
        ("E", pm.LogNormal.dist(np.log(0.5), 0.02)),
    ],
)
def test_a_new_label_of_an_independent_parameter_follows_the_prior_of_the_user(name, prior):
    runs, pooling = families(), {name: bs.Independent("family")}
    law, noise = bs.laws.OffsetPowerLaw(), bs.LogNormal()
    structure = structure_of(law, runs, pooling, noise, {name: prior})
    arrays = arrays_of(structure, runs)
    draws = coordinates_from_prior(structure, arrays, 400, 0)
    cells, rng = [(0,), (3,), (4,), (3,)], np.random.default_rng(1)
    found = natural_at_cells(structure, draws, arrays, cells, rng)[name][1].T
    centre = np.log(0.3 if name == "alpha" else 0.5)
    for new in found[1:]:
        assert stats.kstest((new - centre) / 0.02, "norm").pvalue > 1e-3
    assert np.array_equal(found[1], found[3])
    assert not np.array_equal(found[1], found[2])
    loaded = replace(structure, priors=((name, str(prior)),))
    with pytest.raises(ValueError, match=f"the prior of '{name}' is not in the file"):
        natural_at_cells(loaded, draws, arrays, cells, rng)
