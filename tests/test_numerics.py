"""Roots and logarithms that laws are computed with."""

import numpy as np
import pytest

from bayescale.laws.numerics import implicit_root, log1mexp


def test_an_implicit_root_carries_the_gradient_of_the_root():
    import pytensor
    import pytensor.tensor as pt

    a = pt.vector("a")
    root = implicit_root(pt, lambda t: (t**3 + t - a, 3 * t**2 + 1), 0.0 * a, a)
    values = np.array([0.5, 2.0, 10.0])
    found, slope = pytensor.function(
        [a], [root, pytensor.grad(root.sum(), a)], mode="FAST_COMPILE"
    )(values)
    np.testing.assert_allclose(found**3 + found, values, rtol=1e-12)
    np.testing.assert_allclose(slope, 1 / (3 * found**2 + 1), rtol=1e-10)


@pytest.mark.parametrize("z", [-1e-9, -0.1, -0.6931, -0.6932, -5.0, -40.0, -300.0])
def test_the_logarithm_of_a_complement_has_all_digits(z):
    assert np.expm1(log1mexp(np, z)) == pytest.approx(-np.exp(z), rel=1e-14, abs=0.0)
