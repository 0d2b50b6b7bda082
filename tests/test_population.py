"""Groups deviate from their population with a spread that is integrated out, not sampled."""

import numpy as np
import pymc as pm
import pytest
from scipy import stats

import bayescale as bs
from bayescale.forecast.prior import coordinates_from_prior
from bayescale.laws.roles import exponent, positive_bend
from bayescale.model.arrays import arrays_of
from bayescale.model.population import deviations, draw_between, typical_deviation
from bayescale.model.structure import structure_of
from bayescale.posterior.posterior import natural_dataset
from bayescale.sampling.gate import mixing
from bayescale.sampling.sampling import sample

Q = exponent("alpha", between=0.4)


def model_of(q):
    with pm.Model() as model:
        deviations("raw", q, np.zeros(5), np.ones(5), shape=5)
    return model


@pytest.mark.parametrize("q", [Q, positive_bend("delta")], ids=lambda q: q.role)
def test_deviations_are_jointly_student_t(q):
    at = np.array([0.1, -0.3, 0.2, 0.0, 0.5])
    known = stats.multivariate_t(shape=typical_deviation(q) ** 2 * np.eye(5), df=q.between_dof)
    graph = model_of(q).compile_logp(mode="FAST_COMPILE")
    assert graph({"raw": at}) == pytest.approx(known.logpdf(at), rel=1e-10)


def test_the_density_counts_steps_and_centre():
    step, centre = np.array([0.5, 2.0]), np.array([1.0, -1.0])
    with pm.Model() as model:
        deviations("alpha_raw", Q, centre, step, shape=2)
    at = np.array([1.3, -1.2])
    known = stats.multivariate_t(shape=typical_deviation(Q) ** 2 * np.eye(2), df=Q.between_dof)
    wanted = known.logpdf((at - centre) * step) + np.log(step).sum()
    graph = model.compile_logp(mode="FAST_COMPILE")
    assert graph({"alpha_raw": at}) == pytest.approx(wanted, rel=1e-10)


@pytest.mark.parametrize("q", [Q, positive_bend("delta")], ids=lambda q: q.role)
def test_half_of_between_is_the_median_of_the_spread(q):
    drawn = pm.draw(model_of(q)["raw"], draws=20_000, random_seed=1, mode="FAST_COMPILE")
    spread = draw_between(q, drawn, np.random.default_rng(2))
    assert np.median(spread) == pytest.approx(q.between / 2, rel=0.03)
    quantiles = stats.chi2(q.between_dof).ppf([0.95, 0.05])
    known = np.sqrt(typical_deviation(q) ** 2 * q.between_dof / quantiles)
    assert np.quantile(spread, [0.05, 0.95]) == pytest.approx(known, rel=0.05)


def test_many_groups_reveal_their_spread():
    rng = np.random.default_rng(3)
    found = draw_between(Q, np.broadcast_to(rng.normal(0, 0.7, 400), (2000, 400)), rng)
    assert np.quantile(found, 0.02) < 0.7 < np.quantile(found, 0.98)
    assert np.std(found) < 0.05


def test_what_is_said_of_a_population_is_in_the_unit_of_its_parameter():
    x, family = np.tile(np.geomspace(1e17, 1e20, 8), 3), np.repeat([*"abc"], 8)
    y = 1000 - 50 * np.log10(x / 1e17) + np.sin(7 * np.arange(24))
    table = {"C": x, "y": y, "family": family}
    runs = bs.Runs(table, y="y", x="C", groups="family")
    noise = bs.Normal(scale=bs.Partial("family"))
    structure = structure_of(bs.laws.LogLaw(), runs, noise=noise)
    arrays = arrays_of(structure, runs)
    apart = {f"centred_{name}": np.zeros(3) for name in ("b", "sigma")}
    draws = coordinates_from_prior(structure, arrays | apart, 20, 0)
    draws |= {f"{name}_raw": np.full((20, 3), 0.1) for name in ("b", "sigma")}
    with_chain = {name: values[None] for name, values in draws.items()}
    found = natural_dataset(structure, with_chain, arrays | apart, runs, 0)
    for name, link in (("b", np.asarray), ("sigma", np.log)):
        population = link(found[f"{name}_population"].values)[..., None]
        deviations = (link(found[name].values) - population) / found[f"{name}_sd"].values[..., None]
        wanted = np.broadcast_to(0.1 / draws[f"{name}_sd"], (20, 3))
        np.testing.assert_allclose(deviations[0], wanted, rtol=1e-6)


def test_no_spread_is_said_of_what_is_counted_from_the_data_of_every_group():
    x, family = np.tile(np.geomspace(1e17, 1e20, 8), 3), np.repeat([*"abc"], 8)
    y = np.repeat([1.0, 3.0, 9.0], 8) * (0.5 + (x / 1e17) ** -0.3)
    runs = bs.Runs({"C": x, "y": y, "family": family}, y="y", x="C", groups="family")
    pooling = {name: bs.Partial("family") for name in ("E", "A", "alpha")}

    def spreads(**priors):
        structure = structure_of(bs.laws.OffsetPowerLaw(), runs, pooling, None, priors)
        arrays = arrays_of(structure, runs)
        draws = coordinates_from_prior(structure, arrays, 20, 0)
        with_chain = {name: values[None] for name, values in draws.items()}
        found = natural_dataset(structure, with_chain, arrays, runs, 0)
        return {str(name) for name in found if str(name).endswith("_sd")}

    assert spreads() == {"alpha_sd"}
    assert spreads(E=pm.LogNormal.dist(0.0, 1.0)) == {"alpha_sd", "E_sd"}


def test_families_that_do_not_bend_leave_a_crossover_in_one_mode():
    near = bs.datasets.near_frontier(bs.datasets.tinylm().query("role == 'fit'"))
    runs = bs.Runs(near, y="loss", x={"C": "flops"}, groups={"family": "arch", "dataset": "corpus"})
    structure = structure_of(bs.laws.CrossoverPowerLaw(), runs, None, None, None)
    arrays = arrays_of(structure, runs)
    draws = sample(structure, arrays, draws=600, tune=400, chains=4, random_seed=1).draws
    assert mixing(draws)["max_rhat"] < 1.05
