"""What a fit promises: recovered parameters, named dims and honest gates."""

import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from three_families import TRUTH, quick, runs_of, simulated

import bayescale as bs


@pytest.fixture
def fit(fit_of_families):
    return fit_of_families


def test_known_parameters_are_recovered(fit):
    for name, truth in TRUTH.items():
        draws = fit.posterior[name].values.reshape(-1, 3)
        low, high = np.quantile(draws, [0.005, 0.995], axis=0)
        assert np.all((low < truth) & (truth < high)), name
        assert np.all(high - low < 0.5 * truth), name


def test_posterior_has_named_dims_and_labels(fit):
    assert fit.posterior["alpha"].dims == ("chain", "draw", "family")
    assert list(fit.posterior["family"].values) == ["mlp", "lstm", "gpt"]
    assert {"alpha_population", "alpha_sd"} <= set(fit.posterior)


def test_summary_names_its_interval(fit):
    table = fit.summary(ci_prob=0.8)
    assert {"median", "lower_0.8", "upper_0.8", "r_hat", "ess_bulk"} <= set(table.columns)
    assert "alpha[gpt]" in table.index
    with pytest.raises(ValueError, match="between 0 and 1"):
        fit.summary(ci_prob=90)


def test_diagnostics_hold_the_promised_fields(fit):
    assert {
        "max_rhat", "min_ess_bulk", "min_ess_tail", "divergences", "ebfmi", "compile_s", "sample_s",
        "total_s", "converged", "jumps", "retried",
    } == set(fit.diagnostics)  # fmt: skip
    assert fit.diagnostics["max_rhat"] < 1.05


def test_the_same_seed_gives_the_same_draws_bit_for_bit(fit):
    again = quick(bs.laws.OffsetPowerLaw(), runs_of(simulated()))
    assert all(np.array_equal(fit.draws[k], again.draws[k]) for k in fit.draws)
    assert again.diagnostics["compile_s"] < 1.0, "the second fit of a structure must not compile"


def test_another_process_that_has_compiled_nothing_draws_the_same(fit, tmp_path):
    few = {"draws": 20, "tune": 20}
    here = quick(bs.laws.OffsetPowerLaw(), fit.runs, **few)
    code = (
        "import sys; sys.path.insert(0, 'tests'); from three_families import *; "
        f"there = quick(bs.laws.OffsetPowerLaw(), runs_of(simulated()), **{few}); "
        "print(there.posterior['alpha'].values.sum().hex())"
    )
    there = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTENSOR_FLAGS": f"base_compiledir={tmp_path}"},
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        check=True,
    )
    assert there.stdout.strip() == here.posterior["alpha"].values.sum().hex()


def test_numbers_and_graph_give_the_same_log_likelihood(fit):
    model = fit.model
    graph = model.compile_logp(vars=model.observed_RVs, sum=False)
    transforms = {rv.name: model.rvs_to_transforms[rv] for rv in model.free_RVs}
    point = {}
    for name in transforms:
        value = fit.draws[name][0, 0]
        if transforms[name] is not None:
            point[f"{name}_log__"] = np.log(value)
        else:
            point[name] = value
    assert np.allclose(
        graph(point)[0] - np.log(fit.runs.y), fit.log_likelihood[0, 0], rtol=0, atol=1e-8
    )


def test_arviz_reads_the_tree(fit):
    import arviz as az

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert np.isfinite(az.loo(fit.data).elpd)


def test_a_fit_that_fails_the_gate_says_so_loudly():
    with pytest.warns(bs.ConvergenceWarning, match="did not converge.*ESS"):
        bs.fit(
            bs.laws.OffsetPowerLaw(),
            runs_of(simulated()),
            draws=20,
            tune=50,
            chains=2,
            progressbar=False,
        )


def test_a_family_with_one_run_borrows_its_exponent_from_the_population():
    table = simulated((30, 30, 1))
    with pytest.warns(bs.RunsWarning, match="one distinct C"):
        runs = runs_of(table)
    starved = quick(bs.laws.OffsetPowerLaw(), runs)
    alpha = starved.posterior["alpha"].values.reshape(-1, 3)
    assert alpha[:, 2].std() > 3 * alpha[:, :2].std(axis=0).max()
    population = starved.posterior["alpha_population"].values
    assert abs(np.log(np.median(alpha[:, 2]) / np.median(population))) < 0.3


class Saturating(bs.Law):
    """A law of a user: y = E + A / (1 + x / x0)."""

    name = "saturating_of_a_user"
    inputs = ("x",)
    parameters = ()

    def log_mean(self, xp, p, x):
        return xp.log(p.E + p.A / (1 + x / p.x0))


def test_a_law_of_ten_lines_works_everywhere(tmp_path):
    from bayescale.laws.roles import floor, level, location

    Saturating.parameters = (floor("E"), level("A"), location("x0", of="x"))
    rng = np.random.default_rng(0)
    x = np.geomspace(1, 1e4, 25)
    y = Saturating()(x, E=0.5, A=2.0, x0=50.0) * np.exp(0.01 * rng.normal(size=25))
    runs = bs.Runs({"x": x, "y": y}, y="y", x="x")
    fit = quick(Saturating(), runs)
    assert abs(float(fit.posterior["x0"].median()) - 50) < 15
    assert fit.forecast({"x": [1e6]}).extrapolated.all()
    assert bs.load(fit.save(tmp_path / "own.nc")).law == Saturating()
