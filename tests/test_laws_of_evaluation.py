"""Coverage, pass rates and downstream metrics: what the laws say and what one decides by them."""

import numpy as np
import pytest
from scipy import special

import bayescale as bs
from bayescale.laws import (
    bleu_log,
    coverage_beta,
    coverage_exp_power,
    densing,
    genrm,
    imperfect_verifier,
    kinetics,
    loss_to_accuracy,
    loss_to_error,
    mcq,
    passuntil,
    rag,
    rl_sigmoid,
    ttspm,
)
from bayescale.model.arrays import arrays_of
from bayescale.model.structure import structure_of


def test_the_best_prompt_stays_within_its_budget():
    flash = {k: np.full(2, v) for k, v in bs.laws.RAGInference.example.parameters.items()}
    last = -np.inf
    for budget in (3e3, 3e4, 1e6):
        best = rag.best_prompt(flash, budget, tokens=(900, 700, 100), informativeness=(0.5, 0.2))
        paid = best["iters"] * (900 * best["docs"] + 700 * best["shots"] + 100)
        assert np.all(paid <= budget)
        assert best["index"][0] >= last
        last = best["index"][0]
    with pytest.raises(ValueError, match="below one empty prompt"):
        rag.best_prompt(flash, 10.0, tokens=(900, 700, 100), informativeness=(0.5, 0.2))


def test_verification_overtakes_at_the_budget_that_is_named():
    constants = {k: np.full(2, v) for k, v in bs.laws.GenRMvsSC.example.parameters.items()}
    budget = genrm.overtaking_budget(constants, ratio=1.0)
    for factor, wins in ((0.8, False), (1.2, True)):
        split, vote = (
            genrm.best_split(constants, factor * budget[0], 1.0, verify=v) for v in (True, False)
        )
        assert bool(split["accuracy"][0] > vote["accuracy"][0]) is wins
    many = genrm.best_split(constants, 1e5, 0.5)
    np.testing.assert_allclose(many["S"] * (1 + 0.5 * many["V"]), 1e5)


def test_a_budget_that_does_not_pay_for_one_verified_solution_is_no_answer():
    constants = {"F": 0.85, "s0": 0.5, "u": 0.4, "h0": 0.8, "v0": 0.5, "w": 0.8}
    assert genrm.overtaking_budget(constants, ratio=4.0) == pytest.approx(5.0)
    assert genrm.best_split(constants, 5.0, 4.0)["S"] == pytest.approx(1.0)
    with pytest.raises(ValueError, match="at least 5, a solution that is verified once, not 2"):
        genrm.best_split(constants, 2.0, 4.0)
    with pytest.raises(ValueError, match="at least 1, one solution, not"):
        genrm.best_split(constants, 0.5, 4.0, verify=False)
    with pytest.raises(ValueError, match="at least 5, a solution"):
        genrm.overtaking_budget(constants, ratio=4.0, most=3.0)


def test_the_cost_for_an_accuracy_inverts_the_law_and_sparse_attention_is_cheaper():
    config = {"N": 4e9, "k": 8.0, "Lo": 2e4, "Li": 500.0, "heads": 1e5, "kv": 3e4}
    law = bs.laws.KineticsCost()
    constants = law.example.parameters
    accuracy = float(law(*config.values(), **constants))
    dense = kinetics.eflops(**config, intensity=300.0)
    assert kinetics.cost_for(accuracy, constants) == pytest.approx(dense)
    assert kinetics.eflops(**config, intensity=300.0, attended=1024.0) < 0.5 * dense
    assert kinetics.eflops(**config, intensity=300.0, attended=1e9) == dense
    assert np.isinf(kinetics.cost_for(0.99, constants))


