"""Two curves cross where their formulas say, and are told with their probability."""

from dataclasses import replace

import numpy as np
import pytest
from answers import pair_table, power_laws

import bayescale as bs


def test_two_power_laws_cross_where_the_formula_says():
    rng = np.random.default_rng(0)
    alpha = np.stack([rng.normal(0.07, 0.002, 500), rng.normal(0.095, 0.002, 500)], axis=1)
    A = np.array([60.0, 169.0])
    answer = bs.crossover_scale(power_laws(A, alpha), "lstm", "gpt", bounds=(1e2, 1e40))
    truth = np.log(A[0] / A[1]) / (alpha[:, 0] - alpha[:, 1])
    np.testing.assert_allclose(np.log(answer.draws), truth, rtol=1e-10)
    assert answer.p_b_overtakes == 1.0
    assert answer.p_no_crossing == answer.p_a_overtakes == answer.p_several == 0.0


def test_curves_that_never_cross_have_no_crossing_scale():
    answer = bs.crossover_scale(power_laws([60.0, 50.0], [0.07, 0.07]), "lstm", "gpt")
    assert answer.p_no_crossing == answer.p_b_always == 1.0
    assert np.isnan(answer.draws).all()
    assert "do not cross" in str(answer)


def test_curves_that_hardly_ever_cross_are_said_not_to():
    alpha = np.column_stack([np.full(10, 0.07), np.r_[np.full(8, 0.07), np.full(2, 0.095)]])
    A = np.column_stack([np.full(10, 60.0), np.r_[np.full(8, 50.0), np.full(2, 169.0)]])
    said = bs.crossover_scale(power_laws(A, alpha), "lstm", "gpt").sentence
    assert said.startswith("lstm and gpt do not cross between C = 1e+11 and 1e+27")
    assert "with probability 80 %: gpt is better at all of these scales" in said
    assert "gpt overtakes lstm with probability 20 %, at C = 9.8e+17 (90 % interval" in said


def test_the_place_of_a_crossing_that_few_draws_have_is_not_told():
    A, alpha = np.tile([60.0, 50.0], (100, 1)), np.full((100, 2), 0.07)
    A[:4], alpha[:4] = [60.0, 169.0], [0.07, 0.095]
    said = bs.crossover_scale(power_laws(A, alpha), "lstm", "gpt").sentence
    assert "do not cross" in said
    assert said.endswith("gpt is better at all of these scales with probability 96 %.")


def test_opposite_crossings_are_told_apart():
    # In 7 of 10 draws gpt overtakes near 1e18, in 3 lstm does near 1e20.
    at, wins = np.r_[np.full(70, 1e18), np.full(30, 1e20)], np.r_[np.ones(70), -np.ones(30)]
    alpha = np.column_stack([np.full(100, 0.07), 0.07 + 0.025 * wins])
    A = 60.0 * at[:, None] ** (alpha - 0.07)
    said = bs.crossover_scale(power_laws(A, alpha), "lstm", "gpt").sentence
    assert "gpt overtakes lstm with probability 70 %, at C = 1e+18 (90 % interval 1e+18 to" in said
    assert "lstm overtakes gpt with probability 30 %, at C = 1e+20 (90 % interval 1e+20 to" in said


def test_the_probability_of_no_crossing_is_the_share_of_draws_without_one():
    # One draw crosses in the data, one beyond them, one below them, one not at all.
    alpha = [[0.07, 0.095], [0.07, 0.095], [0.07, 0.095], [0.07, 0.07]]
    at = np.array([1e19, 1e23, 1e15])
    A = [[60.0, 60.0 * x**0.025] for x in at] + [[60.0, 59.0]]
    answer = bs.crossover_scale(power_laws(A, alpha), "lstm", "gpt")
    np.testing.assert_allclose(answer.draws[:3], at, rtol=1e-8)
    assert answer.p_no_crossing == answer.p_beyond_data == answer.p_below_data == 0.25
    assert answer.bounds == pytest.approx((1e11, 1e27))
    table = answer.summary(ci_prob=0.5)
    assert table["median"].item() == pytest.approx(19.0)
    assert table["p_lstm_always"].item() == 0.0
    assert table["p_gpt_always"].item() == 0.25


