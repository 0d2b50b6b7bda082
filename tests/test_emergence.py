"""A curve accelerates, slows down or does neither."""

import numpy as np
from answers import broken, power_laws

import bayescale as bs


def test_a_power_law_neither_accelerates_nor_slows_and_a_floor_slows():
    plain = bs.emergence_test(power_laws([60, 50], [0.07, 0.07]), groups={"family": "gpt"})
    assert plain.p_accelerated == plain.p_slowed == 0.0
    np.testing.assert_allclose(plain.slopes, 0.07, rtol=1e-8)
    floor = power_laws([1e4, 1e4], [0.2, 0.2], [1.0, 1.0])
    assert bs.emergence_test(floor, groups={"family": "gpt"}).p_slowed == 1.0
    assert bs.emergence_test(broken(), (1e3, 3e5)).p_accelerated == 0.5 + 0.25
