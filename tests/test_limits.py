"""Where curves end as scale grows, and contrasts of what they end at."""

import numpy as np
import pytest
from answers import OVERTRAINING, at_its_example, chinchilla, joint_table, power_laws

import bayescale as bs


def test_curves_tend_to_their_floor_or_to_nothing():
    with_floor = power_laws([1e4, 2e4], [0.02, 0.22], [[1.4, 1.5], [1.6, 1.5]])
    answer = bs.asymptote(with_floor)
    assert answer.labels == ("lstm", "gpt")
    np.testing.assert_allclose(answer.draws, [[1.4, 1.5], [1.6, 1.5]])
    np.testing.assert_allclose(bs.asymptote(power_laws([60, 50], [0.01, 0.07])).draws, 0.0)
    gap = bs.asymptote_gap(with_floor, "lstm", "gpt")
    np.testing.assert_allclose(gap.draws, [-0.1, 0.1])
    assert gap.p_a_smaller == 0.5
    assert bs.asymptote(with_floor, groups={"family": "gpt"}).labels == ("gpt",)


def test_a_curve_that_turns_upwards_has_no_asymptote():
    table = bs.Runs({"C": [1e3, 1e5, 1e7], "loss": [4, 3, 2]}, y="loss", x={"C": "C"})
    values = {"E": 0.1, "A": 8.0, "c0": 0.1, "c1": [[-0.3], [0.3]], "d1": 1e5, "f1": 0.5}
    fit = bs.known_fit(bs.laws.BrokenPowerLaw(), table, values)
    np.testing.assert_allclose(bs.asymptote(fit).draws[:, 0], [np.inf, 0.1])


def test_a_line_in_the_logarithm_of_scale_has_no_end():
    table = bs.Runs({"C": [1e3, 1e7], "score": [10, 8]}, y="score", x={"C": "C"})
    draws = {"a": 12.0, "b": [[-0.5], [0.5]]}
    fit = bs.known_fit(bs.laws.LogLaw(), table, draws)
    assert bs.asymptote(fit).draws[:, 0].tolist() == [-np.inf, np.inf]


@pytest.mark.parametrize(
    ("law", "columns", "floor"),
    [
        (bs.laws.Overtraining(), OVERTRAINING, 1.5083),
        (bs.laws.PruningFrontier(), {"D": [1e4, 1e5, 1e6], "f": [0.2, 0.5, 1.0]}, 0.05),
        (bs.laws.LRAnnealing(), {"step": [1e3, 1e4], "lr": [1e-4, 3e-4]}, 3.057),
    ],
)
def test_conditions_of_a_run_do_not_grow_with_its_scale(law, columns, floor):
    np.testing.assert_allclose(bs.asymptote(at_its_example(law, **columns)).draws, floor)


def test_an_asymptote_is_asked_for_where_conditions_matter():
    law, columns = bs.laws.MCQComposition(), {"C": [1e17, 1e19, 1e21], "choice": [1.0, 2.0]}
    fit = at_its_example(law, **columns)
    with pytest.raises(ValueError, match=r"depends on choice: .*at=\{'choice': 2\}"):
        bs.asymptote(fit)
    right = bs.asymptote(fit, at={"choice": 1.0}).draws
    np.testing.assert_allclose(right, law.example.parameters["E"])
    with pytest.raises(ValueError, match="no input is called 'E'"):
        bs.asymptote(fit, at={"E": 1.0})
    with pytest.raises(ValueError, match="must be one positive number"):
        bs.asymptote(fit, at={"choice": [1.0, 2.0]})
    accuracy = at_its_example(bs.laws.LossToAccuracy(), L=[2.0, 2.5, 3.0])
    with pytest.raises(ValueError, match="no input is left that grows"):
        bs.asymptote(accuracy)


def test_a_model_of_one_size_ends_above_the_floor():
    _, p = chinchilla(3)
    p["beta"] = np.array([0.01, 0.1, 0.4])
    fit = bs.known_fit(bs.laws.Chinchilla(), joint_table(), p)
    ends = p["E"] + p["A"] * 1e9 ** -p["alpha"]
    np.testing.assert_allclose(bs.asymptote(fit, at={"N": 1e9}).draws[:, 0], ends)


def test_the_same_asymptote_for_both_cannot_be_told_apart():
    gap = bs.asymptote_gap(power_laws([60.0, 50.0], [0.2, 0.1]), "lstm", "gpt")
    assert gap.is_shared
    assert gap.p_a_smaller == 0.5
    assert "cannot tell them apart" in str(gap)


def test_exponents_are_contrasted_within_draws():
    fit = power_laws([60.0, 50.0], [[0.07, 0.08], [0.09, 0.10]])
    gap = bs.exponent_contrast(fit, "lstm", "gpt")
    np.testing.assert_allclose(gap.draws, -0.01)
    assert gap.p_a_smaller == 1.0
    np.testing.assert_allclose(bs.exponent_contrast(fit, "lstm", "gpt", "A").draws, 10.0)
    with pytest.raises(ValueError, match="lstm: no parameter is called 'beta'"):
        bs.exponent_contrast(fit, "lstm", "gpt", "beta")
