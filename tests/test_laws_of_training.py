"""Laws of training, theory and stability: what they say and what one decides by them."""

import numpy as np
import pytest

import bayescale as bs
from bayescale.laws import (
    adversarial,
    growth,
    isoflop,
    knowledge,
    logit_growth,
    massive_activation,
    nmt,
    regimes,
    u_shape,
)


def test_the_loss_along_a_run_solves_its_equation_far_from_the_data():
    law, rng = bs.laws.get("batch_trajectory"), np.random.default_rng(0)
    p = {k: v * np.exp(rng.normal(size=5000)) for k, v in law.example.parameters.items()}
    wide = [np.log10(ends) + np.array((-1, 1)) for ends in law.example.inputs.values()]
    N, S, B = (10 ** rng.uniform(*ends, 5000) for ends in wide)
    loss = law(N, S, B, **p)
    steps = S / (1 + p["B_r"] * (loss / law.at) ** (-1 / p["aB"]) / B)
    right = (p["Nc"] / N) ** p["aN"] + (p["Sc"] / steps) ** p["aS"]
    assert np.abs(np.log(right / loss)).max() < 1e-6


def test_published_numbers_are_met():
    get = bs.laws.get
    repeated = get("data_constrained")
    constants = repeated.presets["muennighoff_2023"]
    assert float(repeated(8.67e9, 178e9, 25e9, **constants)) == pytest.approx(2.2269634075, 1e-9)
    assert float(repeated(6.34e9, 242e9, 25e9, **constants)) == pytest.approx(2.2256440890, 1e-9)
    float_law = get("capybara_fp")
    critical = [
        float(float_law.critical_data(1e9, e, m, 128, float_law.presets["sun_2025"])) / 1e12
        for e, m in ((8, 7), (4, 3), (2, 1))
    ]
    assert critical == pytest.approx([1730, 27, 0.39], rel=0.02)
    batch = get("critical_batch")
    assert float(batch.critical(3.0, batch.presets["kaplan_2020"])) == pytest.approx(1.1e6, 0.05)
    qat = get("compute_optimal_qat")
    shares = [float(qat(1.0, s, 8.0, **qat.presets["dremov_2025"])) for s in (20, 1e3, 1e4)]
    assert shares == pytest.approx([0.106, 0.377, 0.482], abs=1e-3)


@pytest.mark.parametrize("at", [2.0, 3.0])
def test_published_constants_hold_at_any_reference(at):
    batch, run = bs.laws.CriticalBatch(at=at), bs.laws.BatchTrajectory(at=at)
    critical = float(batch.critical(3.0, batch.presets["kaplan_2020"]))
    assert critical == pytest.approx(2.1e8 * 3.0 ** (-1 / 0.21))
    steps = float(batch(1.0, 1e18, **batch.presets["kaplan_2020"]))
    assert steps == pytest.approx(2.1e3)
    assert float(run(1e9, 1e5, 1e5, **run.presets["kaplan_2020"])) == pytest.approx(
        float(
            bs.laws.BatchTrajectory()(
                1e9, 1e5, 1e5, **bs.laws.BatchTrajectory().presets["kaplan_2020"]
            )
        )
    )
    qat = bs.laws.QATError(N_r=at * 1e8, D_r=at * 1e10, G_r=16 * at)
    constants = qat.presets["w4a4_2025"]
    error = float(qat(1e9, 1e11, 32, **constants) - qat(1e9, 1e11, 1, **constants))
    assert error == pytest.approx(0.1582 * 1e11**0.0745 * 5**0.7779 / 1e9**0.2186)
    step = bs.laws.StepLaw(N_r=at * 1e8, D_r=at * 1e9)
    lr, best = step.optimum(1e9, 1e11, step.presets["li_2025"])
    assert lr == pytest.approx(1.797 * 1e9**-0.713 * 1e11**0.307)
    assert best == pytest.approx(0.581 * 1e11**0.571)


def test_published_constants_are_none_where_an_option_means_something_else():
    for law in (
        bs.laws.CriticalBatch(floor=1.69),
        bs.laws.RAGInference(proportion=True),
        bs.laws.LRAnnealing(decay=0.99),
    ):
        assert not law.presets, law.title
    assert bs.laws.LRAnnealing(decay=None).presets["fineweb_2025"]["lam"] == 0.999


