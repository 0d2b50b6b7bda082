"""Scatter that leans upwards."""

import numpy as np

import bayescale as bs


def test_one_sided_scatter_is_a_density_that_leans_upwards():
    noise = bs.LogOneSided(above=3.0)
    z = np.linspace(-60, 180, 400_001)
    density = np.exp(noise.log_density(np.exp(z / 10), 0.0, 0.1)) * np.exp(z / 10) / 10
    cumulated = np.cumsum(density) * (z[1] - z[0])
    np.testing.assert_allclose(cumulated[-1], 1.0, atol=1e-3)
    for at in (-1.0, 0.5, 4.0):
        index = np.searchsorted(z, at)
        np.testing.assert_allclose(
            noise.cdf(np.exp(at / 10), 0.0, 0.1), cumulated[index], atol=1e-3
        )
    drawn = noise.sample(np.random.default_rng(0), np.zeros(20000), 0.1)
    np.testing.assert_allclose(np.mean(drawn > 1), 0.75, atol=0.01)


def test_the_graph_of_one_sided_scatter_has_the_density_of_the_forecast():
    import pymc as pm

    noise, y = bs.LogOneSided(above=2.0), np.array([-0.03, 0.0, 0.2])
    with pm.Model() as model:
        noise._observed("y", np.zeros(3), 0.05, observed=y)
    graph = model.compile_logp(sum=False)({})[0]
    np.testing.assert_allclose(graph, noise.log_density(np.exp(y), 0.0, 0.05) + y)
