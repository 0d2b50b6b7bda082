"""What goes into a paper, and what is carried from one study to the next."""

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import bayescale as bs
from bayescale.reporting.tables import latex, rounded


def runs_of(families=("mlp", "lstm", "gpt"), rows=8):
    rng = np.random.default_rng(1)
    family = np.repeat(np.arange(len(families)), rows)
    x = np.tile(np.geomspace(1e17, 1e20, rows), len(families))
    alpha = np.array([0.2, 0.25, 0.3])[family]
    y = (1.5 + (x / 1e18) ** -alpha) * np.exp(0.01 * rng.standard_normal(x.size))
    table = {"flops": x, "loss": y, "arch": np.array(families)[family]}
    return bs.Runs(table, y="loss", x={"C": "flops"}, groups={"family": "arch"})


def quick(runs, **options):
    chosen = {"draws": 200, "tune": 200, "chains": 2, "random_seed": 2, "progressbar": False}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", bs.ConvergenceWarning)
        return bs.fit(bs.laws.OffsetPowerLaw(), runs, **{**chosen, **options})


@pytest.fixture(scope="module")
def fit():
    return quick(runs_of())


# Tables -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (0.31234, 0.0213, "0.312"),
        (1712.3, 84.0, "1712"),
        (1712.3, 840.0, "1710"),
        (1.2345e17, 3e15, "1.234e17"),
        (-3.14159, 0.5, "-3.14"),
        (0.00001234, 2e-6, "1.23e-5"),
        (2.0, None, "2.00"),
        (0.0, 0.0, "0"),
        (float("nan"), 0.1, ""),
    ],
)
def test_numbers_are_rounded_by_their_uncertainty(value, error, text):
    assert rounded(value, error) == text


def test_an_interval_is_one_column_that_states_its_probability(fit):
    head, rule, *body = bs.to_paper(fit.summary(0.8)).splitlines()
    assert "80 % interval" in head
    assert "lower" not in head
    assert rule.count("---") == head.count("|") - 1
    (alpha,) = [line for line in body if line.startswith("| alpha[gpt] ")]
    median = alpha.split("|")[2].strip()
    assert abs(float(median) - fit.summary().loc["alpha[gpt]", "median"]) < 0.005
    assert len(median) < 7, "more digits than the data warrant"


def test_latex_escapes_and_sets_powers_of_ten():
    table = pd.DataFrame({"elpd_diff": [-1.26], "se_diff": [0.84], "note": ["50 %"]}, index=["a_b"])
    text = bs.to_paper(table, "latex")
    assert r"a\_b & $-$1.26 & 0.84 & 50 \% \\" in text
    assert text.count(r"\begin{tabular}") == text.count(r"\end{tabular}") == 1
    big = pd.DataFrame({"median": [1.5e18], "sd": [2e17]})
    assert r"1.50$\times 10^{18}$" in bs.to_paper(big, "latex")


def test_heavy_tails_do_not_round_a_median_away():
    skewed = {"median": [44.0, 8.9e20], "sd": [1393.0, 4.2e23], "lower_0.9": [8.0, 8.4e19]}
    text = bs.to_paper(pd.DataFrame({**skewed, "upper_0.9": [103.0, 1.1e23]}, index=["A", "d"]))
    assert "| A | 44 |  | 8.0 to 103 |" in text
    assert "| d | 8.9e20 |  | 8.4e19 to 1.1e23 |" in text
    around_zero = {"median": [0.002], "sd": [0.5], "lower_0.9": [-0.8], "upper_0.9": [0.7]}
    assert "| 0.00 | 0.50 | -0.80 to 0.70 |" in bs.to_paper(pd.DataFrame(around_zero))


def test_a_skewed_row_has_no_standard_deviation_and_each_end_its_own_digits():
    table = {"median": [1.8e10, 500.0], "sd": [3.9e14, 900.0], "lower_0.9": [5e7, 0.0123]}
    text = bs.to_paper(pd.DataFrame({**table, "upper_0.9": [5.967e12, 2345.0]}, index=["xc", "K"]))
    assert "| xc | 1.8e10 |  | 5.0e7 to 6.0e12 |" in text
    assert "| K | 500 |  | 0.012 to 2300 |" in text


def test_latex_sets_negative_powers_of_ten_in_one_formula():
    table = pd.DataFrame({"median": [1.234e-7], "sd": [3e-9]}, index=["A"])
    assert r"1.234$\times 10^{-7}$ & 3.0$\times 10^{-9}$" in bs.to_paper(table, "latex")


def test_latex_sets_powers_of_ten_without_zeros_before_them():
    assert latex("1 to 1e03, 2e+05, 3e-07, 1e10") == (
        r"1 to 1$\times 10^{3}$, 2$\times 10^{5}$, 3$\times 10^{-7}$, 1$\times 10^{10}$"
    )


def test_scales_are_not_written_out_with_false_digits():
    text = bs.to_paper(pd.DataFrame({"C": [1e23, 3.7e22, 128.0]}))
    assert "| 1.00e23 |" in text
    assert "| 3.70e22 |" in text
    assert "| 128 |" in text


def test_html_escapes():
    assert "&lt;b&gt;" in bs.to_paper(pd.DataFrame({"name": ["<b>"]}), "html")


def test_what_is_no_table_is_told_where_its_table_is(fit):
    with pytest.raises(TypeError, match=r"not Fit: give its \.summary\(\)"):
        bs.to_paper(fit)
    with pytest.raises(TypeError, match=r"not Forecast: give its \.table"):
        bs.to_paper(fit.forecast({"C": 1e21}))


