"""Where a forecast is asked for, and forecasts of several forms at the same points."""

from dataclasses import replace

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy.stats import norm

import bayescale as bs
from bayescale.comparison.forecasts import forecasts_of
from bayescale.forecast.mixture import mixture
from bayescale.forecast.points import predict_runs
from bayescale.quantities.sources import every_curve

SAMPLES = 200
LEVELS = {("a", "c4"): 3.0, ("a", "web"): 10.0, ("b", "c4"): 30.0}


def table():
    """Three curves of two families and two data sets, of which one combination is missing."""
    x = np.geomspace(1e17, 1e20, 4)
    rows = [(*labels, c, level) for labels, level in LEVELS.items() for c in x]
    family, data, x, level = (list(column) for column in zip(*rows, strict=True))
    return {
        "family": family,
        "data": data,
        "C": x,
        "y": np.array(level) * (np.array(x) / 1e17) ** -0.1,
    }


def fit_of(groups, law=None, **noise):
    """Posterior of the curves whose level goes up by their labels, scatter of a thousandth."""
    runs = bs.Runs(table(), y="y", x={"C": "C"}, groups=list(groups))
    names = sorted({tuple(runs.codes[g][i] for g in groups) for i in range(len(runs))})
    labels = [{g: runs.groups[g][c] for g, c in zip(groups, name, strict=True)} for name in names]
    levels = [LEVELS[each["family"], each["data"]] if each else 5.0 for each in labels]
    rng = np.random.default_rng(0)
    A = np.array(levels) * 1e17**0.1 * np.exp(0.001 * rng.standard_normal((SAMPLES, 1)))
    constants = {"A": A, "alpha": 0.1, "sigma": 0.001}
    return bs.known_fit(bs.laws.PowerLaw(), runs, constants, **noise)


@pytest.fixture(scope="module")
def fit():
    return fit_of(("family", "data"))


def labels_of(forecast):
    return list(zip(forecast.points["family"], forecast.points["data"], strict=True))


@pytest.mark.parametrize("value", ["10B", [1e18, "10B"], {}])
def test_an_input_that_is_no_number_is_named(fit, value):
    with pytest.raises(ValueError, match=r"input 'C': .* is not a number"):
        fit.forecast({"C": value})


# Points in a table --------------------------------------------------------------------------------


@pytest.mark.parametrize("library", [pd, pl])
@pytest.mark.parametrize("names", [("C", "family"), ("flops", "arch")])
def test_points_and_their_labels_may_be_rows_of_a_table(library, names):
    runs = bs.Runs(
        {"flops": [1e17, 1e18] * 2, "arch": ["a", "a", "b", "b"], "loss": [4, 3, 5, 4]},
        y="loss",
        x={"C": "flops"},
        groups={"family": "arch"},
    )
    fit = bs.known_fit(bs.laws.PowerLaw(), runs, {"A": [[60.0, 80.0]], "alpha": 0.07})
    C, labels = [1e20, 1e19, 1e20], ["b", "a", "a"]
    wanted = fit.forecast({"C": C}, groups={"family": labels})
    given = library.DataFrame(dict(zip(names, (C, labels), strict=True)))
    pd.testing.assert_frame_equal(fit.forecast(given).table, wanted.table)
    pd.testing.assert_frame_equal(fit.bands(given), wanted.table)
    alone = library.DataFrame({names[0]: C})
    pd.testing.assert_frame_equal(
        fit.forecast(alone, groups={"family": labels}).table, wanted.table
    )
    weights = pd.DataFrame({"weight": [1.0]}, ["one"])
    mixed = bs.Comparison({"one": fit}, "loo", weights, weights).forecast(given)
    pd.testing.assert_frame_equal(mixed.points, wanted.points)
    pd.testing.assert_frame_equal(fit.forecast(runs).table, fit.forecast(runs.to_frame()).table)
    assert fit.forecast(runs).points["family"].tolist() == ["a", "a", "b", "b"]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"C": [1e20], "flop": [1e20]}, "a column 'flop', which is no input or group"),
        ({"C": [1e20], "colour": ["red"]}, "drop or rename it"),
        ({"C": [1e20, 1e21], "family": ["a", None]}, "family: 1 row is without a label"),
        ({"family": ["a"]}, "missing: C"),
    ],
)
def test_a_table_of_points_says_what_is_wrong_with_it(fit, columns, message):
    with pytest.raises(ValueError, match=message):
        fit.forecast(pd.DataFrame(columns))


def test_a_label_is_given_once(fit):
    points = pd.DataFrame({"C": [1e20], "family": ["a"]})
    with pytest.raises(ValueError, match="'family' is given twice"):
        fit.forecast(points, groups={"family": "b"})


