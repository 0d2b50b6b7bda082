"""Hide the largest scales, forecast them, and score the forecasts."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom

import bayescale as bs
from bayescale.backtesting import Backtest, doubted
from bayescale.backtesting.hiding import labels_hidden, scales_hidden
from bayescale.backtesting.scores import crps
from bayescale.backtesting.scoring import Case
from bayescale.forecast.predictive import Points, Predictive
from bayescale.laws.parameters import Parameters
from bayescale.laws.schedules import schedules
from bayescale.noise import Discrepancy


def table_of(families=2, rows=9, drift=0.0):
    x = np.geomspace(1e17, 1e21, rows)
    rng = np.random.default_rng(0)
    columns = {"flops": [], "loss": [], "arch": []}
    for f in range(families):
        y = (1.5 + 3e3 * x**-0.19) * np.exp(0.01 * rng.standard_normal(rows))
        columns["flops"] += list(x)
        columns["loss"] += list(y * np.exp(drift * np.log10(x / 1e19).clip(0)))
        columns["arch"] += [f"f{f}"] * rows
    return bs.Runs(columns, y="loss", x={"C": "flops"}, groups={"family": "arch"})


@pytest.fixture(scope="session")
def tested():
    laws = {"floor": bs.laws.OffsetPowerLaw(), "no floor": bs.laws.PowerLaw()}
    return bs.backtest(laws, table_of(), cut=(0.8, 1.3), draws=200, tune=200, chains=2)


@pytest.fixture(scope="session")
def tested_fit():
    from bayescale.fitting import Fit
    from bayescale.model.arrays import arrays_of
    from bayescale.model.structure import structure_of
    from bayescale.sampling.gate import diagnose
    from bayescale.sampling.sampling import sample

    runs, law = table_of(), bs.laws.OffsetPowerLaw()
    structure = structure_of(law, runs, None, bs.LogStudentT(), None)
    arrays = arrays_of(structure, runs)
    made = sample(structure, arrays, draws=200, tune=200, chains=2, random_seed=0)
    found = diagnose(made.draws, made.stats)
    return Fit(law, runs, structure, arrays, made.draws, made.stats, found)


def test_rolling_cuts_hide_the_largest_scales_of_every_family():
    runs = table_of()
    hides = scales_hidden(runs, ("family",), (0.8, 1.3), 2, None)
    assert list(hides) == ["0.8 decades", "1.3 decades"]
    assert [h.sum() for h in hides.values()] == [4, 6]
    for hidden in hides.values():
        assert runs.x["C"][hidden].min() > runs.x["C"][~hidden].max()


def test_scales_are_hidden_from_laws_whose_noise_has_an_effect_of_every_size():
    size = np.repeat(np.geomspace(1e6, 1e9, 7), 2)
    loss = 20 * size**-0.1 * np.exp(0.01 * np.random.default_rng(0).standard_normal(14))
    table = {"N": size, "loss": loss, "size": [f"{n:.0e}" for n in size]}
    with pytest.warns(bs.RunsWarning, match="one distinct N"):
        runs = bs.Runs(table, y="loss", x={"N": "N"}, groups=["size"])
    noise = bs.LogStudentT() + bs.Effect("size")
    hidden = bs.backtest(
        bs.laws.PowerLaw(), runs, noise=noise, cut=(0.8,), draws=100, tune=200, chains=2
    )
    assert hidden.points["row"].tolist() == [10, 11, 12, 13]
    np.testing.assert_allclose(hidden.points["decades_beyond"], [0.5, 0.5, 1.0, 1.0])


def test_one_cut_is_one_number():
    hides = scales_hidden(table_of(), ("family",), 0.8, 2, None)
    assert list(hides) == ["0.8 decades"]
    for nothing in ((), 0.0, (0.3, -1.0), float("nan")):
        with pytest.raises(ValueError, match=r"cut is in decades and must be positive, e\.g\. cut"):
            bs.backtest(bs.laws.PowerLaw(), table_of(), cut=nothing)


def test_what_is_no_law_or_table_is_not_tested(tested_fit):
    with pytest.raises(ValueError, match=r"the law is a list: give one of bs\.laws"):
        bs.backtest([tested_fit])
    with pytest.raises(ValueError, match=r"the table is a dict: write bs\.Runs"):
        bs.backtest(tested_fit, {"C": [1e17]})


def test_a_cut_spares_curves_that_it_would_empty():
    assert scales_hidden(table_of(), ("family",), (9.0,), 2, None) == {}
    with pytest.raises(ValueError, match="nothing to hide"):
        bs.backtest(bs.laws.PowerLaw(), table_of(), cut=(9.0,))


def test_the_hidden_end_of_a_schedule_is_forecast_as_the_end_of_its_run():
    law, table = bs.laws.LRAnnealing(), schedules(np.random.default_rng(1), 60)
    x = {"step": table["step"], "lr": table["lr"]}
    p = Parameters(np, law.presets["fineweb_2025"])
    truth = law.mean(np, p, *law.features(x, table["sequence"]).values())
    scatter = np.exp(0.001 * np.random.default_rng(0).normal(size=60))
    symbols = {"step": "step", "lr": "lr"}
    runs = bs.Runs({**table, "y": truth * scatter}, y="y", x=symbols, sequence="sequence")
    options = {"draws": 200, "tune": 200, "chains": 2, "noise": bs.LogNormal()}
    points = bs.backtest(law, runs, cut=(0.1,), **options).points
    np.testing.assert_allclose(points["median"], truth[points["row"]], rtol=0.02)


def test_a_family_is_left_out_but_for_its_smallest_runs():
    runs = table_of()
    hides = labels_hidden(runs, "family", 3, None)
    assert list(hides) == ["f0", "f1"]
    assert hides["f0"].sum() == 6
    assert np.all(runs.codes["family"][hides["f0"]] == 0)
    with pytest.raises(ValueError, match="by='arch' is no group; there are family"):
        labels_hidden(runs, "arch", 3, None)


def test_the_table_scores_every_law_and_cut(tested):
    table = tested.table.set_index(["law", "cut"])
    assert len(table) == 4
    floor, plain = table.loc["floor"], table.loc["no floor"]
    assert np.all(floor["rmsle"] < plain["rmsle"])
    assert np.all(floor["log_density"] > plain["log_density"])
    assert np.all(floor["crps"] < plain["crps"])
    np.testing.assert_allclose(floor["decades_beyond"], [1.0, 1.5])
    assert np.all(floor["width_0.95"] > floor["width_0.5"])


def test_every_hidden_run_is_listed_with_what_was_said_about_it(tested):
    points = tested.points
    assert len(points) == 2 * (4 + 6)
    inside = (points["lower_0.9"] <= points["y"]) & (points["y"] <= points["upper_0.9"])
    assert np.array_equal(inside, points["inside_0.9"])
    assert np.all((points["probability_below"] >= 0) & (points["probability_below"] <= 1))


def test_the_figure_has_a_line_for_every_law_and_the_diagonal(tested):
    import matplotlib.pyplot as plt

    ax = tested.plot()
    assert len(ax.lines) == 3
    said = [t.get_text() for t in ax.figure.legends[0].get_texts()]
    assert said[:2] == ["floor, 10 forecasts", "no floor, 10 forecasts"]
    assert said[2] == "chance, 90 % of 10 forecasts"
    (chance,) = ax.collections
    at_half = chance.get_paths()[0].vertices
    at_half = at_half[np.isclose(at_half[:, 0], 0.5), 1]
    assert np.unique(at_half) == pytest.approx([0.2, 0.8]), "binomial, 10 of probability 1/2"
    plt.close(ax.figure)


def test_a_law_must_be_named_when_there_are_several(tested):
    with pytest.raises(ValueError, match="law must be one of floor, no floor, not None"):
        tested.verdict()


def known(error, sd=0.01, curves=40, cut=1.0, change=0.0):
    """Back-test of flat forecasts that are wrong by known amounts on the log scale."""
    x = np.geomspace(1e9, 2e9, curves)
    y = np.exp(np.broadcast_to(error, (curves,)))
    runs = bs.Runs({"x": x, "y": y}, y="y", x="x")
    zeros = np.zeros((4000, curves))
    rows = np.arange(curves)
    away = {"x": np.full(curves, cut * np.log(10.0))}
    reach = zeros[:1], zeros[:1]
    points = Points(rows, away, tuple((i,) for i in rows), rows, rows, np.full(curves, -1), reach)
    made = Predictive(bs.LogNormal(), np.exp(zeros), zeros, zeros + sd, Parameters(np, {}), points)
    changes = zeros + change
    case = Case("law", f"{cut:g}", made, made, changes, rows, True)
    return Backtest((case,), runs, (0.5, 0.9), None)


def test_counts_have_the_probabilities_of_counts_below_them():
    rng, curves = np.random.default_rng(0), 400
    x, rows = np.geomspace(1e9, 2e9, curves), np.arange(curves)
    rate, trials = rng.uniform(0.02, 0.9, curves), np.full(curves, 10)
    solved = rng.binomial(trials, rate)
    runs = bs.Runs({"x": x, "k": solved, "n": trials}, y=("k", "n"), x="x")
    alone = np.full(curves, -1)
    log_x, cells = {"x": np.log(x)}, tuple((i,) for i in rows)
    reach = log_x["x"][None], log_x["x"][None]
    points = Points(rows, log_x, cells, rows, rows, alone, reach, trials)
    logits = np.log(rate / (1 - rate))[None]
    made = Predictive(bs.Binomial(), rate[None], logits, (), Parameters(np, {}), points)
    tested = Backtest((Case("law", "1", made, made, None, rows, True),), runs, (0.5,), None)
    below = tested.points["probability_below"].to_numpy()
    wanted = binom.cdf(solved, trials, rate) - binom.pmf(solved, trials, rate) / 2
    np.testing.assert_allclose(below, wanted)
    np.testing.assert_allclose(below.mean(), 0.5, atol=0.03)


def test_a_hidden_response_that_cannot_be_is_counted_against_the_law():
    tested = known(0.05 * np.random.default_rng(1).standard_normal(40))
    y = np.array(tested.runs.y)
    y[0] = 0.0
    zero = replace(tested, runs=bs.Runs({"x": tested.runs.x["x"], "y": y}, y="y", x="x"))
    assert zero.points["log_density"][0] == -np.inf
    assert zero.points["probability_below"][0] == 0.0
    assert zero.table["log_density"].tolist() == [-np.inf]
    assert zero.table["rmsle"].tolist() == [np.inf]
    assert zero.discrepancy().scale == pytest.approx(tested.discrepancy().scale, rel=0.3)


def test_hidden_rows_go_by_their_number_in_the_table_of_the_user():
    tested = known(0.01 * np.random.default_rng(1).standard_normal(40))
    columns = {"x": [1e9, *tested.runs.x["x"]], "y": [1.0, *tested.runs.y], "w": [0] + [1] * 40}
    weighted = replace(tested, runs=bs.Runs(columns, y="y", x="x", weight="w"))
    assert weighted.points["row"].tolist() == list(range(1, 41))
    assert weighted.supported() == tested.supported() == 1.0


def test_calibrated_forecasts_are_supported_and_need_no_doubt():
    tested = known(0.01 * np.random.default_rng(1).standard_normal(40))
    assert tested.supported() == 1.0
    assert tested.verdict().startswith("These data support forecasting with law about 1.0 decades")
    assert tested.discrepancy().scale <= 0.005
    assert tested.discrepancy().share == 0.0


def test_overconfident_forecasts_are_not_supported_and_ask_for_their_doubt():
    tested = known(0.05 * np.random.default_rng(1).standard_normal(40))
    assert tested.supported() == 0.0
    assert "do not support" in tested.verdict()
    assert 0.03 < tested.discrepancy().scale < 0.08


def test_rows_of_one_run_are_told_as_checkpoints():
    tested = known(0.5)
    table = {"x": np.geomspace(1e9, 2e9, 40), "y": np.ones(40), "run": ["a"] * 40}
    tested = replace(tested, runs=bs.Runs(table, y="y", x="x", sequence="run"))
    assert "0% of 40 checkpoints that were hidden" in tested.verdict()


def test_few_curves_do_not_excuse_bands_that_miss_half_of_their_runs():
    inside, outside = [0.0] * 18, [0.5] * 18
    tested = known(np.array(inside + outside), curves=36)
    (case,) = tested.cases
    by_two = replace(case.points, curve_of_cell=np.arange(36) % 2)
    two_curves = replace(case, predictive=replace(case.predictive, points=by_two))
    tested = replace(tested, cases=(two_curves,))
    assert tested.supported() == 0.0
    said = tested.verdict()
    assert said.startswith("These data do not support forecasting with law: 50% of 36 runs")
    assert "of 2 curves: few to tell" in said


@pytest.mark.parametrize("missed", [0, 2, 3, 5])
def test_the_farthest_runs_speak_for_the_distance_that_is_promised(missed):
    error = np.zeros(40)
    error[40 - missed :] = 0.1
    tested = known(error)
    (case,) = tested.cases
    away = {"x": np.log(10.0) * np.linspace(0.025, 1.0, 40)}
    points = replace(case.points, log_x=away)
    case = replace(case, predictive=replace(case.predictive, points=points))
    tested = replace(tested, cases=(case,))
    assert tested.points["inside_0.9"].mean() == 1 - missed / 40
    assert tested.supported() == (1.0 if missed < 5 else 0.0)
    share = {0: "100%", 2: "86%", 3: "79%", 5: "64%"}[missed]
    assert tested.verdict().endswith(f"90% band, and {share} of the farthest 14.")


def test_doubt_is_a_share_of_the_change_where_steep_curves_are_missed_by_more():
    fall = np.geomspace(0.05, 2.0, 40)
    tested = known(0.2 * fall * np.random.default_rng(1).standard_normal(40), change=-fall)
    doubt = tested.discrepancy()
    assert doubt.scale == 0.0
    assert 0.15 < doubt.share < 0.27


def test_doubt_that_a_fit_has_already_is_not_counted_twice(tested_fit):
    options = {"cut": (0.8,), "draws": 200, "tune": 200, "chains": 2}
    fits = tested_fit, doubted(tested_fit, Discrepancy(0.5))
    trusting, doubting = (bs.backtest(fit, **options) for fit in fits)
    assert doubting.discrepancy() == trusting.discrepancy()
    assert doubting.table["width_0.9"].iloc[0] > 2 * trusting.table["width_0.9"].iloc[0]


def test_doubt_joins_a_posterior_without_another_fit(tested_fit):
    trusting = tested_fit.forecast({"C": [1e23]}, groups={"family": "f0"}, ci_prob=0.9).table
    doubting = doubted(doubted(tested_fit, Discrepancy(0.5)), Discrepancy(0.2))
    table = doubting.forecast({"C": [1e23]}, groups={"family": "f0"}, ci_prob=0.9).table
    added = np.log(table["upper_0.9"] / table["lower_0.9"]).iloc[0]
    assert added > np.log(trusting["upper_0.9"] / trusting["lower_0.9"]).iloc[0]
    np.testing.assert_allclose(added, 2 * 1.645 * 0.4, rtol=0.15)
    assert doubting.draws is tested_fit.draws


def test_hidden_rows_of_runs_with_effects_lie_beyond_the_data_of_their_family():
    runs = table_of(rows=6)
    columns = {
        "C": runs.x["C"],
        "y": runs.y,
        "family": runs.codes["family"],
        "run": [*"abcabcdefdef"],
    }
    runs = bs.Runs(columns, y="y", x="C", groups=["family"], sequence="run")
    noise = bs.LogStudentT() + bs.Effect("sequence")
    options = {"cut": (1.0,), "draws": 20, "tune": 50, "chains": 1}
    tested = bs.backtest(bs.laws.PowerLaw(), runs, noise=noise, **options)
    np.testing.assert_allclose(tested.points["decades_beyond"], [0.8, 1.6, 0.8, 1.6])
    assert [curve for case in tested.cases for curve in case.points.curve] == [0, 0, 1, 1]


def test_a_kept_response_without_a_logarithm_is_refused_as_by_a_fit():
    columns = {"x": np.geomspace(1e17, 1e20, 6), "y": [3.0, 0.0, 2.5, 2.4, 2.3, 2.2]}
    runs = bs.Runs(columns, y="y", x="x")
    for refused in (bs.fit, bs.backtest, bs.prior_predictive, bs.build_model):
        with pytest.raises(
            bs.RunsError, match=r"is zero or negative \(row 1\): this law needs log"
        ):
            refused(bs.laws.PowerLaw(), runs)


def test_crps_of_normal_draws_is_the_known_one():
    drawn = np.sort(np.random.default_rng(0).standard_normal((20000, 1)), axis=0)
    exact = 1.0 * (2 * np.exp(-0.0) / np.sqrt(2 * np.pi) - 1 / np.sqrt(np.pi))
    np.testing.assert_allclose(crps(drawn, np.zeros(1)), exact, atol=0.005)


def test_a_probability_above_one_is_refused_before_any_refit():
    x = np.geomspace(1e17, 1e21, 9)
    runs = bs.Runs({"x": x, "y": x**-0.1}, y="y", x="x")
    with pytest.raises(ValueError, match=r"ci_prob must lie .* did you mean 0.9"):
        bs.backtest(bs.laws.PowerLaw(), runs, ci_prob=(90,))
