"""Laws of theory, data, precision and inference: what they say and what one decides by them."""

import numpy as np
import pytest
import xarray as xr

import bayescale as bs
from bayescale.laws import (
    adversarial,
    data_filtering,
    densing,
    genrm,
    growth,
    infinite_compute,
    kinetics,
    knowledge,
    logit_growth,
    massive_activation,
    mcq,
    moe,
    nmt,
    passuntil,
    projektor,
    pruning,
    qat_loss,
    rag,
    regimes,
    sparsity,
    u_shape,
)
from bayescale.testing import simulate, testing

NAMES = [
    "four_regimes",
    "superposition_width",
    "knowledge_capacity",
    "adversarial_power",
    "u_shape_quadratic",
    "nmt_bivariate",
    "growth_timing",
    "max_lr_batch",
    "logit_growth",
    "massive_activation",
    "data_filtering",
    "pruning_frontier",
    "infinite_compute",
    "projektor",
    "qat_loss",
    "activation_sparsity",
    "sparsity_shape",
    "moe_efficiency_leverage",
    "effective_parameters",
    "rag_inference",
    "genrm_vs_sc",
    "kinetics_cost",
    "mcq_composition",
    "densing",
]

VARIANTS = [
    bs.laws.get("four_regimes", regime="variance"),
    bs.laws.get("adversarial_power", clean=False),
    bs.laws.get("nmt_bivariate", Ne0=1e7),
    bs.laws.get("max_lr_batch", outcomes=True),
    bs.laws.get("max_lr_batch", outcomes=True, power=0.5),
    bs.laws.get("logit_growth", curved=True),
    bs.laws.get("pruning_frontier", at=1e6),
    bs.laws.get("infinite_compute", data=False),
    bs.laws.get("projektor", N_r=100.0),
    bs.laws.get("qat_loss", per_byte=False),
    bs.laws.get("activation_sparsity", activation="silu"),
    bs.laws.get("moe_efficiency_leverage", ratios=True),
    bs.laws.get("moe_efficiency_leverage", granularity=False),
    bs.laws.get("rag_inference", proportion=True),
    bs.laws.get("kinetics_cost", attended=1000.0),
]


def test_proportions_are_simulated_as_counts():
    runs, truth = simulate(bs.laws.GenRMvsSC(), rows=60, families=2, trials=50)
    assert runs.is_counts
    assert set(runs.trials) == {50}
    assert np.all((runs.y >= 0) & (runs.y <= 50))
    assert truth["F"].shape == (2,)


# Theory -------------------------------------------------------------------------------------


def test_the_evidence_for_an_exponent_of_one_falls_as_the_posterior_leaves_it():
    rng = np.random.default_rng(1)
    prior = bs.laws.FourRegimes().parameter("alpha")
    odds = [
        regimes.odds_of_one(np.exp(rng.normal(np.log(a), 0.05, 2000)), prior)
        for a in (1.0, 0.9, 0.7)
    ]
    assert odds[0] > 5
    assert odds[0] > odds[1] > odds[2]
    assert odds[2] < 0.01
    assert regimes.dimension({"alpha": np.array([0.5, 0.1])}).tolist() == [8.0, 40.0]


def test_a_corpus_fits_into_as_many_parameters_as_the_law_says():
    law = bs.laws.KnowledgeCapacity(sharpness=100.0)
    constants = {"R_max": 2.0, "e0": 100.0, "q": 0.7}
    N = knowledge.size_for(14e9, 300.0, constants)
    assert float(law(N, 300.0, 1e14, **constants)) == pytest.approx(14e9)
    assert float(law(1e15, 300.0, 14e9, **constants)) == pytest.approx(14e9)
    assert knowledge.exposures_for(14e9, N, constants) == pytest.approx(300.0)
    assert np.isinf(knowledge.exposures_for(14e9, 1e9, constants))


def test_the_radius_for_an_error_inverts_the_law():
    constants = {"e0": 0.05, "A": 30.0, "g": 1.1}
    eps = adversarial.radius_for(0.4, constants)
    assert float(bs.laws.AdversarialPower()(eps, **constants)) == pytest.approx(0.4)
    assert adversarial.radius_for(0.01, constants) == 0.0