def test_multiple_choice_is_what_simulated_items_choose():
    constants = {"E": 0.4, "A": 300.0, "a": 0.11, "b0": -0.6, "b1": 0.85}
    rng = np.random.default_rng(0)
    C = np.array([1e19, 1e22])
    mean = -bs.laws.MCQComposition()(C, 1.0, **constants)
    item = mean + rng.normal(0, 0.8, (100_000, 1))
    right = item + rng.normal(0, 0.3, item.shape)
    wrong = -0.6 + 0.85 * item[..., None] + rng.normal(0, 0.5, (*item.shape, 3))
    simulated = (right[..., None] > wrong).all(axis=-1).mean(axis=0)
    got = mcq.choice_accuracy(constants, C, choices=4, item_sd=0.8, right_sd=0.3, wrong_sd=0.5)
    np.testing.assert_allclose(got, simulated, atol=0.006)


def test_a_choice_that_means_nothing_is_refused():
    with pytest.raises(ValueError, match="'choice': every value must be 1"):
        bs.laws.MCQComposition()(1e20, 3.0, E=1.0, A=200.0, a=0.1, b0=0.0, b1=1.0)


def test_the_growth_of_density_carries_the_uncertainty_of_its_reference():
    rng = np.random.default_rng(0)
    t = np.linspace(0.2, 2.0, 12)
    loss = {"E": 1.8, "A": 480.0, "alpha": 0.35, "B": 2000.0, "beta": 0.37}
    score = {"lo": 0.25, "hi": 0.9, "L_mid": 2.2, "g": 4.0}
    density = 0.1 * np.exp(1.5 * t + 0.1 * rng.standard_normal(12))
    L = bs.laws.Chinchilla()(density * 3e9, 1e12, **loss)
    scores = bs.laws.LossToAccuracy()(L, **score)
    known = densing.capacity_density(loss, score, scores, 3e9)
    np.testing.assert_allclose(known[0], density)
    unsure = {**loss, "alpha": rng.normal(0.35, 0.03, 400)}
    draws = densing.capacity_density(unsure, score, scores, 3e9)
    assert draws.shape == (400, 12)
    wide = densing.growth_rates(draws, t)
    narrow = densing.growth_rates(np.tile(known, (400, 1)), t)
    low, high = np.nanquantile(wide, [0.05, 0.95])
    assert low < 1.5 < high
    assert np.nanstd(wide) > 1.2 * np.nanstd(narrow)
    twins = densing.growth_rates(np.repeat(density, 2) * np.tile([1.0, 0.5], 12), np.repeat(t, 2))
    np.testing.assert_allclose(twins, densing.growth_rates(density, t))
    assert np.isnan(densing.capacity_density(loss, score, [0.2, 0.25, 0.9, 0.95], 3e9)).all()


SMALL = {"draws": 800, "tune": 500, "chains": 2, "random_seed": 4, "progressbar": False}


# Coverage -----------------------------------------------------------------------------------


def test_pass_at_1_and_the_samples_for_a_coverage_follow_from_the_exponentiated_power_law():
    law, constants = bs.laws.CoverageExpPower(), {"a": 1.839, "b": 0.2091}
    assert float(law(1.0, **constants)) == pytest.approx(np.exp(-1.839))
    k = coverage_exp_power.tries_for(0.8, constants)
    assert float(law(k, **constants)) == pytest.approx(0.8)
    assert np.isinf(coverage_exp_power.tries_for(0.9, {**constants, "c_inf": 0.9}))


def test_the_mixture_of_rates_averages_1_minus_the_chance_of_k_failures():
    s1, s2, z, k = 0.4, 2.5, 0.3, 37.0
    rates = special.betaincinv(s1, s2, (np.arange(20_000) + 0.5) / 20_000)
    got = float(bs.laws.CoverageBeta()(k, s1=s1, s2=s2, z=z))
    assert got == pytest.approx((1 - z) * np.mean(1 - (1 - rates) ** k), abs=1e-5)
    far = 1 - z - bs.laws.CoverageBeta()(np.array([1e4, 1e6]), s1=s1, s2=s2, z=z)
    assert np.log(far[0] / far[1]) / np.log(100) == pytest.approx(s1, abs=1e-3)


