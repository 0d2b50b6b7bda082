"""Chains start where the posterior has its mass, also where it has several modes."""

import numpy as np
import pytest
from scipy import stats

from bayescale.starts import find_modes

CENTRES = np.array([[-4.0, 0.0], [4.0, 1.0]])
SPREADS = np.array([[0.5, 1.0], [1.0, 1.0]])
WEIGHTS = np.array([0.25, 0.75])


def two_hills(point):
    parts = np.array(
        [
            np.log(w) + stats.norm(c, s).logpdf(point).sum()
            for w, c, s in zip(WEIGHTS, CENTRES, SPREADS, strict=True)
        ]
    )
    value = np.logaddexp(*parts)
    share = np.exp(parts - value)
    gradient = sum(r * (c - point) / s**2 for r, c, s in zip(share, CENTRES, SPREADS, strict=True))
    return value, gradient


def test_both_hills_are_found_with_their_mass():
    modes = sorted(find_modes(two_hills, 2, np.random.default_rng(0)), key=lambda m: m.at[0])
    assert np.allclose([m.at for m in modes], CENTRES, atol=1e-2)
    mass = np.exp([m.log_mass for m in modes])
    assert mass / mass.sum() == pytest.approx(WEIGHTS, rel=0.02)


def test_a_density_that_is_nowhere_finite_has_no_modes():
    def nowhere(point):
        return -np.inf, np.zeros_like(point)

    assert find_modes(nowhere, 3, np.random.default_rng(0)) == []