def test_the_split_of_parameters_is_where_the_loss_is_lowest():
    constants = {"L_inf": 1.0, "a": 0.6, "pe": 0.18, "pd": 0.31}
    law = bs.laws.NMTBivariate()
    shares = np.linspace(0.01, 0.99, 981)
    best = shares[np.argmin(law(1e9 * shares, 1e9 * (1 - shares), **constants))]
    assert best == pytest.approx(nmt.best_split(1.0, constants)[0], abs=2e-3)


def test_shapes_follow_from_the_slopes_at_both_ends():
    law = bs.laws.QuadraticUShape(at=1e21)
    rng = np.random.default_rng(0)
    draws = {"b": rng.normal(0, 1, 200), "c": rng.normal(0, 0.5, 200)}
    x = np.array([1e19, 1.01e19, 0.99e23, 1e23])[:, None]
    y = law(x, P=0.5, **draws)
    falls, rises = y[1] < y[0], y[3] > y[2]
    shares = u_shape.shape_probabilities(draws, 1e19, 1e23)
    assert sum(shares.values()) == pytest.approx(1.0)
    assert shares["U"] == pytest.approx(np.mean(falls & rises), abs=0.02)
    assert shares["falling"] == pytest.approx(np.mean(falls & ~rises), abs=0.02)


# Stability ----------------------------------------------------------------------------------


@pytest.mark.parametrize("power", [None, 0.5])
def test_runs_are_stable_as_often_as_asked_at_the_learning_rate_that_is_named(power):
    law = bs.laws.MaxLRBatch(outcomes=True, power=power)
    constants = {"lr_inf": 0.4, "B0": 500.0, "w": 0.4} | ({"p": 0.8} if power is None else {})
    lr = law.stable_lr(constants, 64.0, 0.95)
    assert float(law(64.0, lr, **constants)) == pytest.approx(0.95)


@pytest.mark.parametrize("c", [0.0, 0.05, -0.02])
def test_the_size_at_a_threshold_inverts_the_law(c):
    constants = {"A": 60.0, "b": 0.6, "c": c}
    size = logit_growth.size_at(1000.0, constants)
    assert float(bs.laws.LogitGrowth(curved=True)(size, **constants)) == pytest.approx(1000.0)
    assert np.isinf(logit_growth.size_at(1e9, {"A": 60.0, "b": 0.6, "c": -0.02}))
    assert np.isinf(logit_growth.size_at(1e4, {"A": 60.0, "b": -0.5}))


def test_the_peak_of_a_massive_activation_is_where_the_curve_is_highest():
    constants = {"K": 20.0, "A": 200.0, "lam": 0.05, "tau": 1500.0, "t0": 1.0}
    t = np.geomspace(100.0, 2e5, 20001)
    y = bs.laws.MassiveActivation()(t, **constants)
    step, height = massive_activation.peak(constants)
    assert t[np.argmax(y)] == pytest.approx(step, rel=1e-3)
    assert y.max() == pytest.approx(height, rel=1e-6)


@pytest.mark.parametrize(
    ("law", "symbol", "turned"),
    [
        (bs.laws.GrowthTiming(), "N", {"a": -0.2}),
        (bs.laws.QATLoss(), "bits", {"phi": 0.3, "chi": 0.3, "omega": 0.9}),
    ],
)
def test_a_law_promises_no_direction_that_some_constants_turn(law, symbol, turned):
    inputs = {s: np.full(2, np.median(v)) for s, v in law.example.inputs.items()}
    inputs[symbol] = np.array([1.0, 1.5]) * min(law.example.inputs[symbol])
    usual, other = (law.example.parameters | changes for changes in ({}, turned))
    assert np.diff(law(*inputs.values(), **usual)) * np.diff(law(*inputs.values(), **other)) < 0
    assert symbol not in law.monotone


def test_a_model_that_is_larger_and_one_that_samples_cost_the_same():
    N, D, inferred, ratio = 1e9, 2e12, 5e11, 6.0
    k = growth.matched_samples(ratio, D, inferred)
    assert 6 * N * D + 2 * N * inferred * k == pytest.approx(ratio * N * (6 * D + 2 * inferred))
    assert growth.matched_ratio(k, D, inferred) == pytest.approx(ratio)
    assert growth.best_of_both({"F_max": 1.0, "p": 0.1}, 0.9, ratio, D, inferred) > 0


def test_the_share_of_width_is_never_taken_unsaid():
    assert growth.activations_after(16.0, width_share=0.8) == pytest.approx(16**0.6)
    with pytest.raises(TypeError, match="width_share"):
        growth.activations_after(16.0)