# Groups that are left open ------------------------------------------------------------------------


def test_groups_that_are_left_open_run_over_combinations_of_the_table(fit):
    every = fit.forecast({"C": [1e18, 1e19]})
    assert labels_of(every) == [*[("a", "c4")] * 2, *[("a", "web")] * 2, *[("b", "c4")] * 2]
    assert every.points["C"].tolist() == [1e18, 1e19] * 3
    assert labels_of(fit.forecast({"C": 1e18}, groups={"data": "web"})) == [("a", "web")]


def test_a_label_of_the_table_is_known_in_whatever_form_it_comes():
    days = pd.to_datetime(["2024-01-01", "2025-06-01"])
    x = np.geomspace(1e17, 1e20, 4)
    frame = pd.DataFrame(
        {"C": np.tile(x, 2), "day": days.repeat(4), "size": np.repeat([1.0, 2], 4)}
    )
    runs = bs.Runs(frame.assign(y=frame["C"] ** -0.1), y="y", x={"C": "C"}, groups=["day", "size"])
    fit = bs.known_fit(bs.laws.PowerLaw(), runs, {"A": [[1.0, 2.0]], "alpha": 0.1, "sigma": 0.01})
    shown = {"day": "2025-06-01", "size": "2"}
    wanted = fit.forecast({"C": 1e21}, groups=shown, kind="mean")
    for size in (2, 2.0, np.float64(2)):
        for day in (days[1], days[1].date(), " 2025-06-01"):
            found = fit.forecast({"C": 1e21}, groups={"day": day, "size": size}, kind="mean")
            assert found.table.equals(wanted.table)
            (mine,) = every_curve(fit, {"day": day, "size": size})
            assert mine.data["C"].tolist() == x.tolist()
    every = fit.forecast({"C": frame["C"]}, groups=dict(frame[["day", "size"]]), kind="mean")
    np.testing.assert_allclose(every.draws[0], np.repeat([1.0, 2.0], 4) * frame["C"] ** -0.1)
    says = bs.probability(fit, "alpha < 1", groups={"day": days[0], "size": 1})
    assert float(says) == 1.0


def test_a_point_runs_over_the_combinations_of_its_own_labels(fit):
    forecast = fit.forecast({"C": [1e17, 1e18]}, groups={"family": ["b", "a"]}, kind="mean")
    assert labels_of(forecast) == [("b", "c4"), ("a", "c4"), ("a", "web")]
    assert forecast.points["C"].tolist() == [1e17, 1e18, 1e18]
    slope = (forecast.points["C"] / 1e17) ** -0.1
    np.testing.assert_allclose(
        forecast.table["median"], np.array([30.0, 3.0, 10.0]) * slope, rtol=1e-3
    )


def test_a_new_label_runs_over_all_combinations_of_the_others(fit):
    forecast = fit.forecast({"C": [1e18, 1e18]}, groups={"family": ["unheard of", "b"]})
    assert labels_of(forecast) == [("unheard of", "c4"), ("b", "c4"), ("unheard of", "web")]


# What is refused ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def counted():
    table = {"C": [1e17, 1e18, 1e19], "solved": [30, 40, 55], "asked": [100, 100, 200]}
    runs = bs.Runs(table, y=("solved", "asked"), x={"C": "C"})
    return bs.known_fit(bs.laws.PowerLaw(), runs, {"A": 0.3, "alpha": 0.001}, noise=bs.Binomial())


@pytest.mark.parametrize(
    ("x", "message"),
    [
        ({"C": 1e20, "D": 1e9}, "no such input: D; there are C$"),
        ({"C": 1e20, "trials": 10}, "no such input: trials; there are C$"),
        ({"C": 1e20, "y_se": 0.1}, "no such input: y_se; there are C$"),
        ({"x": 1e20}, "needs the inputs C; missing: C; unknown: x$"),
        ({}, "needs the inputs C; missing: C$"),
        ({"C": []}, "there are no points"),
        ("big", "input 'C': 'big' is not a number"),
    ],
)
def test_inputs_are_those_of_the_fit(fit, x, message):
    for ask in (fit.forecast, fit.bands):
        with pytest.raises(ValueError, match=message):
            ask(x)


@pytest.mark.parametrize("x", [1e20, [1e20, 1e21], np.array([1e20, 1e21])])
def test_one_input_needs_no_symbol(fit, x):
    assert fit.forecast(x).table.equals(fit.forecast({"C": x}).table)
    assert fit.bands(x).equals(fit.bands({"C": x}))
    compared = bs.compare({"one": fit, "other": fit}, max_refits=0)
    assert compared.forecast(x).table.equals(compared.forecast({"C": x}).table)


