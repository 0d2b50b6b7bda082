"""Compute that saves: how much a baseline needs for what another curve reaches."""

import numpy as np
import pytest
from answers import power_laws

import bayescale as bs
from bayescale.laws.base import Law
from bayescale.laws.roles import exponent, level


def test_the_multiplier_is_constant_where_only_levels_differ():
    answer = bs.compute_multiplier(
        power_laws([60.0, 54.0], [0.07, 0.07]), "lstm", "gpt", at=[1e16, 1e19, 1e24]
    )
    np.testing.assert_allclose(answer.draws, (60 / 54) ** (1 / 0.07), rtol=1e-8)


def test_the_multiplier_inverts_the_baseline():
    E, A, alpha = [1.4, 1.5], [1e4, 2e4], [0.2, 0.22]
    x = np.array([1e17, 1e19, 1e21])
    answer = bs.compute_multiplier(power_laws(A, alpha, E), "lstm", "gpt", at=x)
    reached = E[1] + A[1] * x ** -alpha[1]
    closed = ((reached - E[0]) / A[0]) ** (-1 / alpha[0]) / x
    np.testing.assert_allclose(answer.draws[0], closed, rtol=1e-8)


def test_the_multiplier_is_undefined_below_the_floor_of_the_baseline():
    fit = power_laws([1e4, 1e4], [0.2, 0.2], [[2.0, 1.0], [1.0, 1.0]])
    answer = bs.compute_multiplier(fit, "lstm", "gpt", at=[1e15, 1e25])
    np.testing.assert_allclose(answer.p_undefined, [0.0, 0.5])
    assert answer.draws[1, 1] == pytest.approx(1.0)
    assert np.isinf(answer.summary(0.8)["upper_0.8"].iloc[1])


def test_a_speedup_that_shrinks_has_its_exponent():
    # s - 1 = 0.4 (x / 1e17)^-0.2, made by giving the baseline the curve f(s x) = g(x).
    class Slowed(Law):
        name = "test_slowed"
        parameters = (level("A"), exponent("alpha"))

        def log_mean(self, xp, p, x):
            return p.log_A - p.alpha * xp.log(x * (1 + 0.4 * (x / 1e17) ** -0.2))

    table = bs.Runs({"C": [1e17, 1e19, 1e21], "loss": [4, 3, 2]}, y="loss", x={"C": "C"})
    values = {"A": 60.0, "alpha": 0.07}
    fits = {
        "adamw": bs.known_fit(bs.laws.PowerLaw(), table, values),
        "muon": bs.known_fit(Slowed(), table, values),
    }
    answer = bs.optimizer_speedup(fits, "adamw", "muon", at=np.geomspace(1e17, 1e22, 30))
    assert answer.draws[0, 0] == pytest.approx(1.4)
    assert answer.decay[0] == pytest.approx(0.2)
    assert answer.p_shrinks == 1.0
    assert 1e21 < answer.falls_below(1.05)[0] < 1e22
    assert np.isinf(answer.falls_below(0.9)[0])
