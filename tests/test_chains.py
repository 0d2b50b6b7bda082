"""A downstream metric at a compute, by way of the loss."""

import numpy as np
import pymc as pm
import pytest

import bayescale as bs

SMALL = {"draws": 800, "tune": 500, "chains": 2, "random_seed": 7, "progressbar": False}
COMPUTE = np.geomspace(1e17, 1e21, 12)


def true_loss(C):
    return 1.8 + 1.5 * (C / 1e19) ** -0.12


def true_error(L, task):
    return {"easy": 0.8, "hard": 0.9}[task] - 3.0 * np.exp(-1.1 * L)


@pytest.fixture(scope="module")
def loss_runs():
    rng = np.random.default_rng(8)
    loss = true_loss(COMPUTE) * np.exp(0.02 * rng.standard_normal(12))
    return bs.Runs({"flops": COMPUTE, "loss": loss}, y="loss", x={"C": "flops"})


@pytest.fixture(scope="module")
def chained(loss_runs):
    rng = np.random.default_rng(9)
    loss = np.tile(loss_runs.y, 2)
    task = np.repeat(["easy", "hard"], 12)
    error = np.array([true_error(v, t) for v, t in zip(loss, task, strict=True)])
    table = {
        "flops": np.tile(COMPUTE, 2),
        "loss": loss,
        "task": task,
        "wrong": rng.binomial(5000, error),
        "items": np.full(24, 5000),
    }
    with pytest.warns(bs.RunsWarning, match="corr"):
        runs = bs.Runs(table, y=("wrong", "items"), x={"L": "loss", "C": "flops"}, groups=["task"])
    first = bs.fit(bs.laws.OffsetPowerLaw(), loss_runs, **SMALL)
    second = bs.fit(
        bs.laws.LossToError(),
        runs,
        pooling={"g": bs.Shared(), "eps": bs.Independent("task")},
        priors={"eps": pm.Beta.dist(85, 15)},
        **SMALL,
    )
    return bs.chain(first, second)


def test_the_metric_is_forecast_beyond_the_largest_run(chained):
    forecast = chained.forecast({"C": [1e22, 1e23]}, ci_prob=0.98)
    table = forecast.table
    assert table["task"].tolist() == ["easy", "easy", "hard", "hard"]
    truth = [true_error(true_loss(c), t) for c, t in zip(table["C"], table["task"], strict=True)]
    assert np.all((table["lower_0.98"] < truth) & (truth < table["upper_0.98"]))
    assert table["extrapolated"].all()
    assert np.allclose(table["loss"], true_loss(table["C"]), rtol=0.1)


def test_the_band_holds_the_uncertainty_of_both_stages(chained):
    where = {"groups": {"task": "easy"}, "kind": "mean"}
    both = chained.forecast({"C": 1e20}, **where).draws.std()
    at = chained.loss.forecast({"C": 1e20}, kind="mean").table["median"][0]
    metric_alone = chained.metric.forecast({"L": at}, **where).draws.std()
    assert both > 1.1 * metric_alone
    scattered = chained.forecast({"C": 1e20}, groups={"task": "easy"}).draws.std()
    assert scattered > 1.1 * both


def test_a_known_loss_hands_over_to_the_metric_alone(chained):
    C = float(COMPUTE[5])
    chain = chained.forecast({"C": C}, groups={"task": "hard"}, kind="mean", ci_prob=0.5)
    direct = chained.metric.forecast(
        {"L": true_loss(C)}, groups={"task": "hard"}, kind="mean", ci_prob=0.5
    )
    assert chain.table["median"][0] == pytest.approx(direct.table["median"][0], abs=0.01)
    assert not chain.extrapolated.any()


def test_draws_are_reproducible_and_items_may_be_few(chained):
    options = {"groups": {"task": "easy"}, "random_seed": 3}
    one, two = (chained.forecast({"C": 1e20, "trials": 10}, **options).draws for _ in range(2))
    assert np.array_equal(one, two)
    assert np.allclose(one * 10, np.round(one * 10))


def test_a_chain_names_what_is_wrong(chained):
    with pytest.raises(ValueError, match="depend on the loss alone"):
        bs.chain(chained.loss, replace_law(chained.metric))
    with pytest.raises(ValueError, match="no group is called 'tusk'; the two fits have task"):
        chained.forecast({"C": 1e22}, groups={"tusk": "easy"})
    with pytest.raises(ValueError, match="kind must be"):
        chained.forecast({"C": 1e22}, kind="both")


def replace_law(fit):
    from dataclasses import replace

    return replace(fit, law=bs.laws.Chinchilla())


def test_the_forecast_is_drawn_over_the_measured_metric(chained):
    pytest.importorskip("matplotlib").use("Agg")
    ax = chained.forecast({"C": np.geomspace(1e19, 1e23, 5)}, groups={"task": "easy"}).plot()
    assert "flops" in ax.get_xlabel()
