"""Figures for publication fit their column, and no text overlaps."""

import itertools
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from figures import GRID, assert_texts_apart, fit_from_prior, machines

from bayescale import (
    Runs,
    better_at,
    compute_multiplier,
    compute_optimal,
    known_fit,
    laws,
    next_run,
    plots,
)


@pytest.fixture(scope="module")
def runs():
    return machines()


@pytest.fixture(scope="module")
def fit(runs):
    return fit_from_prior(runs)


@pytest.fixture(scope="module")
def forecast(fit):
    return fit.forecast(GRID)


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


def test_legends_and_labels_have_room_in_the_style_of_matplotlib_too(fit):
    sizes, tokens = np.repeat(np.geomspace(1e7, 3e8, 5), 5), np.tile(np.geomspace(1e9, 3e10, 5), 5)
    constants = {"E": 1.8, "A": 480.0, "B": 2100.0, "alpha": 0.35, "beta": [0.36, 0.37, 0.38]}
    table = {"N": sizes, "D": tokens, "loss": 1.8 + 480 * sizes**-0.35 + 2100 * tokens**-0.37}
    runs = Runs(table, y="loss", x={"N": "N", "D": "D"})
    plane = known_fit(laws.Chinchilla(), runs, constants)
    with plt.style.context("default"):
        for ax in (
            compute_optimal(plane, np.geomspace(1e18, 1e23, 9)).plot(),
            plots.plot_exponents(fit),
        ):
            ax.figure.canvas.draw()
            (legend,) = ax.figure.legends
            assert legend.get_window_extent().x1 <= ax.figure.bbox.x1
    labels = [label.get_window_extent() for label in ax.get_yticklabels()]
    assert all(above.y0 > below.y1 for above, below in itertools.pairwise(labels))


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


def test_columns_are_one_or_two():
    with pytest.raises(ValueError, match="1 or 2"):
        plots.publication(3)