# Answers ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "shared", "by_family"),
    [
        (lambda v: logit_growth.size_at(1e3, v), {"A": 60.0, "b": 0.6}, {"c": [0.05, -0.2]}),
        (lambda v: passuntil.size_for(0.9, v, 1e8), {"c": 2e4, "a": 0.45}, {"q": [0.05, -0.2]}),
        (
            lambda v: infinite_compute.data_multiple(v, 2.0, 1e8),
            {"q": 20, "r": 0.2},
            {"E0": [1, 3]},
        ),
        (
            lambda v: infinite_compute.members_for(v, 3.2, N=4.0),
            {"c": 0.2, "h": 0.5, "b": 0.4, "s": 0.5, "g": 1.0},
            {"E0": [3.0, 3.3]},
        ),
        (lambda v: kinetics.cost_for(0.8, v), {"a": 4e4, "b": 0.35}, {"F_max": [0.9, 0.7]}),
        (moe.best_granularity, {"beta": -0.12}, {"gamma": [0.02, -0.02]}),
    ],
)
def test_answers_keep_the_labels_of_a_posterior(answer, shared, by_family):
    (name, values), *_ = by_family.items()
    families = xr.DataArray(np.array(values, float), {"family": ["usual", "never"]}, "family")
    draws = {k: xr.DataArray([v, v], dims="draw") for k, v in shared.items()}
    found = answer({**draws, name: families})
    assert found.transpose("draw", "family").shape == (2, 2)
    for family, value in zip(families["family"], values, strict=True):
        wanted = answer({**shared, name: value})
        np.testing.assert_allclose(found.sel(family=family), wanted)
    assert np.isfinite(found.sel(family="usual")).all()


# Data ---------------------------------------------------------------------------------------


def test_the_worth_of_repeated_data_follows_the_rate_that_defines_it():
    constants = {"d": 0.1, "a": 4e-6, "b": 0.5, "tau": 2.0}
    U, steps = 1e6, 400_000
    edges = np.geomspace(U, 5.5 * U, steps + 1)
    middle = np.sqrt(edges[1:] * edges[:-1])
    rate = 0.5 * 2 ** (-np.floor(middle / U) / 2.0) * np.diff(np.log(edges))
    wanted = 0.1 + 4**-0.5 * np.exp(-rate.sum())
    got = float(bs.laws.DataFiltering()(5.5 * U, U, **constants))
    assert got == pytest.approx(wanted, abs=1e-5)


def test_worse_pools_pay_once_the_best_is_worn_out():
    law = bs.laws.DataFiltering()
    pools = list(law.presets.values())
    constants = {"d": 0.1, "a": 0.025e-5} | {
        k: np.array([p[k] for p in pools]) for k in ("b", "tau")
    }
    n = np.geomspace(1e7, 1e10, 7)
    chosen = [int(data_filtering.pools_to_mix(constants, v, 1.28e7)) for v in n]
    assert chosen == sorted(chosen)
    assert chosen[0] == 1 < chosen[-1]
    one = {**constants, "b": constants["b"][:1], "tau": constants["tau"][:1]}
    assert data_filtering.mixture_error(one, 1e9, 1e8) == pytest.approx(
        float(law(1e9, 1e8, **pools[0]))
    )


def test_the_frontier_of_pruning_beats_every_fraction():
    constants = {k: np.full(3, v) for k, v in bs.laws.PruningFrontier.example.parameters.items()}
    D, fractions = np.geomspace(1e4, 1e7, 9), np.array([0.1, 0.3, 1.0])
    best, error = pruning.frontier(constants, D, fractions)
    assert best.shape == error.shape == (3, 9)
    single = bs.laws.PruningFrontier()(
        D[:, None], fractions, **{k: v[0] for k, v in constants.items()}
    )
    np.testing.assert_allclose(error[0], single.min(axis=-1))
    assert np.all(np.diff(best[0]) <= 0)