def test_several_inputs_need_their_symbols():
    table = {"N": [1e6, 1e7, 1e8], "D": [1e9, 3e9, 1e9], "y": [3.0, 2.5, 2.2]}
    runs = bs.Runs(table, y="y", x={"N": "N", "D": "D"})
    joint = {"E": 1.5, "A": 400.0, "alpha": 0.34, "B": 410.0, "beta": 0.28}
    both = bs.known_fit(bs.laws.Chinchilla(), runs, joint)
    one, other = (
        bs.known_fit(bs.laws.PowerLaw(of=s), runs, {"A": 10.0, "alpha": 0.1}) for s in ("N", "D")
    )
    assert one.forecast(1e9).table.equals(one.forecast({"N": 1e9}).table)
    for ask in (both.forecast, lambda x: forecasts_of({"one": one, "other": other}, x)):
        with pytest.raises(ValueError, match=r"several inputs.* by symbol, \{'N': \.\.\., 'D': \."):
            ask([1e9, 1e10])


def test_a_comparison_refuses_what_none_of_its_fits_reads(fit):
    compared = bs.compare({"one": fit, "other": fit}, max_refits=0)
    with pytest.raises(ValueError, match="no such input: D; there are C"):
        compared.forecast({"C": 1e20, "D": 1e9})


def test_inputs_of_the_table_that_the_law_does_not_read_make_no_difference():
    table = {"N": [1e6, 1e7, 1e8], "D": [1e9, 3e9, 1e9], "y": [3.0, 2.5, 2.2]}
    runs = bs.Runs(table, y="y", x={"N": "N", "D": "D"})
    fit = bs.known_fit(bs.laws.PowerLaw(of="N"), runs, {"A": 10.0, "alpha": 0.1})
    one, other = (fit.forecast(x) for x in ({"N": 1e9}, {"N": 1e9, "D": 1e10}))
    assert one.table.equals(other.table)


@pytest.mark.parametrize("trials", [0.5, 10.5, [10, 2.5]])
def test_trials_are_whole(counted, trials):
    assert counted.forecast({"C": 1e19, "trials": 10}).table["trials"].tolist() == [10]
    with pytest.raises(ValueError, match="trials: whole numbers of at least 1"):
        counted.forecast({"C": 1e19, "trials": trials})
    with pytest.raises(ValueError, match="no such input: D; there are C, trials"):
        counted.forecast({"C": 1e19, "D": 1e9})


def test_probabilities_of_bands_are_numbers_between_0_and_1(fit):
    columns = {"lower_0.9", "upper_0.9"}
    for prob in (0.9, np.float32(0.9), [np.float64(0.9)]):
        assert columns <= set(fit.forecast({"C": 1e20}, ci_prob=prob).table)
    with pytest.raises(ValueError, match=r"between 0 and 1, not 90; did you mean 0\.9"):
        fit.forecast({"C": 1e20}, ci_prob=90)
    with pytest.raises(ValueError, match=r"between 0 and 1, not -1$"):
        fit.forecast({"C": 1e20}, ci_prob=-1)


# Standard errors of new measurements --------------------------------------------------------------


@pytest.fixture(scope="module", params=[bs.LogNormal(), bs.Normal()], ids=repr)
def measured(request):
    """Known curve of 3 at every input, measured with standard errors of a tenth of it."""
    rng, x = np.random.default_rng(0), np.geomspace(1e17, 1e20, 300)
    table = {"x": x, "y": 3.0 * np.exp(0.1 * rng.standard_normal(300)), "error": np.full(300, 0.3)}
    runs = bs.Runs(table, y="y", x="x", y_se="error")
    constants = {"A": np.full(4000, 3.0), "alpha": 1e-12, "sigma": 0.001}
    return bs.known_fit(bs.laws.PowerLaw(), runs, constants, noise=request.param)


def test_a_new_measurement_has_the_standard_error_that_is_given(measured):
    x = {"x": [1e18, 1e19, 1e20], "y_se": [0.003, 0.03, 0.3]}
    forecast = measured.forecast(x)
    np.testing.assert_allclose(forecast.draws.std(axis=0), x["y_se"], rtol=0.5)
    np.testing.assert_allclose(forecast.draws.std(axis=0)[1:], x["y_se"][1:], rtol=0.06)
    assert forecast.table["y_se"].tolist() == x["y_se"]
    assert measured.bands(x).equals(forecast.table)


