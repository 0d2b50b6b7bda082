"""What the figures show, by what is on their axes."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from bayescale import (
    Partial,
    Runs,
    asymptote,
    better_at,
    compute_multiplier,
    compute_optimal,
    crossover_scale,
    emergence_test,
    known_fit,
    laws,
    next_run,
    pareto,
    plots,
    prior_predictive,
    probability,
    regime_at,
    scale_for,
)
from bayescale.fitting import Fit
from bayescale.forecast.prior import coordinates_from_prior
from bayescale.model.arrays import arrays_of
from bayescale.model.structure import structure_of
from bayescale.noise import LogNormal
from bayescale.quantities.limits import Asymptote

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

C = np.geomspace(1e17, 1e21, 7)
GRID = {"C": np.geomspace(1e17, 1e24, 40)}
TRUTH = {
    ("lstm", "web"): (1.9, 0.09),
    ("lstm", "code"): (1.2, 0.11),
    ("mlp", "web"): (2.1, 0.07),
    ("mlp", "code"): (1.4, 0.06),
}


@pytest.fixture(autouse=True)
def _headless():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def runs():
    rng = np.random.default_rng(3)
    rows = [
        {"arch": arch, "corpus": corpus, "flops": c, "loss": floor + 60 * c**-slope}
        for (arch, corpus), (floor, slope) in TRUTH.items()
        for c in (C if (arch, corpus) != ("mlp", "code") else C[:2])
    ]
    table = pd.DataFrame(rows)
    table["loss"] *= np.exp(0.005 * rng.standard_normal(len(table)))
    groups = {"family": "arch", "dataset": "corpus"}
    return Runs(table, y="loss", x={"C": "flops"}, groups=groups)


@pytest.fixture(scope="module")
def fit(runs):
    """Draws from the prior in the place of a posterior: figures do not mind, and it is quick."""
    structure = structure_of(
        laws.OffsetPowerLaw(), runs, {"E": Partial("family", "dataset")}, LogNormal(), None
    )
    arrays = arrays_of(structure, runs)
    draws = coordinates_from_prior(structure, arrays, 200, 1)
    one_chain = {name: values[None] for name, values in draws.items()}
    return Fit(structure.law, runs, structure, arrays, one_chain, {}, {}, 0)


@pytest.fixture(scope="module")
def forecast(fit):
    return fit.forecast(GRID)


def drawn(ax, gid):
    return [artist for artist in (*ax.lines, *ax.collections) if artist.get_gid() == gid]


def legend_of(ax):
    legend = ax.figure.legends[0] if ax.figure.legends else ax.get_legend()
    return [text.get_text() for text in legend.get_texts()]


# The forecast -------------------------------------------------------------------------------------


def test_a_forecast_has_a_curve_and_its_data_for_every_combination_of_labels(forecast, runs):
    ax = plots.plot_forecast(forecast)
    assert len(drawn(ax, "within")) == len(TRUTH)
    points = drawn(ax, "data")
    assert len(points) == len(TRUTH)
    shown = np.concatenate([line.get_ydata() for line in points])
    assert sorted(shown) == pytest.approx(sorted(runs.y))
    assert {"lstm · web", "mlp · code", "data end"} <= set(legend_of(ax))


def test_axes_are_logarithmic_and_named_after_the_columns(forecast):
    ax = plots.plot_forecast(forecast)
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("flops (C)", "loss")


def test_the_edges_of_the_bands_are_those_of_the_table(fit):
    forecast = fit.forecast(GRID, groups={"family": "lstm", "dataset": "web"}, ci_prob=(0.5, 0.9))
    ax = plots.plot_forecast(forecast)
    for prob in (0.5, 0.9):
        bands = drawn(ax, f"band {prob:g}")
        assert len(bands) == 2, "one within the data, one beyond"
        vertices = np.concatenate([b.get_paths()[0].vertices for b in bands])
        for side in ("lower", "upper"):
            for x, y in forecast.table[["C", f"{side}_{prob:g}"]].to_numpy():
                assert np.isclose(vertices, (x, y)).all(axis=1).any()


def test_what_lies_beyond_the_data_of_a_label_looks_different(forecast, runs):
    ax = plots.plot_forecast(forecast)
    own_end = {"mlp · code": C[1], "lstm · web": C[-1]}
    ends = sorted(max(line.get_xdata()) for line in drawn(ax, "within"))
    assert ends[0] <= own_end["mlp · code"] < ends[1] <= own_end["lstm · web"]
    beyond, within = drawn(ax, "beyond"), drawn(ax, "within")
    assert {line.get_linestyle() for line in within} == {"-"}
    assert all(line.get_linestyle() == "--" for line in beyond)
    inner, outer = drawn(ax, "band 0.5")[0], drawn(ax, "band 0.5")[-1]
    assert outer.get_alpha() < inner.get_alpha()
    (edge,) = drawn(ax, "edge")
    assert edge.get_xdata()[0] == C[-1]


def test_a_forecast_inside_the_data_has_no_edge(fit):
    ax = plots.plot_forecast(fit.forecast({"C": [1e18, 1e19]}, groups={"family": "lstm"}))
    assert not drawn(ax, "edge")
    assert not drawn(ax, "beyond")
    assert "data end" not in legend_of(ax)


def test_series_differ_in_colour_marker_and_dashes(forecast):
    ax = plots.plot_forecast(forecast)
    handles = ax.figure.legends[0].legend_handles[: len(TRUTH)]
    looks = [(h.get_color(), h.get_marker(), str(h._dash_pattern)) for h in handles]
    for kind in zip(*looks, strict=True):
        assert len(set(kind)) == len(TRUTH)


def test_one_panel_a_data_set_shows_its_own_data_under_its_name(forecast, runs):
    axes = plots.plot_forecast(forecast, panels="dataset")
    assert [ax.get_title() for ax in axes] == ["web", "code"]
    for ax in axes:
        shown = np.concatenate([line.get_ydata() for line in drawn(ax, "data")])
        assert sorted(shown) == pytest.approx(sorted(runs.where(dataset=ax.get_title()).y))
    assert axes[0].get_ylim() == axes[1].get_ylim()
    assert legend_of(axes[0])[:2] == ["lstm", "mlp"]


def test_many_panels_stand_in_rows_of_four_at_most():
    labels = [f"corpus {i}" for i in range(11)]
    table = {"flops": np.tile([1e17, 1e19], 11), "loss": [3.9, 2.0] * 11}
    table["corpus"] = np.repeat(labels, 2)
    runs = Runs(table, y="loss", x={"C": "flops"}, groups={"dataset": "corpus"})
    fit = known_fit(laws.PowerLaw(), runs, {"A": [60.0, 61.0], "alpha": 0.07})
    with plots.publication(2):
        axes = fit.forecast(GRID).plot(panels="dataset")
        assert len(axes) == 11
        figure = axes[0].figure
        assert len(figure.axes) == 11
        assert_texts_apart(figure)
        tops = [ax.get_position().y0 for ax in axes]
        assert len(set(np.round(tops, 6))) == 3
        named = [ax for ax in axes if ax.xaxis.get_tick_params()["labelbottom"]]
        assert named == list(axes[7:])
        assert figure.get_supxlabel() == "flops (C)"


def test_one_group_can_set_the_colours(forecast):
    ax = plots.plot_forecast(forecast, group="family")
    assert legend_of(ax)[:2] == ["lstm", "mlp"]
    assert len({line.get_color() for line in drawn(ax, "within")}) == 2


@pytest.mark.parametrize(
    ("tokens", "said"),
    [(np.geomspace(1e9, 1e13, 20), "tokens (D) 1e+09 to 1e+13"), (2e11, "tokens (D) = 2e+11")],
    ids=["rising along", "fixed"],
)
def test_a_path_through_several_inputs_is_a_curve_that_says_where_the_others_are(tokens, said):
    N, D = map(np.ravel, np.meshgrid([1e8, 1e9, 1e10], [1e9, 1e10, 1e11]))
    table = {"params": N, "tokens": D, "loss": np.linspace(4, 2, 9)}
    joint = Runs(table, y="loss", x={"N": "params", "D": "tokens"})
    constants = {"E": 1.8, "A": 480.0, "alpha": 0.348, "B": 2085.0, "beta": 0.366}
    fit = known_fit(laws.Chinchilla(), joint, constants)
    sizes = np.geomspace(1e8, 1e12, 20)
    sizes[-2:] = 1e12  # one point may be asked for twice
    tokens = np.broadcast_to(tokens, 20).copy()
    tokens[-2:] = tokens[-1]
    ax = fit.forecast({"N": sizes, "D": tokens}, kind="mean").plot()
    assert ax.get_xlabel() == f"params (N); {said}"
    gids = [line.get_gid() for line in ax.lines]
    assert "beyond" in gids
    assert "edge" not in gids  # the data end in several inputs


def test_data_and_curve_lose_the_same_floor(fit):
    forecast = fit.forecast(GRID, groups={"family": "lstm", "dataset": "web"}, kind="mean")
    ax = plots.plot_forecast(forecast, reducible=True)
    floor = float(np.median(fit.posterior["E"].sel(family="lstm", dataset="web")))
    assert forecast.floor == pytest.approx(floor)
    (points,) = drawn(ax, "data")
    mine = fit.runs.where(family="lstm", dataset="web")
    assert points.get_ydata() == pytest.approx(mine.y - floor)
    (line,) = drawn(ax, "within")
    count = len(line.get_ydata())
    assert line.get_ydata() == pytest.approx(forecast.table["median"].to_numpy()[:count] - floor)
    assert ax.get_ylabel() == "loss above its floor"


def test_a_law_without_a_floor_has_nothing_to_subtract(forecast):
    from dataclasses import replace

    with pytest.raises(ValueError, match="no floor"):
        plots.plot_forecast(replace(forecast, floor=None), reducible=True)


def test_an_unseen_label_is_shown_before_all_data_in_grey(fit, runs):
    forecast = fit.forecast(GRID, groups={"family": "rwkv", "dataset": "web"})
    ax = plots.plot_forecast(forecast)
    (points,) = drawn(ax, "data")
    assert len(points.get_ydata()) == len(runs)
    assert points.get_color() == "0.7"


def test_a_single_point_is_a_marker_with_bars(fit):
    labels = {"family": "lstm", "dataset": "web"}
    forecast = fit.forecast({"C": [1e23]}, groups=labels, ci_prob=0.9)
    ax = plots.plot_forecast(forecast)
    (bar,) = drawn(ax, "band 0.9")
    assert bar.get_segments()[0][:, 1] == pytest.approx(
        forecast.table[["lower_0.9", "upper_0.9"]].to_numpy()[0]
    )
    assert drawn(ax, "beyond")[0].get_markerfacecolor() == "white"


def test_a_few_points_are_not_joined_to_a_curve(fit):
    labels = {"family": "lstm", "dataset": "web"}
    ax = plots.plot_forecast(fit.forecast({"C": [1e19, 1e21, 1e23]}, groups=labels))
    (within,), (beyond,) = drawn(ax, "within"), drawn(ax, "beyond")
    assert within.get_xdata() == pytest.approx([1e19, 1e21])
    assert beyond.get_xdata() == pytest.approx([1e23])
    (measured,) = drawn(ax, "data")
    assert {line.get_linestyle() for line in (within, beyond)} == {"None"}
    assert {line.get_markerfacecolor() for line in (within, beyond)} == {"white"}
    assert measured.get_markerfacecolor() != "white"
    assert "forecast" in legend_of(ax)
    solid, broken = (bar.get_linestyle()[0][1] for bar in drawn(ax, "band 0.95"))
    assert solid is None
    assert broken is not None


@pytest.mark.parametrize("D_per_N", [None, 10.0], ids=["fixed", "along a path"])
def test_measurements_at_other_values_of_an_input_than_the_curve_has_are_pale(D_per_N):
    N, D = map(np.ravel, np.meshgrid([1e8, 1e9, 1e10], [1e9, 1e10, 1e11]))
    table = {"params": N, "tokens": D, "loss": np.linspace(4, 2, 9)}
    joint = Runs(table, y="loss", x={"N": "params", "D": "tokens"})
    constants = {"E": 1.8, "A": 480.0, "alpha": 0.348, "B": 2085.0, "beta": 0.366}
    fit = known_fit(laws.Chinchilla(), joint, constants)
    sizes = np.geomspace(1e8, 1e10, 10)
    ax = fit.forecast({"N": sizes, "D": D_per_N * sizes if D_per_N else 1e10}, kind="mean").plot()
    near = np.isclose(D, D_per_N * N if D_per_N else 1e10)
    (here,), (elsewhere,) = drawn(ax, "data"), drawn(ax, "data elsewhere")
    assert sorted(here.get_ydata()) == pytest.approx(sorted(joint.y[near]))
    assert sorted(elsewhere.get_ydata()) == pytest.approx(sorted(joint.y[~near]))
    assert elsewhere.get_alpha() < here.get_alpha()
    assert "data at other D" in legend_of(ax)


def test_axes_that_are_given_are_used(forecast):
    _, ax = plt.subplots()
    assert plots.plot_forecast(forecast, ax=ax) is ax
    assert not ax.figure.legends
    assert ax.get_legend() is not None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"group": "famly"}, "'famly' is no group of the forecast; there are family, dataset"),
        ({"panels": "arch"}, "'arch' is no group"),
        ({"x": "N"}, "x='N' is no input; there are C"),
    ],
)
def test_unknown_names_are_refused_with_those_that_exist(forecast, options, message):
    with pytest.raises(ValueError, match=message):
        plots.plot_forecast(forecast, **options)


def test_one_axes_for_two_panels_is_refused(forecast):
    with pytest.raises(ValueError, match="1 axes for 2 panels"):
        plots.plot_forecast(forecast, ax=plt.subplots()[1], panels="dataset")


# Exponents ----------------------------------------------------------------------------------------


def test_exponents_are_medians_with_intervals_and_the_population(fit):
    ax = plots.plot_exponents(fit, ci_prob=0.8)
    names = [tick.get_text() for tick in ax.get_yticklabels()]
    assert sorted(names) == sorted(" · ".join(cell) for cell in TRUTH)
    family, dataset = names[0].split(" · ")
    values = fit.posterior["alpha"].sel(family=family, dataset=dataset).values
    (medians,), (bars,) = drawn(ax, "median"), drawn(ax, "interval")
    assert medians.get_xdata()[0] == pytest.approx(np.median(values))
    assert bars.get_segments()[0][:, 0] == pytest.approx(np.quantile(values, [0.1, 0.9]))
    (line,) = drawn(ax, "population")
    assert legend_of(ax) == ["pooled, 50, 80 %", "alone", "population, 80 %"]
    assert line.get_xdata()[0] == pytest.approx(np.median(fit.posterior["alpha_population"]))
    assert ax.get_xlabel() == r"$\alpha$"


def test_hollow_markers_are_what_every_group_says_alone(fit):
    ax = plots.plot_exponents(fit)
    names = [tick.get_text() for tick in ax.get_yticklabels()]
    alone = {names[int(line.get_ydata()[0])]: line for line in drawn(ax, "alone")}
    assert set(alone) == set(names) - {"mlp · code"}, "two rows do not determine three parameters"
    found = alone["lstm · code"]
    assert found.get_markerfacecolor() == "none"
    assert found.get_xdata()[0] == pytest.approx(0.11, abs=0.03)


def test_a_parameter_that_does_not_exist_is_refused_with_those_that_do(fit):
    with pytest.raises(ValueError, match="no parameter 'beta'; there are E, A, alpha"):
        plots.plot_exponents(fit, "beta")


# Comparison ---------------------------------------------------------------------------------------


def test_a_comparison_has_the_best_on_top_differences_and_weights():
    table = pd.DataFrame(
        {
            "elpd": [70.0, 81.0, 77.5],
            "elpd_diff": [-11.0, 0.0, -3.5],
            "se_diff": [4.0, np.nan, 2.0],
            "weight": [0.0, 0.85, 0.15],
        },
        index=["power law", "broken", "crossover"],
    )
    ax = plots.plot_comparison(SimpleNamespace(table=table))
    assert [t.get_text() for t in ax.get_yticklabels()] == ["broken", "crossover", "power law"]
    assert ax.lines[-1].get_xdata() == pytest.approx([0.0, -3.5, -11.0])
    two, one = (c.get_segments() for c in ax.collections)
    assert two[1][:, 0] == pytest.approx([-7.5, 0.5])
    assert one[1][:, 0] == pytest.approx([-5.5, -1.5])
    assert [t.get_text() for t in ax.texts] == ["85 %", "15 %", "0 %", "weight"]
    assert ax.get_ylim()[0] > ax.get_ylim()[1], "the first row is at the top"


# Checks of posterior and prior --------------------------------------------------------------------


def test_the_posterior_check_counts_the_rows_inside_their_intervals(fit):
    ax = plots.plot_predictive_check(fit, ci_prob=0.8)
    low, median, high = np.quantile(fit.replicated(), [0.1, 0.5, 0.9], axis=0)
    inside = int(np.sum((low <= fit.runs.y) & (fit.runs.y <= high)))
    assert ax.get_title() == f"{inside} of {len(fit.runs)} rows inside 80 %"
    (bars,) = drawn(ax, "interval")
    assert bars.get_segments()[3][:, 1] == pytest.approx(
        100 * np.array([low[3], high[3]]) / median[3] - 100
    )
    assert len(legend_of(ax)) == len(TRUTH)


def test_replicates_come_from_the_noise_of_the_fit(fit):
    again = fit.replicated()
    assert again.shape == (200, len(fit.runs))
    assert np.array_equal(again, fit.replicated())
    curve = fit.forecast(
        {"C": fit.runs.x["C"]},
        groups={g: np.array(fit.runs.labels(g))[fit.runs.codes[g]] for g in fit.runs.groups},
        kind="mean",
    )
    residual = np.log(again / curve.draws) / fit.posterior["sigma"].values.reshape(-1, 1)
    assert residual.std() == pytest.approx(1.0, abs=0.05)


@pytest.fixture(scope="module")
def prior(runs):
    return prior_predictive(laws.OffsetPowerLaw(), runs, draws=100, random_seed=2)


def test_prior_draws_have_the_names_that_arviz_uses(prior, runs):
    assert set(prior.children) == {"prior", "prior_predictive", "observed_data"}
    assert prior["prior"]["alpha"].dims == ("chain", "draw", "family", "dataset")
    assert prior["prior_predictive"]["curve"].shape == (1, 100, 4 * 60)
    assert prior["observed_data"]["y"].values == pytest.approx(runs.y)


def test_prior_curves_obey_the_law_at_their_parameters(prior):
    drawn_at = prior["prior_predictive"]
    point = int(np.flatnonzero(drawn_at["family"].values == "lstm")[7])
    dataset = str(drawn_at["dataset"].values[point])
    labels = {"family": "lstm", "dataset": dataset}
    own = {name: at_labels(prior["prior"][name], labels) for name in ("E", "A", "alpha")}
    expected = laws.OffsetPowerLaw()(drawn_at["C"].values[point], **own)
    assert drawn_at["curve"].values[0, :, point] == pytest.approx(expected)


def at_labels(variable, labels):
    return variable.sel({k: v for k, v in labels.items() if k in variable.dims}).values[0]


def test_the_prior_check_shows_curves_and_data(prior, runs):
    ax = plots.plot_prior(prior, curves=20)
    assert len(drawn(ax, "curve")) == 20
    points = [line for line in ax.lines if line.get_gid() is None]
    assert sum(len(line.get_ydata()) for line in points) == len(runs)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("flops (C)", "loss")


def test_a_table_without_groups_names_no_series():
    table = {"flops": C, "loss": 1.9 + 60 * C**-0.09}
    runs = Runs(table, y="loss", x={"C": "flops"})
    fit = known_fit(laws.OffsetPowerLaw(), runs, {"E": 1.9, "A": 60.0, "alpha": 0.09})
    assert not plots.plot_predictive_check(fit).figure.legends
    prior = prior_predictive(laws.OffsetPowerLaw(), runs, draws=20)
    assert legend_of(plots.plot_prior(prior)) == ["90 % of prior curves"]


# The style ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pair():
    """Curves of a and b, which cross in the middle of their data."""
    table = {"flops": [1e17, 1e19] * 2, "loss": [3.9, 2.0] * 2, "arch": list("aabb")}
    runs = Runs(table, y="loss", x={"C": "flops"}, groups={"family": "arch"})
    rng = np.random.default_rng(1)
    alpha = rng.normal([0.07, 0.08], 0.001, (200, 2))
    return known_fit(laws.PowerLaw(), runs, {"A": 3 * 1e18**alpha, "alpha": alpha})


def test_answers_name_their_axes_as_forecasts_do(pair):
    x, own = np.geomspace(1e17, 1e21, 9), {"family": "a"}
    assert pair.forecast({"C": x}, groups=own).plot().get_xlabel() == "flops (C)"
    for answer in (
        crossover_scale(pair, "a", "b"),
        better_at(pair, "a", "b", x),
        scale_for(pair, 2.5, groups=own),
        emergence_test(pair, groups=own),
        regime_at(pair, x, groups=own),
        pareto(pair, x),
        probability(pair, "loss < 2.5", at={"C": x}),
    ):
        assert answer.plot().get_xlabel() == "flops (C)"
    factor = compute_multiplier(pair, "a", "b", at=x).plot()
    assert factor.get_xlabel() == "flops (C) of b"


def test_answers_say_how_probable_their_bands_are(pair):
    x = np.geomspace(1e17, 1e23, 9)
    for answer in (
        crossover_scale(pair, "a", "b"),
        compute_multiplier(pair, "a", "b", at=x),
        emergence_test(pair, groups={"family": "a"}),
        pareto(pair, x),
        asymptote(pair),
    ):
        assert "50, 90 %" in legend_of(answer.plot())


def test_nothing_in_a_figure_of_an_answer_is_left_without_a_name(pair):
    crossing = legend_of(crossover_scale(pair, "a", "b").plot())
    assert crossing == ["a", "b", "50, 90 %", "data end", "crossings"]
    assert legend_of(asymptote(pair).plot()) == ["50, 90 %", "best measured"]
    priced = legend_of(pareto(pair, [1e18, 1e23]).plot())
    assert priced[2:] == ["50, 90 %", "larger: likelier the best", "beyond the data"]
    sizes = {"N": [1e8, 1e9, 1e10], "D": [1e10, 1e10, 1e11], "loss": [2.8, 2.4, 2.1]}
    joint = Runs(sizes, y="loss", x={"N": "N", "D": "D"})
    constants = {"E": 1.8, "A": 480.0, "alpha": 0.348, "B": 2085.0, "beta": 0.366}
    best = compute_optimal(known_fit(laws.Chinchilla(), joint, constants), [1e20, 1e21])
    assert legend_of(best.plot())[:5] == [
        "median loss",
        "equal cost",
        "runs",
        "optimum",
        "50, 90 %",
    ]


def test_a_rate_of_successes_has_one_name():
    table = {"k": [1, 10, 100], "solved": [9, 30, 60], "of": [100] * 3}
    runs = Runs(table, y=("solved", "of"), x={"k": "k"})
    law = laws.get("coverage_exp_power")
    values = {q.name: 0.5 for q in law.parameters}
    fit = known_fit(law, runs, values)
    named = [
        fit.forecast({"k": [10, 100]}).plot(),
        plots.plot_prior(prior_predictive(law, runs, draws=20)),
    ]
    assert {ax.get_ylabel() for ax in named} == {"rate of solved"}
    assert scale_for(fit, 0.2).plot().get_ylabel() == "P(rate of solved reached)"


def test_what_is_infinite_runs_out_of_the_figure():
    table = {"C": [1e17, 1e19] * 2, "loss": [3.9, 2.0] * 2, "family": list("aabb")}
    runs = Runs(table, y="loss", x={"C": "C"}, groups="family")
    rng = np.random.default_rng(1)
    values = {"E": rng.normal(1.5, 0.1, (1000, 2)), "A": 2.0 * 1e18**0.2, "alpha": 0.2}
    fit = known_fit(laws.OffsetPowerLaw(), runs, values)
    found = compute_multiplier(fit, "a", "b", at=np.geomspace(1e17, 1e23, 4))
    assert np.isinf(found.summary()["upper_0.9"].iloc[-1])
    ax = found.plot()
    widest = ax.collections[0].get_paths()[0].vertices
    assert widest[:, 0].max() == 1e23
    assert widest[:, 1].max() > 100 * ax.get_ylim()[1]
    assert ax.get_ylim()[1] < 1e12


def test_an_interval_without_an_end_is_drawn_to_the_edge():
    draws = np.column_stack([np.r_[np.full(80, np.inf), np.linspace(1, 2, 920)], np.ones(1000)])
    ax = Asymptote(("open", "closed"), draws, np.ones(2), "loss").plot()
    (line, _) = ax.collections[0].get_segments()
    assert line[:, 0].max() > 100 * ax.get_xlim()[1]


def test_an_answer_at_one_scale_is_a_marker():
    table = {"C": [1e17, 1e19] * 2, "loss": [3.9, 2.0] * 2, "family": list("aabb")}
    runs = Runs(table, y="loss", x={"C": "C"}, groups="family")
    values = {"A": np.array([[60.0, 61.0], [61.0, 60.0]]), "alpha": 0.07}
    fit = known_fit(laws.PowerLaw(), runs, values)
    for answer in (
        compute_multiplier(fit, "a", "b", at=1e20),
        better_at(fit, "a", "b", 1e20),
    ):
        (marked,) = [line for line in answer.plot().lines if line.get_marker() == "o"]
        assert np.isfinite(marked.get_ydata()).all()


def test_the_style_is_one_column_wide_with_fonts_in_the_file(forecast, tmp_path):
    before = plt.rcParams["font.size"]
    with plots.publication():
        ax = plots.plot_forecast(forecast)
        assert ax.figure.get_figwidth() * 2.54 == pytest.approx(8.0, abs=0.1)
        ax.figure.savefig(tmp_path / "figure.pdf")
    assert plt.rcParams["font.size"] == before
    written = (tmp_path / "figure.pdf").read_bytes()
    assert b"/FontFile2" in written, "TrueType, embedded"
    assert b"/Type3" not in written


@pytest.mark.parametrize("columns", [1, 2])
def test_no_text_overlaps_or_leaves_the_figure(forecast, fit, columns):
    with plots.publication(columns):
        axes = [
            plots.plot_forecast(forecast),
            plots.plot_forecast(forecast, panels="dataset")[0] if columns == 2 else None,
            plots.plot_exponents(fit),
            plots.plot_predictive_check(fit),
        ]
        for ax in axes:
            if ax is not None:
                assert_texts_apart(ax.figure)


def test_long_names_stay_inside_a_figure_of_one_column():
    names = ["a rather long name of one machine", "and an even longer name of another"]
    table = {"flops": [1e17, 1e19] * 2, "loss": [3.9, 2.0] * 2, "arch": np.repeat(names, 2)}
    runs = Runs(table, y="loss", x={"C": "flops"}, groups={"family": "arch"})
    alpha = np.random.default_rng(1).normal([0.07, 0.08], 0.001, (200, 2))
    fit = known_fit(laws.PowerLaw(), runs, {"A": 3 * 1e18**alpha, "alpha": alpha})
    candidates = {"C": [1e19, 1e20], "family": names[:1] * 2}
    scores = {"elpd": [81.0, 77.5], "elpd_diff": [0.0, -3.5], "se_diff": [0.0, 2.1]}
    forms = pd.DataFrame({**scores, "weight": [0.8, 0.2]}, index=names)
    with plots.publication():
        for ax in (
            better_at(fit, *names, np.geomspace(1e17, 1e21, 9)).plot(),
            compute_multiplier(fit, *names).plot(),
            next_run(fit, candidates, {"C": 7e23, "family": names[1]}, budget=1e21).plot(),
            plots.plot_comparison(SimpleNamespace(table=forms)),
        ):
            ax.figure.canvas.draw()
            width, height = ax.figure.bbox.width, ax.figure.bbox.height
            for text in (ax.xaxis.label, ax.yaxis.label, ax._left_title, *ax.texts):
                box = text.get_window_extent()
                inside = min(box.x0, box.y0) >= -1 and box.x1 <= width + 1 and box.y1 <= height + 1
                assert inside or not text.get_text(), text


def assert_texts_apart(figure):
    figure.canvas.draw()
    boxes = [(t.get_text(), t.get_window_extent()) for t in texts_of(figure) if t.get_text()]
    assert len(boxes) > 6
    for i, (name, box) in enumerate(boxes):
        assert box.x0 >= -1, name
        assert box.x1 <= figure.bbox.x1 + 1, name
        for other, another in boxes[i + 1 :]:
            assert not box.shrunk(0.95, 0.8).overlaps(another.shrunk(0.95, 0.8)), (name, other)


def texts_of(figure):
    for legend in figure.legends:
        yield from legend.get_texts()
    for ax in figure.axes:
        yield from (ax.title, ax.xaxis.label, ax.yaxis.label, *ax.texts)
        for axis in (ax.xaxis, ax.yaxis):
            low, high = sorted(axis.get_view_interval())
            places, labels = axis.get_majorticklocs(), axis.get_majorticklabels()
            for place, label in zip(places, labels, strict=False):
                if low <= place <= high and label.get_visible():
                    yield label


def test_columns_are_one_or_two():
    with pytest.raises(ValueError, match="1 or 2"):
        plots.publication(3)