def test_several_crossings_are_reported_and_the_one_in_the_data_is_the_answer():
    # In units of the floor gap, lstm is better in the middle only.
    E, A, alpha = [1.00, 0.80], [1e5, 1e3], [0.30, 0.15]
    answer = bs.crossover_scale(power_laws(A, alpha, E), "lstm", "gpt", bounds=(1e5, 1e26))
    roots = answer.crossings[0]
    assert len(roots) == 2
    assert answer.p_several == 1.0
    for x in roots:
        assert E[0] + A[0] * x ** -alpha[0] == pytest.approx(E[1] + A[1] * x ** -alpha[1], rel=1e-9)
    nearest = roots[np.argmin(np.abs(np.log10(roots) - 19))]
    assert answer.draws[0] == nearest


def twice():
    """lstm is lower between two scales, the nearer of which to the data differs over draws."""
    shift = np.r_[np.full(14, 1e4), np.full(86, 1e-3)][:, None]
    A, alpha = np.array([1e5, 1e3]), np.tile([0.30, 0.15], (100, 1))
    fit = power_laws(A * shift**alpha, alpha, np.tile([1.0, 0.8], (100, 1)))
    return bs.crossover_scale(fit, "lstm", "gpt", bounds=(1e5, 1e30))


def test_of_curves_that_cross_twice_all_draws_report_the_same_crossing():
    answer = twice()
    np.testing.assert_array_equal(answer.draws, answer.crossings[:, 1])
    assert answer.p_b_overtakes == answer.p_several == 1.0
    assert answer.sentence == (
        "lstm and gpt cross twice between C = 1e+05 and 1e+30 with probability > 99 %: "
        "lstm overtakes gpt at C = 2.5e+10 (90 % interval 2.5e+10 to 2.5e+17), then "
        "gpt overtakes lstm at C = 4e+21 (90 % interval 4e+21 to 4e+28); "
        "the last beyond the data: > 99 %."
    )


def test_where_nobody_says_what_is_better_crossings_are_told_all_the_same():
    answer = twice()
    said = replace(answer, a=replace(answer.a, better=None)).sentence
    assert "gpt rises above lstm at C = 2.5e+10" in said
    assert "then lstm rises above gpt at C = 4e+21" in said
    assert said.endswith("which is better, Runs(..., better=) says.")


def test_a_floor_that_is_shared_makes_no_crossing_out_of_rounding():
    answer = bs.crossover_scale(
        power_laws([1e3, 2e3], [0.3, 0.3], [1.5, 1.5]), "lstm", "gpt", bounds=(1e10, 1e90)
    )
    assert answer.p_no_crossing == 1.0


def test_simulated_crossovers_are_covered_at_the_nominal_rate():
    # With a normal likelihood and a flat prior, intervals of the posterior have exact coverage.
    rng = np.random.default_rng(2)
    replicates, draws = 400, 100
    design = np.stack([np.ones(6), -np.log(pair_table().x["C"][:6])], axis=1)
    root = np.linalg.cholesky(np.linalg.inv(design.T @ design)) * 0.01
    posteriors = []
    for A, alpha in ((60.0, 0.07), (169.0, 0.095)):
        y = design @ np.array([np.log(A), alpha]) + rng.normal(0, 0.01, (replicates, 6))
        centre = np.linalg.lstsq(design, y.T, rcond=None)[0].T
        each = centre[:, None] + rng.standard_normal((replicates, draws, 2)) @ root.T
        posteriors.append(each.reshape(-1, 2))
    log_A, alpha = np.moveaxis(posteriors, 2, 0).transpose(0, 2, 1)
    answer = bs.crossover_scale(
        power_laws(np.exp(log_A), alpha), "lstm", "gpt", bounds=(1e14, 1e22)
    )
    each = np.log10(answer.draws).reshape(replicates, draws)
    low, high = np.nanquantile(each, [0.1, 0.9], axis=1)
    truth = np.log10(169 / 60) / 0.025
    assert 0.74 < np.mean((low < truth) & (truth < high)) < 0.86


