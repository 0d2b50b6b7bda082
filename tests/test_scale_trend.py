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
    _, sd = part.adjust(np, 0.0, 0.01, Parameters(np, {"gamma_N": 0.5}), data)
    np.testing.assert_allclose(sd, [0.1, 0.01, 0.01])


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