def test_only_what_was_published_of_the_best_rates_is_a_preset():
    assert set(bs.laws.StepLaw().presets["li_2025"]) == {"lr_r", "p", "q", "B_r", "r"}


@pytest.mark.parametrize("gap", [10.0, 1000.0, 4000.0])
def test_a_fitted_memory_of_a_schedule_is_that_of_the_same_number_given(gap):
    step = np.arange(gap, 40_001.0, gap)
    lr = 2e-4 * np.interp(step, [0, 36_000, 40_000], [1, 1, 0.1])
    constants = {"E": 3.0, "A": 0.49, "alpha": 0.5, "C": 0.3}
    for memory in (0.99, 0.999, 0.9999):
        fitted = bs.laws.LRAnnealing(decay=None)(step, lr, lam=memory, **constants)
        given = bs.laws.LRAnnealing(decay=memory)(step, lr, **constants)
        np.testing.assert_allclose(fitted, given, rtol=1e-4, atol=0)


def test_a_schedule_of_models_of_several_sizes_is_that_of_the_paper():
    law = bs.laws.LRAnnealing(sizes=True, N_r=3e8)
    step, lr = np.array([1e3, 8e3, 1e4]), np.array([2e-4, 2e-4, 2e-5])
    made = law.features({"step": step, "lr": lr, "N": np.full(3, 1.06e8)}, None)
    wanted = 1.829 + 0.504 * made["S1"] ** -0.537 + 3.072 * 106**-0.195
    wanted -= 0.090 * made["S2"] * 106**0.235
    found = law(step, lr, 1.06e8, **law.presets["fineweb_2025"])
    np.testing.assert_allclose(found, wanted)
    alone = bs.laws.LRAnnealing()(step, lr, **bs.laws.LRAnnealing().presets["fineweb_2025"])
    np.testing.assert_allclose(found[1:], alone[1:], atol=0.02)


def test_a_cap_may_be_zero():
    capped = bs.laws.LogLaw(cap=0.0)([1e2, 1e6], a=-5.0, b=1.0)
    np.testing.assert_allclose(capped, [-3.0, 0.0])


def test_the_schedule_sums_are_those_of_every_step():
    steps = np.arange(1, 6001)
    lr = 3e-4 * np.where(steps < 2000, 1, 0.55 + 0.45 * np.cos(np.pi * (steps - 2000) / 4000))
    momentum, annealed = 0.0, []
    for drop in -np.diff(lr, prepend=lr[0]):
        momentum = 0.999 * momentum + drop
        annealed.append(momentum + (annealed[-1] if annealed else 0.0))
    rows = np.arange(499, 6000, 50)
    x = {"step": steps[rows].astype(float), "lr": lr[rows]}
    fixed = bs.laws.get("lr_annealing").features(x, None)
    np.testing.assert_allclose(fixed["S1"], np.cumsum(lr)[rows], rtol=1e-3)
    np.testing.assert_allclose(fixed["S2"], np.array(annealed)[rows], atol=1e-3 * max(annealed))
    fitted = bs.laws.get("lr_annealing", decay=None)
    constants = {"E": 3.0, "A": 0.5, "alpha": 0.5, "C": 0.3}
    np.testing.assert_allclose(
        fitted(*x.values(), **constants, lam=np.array(0.999)),
        bs.laws.get("lr_annealing")(*x.values(), **constants),
        rtol=1e-5,
    )


def test_a_transferable_law_pools_its_shares():
    from bayescale.pooling import Partial, resolve_pooling

    pooling = resolve_pooling(bs.laws.get("hitchhiker").parameters, ("family",), None)
    assert all(isinstance(pooling[name], Partial) for name in ("E", "B", "alpha", "beta"))


def test_the_optimum_of_slices_grows_as_it_was_made():
    budgets = np.array([1e18, 1e19, 1e20])
    exponent, log_level = isoflop.growth(2.0 * budgets[None] ** np.array([[0.4], [0.6]]), budgets)
    np.testing.assert_allclose(exponent, [0.4, 0.6])
    np.testing.assert_allclose(log_level, np.log(2.0))


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
