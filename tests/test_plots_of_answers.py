"""Figures of answers name their axes and bands, and end where the data do."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from answers import broken, chinchilla, power_laws
from figures import legend_of

import bayescale as bs
from bayescale import (
    Runs,
    asymptote,
    better_at,
    compute_multiplier,
    compute_optimal,
    crossover_scale,
    emergence_test,
    known_fit,
    laws,
    pareto,
    plots,
    prior_predictive,
    probability,
    regime_at,
    scale_for,
)
from bayescale.quantities.limits import Asymptote


def test_figures_break_lines_beyond_the_data():
    pair = power_laws([60.0, 169.0], [0.07, 0.095])
    known = pair.runs.x["C"]
    x = np.geomspace(known.min(), 100 * known.max(), 20)
    for answer, curves in (
        (bs.probability(pair, "loss < 2.0", at={"C": x}), 2),
        (bs.pareto(pair, x), 2),
        (bs.better_at(pair, "lstm", "gpt", x), 1),
    ):
        lines = answer.plot().get_lines()
        broken = [line for line in lines if line.get_linestyle() == "--"]
        assert len(broken) == curves
        for line in broken:
            drawn = np.asarray(line.get_xdata())[np.isfinite(np.asarray(line.get_ydata(), float))]
            assert drawn.max() == x[-1]
            assert np.sum(drawn <= known.max()) == 1


def test_a_target_that_is_never_reached_keeps_its_curve_to_the_edge():
    never = bs.scale_for(
        power_laws([[60.0] * 2] * 2, [0.07, 0.07], [[0.1] * 2, [0.6] * 2]),
        [2.5, 0.4],
        groups={"family": "gpt"},
    )
    ends = {np.nanmax(line.get_xdata()) for line in never.plot().get_lines()[:4]}
    assert len(ends) == 1


def test_the_path_of_an_allocation_is_broken_beyond_the_data():
    fit, _ = chinchilla()
    path = bs.compute_optimal(fit, np.geomspace(1e19, 1e26, 8)).plot().get_lines()
    within, beyond = (np.isfinite(np.asarray(line.get_ydata(), float)) for line in path)
    assert within.any()
    assert beyond[-1]
    assert not within[-1]


def test_twelve_curves_are_told_apart_without_colour():
    names = [f"machine {i}" for i in range(12)]
    fits = {
        name: power_laws([60.0, 169.0], [0.07, 0.095 + 0.001 * i]) for i, name in enumerate(names)
    }
    ax = bs.pareto(fits, groups={"family": "gpt"}).plot()
    shapes = {str(c.get_paths()[0].vertices) for c in ax.collections if c.get_offsets().size > 2}
    assert len(shapes) == 10
    looks = {(h.get_color(), h.get_marker()) for h in ax.figure.legends[0].legend_handles[:12]}
    assert len(looks) == 12


def test_draws_that_all_agree_do_not_make_an_answer_certain():
    pair, gpt = power_laws([60.0, 169.0], [0.07, 0.095]), {"family": "gpt"}
    answers = [
        bs.crossover_scale(pair, "lstm", "gpt"),
        bs.compute_multiplier(pair, "lstm", "gpt", at=[1e18, 1e20]),
        bs.exponent_contrast(pair, "lstm", "gpt"),
        bs.break_probability(broken(), between=(1e30, 1e31)),
        bs.emergence_test(pair, groups=gpt),
    ]
    for answer in answers:
        title = answer.plot(plt.figure().subplots()).get_title(loc="left")
        assert title.endswith((": < 1 %", ": > 99 %"))
        assert " 0 %" not in answer.sentence
        assert "100 %" not in answer.sentence
        plt.close("all")


def test_every_answer_has_a_sentence_a_summary_and_a_figure():
    fit, _ = chinchilla(4000, E=0.02, A=0.2, alpha=0.04, B=0.3, beta=0.05)
    pair = power_laws([[60.0, 169.0], [60.0, 160.0]], [0.07, 0.095], [[0.1, 0.1], [0.2, 0.1]])
    gpt = {"family": "gpt"}
    answers = [
        bs.crossover_scale(pair, "lstm", "gpt"),
        bs.better_at(pair, "lstm", "gpt", [1e18, 1e20]),
        bs.compute_multiplier(pair, "lstm", "gpt", at=[1e18, 1e20]),
        bs.optimizer_speedup(pair, "lstm", "gpt", at=[1e18, 1e20]),
        bs.compute_optimal(fit, [1e20, 1e21]),
        bs.scale_for(pair, [2.5, 0.15], groups=gpt),
        bs.probability(pair, "loss < 2.0", at={"C": [1e20, 1e21]}),
        bs.probability(pair, "alpha < 0.08"),
        bs.asymptote(pair),
        bs.asymptote_gap(pair, "lstm", "gpt"),
        bs.exponent_contrast(pair, "lstm", "gpt"),
        bs.break_probability(broken(), between=(1e4, 1e6)),
        bs.regime_at(broken(), [1e4, 1e6]),
        bs.emergence_test(pair, groups=gpt),
        bs.pareto(pair, [1e18, 1e20]),
        bs.next_run(pair, {"C": [1e20], "family": ["gpt"]}, {"C": 1e22, "family": "gpt"}, 1e21),
    ]
    for answer in answers:
        assert str(answer) == answer.sentence
        assert answer.sentence.endswith(".")
        assert len(answer.summary(ci_prob=0.8)) > 0
        _, ax = plt.subplots()
        assert answer.plot(ax) is ax
        assert ax.has_data()
        plt.close("all")


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