def test_labels_are_checked_with_a_suggestion():
    fit = power_laws([60.0, 50.0], [0.07, 0.08])
    with pytest.raises(ValueError, match=r"no family is called 'lsmt': did you mean 'lstm'"):
        bs.crossover_scale(fit, "lsmt", "gpt")
    with pytest.raises(ValueError, match="no group is called 'dataset'"):
        bs.crossover_scale(fit, "lstm", "gpt", groups={"dataset": "code"})
    with pytest.raises(ValueError, match="bounds must be two positive scales"):
        bs.crossover_scale(fit, "lstm", "gpt", bounds=(1e5, 1e4))


def test_labels_and_paths_are_given_by_name():
    fit = power_laws([60.0, 50.0], [0.07, 0.08])
    for ask in (
        lambda: bs.crossover_scale(fit, "lstm", "gpt", groups="lstm"),
        lambda: bs.scale_for(fit, 2.0, groups="lstm"),
        lambda: bs.asymptote(fit, groups="lstm"),
        lambda: bs.probability(fit, "alpha > 0.1", groups="lstm"),
        lambda: bs.probability(fit, "loss > 2", {"C": 1e20}, groups="lstm"),
        lambda: fit.forecast({"C": 1e20}, groups="lstm"),
        lambda: fit.forecast(fit.runs, groups="lstm"),
        lambda: fit.prior_predictive(groups="lstm"),
    ):
        with pytest.raises(ValueError, match=r"groups= is a str: say it by name, e\.g\. groups={"):
            ask()
    with pytest.raises(
        ValueError, match=r"path= is a str: say it by name, e\.g\. path={'D': lambda"
    ):
        bs.crossover_scale(fit, "lstm", "gpt", path="C")


def test_two_fits_are_compared_with_independent_draws():
    table = bs.Runs({"C": [1e17, 1e19, 1e21], "loss": [4, 3, 2]}, y="loss", x={"C": "C"})
    fits = {
        name: bs.known_fit(bs.laws.PowerLaw(), table, {"A": A, "alpha": alpha})
        for name, A, alpha in (("lstm", 60.0, 0.07), ("gpt", 169.0, 0.095))
    }
    truth = np.log(169 / 60) / 0.025
    for answer in (
        bs.crossover_scale(fits, "lstm", "gpt"),
        bs.crossover_scale(None, fits["lstm"], fits["gpt"]),
    ):
        assert np.log(answer.draws[0]) == pytest.approx(truth)


def test_several_groups_are_named_or_averaged_over():
    rows = [(f, d) for f in ("lstm", "gpt") for d in ("code", "prose") for _ in range(2)]
    table = {"C": [1e17, 1e21] * 4, "loss": np.linspace(4, 3, 8)}
    table |= {"family": [f for f, _ in rows], "dataset": [d for _, d in rows]}
    runs = bs.Runs(table, y="loss", x={"C": "C"}, groups=["family", "dataset"])
    values = {
        "A": np.array([[60.0, 66.0, 169.0, 200.0]]),
        "alpha": np.array([[0.07, 0.07, 0.095, 0.095]]),
    }
    fit = bs.known_fit(bs.laws.PowerLaw(), runs, values)
    on_code = bs.crossover_scale(fit, "lstm", "gpt", groups={"dataset": "code"})
    assert np.log(on_code.draws[0]) == pytest.approx(np.log(169 / 60) / 0.025)
    mixed = bs.crossover_scale(
        fit, {"family": "lstm", "dataset": "code"}, {"family": "gpt", "dataset": "prose"}
    )
    assert np.log(mixed.draws[0]) == pytest.approx(np.log(200 / 60) / 0.025)
    mean = bs.crossover_scale(fit, "lstm", "gpt")
    assert np.log(mean.draws[0]) == pytest.approx(np.log(369 / 126) / 0.025)
    assert "Averaged over dataset" in str(mean)


def test_the_better_curve_is_the_lower_one():
    A, alpha = [60.0, 169.0], [[0.07, 0.095], [0.07, 0.060]]
    answer = bs.better_at(power_laws(A, alpha), "lstm", "gpt", [1e17, 1e21, 1e23])
    np.testing.assert_array_equal(answer.probability, [1.0, 0.5, 0.5])
    np.testing.assert_array_equal(answer.extrapolated, [False, False, True])
    assert answer.draws[0, 0] == pytest.approx(60 * 1e17**-0.07 - 169 * 1e17**-0.095)
    assert "beyond the data" in str(answer)