@pytest.mark.parametrize(
    ("k", "s2", "wanted"),
    [
        (1.0, 1.5, 0.2),
        (1.0, 1e8, 0.8 * 0.5 / (1e8 + 0.5)),
        (1e16, 1.5, 0.8),
        (1.0, 90.0, 0.4 / 90.5),
    ],
)
def test_coverage_has_its_digits_for_many_samples_and_for_rare_successes(k, s2, wanted):
    constants = {"s1": 0.5, "s2": s2, "z": 0.2}
    assert float(bs.laws.CoverageBeta()(k, **constants)) == pytest.approx(wanted, rel=2e-8)


def test_samples_go_to_the_problems_that_coverage_hangs_on():
    shares = coverage_beta.sampling_shares(np.array([[0.9, 0.05, 0.001], [0.5, 0.5, 0.5]]), k=10)
    assert shares.argmax(axis=-1).tolist() == [1, 0]
    assert np.allclose(shares.sum(axis=-1), 1)


@pytest.fixture(scope="module")
def coverage():
    rng = np.random.default_rng(5)
    rates = np.where(rng.random(150) < 0.2, 0.0, rng.beta(0.5, 2.0, 150))
    table = {"k": np.ones(150), "solved": rng.binomial(100, rates), "samples": np.full(150, 100)}
    with pytest.warns(bs.RunsWarning, match="every row has the same k"):
        runs = bs.Runs(table, y=("solved", "samples"), x={"k": "k"})
    return bs.fit(bs.laws.CoverageBeta(), runs, noise=bs.ZeroInflatedBetaBinomial(), **SMALL)


def test_raw_counts_at_one_sample_give_the_coverage_at_any_number(coverage):
    assert coverage.diagnostics["converged"]
    asked = np.array([1.0, 10.0, 100.0, 1000.0])
    forecast = coverage.forecast({"k": asked}, kind="mean", ci_prob=0.98).table
    truth = bs.laws.CoverageBeta()(asked, s1=0.5, s2=2.0, z=0.2)
    assert np.all((forecast["lower_0.98"] < truth) & (truth < forecast["upper_0.98"]))
    assert np.all(np.diff(forecast["median"]) > 0)


# Verifiers and test time --------------------------------------------------------------------


def test_a_perfect_verifier_leaves_plain_resampling():
    K = np.array([1.0, 5.0, 40.0])
    law = bs.laws.ImperfectVerifier(completeness=0.8)
    got = law(K, 3.0, p=0.1, c0=-60.0, c1=0.0)
    assert np.allclose(got, 1 - (1 - 0.1 * 0.8) ** K)
    assert np.allclose(got, bs.laws.TestTimeSaturation()(K, F_max=1.0, p=0.08))


def test_outcomes_of_the_verifier_multiply():
    given, right, both = bs.laws.ImperfectVerifier()(
        7.0, np.array([1.0, 2.0, 3.0]), p=0.3, c0=-1.0, c1=0.5
    )
    assert given * right == pytest.approx(both)
    constants = {"p": 0.3, "c0": -1.0, "c1": 0.5}
    assert right == pytest.approx(float(imperfect_verifier.accuracy_ceiling(constants)))
    f = imperfect_verifier.false_pass_rate_for(right, 0.3)
    assert np.log(f / (1 - f)) == pytest.approx(-1.0 + 0.5 * np.log(0.3 / 0.7))


def test_the_best_number_of_tries_falls_with_the_price_of_a_wrong_answer():
    draws = {"p": np.array([[0.87, 0.13]] * 5), "c0": np.full((5, 1), -1.1), "c1": np.zeros((5, 1))}
    tries = [imperfect_verifier.best_tries(draws, penalty=v).tolist() for v in (0.0, 1.0, 3.0, 99)]
    assert [t[0] for t in tries] == sorted((t[0] for t in tries), reverse=True)
    assert tries[-1] == [0] * 5
    assert len(tries[0]) == 5


