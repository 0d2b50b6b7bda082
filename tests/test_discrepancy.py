"""Doubt in a law, which opens bands beyond the data of a curve."""

import numpy as np
import pytest
from known_noise import X, posterior

import bayescale as bs
from bayescale.forecast.forecast import forecast
from bayescale.forecast.points import points_of
from bayescale.model.arrays import arrays_of
from bayescale.model.structure import structure_of
from bayescale.noise import Discrepancy, Effect


def test_bands_open_with_every_decade_of_doubt_and_not_inside_the_data():
    structure, draws, arrays, runs = posterior(bs.LogStudentT() + Discrepancy(0.1), np.ones(12))
    x = {"x": [1e7, 1e9, 1e10]}
    table = forecast(structure, draws, arrays, runs, x, kind="mean", ci_prob=0.95).table
    width = np.log(table["upper_0.95"] / table["lower_0.95"]).to_numpy()
    assert width[0] < 1e-9
    np.testing.assert_allclose(width[1:], 2 * 1.96 * 0.1 * np.array([1.0, 2.0]), rtol=0.08)


def test_doubt_keeps_a_curve_straight_within_one_draw():
    shift = Discrepancy(0.1).shift(
        np.random.default_rng(0), np.array([1.0, 2.0]), np.zeros((5, 2)), np.zeros(2, int), 1
    )
    np.testing.assert_allclose(shift[:, 1], 2 * shift[:, 0])


def test_doubt_in_a_share_of_the_change_means_the_same_for_steep_and_flat_curves():
    away, cell = np.array([0.5, 1.0]), np.zeros(2, int)
    steep, flat = (
        Discrepancy(share=0.2).shift(np.random.default_rng(0), away, slope * away[None], cell, 1)
        for slope in (-0.3, -0.003)
    )
    np.testing.assert_allclose(steep, 100 * flat)


def test_the_data_of_a_curve_end_where_they_do_whatever_labels_the_noise_claims():
    table = {
        "x": [1e6, 1e7, 1e6, 1e8, 1e9, 1e10],
        "y": [3.0, 2.5, 3.1, 2.1, 1.9, 1.8],
        "family": ["small"] * 4 + ["big"] * 2,
        "seed": [*"aabbaa"],
    }
    runs = bs.Runs(table, y="y", x="x", groups=["family", "seed"])
    structure = structure_of(
        bs.laws.PowerLaw(), runs, None, bs.LogStudentT() + Effect("seed"), None
    )
    arrays = arrays_of(structure, runs)
    for seed in ({}, {"seed": "a"}, {"seed": "b"}, {"seed": "new"}):
        labels = {"family": ["small", "big", "new"], **seed}
        _, frame = points_of(structure, arrays, runs, {"x": [1e9, 1e11, 1e11]}, labels)
        np.testing.assert_allclose(frame["decades_beyond"], [1.0, 1.0, 1.0])


def test_runs_that_differ_in_a_seed_share_the_error_of_their_law():
    table = {"x": X, "y": 3 * X**-0.2, "family": ["a"] * 6 + ["b"] * 6, "seed": ["s", "t"] * 6}
    runs = bs.Runs(table, y="y", x="x", groups=["family", "seed"])
    structure = structure_of(
        bs.laws.PowerLaw(), runs, None, bs.LogStudentT() + Effect("seed"), None
    )
    labels = {"family": ["a", "a", "b"], "seed": ["s", "t", "s"]}
    at = {"x": [1e9] * 3}
    points, _ = points_of(structure, arrays_of(structure, runs), runs, at, labels)
    assert points.cell.tolist() == [0, 1, 2]
    assert points.curve.tolist() == [0, 0, 1]


def test_doubt_in_a_share_begins_where_the_data_of_a_label_end():
    table = {"x": X, "y": 3 * X**-0.2, "family": ["short"] * 6 + ["long"] * 6}
    runs = bs.Runs(table, y="y", x="x", groups=["family"])
    constants = {"A": 3.0, "alpha": np.full(4000, 0.2)}
    noise = bs.LogStudentT() + Discrepancy(share=0.5)
    fit = bs.known_fit(bs.laws.PowerLaw(), runs, constants, noise=noise)
    ends = {"short": X[5], "long": X[11]}
    for family, end in ends.items():
        beyond = fit.forecast(
            {"x": end * np.array([0.9, 10.0])}, groups={"family": family}, kind="mean"
        )
        fall = np.log(beyond.draws / (3 * end**-0.2))
        np.testing.assert_allclose(fall[:, 0], -0.2 * np.log(0.9), rtol=1e-6)
        np.testing.assert_allclose(fall[:, 1].mean(), -0.2 * np.log(10.0), rtol=0.05)
        np.testing.assert_allclose(fall[:, 1].std(), 0.5 * 0.2 * np.log(10.0), rtol=0.05)


def test_a_share_of_the_change_is_refused_to_laws_of_whole_schedules():
    table = {"step": [1e3, 2e3, 3e3], "lr": [3e-4, 3e-4, 1e-4], "loss": [3.2, 3.1, 3.0]}
    x = {"step": "step", "lr": "lr"}
    runs = bs.Runs({**table, "run": ["a"] * 3}, y="loss", x=x, sequence="run")
    constants = {"E": 3.0, "A": 0.5, "alpha": 0.5, "C": 0.3}
    noise = bs.LogStudentT() + Discrepancy(share=0.5)
    fit = bs.known_fit(bs.laws.get("lr_annealing"), runs, constants, noise=noise)
    beyond = {"step": [4e3, 5e3], "lr": [1e-4, 1e-4]}
    with pytest.raises(ValueError, match=r"write Discrepancy\(scale=...\), per decade"):
        fit.forecast(beyond, kind="mean")


@pytest.mark.parametrize("wrong", [{"scale": -0.1}, {"scale": np.nan}, {"share": -0.1}])
def test_doubt_must_be_a_size(wrong):
    with pytest.raises(ValueError, match=f"{next(iter(wrong))} must be .* at least 0"):
        Discrepancy(**wrong)
