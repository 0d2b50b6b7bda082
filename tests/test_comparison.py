"""What a comparison promises, in the order in which a user meets it."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import logsumexp

import bayescale as bs
from bayescale.comparison import comparison, holdout
from bayescale.comparison.stacking import stacking_weights
from bayescale.fitting import known_fit
from bayescale.laws import OffsetPowerLaw, PowerLaw
from bayescale.laws.schedules import schedules
from bayescale.model.structure import structure_of
from bayescale.sweeps import execution

DRAWS = 400
TRUTH = {"E": 1.5, "A": 40.0, "alpha": 0.1}


def table(rows=30, families=("lstm",), sigma=0.01, seed=0):
    rng = np.random.default_rng(seed)
    x = np.geomspace(1e16, 1e20, rows)
    y = OffsetPowerLaw()(x, **TRUTH)
    found = {"arch": [], "flops": [], "loss": []}
    for i, family in enumerate(families):
        found["arch"] += [family] * rows
        found["flops"] += x.tolist()
        found["loss"] += (y * (1 + 0.1 * i) * np.exp(sigma * rng.standard_normal(rows))).tolist()
    return found


def runs_of(found, groups=False):
    return bs.Runs(found, y="loss", x={"C": "flops"}, groups={"family": "arch"} if groups else None)


def jittered(value, width, rng):
    return value * np.exp(width * rng.standard_normal(DRAWS))


def true_fit(runs, width=0.002, seed=1, **options):
    rng = np.random.default_rng(seed)
    values = {name: jittered(v, width, rng) for name, v in TRUTH.items()}
    return known_fit(OffsetPowerLaw(), runs, {**values, "sigma": 0.01}, **options)


def straight_fit(runs, sigma=0.05, seed=2):
    """The best straight line in log-log, which misses the floor."""
    rng = np.random.default_rng(seed)
    slope, level = np.polyfit(np.log(runs.x["C"]), np.log(runs.y), 1)
    values = {"A": jittered(np.exp(level), 0.002, rng), "alpha": -slope, "sigma": sigma}
    return known_fit(PowerLaw(), runs, values)


@pytest.fixture(scope="module")
def pair():
    runs = runs_of(table(rows=120))
    return bs.compare({"straight": straight_fit(runs), "with floor": true_fit(runs)})


# The table ----------------------------------------------------------------------------------------


def test_the_form_behind_the_data_comes_first(pair):
    assert list(pair.table.index) == ["with floor", "straight"]
    assert pair.best == "with floor"
    assert pair.contenders == ("with floor",)
    assert pair.table.elpd_diff.iloc[0] == 0.0
    assert pair.table.elpd_diff.iloc[1] < -50
    assert pair.weights["with floor"] > 0.9


def test_what_was_found_stays_when_its_table_is_changed(pair):
    shown, said, weights, density = pair.table, pair.verdict, pair.weights, pair.pointwise
    shown["weight"], shown["elpd_diff"] = 0.5, 0.0
    shown.index = shown.index[::-1]
    weights[:] = 0.5
    density.loc[:] = 0.0
    assert (pair.best, pair.verdict) == ("with floor", said)
    assert pair.weights["with floor"] > 0.9
    assert pair.pointwise.loc["with floor"].all()


def test_scores_add_up_over_the_rows_of_the_table(pair):
    assert pair.pointwise.shape == (2, 120)
    assert list(pair.pointwise.columns) == list(range(120))
    np.testing.assert_allclose(pair.pointwise.sum(axis=1), pair.table.elpd)
    difference = pair.pointwise.loc["straight"] - pair.pointwise.loc["with floor"]
    np.testing.assert_allclose(difference.sum(), pair.table.elpd_diff["straight"])
    np.testing.assert_allclose(
        np.sqrt(120) * difference.std(ddof=1), pair.table.se_diff["straight"]
    )


def test_elpd_is_that_of_arviz():
    import arviz as az

    fit = true_fit(runs_of(table()))
    loo = az.loo(fit.data, var_name="y")
    row = bs.compare({"one": fit}).table.loc["one"]
    np.testing.assert_allclose([row.elpd, row.p_loo], [loo.elpd, loo.p], rtol=1e-6, atol=1e-6)


def test_fits_of_y_and_of_log_y_share_one_scale():
    found = table(sigma=0.001)
    runs = runs_of(found)
    rng = np.random.default_rng(1)
    values = {name: jittered(v, 2e-4, rng) for name, v in TRUTH.items()}
    middle = float(np.exp(np.log(runs.y).mean()))
    on_log = known_fit(OffsetPowerLaw(), runs, {**values, "sigma": 1e-3})
    on_y = known_fit(OffsetPowerLaw(), runs, {**values, "sigma": 1e-3 * middle}, noise=bs.Normal())
    scores = bs.compare({"log y": on_log, "y": on_y}, max_refits=0).table.elpd
    assert abs(scores["log y"] - scores["y"]) < 0.1 * abs(scores["y"])


def test_counts_are_compared_like_any_response():
    from scipy.stats import binom

    found = {"flops": np.geomspace(1e16, 1e20, 12), "right": np.arange(200, 320, 10)}
    runs = bs.Runs(found | {"asked": np.full(12, 400)}, y=("right", "asked"), x={"C": "flops"})
    rate = jittered((runs.y / runs.trials).mean(), 1e-4, np.random.default_rng(0))
    values = {"alpha": np.full(DRAWS, 1e-9), "A": rate}
    flat = known_fit(PowerLaw(), runs, values, noise=bs.Binomial())
    score = bs.compare({"flat": flat}, max_refits=0).table.elpd["flat"]
    np.testing.assert_allclose(score, binom.logpmf(runs.y, 400, rate.mean()).sum(), rtol=1e-3)


# What is refused ----------------------------------------------------------------------------------


def test_fits_of_different_rows_are_refused():
    one, other = runs_of(table()), runs_of(table(seed=1))
    with pytest.raises(ValueError, match=r"'b'.*different rows: y differs"):
        bs.compare({"a": straight_fit(one), "b": straight_fit(other)})
    shorter = one.select(np.arange(10))
    with pytest.raises(ValueError, match=r"\(30 rows\) and 'b' \(10 rows\)"):
        bs.compare({"a": straight_fit(one), "b": straight_fit(shorter)})
    moved = {**table(), "flops": (2 * np.geomspace(1e16, 1e20, 30)).tolist()}
    with pytest.raises(ValueError, match="C differs"):
        bs.compare({"a": straight_fit(one), "b": straight_fit(runs_of(moved))})


def test_rows_whose_labels_or_errors_differ_are_different_rows():
    found = table(families=("lstm", "mlp")) | {"se": [0.01] * 60, "w": [1.0] * 60, "run": range(60)}
    swapped = ["mlp", "lstm"]

    def fit_of(**changes):
        return straight_fit(
            bs.Runs(
                found | changes,
                y="loss",
                x={"C": "flops"},
                groups={"family": "arch"},
                y_se="se",
                weight="w",
                sequence="run",
            )
        )

    for differs, changes in {
        "family": {"arch": np.repeat(swapped, 30)},
        "y_se": {"se": [0.02] * 60},
        "weight": {"w": [1.0, 2.0] * 30},
        "sequence": {"run": range(60, 120)},
    }.items():
        with pytest.raises(ValueError, match=rf"different rows: {differs} differs"):
            bs.compare({"a": fit_of(), "b": fit_of(**changes)})
    runs = runs_of(found, groups=True)
    whole = {"one": straight_fit(runs), "other": straight_fit(runs.select(np.arange(60)))}
    assert len(bs.compare({**whole, "no groups": straight_fit(runs_of(found))}, max_refits=0).table)


def test_a_list_of_fits_has_no_names():
    with pytest.raises(ValueError, match="mapping of names to fits"):
        bs.compare([straight_fit(runs_of(table()))])


def test_what_is_no_fit_is_named():
    with pytest.raises(ValueError, match=r"'b' is a int, no fit: give what bs\.fit returns"):
        bs.compare({"a": straight_fit(runs_of(table())), "b": 1})


def test_what_is_left_out_must_exist():
    plain, grouped = runs_of(table()), runs_of(table(), groups=True)
    with pytest.raises(ValueError, match="'loo', 'lfo'; the table has no groups"):
        bs.compare({"a": straight_fit(plain)}, by="family")
    with pytest.raises(ValueError, match="'lfo' or a group \\(family\\)"):
        bs.compare({"a": straight_fit(grouped)}, by="famly")
    with pytest.raises(ValueError, match="'family' has one label only"):
        bs.compare({"a": straight_fit(grouped)}, by="family")
    with pytest.raises(ValueError, match="at least two scales"):
        bs.compare({"a": true_fit(plain.select([0]))}, by="lfo")


# Rows that importance sampling cannot handle ------------------------------------------------------


def sampler(draws_of, calls):
    """Stands in for the sampler: says what it was asked and answers with chosen draws."""

    def sample(structure, arrays, *, draws, chains, **options):
        calls.append(SimpleNamespace(structure=structure, arrays=arrays, options=options))
        made = draws_of(structure, arrays, draws, chains)
        shape = next(iter(made.values())).shape[:2]
        energy = np.random.default_rng(0).standard_normal(shape)
        for name in [name for name, v in made.items() if np.ptp(v) == 0]:
            made[name] = made[name] + 1e-9 * energy[..., None]  # no sampler stands still
        stats = {"energy": energy, "diverging": np.zeros(shape, bool)}
        return SimpleNamespace(draws=made, stats=stats)

    return sample


@pytest.fixture(autouse=True)
def one_core(monkeypatch):
    """Refits run one after the other, so that their calls can be told apart."""
    monkeypatch.setattr(execution, "available_cores", lambda: 1)


def spread(fit, chains=2):
    """Draws of a fit dealt to several chains."""
    return {k: v.reshape(chains, -1, *v.shape[2:]) for k, v in fit.draws.items()}


@pytest.fixture
def outlier():
    """A fit that leans on one row so much that leaving it out needs a refit."""
    found = table()
    found["loss"][4] *= 1.5
    runs = runs_of(found)
    rng = np.random.default_rng(3)
    values = {name: jittered(v, 0.01, rng) for name, v in TRUTH.items()}
    return true_fit(runs), known_fit(OffsetPowerLaw(), runs, {**values, "sigma": 0.01})


def bad_rows(fit):
    import warnings

    import arviz as az

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        loo = az.loo(fit.data, var_name="y", pointwise=True)
    return np.flatnonzero(loo.pareto_k.values > loo.good_k), loo.elpd_i.values


def test_rows_with_a_high_pareto_k_are_refitted_without_them(outlier, monkeypatch):
    better, leaning = outlier
    bad, psis = bad_rows(leaning)
    assert 0 < len(bad) <= 30
    calls = []
    monkeypatch.setattr(holdout, "sample", sampler(lambda *_: spread(better), calls))
    result = bs.compare({"leaning": leaning})
    assert result.table.refits["leaning"] == len(bad) == len(calls)
    assert result.table.high_k["leaning"] == 0
    assert result.table.diag_elpd["leaning"] == ""
    assert [len(c.arrays["y"]) for c in calls] == [29] * len(bad)
    for row, call in zip(bad, calls, strict=True):
        assert leaning.arrays["y"][row] not in call.arrays["y"]
    exact = logsumexp(better.log_likelihood, axis=(0, 1)) - np.log(DRAWS)
    np.testing.assert_allclose(result.pointwise.loc["leaning"].to_numpy()[bad], exact[bad])
    good = np.setdiff1d(np.arange(30), bad)
    np.testing.assert_allclose(result.pointwise.loc["leaning"].to_numpy()[good], psis[good])


def test_more_bad_rows_than_refits_are_left_out_together(outlier, monkeypatch):
    better, leaning = outlier
    bad, _ = bad_rows(leaning)
    assert len(bad) > 2
    calls = []
    monkeypatch.setattr(holdout, "sample", sampler(lambda *_: spread(better), calls))
    result = bs.compare({"leaning": leaning}, max_refits=2)
    assert result.table.refits["leaning"] == len(calls) == 2
    assert sum(30 - len(c.arrays["y"]) for c in calls) == len(bad)
    assert result.table.high_k["leaning"] == 0


def test_rows_that_are_left_out_together_are_of_different_groups():
    rows, cell = np.arange(12), np.repeat([0, 1, 2], 4)
    batches = holdout.batches_of(rows, cell, 4)
    assert sorted(np.concatenate(batches)) == list(rows)
    assert [sorted(cell[batch]) for batch in batches] == [[0, 1, 2]] * 4
    assert holdout.batches_of(rows[:0], cell[:0], 4) == []
    assert holdout.batches_of(rows, cell, 0) == []


def test_without_refits_the_table_and_the_verdict_own_up(outlier):
    _, leaning = outlier
    bad, psis = bad_rows(leaning)
    result = bs.compare({"leaning": leaning}, max_refits=0)
    assert result.table.high_k["leaning"] == len(bad)
    assert f"{len(bad)} k̂ >" in result.table.diag_elpd["leaning"]
    assert f"{len(bad)} densities rest on importance sampling" in result.verdict
    np.testing.assert_allclose(result.pointwise.loc["leaning"], psis)


def test_a_refit_that_breaks_is_reported_and_not_fatal(outlier, monkeypatch, caplog):
    _, leaning = outlier
    bad, psis = bad_rows(leaning)

    def breaks(*_):
        raise RuntimeError("All initialization points failed")

    monkeypatch.setattr(holdout, "sample", sampler(breaks, []))
    result = bs.compare({"leaning": leaning}, max_refits=1)
    assert result.table.refits_failed["leaning"] == 1
    assert result.table.high_k["leaning"] == len(bad)
    assert "1 of 1 refits failed" in result.verdict
    assert "All initialization points failed" in caplog.text
    np.testing.assert_allclose(result.pointwise.loc["leaning"], psis)


def test_a_refit_whose_chains_disagree_is_tried_again_with_care_and_reported(outlier, monkeypatch):
    better, leaning = outlier
    apart = {
        k: v + np.array([0.0, 0.1]).reshape(2, *[1] * (v.ndim - 1))
        for k, v in spread(better).items()
    }
    calls = []
    monkeypatch.setattr(holdout, "sample", sampler(lambda *_: apart, calls))
    result = bs.compare({"leaning": leaning}, max_refits=1)
    assert [c.options["target_accept"] for c in calls] == [0.85, 0.97]
    assert result.table.refits["leaning"] == result.table.refits_failed["leaning"] == 1
    assert "did not converge" in result.verdict


# What the verdict says ----------------------------------------------------------------------------


def test_small_differences_cannot_be_told_apart():
    runs = runs_of(table(rows=120))
    result = bs.compare({"a": true_fit(runs, seed=1), "b": true_fit(runs, seed=2)})
    assert set(result.contenders) == {"a", "b"}
    assert "cannot be told apart" in result.verdict
    assert result.table.diag_diff.iloc[1] == "|elpd_diff| < 4"


def test_differences_within_two_standard_errors_cannot_be_told_apart(pair):
    noisy = pair.table.assign(elpd_diff=[0.0, -9.0], se_diff=[0.0, 5.0])
    assert len(comparison.Comparison(pair.fits, "loo", noisy, pair.pointwise).contenders) == 2
    clear = pair.table.assign(elpd_diff=[0.0, -9.0], se_diff=[0.0, 4.0])
    assert len(comparison.Comparison(pair.fits, "loo", clear, pair.pointwise).contenders) == 1


def test_the_verdict_names_the_winner_and_by_how_much(pair):
    diff, se = pair.table.loc["straight", ["elpd_diff", "se_diff"]]
    assert pair.verdict.startswith("'with floor' describes these data best.")
    assert f"'straight' ({diff:.1f} ± {se:.1f})" in pair.verdict


def test_no_verdict_hides_a_fit_that_did_not_converge(pair):
    strayed = {**pair.fits}
    wrong = straight_fit(runs_of(table(rows=120)))
    strayed["straight"] = replace(wrong, diagnostics={"converged": False})
    result = bs.compare(strayed)
    assert not result.table.converged["straight"]
    assert "did not converge: 'straight'" in result.verdict
    assert "did not converge" not in pair.verdict


def test_few_rows_are_called_few():
    runs = runs_of(table(rows=30))
    result = bs.compare({"a": true_fit(runs), "b": straight_fit(runs)})
    assert result.table.diag_diff.iloc[1] == "N < 100"
    assert "With 30 rows the standard errors are rough" in result.verdict


def test_a_single_fit_is_scored_without_a_winner():
    result = bs.compare({"only": true_fit(runs_of(table()))})
    assert result.weights["only"] == 1.0
    assert "nothing to compare" in result.verdict


def test_it_shows_table_and_verdict(pair):
    assert "elpd_diff" in repr(pair)
    assert pair.verdict in repr(pair)
    assert "<table" in pair._repr_html_()
    assert "&#x27;with floor&#x27;" in pair._repr_html_()


def test_it_draws_itself(pair):
    assert [t.get_text() for t in pair.plot().get_yticklabels()] == ["with floor", "straight"]


# Weights and the mixed forecast -------------------------------------------------------------------


def log_score(density, weights, importance):
    return float(importance @ np.log(weights @ np.exp(density)))


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 10_000), st.integers(2, 4), st.integers(1, 30))
def test_no_other_mixture_scores_higher(seed, forms, items):
    rng = np.random.default_rng(seed)
    density, importance = rng.normal(0, 2, (forms, items)), rng.uniform(0.2, 1, items)
    weights = stacking_weights(density, importance)
    assert weights.sum() == pytest.approx(1.0)
    assert (weights >= 0).all()
    best = log_score(density, weights, importance)
    others = [*np.eye(forms), *rng.dirichlet(np.ones(forms), 200)]
    assert best >= max(log_score(density, w, importance) for w in others) - 1e-6 * items


def test_weights_survive_densities_that_underflow():
    density = np.array([[-2000.0, -3000.0], [-2001.0, -2999.0]])
    expected = stacking_weights(density + 2500, np.ones(2))
    np.testing.assert_allclose(stacking_weights(density, np.ones(2)), expected)


def test_a_mixed_forecast_contains_the_disagreement(pair):
    even = pair.table.assign(weight=0.5)
    mixed = comparison.Comparison(pair.fits, "loo", even, pair.pointwise)
    at = {"C": [1e26]}
    medians = [float(fit.forecast(at).table["median"].iloc[0]) for fit in pair.fits.values()]
    band = mixed.forecast(at, ci_prob=0.9, random_seed=1).table.iloc[0]
    assert band["lower_0.9"] < min(medians)
    assert band["upper_0.9"] > max(medians)
    assert max(medians) / min(medians) > 1.25


def test_a_form_without_weight_is_not_mixed_in(pair):
    alone = pair.table.assign(weight=[1.0, 0.0])
    mixed = comparison.Comparison(pair.fits, "loo", alone, pair.pointwise)
    at = {"C": [1e26]}
    ours = mixed.forecast(at, kind="mean").table["median"]
    theirs = pair.fits["with floor"].forecast(at, kind="mean").table["median"]
    np.testing.assert_allclose(ours, theirs, rtol=1e-2)


# Hidden scales and hidden labels ------------------------------------------------------------------


def test_the_future_is_the_largest_scales_of_every_curve():
    found = table(rows=20, families=("lstm", "mlp"))
    found["flops"][20:] = np.geomspace(1e18, 1e22, 20)
    runs = runs_of(found, groups=True)
    folds = holdout.future_folds([straight_fit(runs)])
    assert [int(fold.hidden.sum()) for fold in folds] == [20, 14, 8]
    for fold in folds:
        assert np.array_equal(fold.seen, ~fold.hidden)
        for code in (0, 1):
            mine = runs.codes["family"] == code
            x = runs.x["C"]
            assert x[mine & fold.seen].max() < x[mine & fold.hidden].min()


def test_labels_of_the_noise_make_no_curves_whose_largest_scale_stays_in():
    n, d = np.repeat(np.geomspace(1e7, 1e10, 7), 6), np.tile(np.geomspace(1e9, 1e11, 6), 7)
    found = {"N": n, "D": d, "loss": 1.7 + 400 * n**-0.34 + 1000 * d**-0.3}
    found["size"] = [f"{size:.0e}" for size in n]
    inputs = {"N": "N", "D": "D"}
    one = bs.Runs(found, y="loss", x=inputs)
    with pytest.warns(bs.RunsWarning, match="one distinct N"):
        sized = bs.Runs(found, y="loss", x=inputs, groups=["size"])

    def fit_of(runs, noise):
        structure = structure_of(bs.laws.Chinchilla(), runs, None, noise, None)
        return SimpleNamespace(structure=structure, runs=runs, arrays={})

    plain, of_sizes = fit_of(one, bs.LogStudentT()), fit_of(sized, bs.LogStudentT())
    effect = fit_of(sized, bs.LogStudentT() + bs.Effect("size"))
    curve = [fold.hidden for fold in holdout.future_folds([plain])]
    assert n[curve[0]].max() > n[~curve[0]].max()
    for fits in ([effect], [effect, plain]):
        hidden = [fold.hidden for fold in holdout.future_folds(fits)]
        np.testing.assert_array_equal(hidden, curve)
    for fold in holdout.future_folds([effect, of_sizes]):
        assert set(n[fold.seen]) == set(n[fold.hidden]) == set(n)


def test_the_future_of_a_schedule_is_the_end_of_its_runs():
    found = schedules(np.random.default_rng(1), 60)
    found["loss"] = np.linspace(3.3, 3.1, 60)
    symbols = {"step": "step", "lr": "lr"}
    runs = bs.Runs(found, y="loss", x=symbols, sequence="sequence")
    fit = known_fit(bs.laws.LRAnnealing(), runs, {"E": 3.0, "A": 0.5, "alpha": 0.5, "C": 0.3})
    for fold in holdout.future_folds([fit]):
        assert runs.x["step"][fold.seen].max() < runs.x["step"][fold.hidden].min()


def test_runs_at_one_scale_are_hidden_together():
    runs = runs_of({"flops": np.repeat([1e17, 1e18, 1e19], 3), "loss": [3.0, 2.9, 2.8] * 3})
    for fold in holdout.future_folds([straight_fit(runs)]):
        hidden = set(runs.x["C"][fold.hidden])
        assert not hidden & set(runs.x["C"][fold.seen])


def test_hidden_scales_are_scored_by_what_the_smaller_ones_say(monkeypatch):
    runs = runs_of(table(rows=20))
    fit, calls = true_fit(runs), []

    def truth(structure, arrays, draws, chains):
        return spread(true_fit(runs.select(np.arange(len(arrays["y"])))), chains)

    monkeypatch.setattr(holdout, "sample", sampler(truth, calls))
    result = bs.compare({"a": fit}, by="lfo")
    assert [len(c.arrays["y"]) for c in calls] == [10, 13, 16]
    assert list(result.pointwise.columns) == list(range(10, 20))
    assert "p_loo" not in result.table
    assert result.table.refits["a"] == 3
    expected = known_fit(OffsetPowerLaw(), runs, {**TRUTH, "sigma": 0.01}).log_likelihood[0, 0, 10:]
    np.testing.assert_allclose(result.pointwise.loc["a"], expected, atol=0.5)


def test_hidden_measurements_keep_their_own_standard_errors():
    from bayescale.forecast.points import predict_runs

    found = table(rows=10) | {"error": np.linspace(0.001, 0.5, 10)}
    runs = bs.Runs(found, y="loss", x={"C": "flops"}, y_se="error")
    fit = true_fit(runs)
    predicted = predict_runs(fit.structure, fit.flat_draws, fit.arrays, runs, runs)
    expected = np.sqrt(0.01**2 + (runs.y_se / runs.y) ** 2)
    np.testing.assert_allclose(predicted.sd[0], expected)


def test_a_hidden_label_is_predicted_as_one_never_seen(monkeypatch):
    families = ("gru", "lstm", "mlp", "rwkv", "transformer")
    runs = runs_of(table(rows=8, families=families), groups=True)
    fit, calls = straight_fit(runs), []

    def pooled(structure, arrays, draws, chains):
        seen = SimpleNamespace(labels=structure.sizes)
        assert seen.labels == (4,)
        return {
            f"{q.name}_raw": np.random.default_rng(0).normal(
                0, 0.05, (chains, draws, len(structure.units[q.name]))
            )
            for q in structure.parameters
        }

    monkeypatch.setattr(holdout, "sample", sampler(pooled, calls))
    result = bs.compare({"a": fit, "b": fit}, by="family")
    assert len(calls) == 10
    assert [len(c.arrays["y"]) for c in calls[:5]] == [32] * 5
    assert result.pointwise.shape == (2, 40)
    assert np.isfinite(result.pointwise.to_numpy()).all()
    by_family = result.pointwise.loc["a"].to_numpy().reshape(5, 8).sum(axis=1)
    np.testing.assert_allclose(result.table.se["a"], np.sqrt(5) * by_family.std(ddof=1))


def test_rows_of_a_fold_that_broke_are_scored_for_no_fit(monkeypatch):
    runs = runs_of(table(rows=20))
    one, other, calls = true_fit(runs), straight_fit(runs), []

    def breaks(structure, arrays, draws, chains):
        if structure == one.structure and len(arrays["y"]) == 10:
            raise RuntimeError("no")
        return spread(one if structure == one.structure else other, chains)

    monkeypatch.setattr(holdout, "sample", sampler(breaks, calls))
    result = bs.compare({"a": one, "b": other}, by="lfo")
    assert result.pointwise.shape == (2, 7)
    assert result.table.refits_failed.to_dict() == {"a": 1, "b": 0}


# With the sampler ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sampled():
    found = table(rows=10, families=("lstm", "mlp"))
    runs = runs_of(found, groups=True)
    options = {"draws": 500, "tune": 500, "random_seed": 1, "progressbar": False}
    pooling = {"alpha": bs.Shared()}
    return bs.fit(PowerLaw(), runs, pooling=pooling, **options)


def test_exact_refits_agree_with_importance_sampling_where_that_is_sound(sampled):
    held = holdout.leave_one_out(sampled, max_refits=40, random_seed=1)
    row = int(np.argmin(np.abs(held.pareto_k - 0.2)))
    keep = np.arange(20) != row
    arrays = holdout.without_rows(sampled.arrays, keep)
    again = holdout._sample_again(
        sampled.structure, arrays, draws=500, chains=2, random_seed=2, cores=1
    )
    assert again is not None
    assert again.trusted
    each = holdout.log_likelihood(sampled.structure, again.draws, sampled.arrays)[..., row]
    assert np.log(np.exp(each).mean()) == pytest.approx(held.log_density[row], abs=0.1)


def test_the_same_seed_gives_the_same_table(sampled):
    one, other = (bs.compare({"a": sampled}, by="lfo", random_seed=3) for _ in range(2))
    assert one.table.equals(other.table)
    assert one.table.refits["a"] == 3