def test_tables_refuse_other_forms():
    with pytest.raises(ValueError, match="markdown, latex, html"):
        bs.to_paper(pd.DataFrame({"a": [1]}), "word")
    with pytest.raises(ValueError, match="digits"):
        bs.to_paper(pd.DataFrame({"a": [1]}), digits=0)


# The checklist ------------------------------------------------------------------------------------


def test_the_report_names_everything_a_reader_asks_for(fit):
    text = str(fit.report())
    for said in (
        r"$y = E + A x^{-\alpha}$",
        "column `flops`",
        "State how FLOPs were counted",
        "24 rows",
        "(3.0 decades)",
        "mlp 8, lstm 8, gpt 8",
        "`LogStudentT` on the logarithm of the response",
        "log-normal, median 0.3",
        "`alpha`: `Partial('family')`",
        "R-hat",
        "PSIS-LOO of this fit alone",
        "in nats, of the density of the response itself",
        "alpha[gpt]",
    ):
        assert said in text, said


def test_the_report_gives_the_median_of_the_spread_between_groups(fit):
    (alpha,) = [q for q in fit.structure.parameters if q.name == "alpha"]
    assert f"`alpha` between groups: SD about {alpha.between / 2:g} (" in str(fit.report())


def test_a_fit_that_did_not_converge_says_so_in_its_report(fit):
    said = dict(fit.report().items)["Convergence"]
    passed = fit.diagnostics["converged"]
    assert any("passed" in line for line in said) == passed
    assert any("NOT CONVERGED" in line for line in said) != passed


def test_draws_that_jumps_made_are_said_to_be_so(fit):
    def said(jumps):
        known = replace(fit, diagnostics={**fit.diagnostics, "jumps": jumps})
        return " ".join(dict(known.report().items)["Convergence"])

    assert "14 % of jumps accepted" in said(0.137)
    assert "jumps" not in said(0.0)


def test_the_report_takes_its_score_from_a_comparison(fit):
    comparison = bs.compare({"offset": fit}, max_refits=0)
    said = " ".join(dict(fit.report(comparison).items)["Held-out score"])
    assert "`offset`: elpd" in said
    assert "PSIS-LOO of this fit alone" not in said


def test_a_report_refuses_scores_of_another_kind(fit):
    with pytest.raises(ValueError, match=r"held_out is a Fit: give what bs\.compare\("):
        fit.report(fit)


def test_latex_of_the_report_is_escaped_and_balanced(fit):
    text = fit.report().latex
    assert text.count(r"\begin{") == text.count(r"\end{")
    assert r"\texttt{alpha}" in text
    assert r"$y = E + A x^{-\alpha}$" in text
    outside = text.replace(r"\_", "").replace(r"\%", "")
    assert "_" not in outside
    assert "%" not in outside


def test_a_law_of_a_user_without_mathematics_reports_its_first_line():
    from bayescale.reporting.reporting import formula

    class Straight(bs.Law):
        """A line."""

    assert formula(Straight()) == "A line", "the report ends the sentence"


# Carrying a posterior -----------------------------------------------------------------------------


def test_a_posterior_becomes_the_prior_of_the_next_study(fit):
    import pymc as pm

    priors = fit.as_prior()
    assert list(priors) == ["alpha"]
    drawn = np.log(pm.draw(priors["alpha"], 4000, random_seed=1))
    population = np.log(fit.posterior["alpha_population"].values)
    assert drawn.mean() == pytest.approx(population.mean(), abs=0.05)
    assert drawn.std() == pytest.approx(population.std(), rel=0.1)


def test_what_is_carried_goes_straight_into_a_model(fit):
    few = runs_of(rows=2)
    believed = bs.prior_predictive(
        bs.laws.OffsetPowerLaw(), few, priors=fit.as_prior("alpha"), draws=400
    )
    ratio = believed["prior"]["alpha_population"] / fit.posterior["alpha_population"].median()
    assert 0.9 < float(ratio.median()) < 1.1
    assert float(np.log(ratio).std()) < 0.3, "the default prior has 0.5"


def test_parameters_without_a_population_are_not_carried():
    constants = {"E": 1.0, "A": 1e9, "alpha": 0.5}
    given = bs.known_fit(bs.laws.OffsetPowerLaw(), runs_of(), constants)
    with pytest.raises(ValueError, match=r"varies independently over 'family'.*bs.Partial"):
        given.as_prior("alpha")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("E", "'E' is a floor of these data"),
        ("aplha", "no parameter 'aplha', only E, A, alpha"),
        (["alpha"], r"no parameter \['alpha'\], only E, A, alpha.*: give names one by one"),
    ],
)
def test_what_belongs_to_one_table_is_not_carried(fit, name, message):
    with pytest.raises(ValueError, match=message):
        fit.as_prior(name)


# ArviZ --------------------------------------------------------------------------------------------


def test_arviz_works_on_the_tree_as_it_is(fit):
    import arviz as az
    import matplotlib as mpl

    mpl.use("Agg")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert np.isfinite(az.loo(fit.data).elpd)
        assert list(az.compare({"one": fit.data, "two": fit.data}).index) == ["one", "two"]
        az.plot_trace_dist(fit.data, var_names=["alpha"])
        again = (("chain", "draw", "obs"), fit.replicated().reshape(fit.log_likelihood.shape))
        tree = fit.data.copy()
        tree["posterior_predictive"] = xr.DataTree(xr.Dataset({"y": again}))
        az.plot_ppc_dist(tree)
    assert "alpha" in az.summary(fit.data, var_names=["alpha"]).index[0]