def test_problems_that_are_never_or_always_solved_count_like_others():
    link = {"c0": np.log(0.25 / 0.75), "c1": 0.0}
    for p, near in (([0.0, 0.5, 0.8], 1e-12), ([0.5, 0.8, 1.0], 1 - 1e-12)):
        among = np.where(np.isin(p, (0.0, 1.0)), near, p)
        tries = imperfect_verifier.best_tries({"p": np.array(p), **link}, penalty=0.7)
        assert tries == imperfect_verifier.best_tries({"p": among, **link}, penalty=0.7) > 0
    ceiling = imperfect_verifier.accuracy_ceiling(
        {"p": np.array([0.0, 1.0]), "c0": -1.0, "c1": 0.1}
    )
    np.testing.assert_allclose(ceiling, [0.0, 1.0], atol=1e-9)


def test_an_outcome_that_means_nothing_is_refused():
    table = {"K": [1.0, 1.0, 2.0], "outcome": [1.0, 2.0, 4.0], "c": [3, 2, 2], "n": [9, 3, 9]}
    runs = bs.Runs(table, y=("c", "n"), x={"K": "K", "outcome": "outcome"})
    with pytest.raises(ValueError, match="'outcome': every value must be 1, 2 or 3"):
        bs.build_model(bs.laws.ImperfectVerifier(), runs)
    with pytest.raises(ValueError, match="completeness"):
        bs.laws.ImperfectVerifier(completeness=0.0)


def test_sampling_stops_where_the_next_sample_gains_too_little():
    constants = {"F_max": np.array([0.8, 0.8]), "p": np.array([0.25, 1e-4])}
    n = ttspm.saturation(constants, 0.01)
    law = bs.laws.TestTimeSaturation()
    gains = law(n[0] + np.arange(2.0), F_max=0.8, p=0.25)
    before = law(n[0] + np.arange(2.0) - 1, F_max=0.8, p=0.25)
    assert np.diff(gains)[0] < 0.01 <= np.diff(before)[0]
    assert n[1] == 0


# Reinforcement learning ---------------------------------------------------------------------


def test_far_past_its_midpoint_the_rl_sigmoid_is_a_power_law_with_a_floor():
    constants = {"R0": 0.4, "A": 0.65, "C_mid": 1e4, "Bq": 1.5}
    C = np.array([1e7, 1e8])
    missing = constants["A"] - bs.laws.RLSigmoid()(C, **constants)
    power = bs.laws.PowerLaw()(C, A=0.25 * 1e4**1.5, alpha=1.5)
    assert np.allclose(missing / power, 1.0, atol=1e-4)
    reached = rl_sigmoid.compute_for_gain(constants, 0.95)
    assert float(bs.laws.RLSigmoid()(reached, **constants)) == pytest.approx(0.4 + 0.95 * 0.25)


def start_of_ceiling(table, y):
    law, runs = bs.laws.RLSigmoid(), bs.Runs(table, y=y, x={"C": "C"})
    return arrays_of(structure_of(law, runs), runs)["scale_A"].item()


@pytest.mark.parametrize("rows", [3, 60, 500])
@pytest.mark.parametrize("concentration", [5, 50, 1000])
def test_counts_that_scatter_beyond_chance_do_not_rule_out_the_true_ceiling(rows, concentration):
    C = np.geomspace(1e2, 1e6, rows)
    share = bs.laws.RLSigmoid()(C, R0=0.2, A=0.7, C_mid=1e3, Bq=1.5)
    rng = np.random.default_rng(rows)
    for _ in range(20):
        passed = rng.binomial(1000, rng.beta(share * concentration, (1 - share) * concentration))
        table = {"C": C, "passed": passed, "prompts": np.full(rows, 1000)}
        assert start_of_ceiling(table, ("passed", "prompts")) < 0.7


