"""Scatter that follows an input."""

import numpy as np
import pytest
from known_noise import posterior

import bayescale as bs
from bayescale.laws.parameters import Parameters
from bayescale.noise import ScaleTrend


def test_scale_trend_grows_towards_small_inputs_and_stays_beyond_the_data():
    part = ScaleTrend("N")
    rows = {"log_N": np.log([1e6, 1e8])}
    data = {**part.numbers(rows), "log_N": np.log([1e6, 1e8, 1e10])}
    scaling = part.scaling(np, Parameters(np, {"gamma_N": 0.5}), data)
    np.testing.assert_allclose(scaling, [10.0, 1.0, 1.0])


def test_known_errors_do_not_follow_the_scale_trend():
    """Nor do they in the density of the table; residuals that runs carry on hold both."""
    noise = bs.LogNormal() + ScaleTrend("x")
    data = {"y": np.zeros(2), "se": np.array([0.05, 0.05]), "log_x": np.log([1e4, 1e8])}
    data |= {"edge_x": np.log([1e8]), "gap": np.full(2, 0.3), "previous": np.arange(2)}
    p = Parameters(np, {"sigma": 0.1, "gamma_x": -0.25, "length": 0.3})
    known = np.hypot([0.01, 0.1], 0.05)
    np.testing.assert_allclose(noise.moments(np, 0.0, p, data)[1], known)
    _, carried_on = (noise + bs.Checkpoints()).moments(np, 0.0, p, data)
    np.testing.assert_allclose(carried_on, known * np.sqrt(1 - np.exp(-2)))


def test_a_forecast_has_the_error_of_its_own_measurement_whatever_the_scale_trend():
    x = np.geomspace(1e17, 1e21, 40)
    runs = bs.Runs(
        {"C": x, "loss": 60 * x**-0.08, "se": 0.02 * 60 * x**-0.08},
        **{"y": "loss", "x": {"C": "C"}, "y_se": "se"},
    )
    draws = {"A": [60.0] * 4000, "alpha": [0.08] * 4000, "sigma": 0.1, "gamma_x": -0.25}
    fit = bs.known_fit(bs.laws.PowerLaw(), runs, draws, noise=bs.LogNormal() + ScaleTrend("x"))
    forecast = fit.forecast({"C": [1e17], "y_se": [0.05 * runs.y[0]]}, random_seed=0)
    assert np.log(forecast.draws).std() == pytest.approx(np.hypot(0.01, 0.05), rel=0.05)


def test_scale_trend_names_the_inputs_that_there_are():
    with pytest.raises(ValueError, match=r"no such input, only x; write ScaleTrend\('x'\)"):
        posterior(bs.LogStudentT() + ScaleTrend("N"), np.ones(12))


def test_scale_trend_follows_an_input_of_a_law_of_whole_schedules():
    table = {"step": [1e3, 2e3, 3e3], "lr": [3e-4, 3e-4, 1e-4], "loss": [3.2, 3.1, 3.0]}
    runs = bs.Runs(table, y="loss", x={"step": "step", "lr": "lr"})
    noise = bs.LogStudentT() + ScaleTrend("step")
    fit = bs.known_fit(
        bs.laws.LRAnnealing(),
        runs,
        {"E": 2.5, "A": 0.5, "alpha": 0.5, "C": 0.3, "sigma": 0.1, "gamma_step": 0.5},
        noise=noise,
    )
    model = fit.model
    observed = model.compile_logp(vars=model.observed_RVs, sum=False, mode="FAST_COMPILE")
    point = {name: values[0, 0] for name, values in fit.draws.items()}
    density = fit.log_likelihood[0, 0] + np.log(runs.y)
    np.testing.assert_allclose(observed(point)[0], density, rtol=1e-9)
