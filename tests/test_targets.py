"""The scale that reaches a target, and the probability that none does."""

import numpy as np
import pytest
from answers import chinchilla, power_laws

import bayescale as bs


def test_a_law_of_several_inputs_needs_to_know_what_scale_is():
    fit, _ = chinchilla()
    with pytest.raises(ValueError, match=r"say how they go together"):
        bs.scale_for(fit, 2.5)


def test_the_scale_for_a_target_is_that_of_the_formula():
    fit = power_laws([1e4, 2e4], [0.2, 0.22], [[1.4, 1.5], [1.9, 1.5]])
    answer = bs.scale_for(fit, [2.5, 1.6], groups={"family": "lstm"})
    closed = ((2.5 - np.array([1.4, 1.9])) / 1e4) ** (-1 / 0.2)
    np.testing.assert_allclose(answer.draws[:, 0], closed, rtol=1e-8)
    assert answer.draws[0, 1] == pytest.approx((0.2 / 1e4) ** (-1 / 0.2), rel=1e-8)
    assert np.isinf(answer.draws[1, 1])
    np.testing.assert_array_equal(answer.p_never, [0.0, 0.5])
    assert answer.summary(0.9).loc[1.6, "p_never"] == 0.5


def test_one_target_gives_one_number_a_draw():
    fit = power_laws([1e4, 2e4], [0.2, 0.22], [1.4, 1.5])
    answer = bs.scale_for(fit, 1.2, groups={"family": "gpt"})
    assert answer.draws.shape == (1,)
    assert float(answer.p_never) == 1.0
    assert "never reached with probability > 99 %" in str(answer)


def test_a_fit_of_several_families_asks_which():
    with pytest.raises(ValueError, match=r"say which, e.g. groups=\{'family': 'lstm'\}"):
        bs.scale_for(power_laws([60.0, 50.0], [0.07, 0.07]), 2.0)


def test_a_budget_reaches_what_its_optimal_split_reaches():
    fit, _ = chinchilla()
    answer = bs.scale_for(fit, 2.2, path=bs.quantities.FLOPs6ND())
    best = bs.compute_optimal(fit, answer.draws[0])
    assert best.draws["loss"][0, 0] == pytest.approx(2.2, rel=1e-10)


def test_inputs_can_be_tied():
    fit, p = chinchilla()
    size = bs.scale_for(fit, 2.4, path={"D": lambda N: 20 * N}).draws[0]
    loss = p["E"] + p["A"] * size ** -p["alpha"] + p["B"] * (20 * size) ** -p["beta"]
    assert loss[0] == pytest.approx(2.4, rel=1e-10)
