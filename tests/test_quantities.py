"""Answers from posteriors: what they promise on posteriors whose answers are known."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import bayescale as bs
from bayescale import quantities
from bayescale.laws import nmt
from bayescale.laws.base import Law
from bayescale.laws.roles import exponent, level
from bayescale.quantities.curves import Form

BUDGETS = np.geomspace(1e18, 1e26, 200)
BESIROGLU = {"E": 1.8172, "A": 482.01, "alpha": 0.3478, "B": 2085.43, "beta": 0.3658}


def pair_table(y="loss", group="family", low=1e17, high=1e21):
    x = np.tile(np.geomspace(low, high, 6), 2)
    table = {"C": x, group: np.repeat(["lstm", "gpt"], 6), y: np.linspace(4.0, 2.5, 12)}
    return bs.Runs(table, y=y, x={"C": "C"}, groups=group)


def joint_table():
    N, D = map(np.ravel, np.meshgrid(np.geomspace(1e7, 1e9, 4), np.geomspace(1e8, 1e10, 4)))
    return bs.Runs(
        {"N": N, "D": D, "loss": 5 - np.arange(16) / 10}, y="loss", x={"N": "N", "D": "D"}
    )


def power_laws(A, alpha, E=None):
    """Two curves: columns are lstm and gpt."""
    A, alpha = np.atleast_2d(A), np.atleast_2d(alpha)
    if E is None:
        return bs.known_fit(bs.laws.PowerLaw(), pair_table(), {"A": A, "alpha": alpha})
    values = {"A": A, "alpha": alpha, "E": np.atleast_2d(E)}
    return bs.known_fit(bs.laws.OffsetPowerLaw(), pair_table(), values)


def chinchilla(samples=1, **spread):
    rng = np.random.default_rng(1)
    values = {
        name: value * np.exp(rng.normal(0, spread.get(name, 0.0), samples))
        for name, value in BESIROGLU.items()
    }
    return bs.known_fit(bs.laws.Chinchilla(), joint_table(), values), values


def at_its_example(law, **columns):
    """Fit of a law with the constants of its example, known exactly, to a grid of inputs."""
    constants = {q.name: law.example.parameters[q.name] for q in law.parameters}
    grid = dict(zip(columns, map(np.ravel, np.meshgrid(*columns.values())), strict=True))
    runs = bs.Runs({**grid, "y": law(*grid.values(), **constants)}, y="y", x={s: s for s in grid})
    return bs.known_fit(law, runs, constants)


@pytest.fixture(scope="module")
def uncertain():
    return chinchilla(4000, E=0.02, A=0.2, alpha=0.04, B=0.3, beta=0.05)


# Where two curves cross -------------------------------------------------------------------------


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


def test_a_law_of_several_inputs_needs_to_know_what_scale_is(uncertain):
    fit, _ = uncertain
    with pytest.raises(ValueError, match=r"say how they go together"):
        bs.scale_for(fit, 2.5)


def test_the_better_curve_is_the_lower_one():
    A, alpha = [60.0, 169.0], [[0.07, 0.095], [0.07, 0.060]]
    answer = bs.better_at(power_laws(A, alpha), "lstm", "gpt", [1e17, 1e21, 1e23])
    np.testing.assert_array_equal(answer.probability, [1.0, 0.5, 0.5])
    np.testing.assert_array_equal(answer.extrapolated, [False, False, True])
    assert answer.draws[0, 0] == pytest.approx(60 * 1e17**-0.07 - 169 * 1e17**-0.095)
    assert "beyond the data" in str(answer)


# What equal performance costs -------------------------------------------------------------------


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


# How to split a budget --------------------------------------------------------------------------


def test_the_optimum_is_that_of_the_chinchilla_formulas():
    fit, p = chinchilla()
    answer = bs.compute_optimal(fit, [1e20, 5.76e23])
    a = p["beta"] / (p["alpha"] + p["beta"])
    G = (p["alpha"] * p["A"] / (p["beta"] * p["B"])) ** (1 / (p["alpha"] + p["beta"]))
    C = np.array([1e20, 5.76e23])
    np.testing.assert_allclose(answer.draws["N"][0], G * (C / 6) ** a, rtol=1e-8)
    np.testing.assert_allclose(answer.draws["D"][0], (C / 6) ** (1 - a) / G, rtol=1e-8)
    np.testing.assert_allclose(answer.exponent[0], a[0], rtol=1e-8)
    # The published fit gives 72e9 parameters at the budget of Chinchilla, laws.md section 1.
    assert answer.draws["N"][0, 1] == pytest.approx(72e9, rel=0.05)


@pytest.mark.parametrize("cost", [lambda N, D: 6 * N * D, lambda N, D: 6 * N * D**1.0 + 0 * N])
def test_the_numerical_optimum_is_the_closed_one(uncertain, cost):
    fit, _ = uncertain
    few = BUDGETS[::40]
    closed, numerical = bs.compute_optimal(fit, few), bs.compute_optimal(fit, few, cost=cost)
    np.testing.assert_allclose(numerical.draws["N"], closed.draws["N"], rtol=1e-6)
    np.testing.assert_allclose(numerical.draws["loss"], closed.draws["loss"], rtol=1e-12)
    np.testing.assert_allclose(numerical.exponent, closed.exponent, atol=1e-6)


def test_serving_tokens_makes_smaller_models_optimal(uncertain):
    fit, _ = uncertain
    costs = [bs.quantities.FLOPs6ND(T) for T in (0.0, 1e11, 1e13)]
    answers = [bs.compute_optimal(fit, 1e22, cost=cost) for cost in costs]
    sizes = [answer.draws["N"] for answer in answers]
    assert (sizes[1] < sizes[0]).all()
    assert (sizes[2] < sizes[1]).all()
    for answer, cost in zip(answers, costs, strict=True):
        spent = cost(answer.draws["N"], answer.draws["D"])
        np.testing.assert_allclose(spent, 1e22, rtol=1e-9)
        here = answer.draws["loss"]
        for factor in (0.99, 1.01):
            N = answer.draws["N"] * factor
            assert (answer.curve({"N": N, "D": cost.data_for(1e22, N)}) >= here).all()


def test_a_cost_that_is_not_affine_in_data_is_inverted(uncertain):
    fit, _ = uncertain
    answer = bs.compute_optimal(fit, 1e22, cost=lambda N, D: 6 * N * D * (1 + (D / 1e12) ** 0.3))
    N, D = answer.draws["N"], answer.draws["D"]
    np.testing.assert_allclose(6 * N * D * (1 + (D / 1e12) ** 0.3), 1e22, rtol=1e-9)


def test_overtraining_costs_loss_except_at_the_optimum(uncertain):
    fit, _ = uncertain
    answer = bs.compute_optimal(fit, [1e21])
    assert (answer.penalty(2000.0) > 0).all()
    ratio = float(answer.draws["tokens_per_parameter"][0, 0])
    assert answer.penalty(ratio)[0, 0] == pytest.approx(0.0, abs=1e-12)


def test_the_sentence_says_when_the_optimum_is_outside_the_data(uncertain):
    fit, _ = uncertain
    assert "Outside the sizes of the data: > 99 % of the draws." in str(
        bs.compute_optimal(fit, 1e25)
    )
    with pytest.raises(ValueError, match="law of model size and data size"):
        bs.compute_optimal(power_laws([60.0, 50.0], [0.07, 0.07]), 1e20, groups={"family": "lstm"})


OVERTRAINING = {"C": [1e17, 1e19, 1e21], "M": [1.0, 20.0, 320.0]}


def test_a_law_of_compute_and_tokens_per_parameter_is_asked_for_sizes():
    law = bs.laws.Overtraining()
    fit = at_its_example(law, **OVERTRAINING)
    best = bs.compute_optimal(fit, [1e20, 1e21])
    ratio = law.best_ratio(law.example.parameters)
    np.testing.assert_allclose(best.draws["tokens_per_parameter"], ratio, rtol=1e-6)
    np.testing.assert_allclose(6 * best.draws["N"] * best.draws["D"], [[1e20, 1e21]])
    assert not best.extrapolated.any()
    there = law(best.budget, 20.0, **law.example.parameters)
    np.testing.assert_allclose(best.penalty(20.0), [there - best.draws["loss"][0]])
    # The same curve in N and D, with a cost of its own, and along budgets spent optimally.
    (same,) = law.limits
    constants = same.parameters(law.example.parameters)
    other = bs.known_fit(bs.laws.Chinchilla(), joint_table(), constants)
    served = [bs.compute_optimal(one, 1e21, bs.FLOPs6ND(1e12)).draws["N"] for one in (fit, other)]
    np.testing.assert_allclose(*served, rtol=1e-5)
    ways = [bs.scale_for(one, 2.3, path=bs.FLOPs6ND()).draws for one in (fit, other)]
    np.testing.assert_allclose(*ways, rtol=1e-6)


def test_what_6ND_does_not_price_needs_a_cost_of_its_own():
    law = bs.laws.NMTBivariate()
    fit = at_its_example(law, Ne=[2e7, 2e8, 2e9], Nd=[2e7, 2e8, 2e9])
    wanted = "free inputs are Ne, Nd: give a cost of these, .* lambda Ne, Nd"
    for ask in (
        lambda: bs.compute_optimal(fit, 1e21),
        lambda: bs.compute_optimal(fit, 1e21, bs.FLOPs6ND(1e12)),
        lambda: bs.scale_for(fit, 1.5, path=bs.FLOPs6ND()),
        lambda: bs.pareto({"one": fit}),
    ):
        with pytest.raises(ValueError, match=wanted):
            ask()
    best = bs.compute_optimal(fit, 1e9, cost=lambda Ne, Nd: Ne + Nd)
    share = nmt.best_split(1.0, law.example.parameters)[0]
    np.testing.assert_allclose(best.draws["Ne"], [[share * 1e9]], rtol=1e-6)
    assert "tokens" not in str(best)


def test_a_cost_must_grow_in_what_it_is_called_with():
    fit = at_its_example(bs.laws.Overtraining(), **OVERTRAINING)
    with pytest.raises(ValueError, match="called with N, D and must grow in both"):
        bs.compute_optimal(fit, 1e21, cost=lambda C, M: C)


@pytest.mark.parametrize(("cost", "most"), [(None, 1), (quantities.FLOPs6ND(1e11), 12)])
def test_an_allocation_evaluates_the_law_a_few_times_a_draw_and_budget(
    uncertain, cost, most, monkeypatch
):
    fit, _ = uncertain
    evaluated = []
    for name in ("mean", "log_mean"):
        original = getattr(Form, name)

        def counted(self, x, original=original):
            values = original(self, x)
            evaluated.append(values.size)
            return values

        monkeypatch.setattr(Form, name, counted)
    bs.compute_optimal(fit, BUDGETS, cost=cost)
    assert sum(evaluated) <= most * 4000 * len(BUDGETS)


# What it takes to reach a target ----------------------------------------------------------------


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


# Statements, limits, breaks ---------------------------------------------------------------------


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
    with pytest.raises(ValueError, match=r"names 'beta'; there are loss, A, alpha"):
        bs.probability(fit, "beta > 1")


def test_a_new_run_scatters_around_the_curve():
    table = bs.Runs({"C": [1e17, 1e19, 1e21], "loss": [4, 3, 2]}, y="loss", x={"C": "C"})
    values = {"A": np.full(4000, 60.0), "alpha": 0.07, "sigma": 0.1}
    fit = bs.known_fit(bs.laws.PowerLaw(), table, values)
    limit = float(60.0 * 1e20**-0.07 * np.exp(0.1))
    said = f"loss < {limit!r}"
    assert float(bs.probability(fit, said, at={"C": 1e20}, kind="mean")) == 1.0
    assert float(bs.probability(fit, said, at={"C": 1e20})) == pytest.approx(0.841, abs=0.02)


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


def broken(c1=0.3):
    table = bs.Runs({"C": [1e3, 1e5, 1e7], "loss": [4, 3, 2]}, y="loss", x={"C": "C"})
    at = np.array([1e4, 1e5, 1e6, 1e9])
    values = {"E": 0.1, "A": 8.0, "c0": 0.1, "c1": c1, "d1": at, "f1": 0.3}
    return bs.known_fit(bs.laws.BrokenPowerLaw(), table, values)


def test_breaks_have_a_probability_in_every_range():
    answer = bs.break_probability(broken(), between=(5e3, 2e6))
    assert answer.probability == 0.75
    assert answer.p_beyond_data == 0.25
    assert answer.p_none == 0.0
    slight = bs.break_probability(broken(0.01), between=(5e3, 2e6), change=0.05)
    assert slight.probability == 0.0
    assert slight.p_none == 1.0


def test_a_regime_is_told_by_breaks_by_elasticity_or_by_the_floor():
    after = bs.regime_at(broken(), [3e4, 3e7])
    assert after.probability.tolist() == [[0.75, 0.25], [0.25, 0.75]]
    fit, _ = chinchilla()
    limited = bs.regime_at(fit, {"N": [1e7, 1e10], "D": [1e12, 1e8]})
    assert limited.names == ("limited by N", "limited by D")
    assert limited.draws.tolist() == [[0, 1]]
    floor = bs.regime_at(
        power_laws([1e4, 1e4], [0.2, 0.2], [1.0, 1.0]), [1e19, 1e21], groups={"family": "gpt"}
    )
    assert floor.draws.tolist() == [[0, 1]]


def test_regimes_and_emergence_say_what_lies_beyond_the_data():
    regimes = bs.regime_at(broken(), [1e4, 1e12])
    assert regimes.extrapolated.tolist() == [False, True]
    assert regimes.summary()["extrapolated"].tolist() == [False, True]
    assert "beyond the data" in regimes.sentence
    assert "beyond the data" not in bs.regime_at(broken(), 1e4).sentence
    plain = power_laws([60, 50], [0.07, 0.07])
    low, high = bs.emergence_test(plain, groups={"family": "gpt"}).path.data
    for between, beyond in (((low, high), False), ((low, 10 * high), True)):
        found = bs.emergence_test(plain, between=between, groups={"family": "gpt"})
        assert ("partly beyond the data" in found.sentence) == beyond


def test_figures_break_lines_beyond_the_data():
    pair = power_laws([60.0, 169.0], [0.07, 0.095])
    known = pair.runs.x["C"]
    x = np.geomspace(known.min(), 100 * known.max(), 20)
    for answer, curves in (
        (bs.probability(pair, "loss < 2.0", at={"C": x}), 2),
        (bs.pareto(pair, x), 2),
        (bs.better_at(pair, "lstm", "gpt", x), 1),
    ):
        lines = answer.plot().get_lines()
        broken = [line for line in lines if line.get_linestyle() == "--"]
        assert len(broken) == curves
        for line in broken:
            drawn = np.asarray(line.get_xdata())[np.isfinite(np.asarray(line.get_ydata(), float))]
            assert drawn.max() == x[-1]
            assert np.sum(drawn <= known.max()) == 1


def test_a_target_that_is_never_reached_keeps_its_curve_to_the_edge():
    never = bs.scale_for(
        power_laws([[60.0] * 2] * 2, [0.07, 0.07], [[0.1] * 2, [0.6] * 2]),
        [2.5, 0.4],
        groups={"family": "gpt"},
    )
    ends = {np.nanmax(line.get_xdata()) for line in never.plot().get_lines()[:4]}
    assert len(ends) == 1


def test_the_path_of_an_allocation_is_broken_beyond_the_data():
    fit, _ = chinchilla()
    path = bs.compute_optimal(fit, np.geomspace(1e19, 1e26, 8)).plot().get_lines()
    within, beyond = (np.isfinite(np.asarray(line.get_ydata(), float)) for line in path)
    assert within.any()
    assert beyond[-1]
    assert not within[-1]


def test_twelve_curves_are_told_apart_without_colour():
    names = [f"machine {i}" for i in range(12)]
    fits = {
        name: power_laws([60.0, 169.0], [0.07, 0.095 + 0.001 * i]) for i, name in enumerate(names)
    }
    ax = bs.pareto(fits, groups={"family": "gpt"}).plot()
    shapes = {str(c.get_paths()[0].vertices) for c in ax.collections if c.get_offsets().size > 2}
    assert len(shapes) == 10
    looks = {(h.get_color(), h.get_marker()) for h in ax.figure.legends[0].legend_handles[:12]}
    assert len(looks) == 12


# Emergence and frontiers ------------------------------------------------------------------------


def test_a_power_law_neither_accelerates_nor_slows_and_a_floor_slows():
    plain = bs.emergence_test(power_laws([60, 50], [0.07, 0.07]), groups={"family": "gpt"})
    assert plain.p_accelerated == plain.p_slowed == 0.0
    np.testing.assert_allclose(plain.slopes, 0.07, rtol=1e-8)
    floor = power_laws([1e4, 1e4], [0.2, 0.2], [1.0, 1.0])
    assert bs.emergence_test(floor, groups={"family": "gpt"}).p_slowed == 1.0
    assert bs.emergence_test(broken(), (1e3, 3e5)).p_accelerated == 0.5 + 0.25


def test_the_frontier_is_the_probability_of_being_best():
    A, alpha = [60.0, 169.0], [[0.07, 0.095], [0.07, 0.060]]
    answer = bs.pareto(power_laws(A, alpha), [1e17, 1e21, 1e23])
    np.testing.assert_array_equal(answer.probability[:, 0], [1.0, 0.5, 0.5])
    np.testing.assert_array_equal(answer.probability.sum(axis=1), 1.0)
    assert answer.extrapolated[:, 0].tolist() == [False, False, True]
    # A machine that runs one of them at ten times the price moves the frontier.
    price = {"lstm": lambda C: C, "gpt": lambda C: 10 * C}
    cheap = bs.pareto(power_laws(A, alpha[0]), price)
    at = np.interp(0.5, cheap.probability[:, 1], np.log(cheap.cost))
    truth = (np.log(169 / 60) + 0.095 * np.log(10)) / 0.025
    assert at == pytest.approx(truth, abs=0.3)


def test_a_joint_law_meets_its_price_optimally():
    fit, _ = chinchilla()
    answer = bs.pareto({"one": fit, "other": fit}, [1e20])
    best = bs.compute_optimal(fit, 1e20).draws["loss"][0, 0]
    np.testing.assert_allclose(answer.draws, best)


# Mixtures of forms ------------------------------------------------------------------------------


def mixture(weights):
    fits = {
        "plain": power_laws(np.full((100, 2), [60.0, 169.0]), [0.07, 0.095]),
        "with floor": power_laws(np.full((100, 2), [60.0, 169.0]), [0.07, 0.095], [0.5, 0.6]),
    }
    return SimpleNamespace(fits=fits, weights=weights)


@pytest.mark.parametrize(
    "weights",
    [[0.75, 0.25], {"with floor": 0.25, "plain": 0.75}, pd.Series({"with floor": 1, "plain": 3})],
)
def test_a_mixture_of_forms_counts_every_form_by_its_weight(weights):
    source = mixture(weights)
    answer = bs.asymptote(source, groups={"family": "lstm"}).draws[:, 0]
    assert (answer == 0.0).mean() == 0.75
    np.testing.assert_allclose(answer[answer > 0], 0.5)
    crossing = bs.crossover_scale(source, "lstm", "gpt", bounds=(1e10, 1e30)).draws
    alone = [
        bs.crossover_scale(f, "lstm", "gpt", bounds=(1e10, 1e30)).draws[0]
        for f in source.fits.values()
    ]
    assert (np.abs(np.log(crossing / alone[0])) < 1e-9).mean() == 0.75
    never = bs.scale_for(source, 0.4, groups={"family": "lstm"}).p_never
    assert float(never) == 0.25
    assert float(bs.probability(source, "E > 0.55", groups={"family": "gpt"})) == 1.0


def test_draws_that_all_agree_do_not_make_an_answer_certain():
    import matplotlib.pyplot as plt

    pair, gpt = power_laws([60.0, 169.0], [0.07, 0.095]), {"family": "gpt"}
    answers = [
        bs.crossover_scale(pair, "lstm", "gpt"),
        bs.compute_multiplier(pair, "lstm", "gpt", at=[1e18, 1e20]),
        bs.exponent_contrast(pair, "lstm", "gpt"),
        bs.break_probability(broken(), between=(1e30, 1e31)),
        bs.emergence_test(pair, groups=gpt),
    ]
    for answer in answers:
        title = answer.plot(plt.figure().subplots()).get_title(loc="left")
        assert title.endswith((": < 1 %", ": > 99 %"))
        assert " 0 %" not in answer.sentence
        assert "100 %" not in answer.sentence
        plt.close("all")


def test_every_answer_has_a_sentence_a_summary_and_a_figure(uncertain):
    import matplotlib.pyplot as plt

    fit, _ = uncertain
    pair = power_laws([[60.0, 169.0], [60.0, 160.0]], [0.07, 0.095], [[0.1, 0.1], [0.2, 0.1]])
    gpt = {"family": "gpt"}
    answers = [
        bs.crossover_scale(pair, "lstm", "gpt"),
        bs.better_at(pair, "lstm", "gpt", [1e18, 1e20]),
        bs.compute_multiplier(pair, "lstm", "gpt", at=[1e18, 1e20]),
        bs.optimizer_speedup(pair, "lstm", "gpt", at=[1e18, 1e20]),
        bs.compute_optimal(fit, [1e20, 1e21]),
        bs.scale_for(pair, [2.5, 0.15], groups=gpt),
        bs.probability(pair, "loss < 2.0", at={"C": [1e20, 1e21]}),
        bs.probability(pair, "alpha < 0.08"),
        bs.asymptote(pair),
        bs.asymptote_gap(pair, "lstm", "gpt"),
        bs.exponent_contrast(pair, "lstm", "gpt"),
        bs.break_probability(broken(), between=(1e4, 1e6)),
        bs.regime_at(broken(), [1e4, 1e6]),
        bs.emergence_test(pair, groups=gpt),
        bs.pareto(pair, [1e18, 1e20]),
        bs.next_run(pair, {"C": [1e20], "family": ["gpt"]}, {"C": 1e22, "family": "gpt"}, 1e21),
    ]
    for answer in answers:
        assert str(answer) == answer.sentence
        assert answer.sentence.endswith(".")
        assert len(answer.summary(ci_prob=0.8)) > 0
        _, ax = plt.subplots()
        assert answer.plot(ax) is ax
        assert ax.has_data()
        plt.close("all")
