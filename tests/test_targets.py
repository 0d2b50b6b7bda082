"""The scale that reaches a target, and the probability that none does."""

import numpy as np
import pytest
from answers import at_its_example, chinchilla, power_laws

import bayescale as bs
from bayescale.laws.loss_to_error import loss_for_error


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


LOSSES = np.linspace(2.0, 3.6, 9)


def test_accuracy_is_reached_from_a_loss_downwards():
    law = bs.laws.get("loss_to_acc_sigmoid")
    runs = bs.Runs({"L": LOSSES, "acc": np.linspace(0.8, 0.3, 9)}, y="acc", x={"L": "L"})
    middle = np.array([2.6, 1.5, 4.0, 2.6])
    ceiling = np.array([0.9, 0.9, 0.9, 0.7])
    draws = {"lo": 0.25, "hi": ceiling, "g": 4.0, "L_mid": middle}
    answer = bs.scale_for(bs.known_fit(law, runs, draws), [0.5, 0.8])
    closed = middle + np.log((ceiling - 0.25) / 0.25 - 1) / 4
    np.testing.assert_allclose(answer.draws[:, 0], closed, rtol=1e-8)
    assert answer.draws[0, 1] == pytest.approx(2.6 + np.log(0.65 / 0.55 - 1) / 4)
    assert answer.draws[3, 1] == 0.0
    np.testing.assert_array_equal(answer.p_never, [0.0, 0.25])
    np.testing.assert_array_equal(answer.p_beyond_data, [0.25, 0.0])
    np.testing.assert_array_equal(answer.p_below_data, [0.25, 0.5])
    assert answer.sentence.startswith("acc = 0.8 is reached from L = 1.")
    assert "downwards; it is never reached with probability 25 % and lies below the data" in str(
        answer
    )
    line = answer.plot().get_lines()[0].get_ydata()
    assert np.nanmax(np.diff(line)) <= 0


def test_an_error_is_reached_from_a_loss_downwards():
    law = bs.laws.get("loss_to_error_exp")
    fit = at_its_example(law, L=[2.4, 3.0, 4.0, 5.0])
    answer = bs.scale_for(fit, [0.536, 0.7])
    closed = [loss_for_error(e, law.example.parameters) for e in (0.536, 0.7)]
    np.testing.assert_allclose(answer.draws[0], closed, rtol=1e-8)
    assert not answer.p_never.any()
    chance = bs.scale_for(fit, 0.86)
    assert chance.draws[0] > 1e9
    assert float(chance.p_beyond_data) == 1.0


def test_what_is_never_reached_takes_no_scale():
    fit = power_laws([1e4, 2e4], [0.2, 0.22], [1.4, 1.5])
    said = str(bs.scale_for(fit, 1.2, groups={"family": "gpt"}))
    assert said.startswith("loss = 1.2 is never reached with probability > 99 %")
    assert "inf" not in said


def test_a_loss_as_input_is_no_cost():
    fit = at_its_example(bs.laws.get("loss_to_error_exp"), L=[2.4, 3.0, 4.0, 5.0])
    with pytest.raises(ValueError, match="improve as L falls: it is no cost"):
        bs.compute_multiplier(None, fit, fit)
