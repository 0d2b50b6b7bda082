"""The probability of a statement is the share of draws for which it is true."""

import numpy as np
import pytest
from answers import power_laws

import bayescale as bs


def test_the_probability_of_a_statement_is_a_share_of_draws():
    fit = power_laws([[60.0, 50.0], [58.0, 50.0]], [0.07, 0.07])
    x = 1e20
    between = float(59.0 * x**-0.07)
    answer = bs.probability(
        fit, f"loss < {between!r}", at={"C": x}, groups={"family": "lstm"}, kind="mean"
    )
    assert float(answer) == 0.5
    both = bs.probability(fit, f"loss >= {between!r}", at={"C": [x, 1e22]}, kind="mean")
    assert both.probability.tolist() == [0.5, 0.0, 0.0, 0.0]
    assert "beyond the data" in str(both)
    assert float(bs.probability(fit, "A > 59", groups={"family": "lstm"})) == 0.5
    with pytest.raises(ValueError, match="cannot read the statement"):
        bs.probability(fit, "loss = 2", at={"C": 1e20})
    with pytest.raises(ValueError, match=r"cannot read the statement .*: write e.g. 'loss < 2.0'"):
        bs.probability(fit, {"C": 1e20}, 2.0)
    with pytest.raises(TypeError, match=r"at must map symbols to inputs, e.g. at=\{'C': 1e24\}"):
        bs.probability(fit, "loss < 2.0", 1e20)
    with pytest.raises(ValueError, match=r"names 'beta'; there are loss, A, alpha"):
        bs.probability(fit, "beta > 1")


def test_a_statement_about_a_parameter_names_its_labels():
    runs = bs.Runs(
        {"C": [1e17, 1e19] * 2, "y": [4.0, 3.0] * 2, "arch": [*"aabb"], "data": ["c4"] * 4},
        y="y",
        x={"C": "C"},
        groups={"family": "arch", "dataset": "data"},
    )
    constants = {"A": 60.0, "alpha": np.array([[0.07], [0.08]]), "sigma": 0.01}
    fit = bs.known_fit(bs.laws.PowerLaw(), runs, constants)
    chosen = {"family": "a", "dataset": "c4"}
    said = str(bs.probability(fit, "alpha > 0.075", groups=chosen))
    assert said == "P(alpha > 0.075): 50 % at family = a, dataset = c4."
    assert str(bs.probability(fit, "alpha > 0.075", groups={"family": "a"})) == said
    assert str(bs.probability(fit, "sigma > 1", groups=chosen)) == "P(sigma > 1): < 1 %."


def test_a_new_run_scatters_around_the_curve():
    table = bs.Runs({"C": [1e17, 1e19, 1e21], "loss": [4, 3, 2]}, y="loss", x={"C": "C"})
    values = {"A": np.full(4000, 60.0), "alpha": 0.07, "sigma": 0.1}
    fit = bs.known_fit(bs.laws.PowerLaw(), table, values)
    limit = float(60.0 * 1e20**-0.07 * np.exp(0.1))
    said = f"loss < {limit!r}"
    assert float(bs.probability(fit, said, at={"C": 1e20}, kind="mean")) == 1.0
    assert float(bs.probability(fit, said, at={"C": 1e20})) == pytest.approx(0.841, abs=0.02)
