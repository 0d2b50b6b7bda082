"""Figures of exponents, comparisons and checks show the numbers that they are made of."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from figures import TRUTH, C, drawn, fit_from_prior, legend_of, machines

from bayescale import Runs, known_fit, laws, learned, plots, prior_predictive


@pytest.fixture(scope="module")
def runs():
    return machines()


@pytest.fixture(scope="module")
def fit(runs):
    return fit_from_prior(runs)


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
    assert legend_of(ax)[:2] == ["replicates, 50 %", "80 %"]
    assert len(legend_of(ax)) == 2 + len(TRUTH)


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
    assert legend_of(plots.plot_predictive_check(fit)) == ["replicates, 50 %", "90 %"]
    prior = prior_predictive(laws.OffsetPowerLaw(), runs, draws=20)
    assert legend_of(plots.plot_prior(prior)) == ["90 % of prior curves"]


def test_a_fit_in_the_place_of_its_prior_is_told_what_to_write(fit):
    with pytest.raises(TypeError, match=r"plot_prior\(fit\.prior_predictive\(\)\)"):
        plots.plot_prior(fit)


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (plots.plot_forecast, r"the forecast is a {}: give what fit\.forecast\("),
        (plots.plot_exponents, r"the fit is a {}: give what bs\.fit"),
        (plots.plot_predictive_check, r"the fit is a {}: give what bs\.fit"),
        (plots.plot_comparison, r"the comparison is a {}: give what bs\.compare\("),
        (plots.plot_reliability, r"the back-test is a {}: give what bs\.backtest\("),
        (learned, r"the fit is a {}: give what bs\.fit"),
    ],
)
def test_another_result_in_the_place_of_one_is_told_what_to_give(draw, message, fit, runs):
    fits = {"power law": fit}
    other = fit.forecast(1e20, groups={"family": "lstm"}) if "the fit" in message else fit
    for wrong in (other, runs, fits, laws.PowerLaw()):
        with pytest.raises(ValueError, match=message.format(type(wrong).__name__)):
            draw(wrong)