def test_bands_of_measurements_with_standard_errors_hold_them(measured):
    at = {"x": measured.runs.x["x"]}
    alone, with_error = (
        measured.forecast(at, ci_prob=0.9),
        measured.forecast({**at, "y_se": 0.3}, ci_prob=0.9),
    )
    inside = [
        ((f.table["lower_0.9"] < measured.runs.y) & (measured.runs.y < f.table["upper_0.9"])).mean()
        for f in (alone, with_error)
    ]
    assert inside[0] < 0.1
    assert 0.85 < inside[1] < 0.95
    curves = [measured.forecast(x, kind="mean").draws for x in (at, {**at, "y_se": 0.3})]
    np.testing.assert_array_equal(*curves)


# Weights ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("unit", [1e-4, 1.0, 1e6])
def test_weights_say_how_much_more_a_row_counts_in_whatever_unit(unit):
    table = {"x": np.geomspace(1e3, 1e6, 4), "y": np.ones(4), "w": unit * np.array([1, 1, 4, 4])}
    runs = bs.Runs(table, y="y", x="x", weight="w")
    constants = {"A": 1.0, "alpha": 1e-12, "sigma": np.full(4000, 0.02)}
    fit = bs.known_fit(bs.laws.PowerLaw(), runs, constants, noise=bs.LogNormal())
    sd = 0.02 * np.array([1.0, 1.0, 0.5, 0.5]) * np.sqrt(2)
    np.testing.assert_allclose(fit.log_likelihood[0, 0], norm.logpdf(0, scale=sd))
    hidden = predict_runs(
        fit.structure, fit.flat_draws, fit.arrays, runs, runs, rows=np.array([0, 3])
    )
    np.testing.assert_allclose(hidden.sd[0], sd[[0, 3]])
    np.testing.assert_allclose(np.log(fit.forecast({"x": 1e7}).draws).std(), 0.02, rtol=0.05)


@pytest.mark.parametrize("odd", [1e-5, 1e5])
def test_the_weight_of_one_row_says_nothing_about_the_others_or_new_runs(odd):
    table = {"x": np.geomspace(1e3, 1e6, 7), "y": np.ones(7), "w": [1, 1, odd, 1, 1, 1, 1]}
    runs = bs.Runs(table, y="y", x="x", weight="w")
    constants = {"A": 1.0, "alpha": 1e-12, "sigma": np.full(4000, 0.02)}
    fit = bs.known_fit(bs.laws.PowerLaw(), runs, constants, noise=bs.LogNormal())
    np.testing.assert_allclose(fit.log_likelihood[0, 0, 3:], norm.logpdf(0, scale=0.02))
    np.testing.assert_allclose(np.log(fit.forecast({"x": 1e7}).draws).std(), 0.02, rtol=0.05)


# Labels that are new ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def labelled():
    table = {
        "C": [1e17, 1e19] * 3,
        "y": [3.0, 2.5] * 3,
        "model": [*["gpt-2"] * 2, *["lstm"] * 2, *"11"],
    }
    runs = bs.Runs(table, y="y", x={"C": "C"}, groups=["model"])
    return bs.known_fit(bs.laws.PowerLaw(), runs, {"A": 10.0, "alpha": 0.1})


@pytest.mark.parametrize(
    ("label", "meant"), [("gtp-2", "gpt-2"), ("LSTM", "lstm"), ("ltsm", "lstm"), ("1.0", "1")]
)
def test_a_new_label_that_may_be_a_slip_is_pointed_out_to_its_user(labelled, label, meant):
    hint = f"model: the label '{label}' is new; did you mean '{meant}'?"
    for ask in (labelled.forecast, labelled.bands):
        with pytest.warns(bs.RunsWarning) as caught:
            ask({"C": [1e20, 1e21]}, groups={"model": [label, "lstm"]})
        assert [str(warning.message) for warning in caught] == [hint]
        assert caught[0].filename == __file__


@pytest.mark.parametrize("label", ["gpt-3", "rwkv", "lstm", "2", 1, "11"])
def test_other_labels_pass_without_a_word(labelled, label):
    assert len(labelled.forecast({"C": 1e20}, groups={"model": label}).table) == 1


# Mixtures of forms --------------------------------------------------------------------------------


def test_forecasts_are_mixed_at_the_same_labels_whatever_their_order(fit):
    turned = fit_of(("data", "family"))
    x = {"C": [1e18, 1e19, 1e18]}
    one, other = (f.forecast(x, kind="mean") for f in (fit, turned))
    assert labels_of(one) != labels_of(other)
    mixed = mixture({"one": one, "other": other}, [0.5, 0.5])
    np.testing.assert_allclose(mixed.table["median"], one.table["median"], rtol=1e-3)
    assert (mixed.draws.std(axis=0) < 0.01 * mixed.draws.mean(axis=0)).all()


