"""Figures of forecasts show curves, bands and data, and where the data end."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from figures import GRID, TRUTH, C, assert_texts_apart, drawn, fit_from_prior, legend_of, machines

from bayescale import Checkpoints, LogNormal, Runs, known_fit, laws, plots


@pytest.fixture(scope="module")
def runs():
    return machines()


@pytest.fixture(scope="module")
def fit(runs):
    return fit_from_prior(runs)


@pytest.fixture(scope="module")
def forecast(fit):
    return fit.forecast(GRID)


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


@pytest.mark.parametrize("tokens", [20, 2], ids=["curves", "points"])
def test_two_values_of_another_input_are_two_series_with_names(tokens):
    N, D = map(np.ravel, np.meshgrid([1e8, 1e9, 1e10], [1e9, 1e10, 1e11]))
    table = {"params": N, "tokens": D, "loss": np.linspace(4, 2, 9)}
    joint = Runs(table, y="loss", x={"N": "params", "D": "tokens"})
    constants = {"E": 1.8, "A": 480.0, "alpha": 0.348, "B": 2085.0, "beta": 0.366}
    fit = known_fit(laws.Chinchilla(), joint, constants)
    D = np.tile(np.geomspace(1e9, 1e11, tokens), 2)
    ax = fit.forecast({"N": np.repeat([1e8, 1e9], tokens), "D": D}, kind="mean").plot(x="D")
    assert legend_of(ax)[:2] == ["N = 1e+08", "N = 1e+09"]
    assert len({line.get_color() for line in drawn(ax, "within")}) == 2
    assert {len(line.get_ydata()) for line in drawn(ax, "data")} == {3}
    (elsewhere,) = drawn(ax, "data elsewhere")
    assert len(elsewhere.get_ydata()) == 3
    assert ax.get_xlabel() == "tokens (D)"


@pytest.mark.parametrize(
    ("runs", "what"),
    [(["a"], "run continued"), (["z"], "new run"), (["a", "z"], "run")],
    ids=["continued", "new", "both"],
)
def test_the_legend_says_whether_a_run_is_continued(runs, what):
    table = {"D": [1e9, 2e9, 4e9] * 2, "loss": [3.0, 2.8, 2.6] * 2, "run": np.repeat(["a", "b"], 3)}
    checkpoints = Runs(table, y="loss", x={"D": "D"}, sequence="run")
    noise = LogNormal() + Checkpoints()
    constants = {"A": 80.0, "alpha": 0.16, "sigma": 0.01, "length": 0.3}
    fit = known_fit(laws.PowerLaw(), checkpoints, constants, noise=noise)
    at = {"D": np.tile(np.geomspace(1e9, 1e10, 10), len(runs))}
    ax = fit.forecast(at, groups={"sequence": np.repeat(runs, 10)}, ci_prob=0.9).plot()
    assert f"{what}, 90 %" in legend_of(ax)


def test_axes_that_are_given_are_used(forecast):
    _, ax = plt.subplots()
    assert plots.plot_forecast(forecast, ax=ax) is ax
    assert forecast.plot(ax) is ax
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
