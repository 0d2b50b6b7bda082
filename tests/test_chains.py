"""A downstream metric at a compute, by way of the loss."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import bayescale as bs

SAMPLES = 2000
COMPUTE = np.geomspace(1e17, 1e21, 12)
EPS, K, G = np.array([0.8, 0.9]), np.array([3.0, 2.5]), 1.1


def true_loss(C):
    return 1.8 + 1.5 * (C / 1e19) ** -0.12


def true_error(L, task):
    which = ["easy", "hard"].index(task)
    return EPS[which] - K[which] * np.exp(-G * L)


@pytest.fixture(scope="module")
def loss():
    rng = np.random.default_rng(8)
    table = {"flops": COMPUTE, "loss": true_loss(COMPUTE)}
    draws = {
        "E": 1.8 + 0.05 * rng.standard_normal(SAMPLES),
        "A": 1.5 * 1e19**0.12,
        "alpha": 0.12,
        "sigma": 0.01,
    }
    runs = bs.Runs(table, y="loss", x={"C": "flops"})
    return bs.known_fit(bs.laws.OffsetPowerLaw(), runs, draws, noise=bs.LogNormal())


@pytest.fixture(scope="module")
def metric(loss):
    rng = np.random.default_rng(9)
    at = np.tile(loss.runs.y, 2)
    task = np.repeat(["easy", "hard"], 12)
    error = np.concatenate([true_error(loss.runs.y, t) for t in ("easy", "hard")])
    table = {"flops": np.tile(COMPUTE, 2), "loss": at, "task": task, "items": np.full(24, 5000)}
    table["wrong"] = np.round(5000 * error)
    with pytest.warns(bs.RunsWarning, match="corr"):
        runs = bs.Runs(table, y=("wrong", "items"), x={"L": "loss", "C": "flops"}, groups=["task"])
    eps = EPS + 0.01 * rng.standard_normal((SAMPLES // 2, 2))
    draws = {"eps": eps, "k": np.tile(K, (SAMPLES // 2, 1)), "g": G, "concentration": 1e4}
    return bs.known_fit(bs.laws.LossToError(), runs, draws)


@pytest.fixture(scope="module")
def chained(loss, metric):
    return bs.chain(loss, metric)


def test_losses_that_do_not_overlap_may_be_in_two_units(loss, metric):
    table = {"C": COMPUTE, "bits": true_loss(COMPUTE) / 0.3}
    runs = bs.Runs(table, y="bits", x={"C": "C"})
    in_bits = bs.known_fit(
        bs.laws.PowerLaw(), runs, {"A": 100.0, "alpha": 0.05, "sigma": 0.01}, noise=bs.LogNormal()
    )
    with pytest.warns(bs.RunsWarning, match=r"2.66 to 4.41.*do not overlap"):
        bs.chain(in_bits, metric)


def test_the_metric_is_forecast_beyond_the_largest_run(chained):
    table = chained.forecast({"C": [1e22, 1e23]}, kind="mean", ci_prob=0.9).table
    assert table["task"].tolist() == ["easy", "easy", "hard", "hard"]
    truth = [true_error(true_loss(c), t) for c, t in zip(table["C"], table["task"], strict=True)]
    assert np.allclose(table["median"], truth, atol=3e-3)
    assert np.allclose(table["loss"], true_loss(table["C"]), atol=5e-3)
    assert table["extrapolated"].all()


def test_the_band_holds_the_uncertainty_of_both_stages(chained):
    where = {"groups": {"task": "easy"}, "kind": "mean"}
    both = chained.forecast({"C": 1e21}, **where).draws.std()
    slope = K[0] * G * np.exp(-G * true_loss(1e21))
    assert both == pytest.approx(np.hypot(0.01, slope * 0.05), rel=0.06)
    assert both > 1.1 * chained.metric.forecast({"L": true_loss(1e21)}, **where).draws.std()


def test_a_metric_is_doubted_only_where_draws_of_the_loss_leave_the_data(loss, metric):
    noise = metric.structure.noise + bs.Discrepancy(share=0.5)
    doubted = replace(metric, structure=replace(metric.structure, noise=noise))
    where = {"groups": {"task": "easy"}, "kind": "mean"}
    x = {"C": [1e19, 1e24]}
    plain, doubtful = (bs.chain(loss, m).forecast(x, **where).draws for m in (metric, doubted))
    np.testing.assert_array_equal(plain[:, 0], doubtful[:, 0])
    assert doubtful[:, 1].std() > 1.2 * plain[:, 1].std()


def test_a_new_run_adds_the_scatter_of_its_loss_and_of_its_items(chained):
    where = {"groups": {"task": "easy"}}
    mean = chained.forecast({"C": 1e21}, kind="mean", **where).draws.std()
    many = chained.forecast({"C": 1e21, "trials": 100_000}, **where).draws.std()
    few = chained.forecast({"C": 1e21, "trials": 50}, **where).draws.std()
    loss, error = true_loss(1e21), true_error(true_loss(1e21), "easy")
    of_loss = K[0] * G * np.exp(-G * loss) * 0.01 * loss
    of_items = np.sqrt(error * (1 - error) * (1e-4 + 1e-5))
    assert many == pytest.approx(np.sqrt(mean**2 + of_loss**2 + of_items**2), rel=0.06)
    assert few > 2 * many


def test_every_point_may_have_its_own_labels(chained):
    forecast = chained.forecast({"C": [1e19, 1e20]}, groups={"task": ["hard", "easy"]})
    assert forecast.points["task"].tolist() == ["hard", "easy"]
    assert forecast.draws.shape == (SAMPLES, 2)
    assert not forecast.extrapolated.any()


def test_points_of_a_chain_may_be_rows_of_a_table(chained):
    points = pd.DataFrame({"flops": [1e19, 1e20], "task": ["hard", "easy"], "items": [10, 20]})
    given = chained.forecast(points).points
    groups = {"task": ["hard", "easy"]}
    pd.testing.assert_frame_equal(
        given, chained.forecast({"C": [1e19, 1e20], "trials": [10, 20]}, groups=groups).points
    )


def test_labels_of_the_metric_follow_points_that_run_over_groups_of_the_loss(metric):
    table = {"C": [1e18, 1e20] * 3, "y": [3.5, 3.0] * 3, "family": [*"aabbbb"], "data": [*"uuuuvv"]}
    runs = bs.Runs(table, y="y", x={"C": "C"}, groups=["family", "data"])
    constants = {"A": np.array([[3.0, 3.2, 3.4]]) * 1e19**0.1, "alpha": 0.1}
    chained = bs.chain(bs.known_fit(bs.laws.PowerLaw(), runs, constants), metric)
    groups = {"family": ["b", "a"], "task": ["easy", "hard"]}
    found = chained.forecast(
        {"C": [1e18, 1e19], "trials": [10, 20]}, groups=groups, kind="mean"
    ).points
    assert list(zip(found["family"], found["data"], strict=True)) == [
        *zip("bab", "uuv", strict=True)
    ]
    assert found["task"].tolist() == ["easy", "hard", "easy"]
    assert found["trials"].tolist() == [10, 20, 10]
    np.testing.assert_allclose(found["loss"], [3.2 * 10**0.1, 3.0, 3.4 * 10**0.1])


def test_draws_are_reproducible_and_items_may_be_few(chained):
    options = {"groups": {"task": "easy"}, "random_seed": 3}
    one, two = (chained.forecast({"C": 1e20, "trials": 10}, **options).draws for _ in range(2))
    assert np.array_equal(one, two)
    named, bare = (chained.forecast(x, **options).draws for x in ({"C": 1e20}, 1e20))
    assert np.array_equal(named, bare)
    assert np.allclose(one * 10, np.round(one * 10))


def test_a_chain_names_what_is_wrong(chained):
    with pytest.raises(ValueError, match="depend on the loss alone"):
        bs.chain(chained.loss, replace(chained.metric, law=bs.laws.Chinchilla()))
    with pytest.raises(ValueError, match="no group is called 'tusk'; the two fits have task"):
        chained.forecast({"C": 1e22}, groups={"tusk": "easy"})
    with pytest.raises(ValueError, match="kind must be"):
        chained.forecast({"C": 1e22}, kind="both")


def test_the_forecast_is_drawn_over_the_measured_metric(chained):
    pytest.importorskip("matplotlib").use("Agg")
    ax = chained.forecast({"C": np.geomspace(1e19, 1e23, 5)}, groups={"task": "easy"}).plot()
    assert "flops" in ax.get_xlabel()


def test_a_metric_measured_over_loss_alone_is_drawn_over_the_inputs_of_the_loss():
    table = {"C": [1e17, 1e19, 1e21], "loss": [4.1, 2.9, 2.4], "error": [0.78, 0.63, 0.5]}
    over_compute = bs.Runs(table, y="loss", x={"C": "C"})
    over_loss = bs.Runs(table, y="error", x={"L": "loss"})
    loss = bs.known_fit(bs.laws.PowerLaw(), over_compute, {"A": [40.0, 41.0], "alpha": 0.06})
    error = bs.known_fit(bs.laws.LossToError(), over_loss, {"eps": 0.9, "k": 2.2, "g": 0.7})
    ax = bs.chain(loss, error).forecast({"C": [1e20, 1e22, 1e23]}).plot()
    assert ax.get_xlabel() == "C"
    assert [line for line in ax.lines if line.get_gid() == "data" and len(line.get_xdata())] == []
    with pytest.raises(ValueError, match="swap them"):
        bs.chain(error, loss)
    with pytest.raises(TypeError, match="loss_fit must be a Fit, not dict"):
        bs.chain({"a": loss}, error)