def test_limits_of_models_and_of_ensembles_nest():
    law = bs.laws.InfiniteCompute()
    constants = law.example.parameters
    best = infinite_compute.best_loss(constants, D=2e8)
    assert float(law(2e8, 1e30, 1e30, **constants)) == pytest.approx(best)
    target = 0.5 * (best + float(law(2e8, 1e9, 1e9, **constants))) + 0.1
    members = infinite_compute.members_for(constants, target, N=1e9, D=2e8)
    reached = float(law(2e8, 1e9, members, **constants))
    assert reached == pytest.approx(target) or members == 1.0
    assert np.isinf(infinite_compute.members_for(constants, best, N=1e9, D=2e8))
    worse = infinite_compute.best_loss(constants, D=5e7)
    assert infinite_compute.data_multiple(constants, worse, D=2e8) == pytest.approx(4.0)


def test_a_score_between_two_sizes_lies_on_the_law():
    law, constants = bs.laws.Projektor(), bs.laws.Projektor.example.parameters
    at = [float(law(N, 8.0, **constants)) for N in (1e3, 1e4, 1e5)]
    assert projektor.extrapolate(1e5, 1e3, at[0], 1e4, at[1]) == pytest.approx(at[2])


# Precision and sparsity ---------------------------------------------------------------------


def test_the_best_fraction_of_quantised_tokens_is_that_of_the_lowest_loss():
    law = bs.laws.QATLoss()
    constants = {k: np.full(2, v) for k, v in law.example.parameters.items()}
    fraction, loss = qat_loss.best_fraction(constants, 1e9, 1e11, 4.0)
    one = law.example.parameters
    for other in (0.02, 0.98):
        there = float(law(1e9, (1 - other) * 1e11, other * 1e11, 4.0, **one))
        assert loss[0] <= there
    assert 0.01 < fraction[0] == fraction[1] < 0.99


def test_learning_rates_and_batches_at_the_ends_of_a_plateau_lose_what_was_allowed():
    law = bs.laws.StepLaw()
    constants = dict(law.example.parameters)
    best_lr, best_batch = law.optimum(1e9, 1e11, constants)
    best = law(1e9, 1e11, best_lr, best_batch, **constants)
    rates, batches = law.plateau(1e9, 1e11, constants, excess=0.02)
    lost = [law(1e9, 1e11, lr, best_batch, **constants) / best for lr in rates]
    assert np.allclose(lost, 1.02)
    assert rates[0] < best_lr < rates[1]
    lr = np.geomspace(best_lr / 1e3, best_lr * 1e3, 20_001)
    lost = [law(1e9, 1e11, lr, batch, **constants).min() / best for batch in batches]
    assert np.allclose(lost, 1.02, atol=1e-5)
    assert batches[0] < best_batch < batches[1]


@pytest.mark.parametrize("error", [1e-3, 0.05, 0.5])
def test_the_group_for_an_error_of_rounding_inverts_the_law(error):
    law = bs.laws.QATError(G_r=64.0)
    constants = law.presets["w4a4_2025"]
    group = law.group_for(error, 7e9, 1e12, constants)
    lost = law(7e9, 1e12, group, **constants) - law(7e9, 1e12, 1.0, **constants)
    assert group > 1
    assert lost == pytest.approx(error)


def test_half_a_parameter_counts_at_the_width_where_half_is_lost():
    law = bs.laws.EffectiveParameters()
    constants = law.example.parameters
    few = float(law(2e8, 1e10, constants["g"] * np.log(2.0), **constants))
    dense = {k: v for k, v in constants.items() if k != "g"}
    assert few == pytest.approx(float(bs.laws.Chinchilla()(1e8, 1e10, **dense)))


def test_tokens_for_a_sparsity_invert_the_law():
    law = bs.laws.ActivationSparsity()
    constants = law.presets["relu_2.4b_2024"]
    tokens = sparsity.tokens_for(0.07, constants)
    assert float(law(tokens, **constants)) == pytest.approx(0.07)
    assert np.isinf(sparsity.tokens_for(0.06, constants))


def test_sparse_runs_reach_the_loss_of_dense_ones_at_a_fraction_of_the_compute():
    law = bs.laws.MoEEfficiencyLeverage()
    constants = testing.example_of(law).parameters
    saved = float(law.leverage(0.03, 12.0, 1e21, constants=constants))
    assert saved > 3
    sparse = float(law(0.03, 12.0, 1e21, **constants))
    assert sparse == pytest.approx(float(law(1.0, 1.0, saved * 1e21, **constants)))
    assert np.isnan(moe.best_granularity({"gamma": -0.1, "beta": -0.1}))


# Inference ----------------------------------------------------------------------------------


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