def test_forecasts_over_other_groups_cannot_be_mixed(fit):
    plain = fit_of(()).forecast({"C": 1e18})
    with pytest.raises(ValueError, match="forecast of 'plain' lacks the group 'family', which"):
        mixture({"grouped": fit.forecast({"C": 1e18}), "plain": plain}, [0.5, 0.5])
    with pytest.raises(ValueError, match="forecast of 'plain' lacks the group 'family', which"):
        mixture({"plain": plain, "grouped": fit.forecast({"C": 1e18})}, [0.5, 0.5])


def test_forecasts_of_other_points_cannot_be_mixed(fit):
    one, other = fit.forecast({"C": 1e18}), fit.forecast({"C": 1e18}, groups={"family": "a"})
    message = "the forecast of 'other' lacks the point 'C = 1e\\+18, family = b, data = c4'"
    with pytest.raises(ValueError, match=message):
        mixture({"one": one, "other": other}, [0.5, 0.5])
    with pytest.raises(ValueError, match=message):
        mixture({"other": other, "one": one}, [0.5, 0.5])


def test_a_comparison_mixes_curves_of_the_same_labels(fit):
    compared = bs.compare({"one": fit, "other": fit_of(("data", "family"))}, max_refits=0)
    even = replace(compared, _table=compared.table.assign(weight=0.5))
    mixed = even.forecast({"C": 1e17}, kind="mean").table
    wanted = [LEVELS[labels] for labels in zip(mixed["family"], mixed["data"], strict=True)]
    np.testing.assert_allclose(mixed["median"], wanted, rtol=1e-3)


# A fit of three families --------------------------------------------------------------------------


def test_inputs_of_a_forecast_that_may_have_wrapped_are_pointed_out(fit_of_families):
    N = np.array([7 * 10**9])
    with pytest.warns(bs.RunsWarning, match="input 'C' may be wrong: integers wrap"):
        fit_of_families.forecast({"C": 6 * N * (10 * N)}, groups={"family": "mlp"})


def test_forecasts_refuse_inputs_that_make_no_sense(fit_of_families):
    with pytest.raises(ValueError, match="finite and positive"):
        fit_of_families.forecast({"C": [-1.0]})
    with pytest.raises(ValueError, match="missing: C"):
        fit_of_families.forecast({"N": [1.0]})
    with pytest.raises(ValueError, match="no group is called"):
        fit_of_families.forecast({"C": [1e20]}, groups={"famly": "gpt"})
    with pytest.raises(ValueError, match=r"group 'family': a set.*write \['gpt', 'mlp'\]"):
        fit_of_families.forecast({"C": [1e20, 1e21]}, groups={"family": {"mlp", "gpt"}})
    for wrong in ("0.9", None, [0.5, "0.9"]):
        with pytest.raises(
            ValueError, match=r"ci_prob is ('0\.9'|None): give a number such as 0\.9"
        ):
            fit_of_families.forecast({"C": [1e20]}, ci_prob=wrong)
    with pytest.raises(
        ValueError, match=r"2 labels for 1 points.* left out runs over all its labels"
    ):
        fit_of_families.forecast({"C": [1e20]}, groups={"family": ["gpt", "mlp"]})
    with pytest.raises(ValueError, match="'run' or 'mean'"):
        fit_of_families.forecast({"C": [1e20]}, kind="median")


def test_forecasts_mark_what_lies_beyond_the_data(fit_of_families):
    forecast = fit_of_families.forecast({"C": [1e19, 1e24]}, groups={"family": "gpt"})
    assert forecast.extrapolated.tolist() == [False, True]
    assert forecast.points["decades_beyond"].iloc[1] == pytest.approx(3.0, abs=0.3)


def test_bands_nest_and_new_families_are_less_certain(fit_of_families):
    table = fit_of_families.forecast({"C": [1e23]}, groups={"family": "gpt"}).table.iloc[0]
    assert table["lower_0.95"] < table["lower_0.8"] < table["lower_0.5"] < table["median"]
    new = fit_of_families.forecast({"C": [1e23]}, groups={"family": "never seen"}).table.iloc[0]
    assert new["upper_0.8"] - new["lower_0.8"] > 3 * (table["upper_0.8"] - table["lower_0.8"])


def test_forecasts_survive_twenty_decades(fit_of_families):
    draws = fit_of_families.forecast(
        {"C": np.geomspace(1e5, 1e30, 26)}, groups={"family": "mlp"}, kind="mean"
    ).draws
    assert np.isfinite(draws).all()
    assert np.all(np.diff(draws, axis=1) <= 0)