def test_one_outlier_does_not_rule_out_the_true_ceiling():
    C = np.geomspace(1e2, 1e6, 60)
    score = bs.laws.RLSigmoid()(C, R0=0.2, A=0.7, C_mid=1e3, Bq=1.5)
    score[50] = 0.95
    assert start_of_ceiling({"C": C, "score": score}, "score") < 0.7


@pytest.fixture(scope="module")
def early():
    rng = np.random.default_rng(6)
    C = np.geomspace(100.0, 3e3, 24)
    share = bs.laws.RLSigmoid()(C, R0=0.3, A=0.7, C_mid=1e4, Bq=1.5)
    table = {"gpu_hours": C, "passed": rng.binomial(2000, share), "prompts": np.full(24, 2000)}
    runs = bs.Runs(table, y=("passed", "prompts"), x={"C": "gpu_hours"})
    with pytest.warns(bs.RunsWarning, match="ceiling A is as wide as its prior"):
        return bs.fit(bs.laws.RLSigmoid(), runs, **{**SMALL, "draws": 1500})


def test_data_that_stop_before_the_midpoint_leave_the_ceiling_to_its_prior_and_say_so(early):
    table = bs.learned(early, draws=1000)
    assert table.loc["A", "width"] > 0.8
    assert table.loc["A", "says"] == "as wide as its prior"
    assert table.loc["R0", "width"] < 0.2
    assert table.loc["R0", "says"] == ""
    assert table.loc["A", "upper"] > 0.95


# Downstream metrics -------------------------------------------------------------------------


def test_targets_invert_the_laws_of_the_loss():
    error = bs.laws.LossToError()
    constants = error.presets["c4_17_tasks_2024"]
    assert float(error(loss_to_error.loss_for_error(0.6, constants), **constants)) == pytest.approx(
        0.6
    )
    assert np.isinf(loss_to_error.loss_for_error(0.9, constants))
    accuracy = {"lo": 0.25, "hi": 0.9, "L_mid": 1.1, "g": 6.0}
    at = loss_to_accuracy.onset(accuracy, 0.05)
    assert float(bs.laws.LossToAccuracy()(at, **accuracy)) == pytest.approx(0.3)


def test_the_published_constants_are_near_chance_at_high_loss_and_rise_from_there():
    law = bs.laws.LossToError()
    for constants in law.presets.values():
        assert float(law(50.0, **constants)) == pytest.approx(constants["eps"])
        assert float(law(3.0, **constants)) < constants["eps"]


# Emergence ----------------------------------------------------------------------------------


@pytest.mark.parametrize("q", [0.0, 0.08, -0.02])
def test_the_size_for_a_pass_rate_inverts_the_law(q):
    constants = {"c": 2e4, "a": 0.45, "q": q}
    law = bs.laws.PassUntil(onset=1e8)
    for rate in (1e-4, 0.1, 0.3):
        size = passuntil.size_for(rate, constants, onset=1e8)
        assert float(law(size, **constants)) == pytest.approx(rate)
    never = passuntil.size_for(0.999999, {"c": 2e4, "a": 0.45, "q": -0.2}, onset=1e8)
    assert np.isinf(never)


def test_curvature_sets_accelerated_emergence_apart():
    constants = {"c": 2e4, "a": 0.45}
    N = np.array([3e7, 3e9])
    standard = bs.laws.PassUntil()(N, **constants)
    accelerated = bs.laws.PassUntil(onset=1e8)(N, q=0.05, **constants)
    assert accelerated[0] == pytest.approx(standard[0])
    assert accelerated[1] > 1.3 * standard[1]
    assert passuntil.probability_accelerated({"q": np.array([-1.0, 1.0])}) == 0.5
    with pytest.raises(ValueError, match="onset"):
        bs.laws.PassUntil(onset=-1.0)


def test_the_data_for_a_bleu_score_invert_the_law():
    constants = {"A": 2.0, "a": 0.3, "b": 1.8}
    D = bleu_log.data_for(30.0, constants)
    assert float(bs.laws.BleuLog()(D, **constants)) == pytest.approx(30.0)
