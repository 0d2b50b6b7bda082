"""What a fit promises: recovered parameters, named dims, honest gates, whole files."""

import copy
import dataclasses
import json
import os
import pickle
import subprocess
import sys
import warnings
from pathlib import Path

import h5py
import numpy as np
import pymc as pm
import pytest
import xarray as xr

import bayescale as bs
from bayescale.fitting.given_priors import prior_from_json, prior_to_json

TRUTH = {"alpha": np.array([0.20, 0.30, 0.45]), "E": np.array([1.6, 1.8, 2.0])}


def simulated(counts=(30, 30, 30), seed=3):
    """Runs of three families with known parameters; some may have one run only."""
    rng = np.random.default_rng(seed)
    family = np.repeat(np.arange(3), counts)
    x = 10 ** rng.uniform(17, 21, family.size)
    mean = TRUTH["E"][family] + (x / 1e19) ** -TRUTH["alpha"][family]
    y = mean * np.exp(0.005 * rng.standard_t(4, family.size))
    return {"flops": x, "loss": y, "arch": np.array(["mlp", "lstm", "gpt"])[family]}


def runs_of(table):
    return bs.Runs(table, y="loss", x={"C": "flops"}, groups={"family": "arch"})


def quick(law, runs, **options):
    chosen = {"draws": 500, "tune": 400, "chains": 2, "random_seed": 5, "progressbar": False}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", bs.ConvergenceWarning)
        return bs.fit(law, runs, **{**chosen, **options})


@pytest.fixture(scope="session")
def fit():
    return quick(bs.laws.OffsetPowerLaw(), runs_of(simulated()))


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
        "import sys; sys.path.insert(0, 'tests'); from test_fit import *; "
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


def test_draws_are_streamed_to_zarr_when_asked(fit, tmp_path):
    folder = tmp_path / "new" / "draws.zarr"
    streamed = quick(bs.laws.OffsetPowerLaw(), fit.runs, stream=folder)
    assert all(np.array_equal(fit.draws[k], streamed.draws[k]) for k in fit.draws)
    with xr.open_datatree(folder, engine="zarr", consolidated=False) as stored:
        for name, values in stored["posterior"].data_vars.items():
            assert np.array_equal(values, streamed.draws[name])
    with pytest.raises(ValueError, match="is not empty"):
        quick(bs.laws.OffsetPowerLaw(), fit.runs, stream=folder)


def test_inputs_of_a_forecast_that_may_have_wrapped_are_pointed_out(fit):
    N = np.array([7 * 10**9])
    with pytest.warns(bs.RunsWarning, match="input 'C' may be wrong: integers wrap"):
        fit.forecast({"C": 6 * N * (10 * N)}, groups={"family": "mlp"})


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


def test_a_saved_fit_comes_back_whole(fit, tmp_path):
    loaded = bs.load(fit.save(tmp_path / "fit.nc"))
    x, groups = {"C": [1e18, 1e23]}, {"family": "a family never seen"}
    assert np.array_equal(
        fit.forecast(x, groups=groups).draws, loaded.forecast(x, groups=groups).draws
    )
    assert loaded.diagnostics == dict(fit.diagnostics)
    assert loaded.runs == fit.runs
    assert loaded.law == fit.law


def test_the_numbers_of_a_fit_cannot_be_changed(fit):
    for numbers in (fit.draws, fit.arrays, fit.stats, fit.diagnostics):
        with pytest.raises(TypeError):
            numbers["converged"] = True
    for array in (fit.draws["sigma_raw"], fit.arrays["y"], fit.log_likelihood):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0.0


def test_a_fit_can_be_copied_and_pickled(fit):
    for again in (copy.deepcopy(fit), pickle.loads(pickle.dumps(fit))):
        assert again.diagnostics == fit.diagnostics
        assert again.posterior.equals(fit.posterior)
        with pytest.raises(TypeError):
            again.diagnostics["converged"] = False


def test_a_saved_fit_keeps_the_priors_it_was_given(tmp_path):
    runs = bs.Runs({"C": 10.0 ** np.arange(17, 22), "y": [4.1, 3.4, 2.9, 2.6, 2.4]}, y="y", x="C")
    fit = quick(bs.laws.PowerLaw(), runs, priors={"alpha": pm.LogNormal.dist(-2, 0.3)})
    loaded = bs.load(fit.save(tmp_path / "given.nc"))
    assert loaded.prior_predictive(draws=20).equals(fit.prior_predictive(draws=20))
    assert "LogNormal(-2, 0.3)" in loaded.report().markdown

    own = pm.CustomDist.dist(0.1, dist=lambda mu, size: pm.LogNormal.dist(mu, 0.3, size=size))
    structure = dataclasses.replace(fit.structure, priors=(("alpha", own),))
    loaded = bs.load(dataclasses.replace(fit, structure=structure).save(tmp_path / "own.nc"))
    assert loaded.posterior.equals(fit.posterior)
    with pytest.raises(ValueError, match=r"not hold the prior CustomDist.*fit the table again"):
        loaded.prior_predictive(draws=20)
    assert bs.load(loaded.save(tmp_path / "again.nc")).structure == loaded.structure


@pytest.mark.parametrize(
    "prior",
    [
        pm.Gamma.dist(mu=2, sigma=1),
        pm.LogitNormal.dist(0.5, 1.0),
        pm.Exponential.dist(3.0),
        pm.Normal.dist(np.float64(0.5), 1),
    ],
    ids=str,
)
def test_priors_are_plain_data_in_files(prior):
    again = prior_from_json(json.loads(json.dumps(prior_to_json(prior))))
    np.testing.assert_array_equal(*(pm.draw(p, 9, random_seed=1) for p in (prior, again)))


def test_priors_of_preliz_are_saved_as_those_of_pymc():
    class OfPreliz:
        def to_pymc(self):
            return pm.Gamma.dist(2.0, 4.0)

    assert prior_to_json(OfPreliz()) == {"distribution": "Gamma", "numbers": [2.0, 0.25]}


def test_the_home_of_the_user_is_known(fit, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert fit.save("~/fit.nc") == tmp_path / "fit.nc"
    assert bs.load("~/fit.nc").runs == fit.runs


def rewritten(change):
    """Damage that changes the JSON in a file."""

    def damage(path):
        with h5py.File(path, "r+") as file:
            said = json.loads(file.attrs["bayescale"])
            change(said)
            file.attrs["bayescale"] = json.dumps(said)

    return damage


def lose_the_runs(path):
    with h5py.File(path, "r+") as file:
        del file["runs"]


DAMAGE = {
    "half": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "empty": lambda path: path.write_bytes(b""),
    "no netCDF": lambda path: path.write_text("a,b\n1,2\n"),
    "a group lost": lose_the_runs,
    "another format": rewritten(lambda said: said.update(format=2)),
    "an entry lost": rewritten(lambda said: said["structure"].pop("extras")),
    "a later law": rewritten(lambda said: said["structure"]["law"]["options"].update(future=1)),
    "a later noise": rewritten(lambda said: said["structure"]["noise"].update(kind="Future")),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_damaged_files_and_those_of_other_versions_are_refused_by_name(damage, fit, tmp_path):
    path = fit.save(tmp_path / "fit.nc")
    damage(path)
    with pytest.raises(ValueError, match=r"fit\.nc is damaged or"):
        bs.load(path)


def test_other_files_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="no file"):
        bs.load(tmp_path / "absent.nc")


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


def own_law(title, formula, base=bs.Law, **said):
    """Class of a user: a power law with a floor in another spelling."""
    parts = {"inputs": ("x",), "parameters": bs.laws.OffsetPowerLaw.parameters}
    return type(title, (base,), {**parts, "log_mean": formula, **said})


def falling(self, xp, p, x):
    return xp.log(p.E + p.A * x**-p.alpha)


def shifted(self, xp, p, x):
    return xp.log(p.E + p.A * (1 + x / 1e18) ** -p.alpha)


def known_of(law):
    x = np.geomspace(1e17, 1e20, 6)
    runs = bs.Runs({"C": x, "y": 1 + (x / 1e17) ** -0.3}, y="y", x="C")
    return bs.known_fit(law, runs, {"E": 1.0, "A": 2.0, "alpha": 0.1, "sigma": 0.1})


@pytest.mark.parametrize("base", [bs.Law, bs.laws.OffsetPowerLaw], ids=lambda base: base.__name__)
@pytest.mark.parametrize("title", ["OffsetPowerLaw", "power_law_offset", "Nameless"])
def test_a_law_without_a_name_is_loaded_as_itself(title, base, tmp_path):
    law = own_law(title, shifted, base)
    loaded = bs.load(known_of(law()).save(tmp_path / "own.nc"))
    assert type(loaded.law) is law
    assert type(bs.laws.get("OffsetPowerLaw")) is bs.laws.OffsetPowerLaw
    assert not any(title in name for name in set(bs.laws.available()) - {"power_law_offset"})


@pytest.mark.parametrize("said", [{}, {"name": "edited_by_its_user"}])
def test_a_law_that_was_edited_since_its_fit_was_saved_is_refused(said, tmp_path):
    path = known_of(own_law("Edited", falling, **said)()).save(tmp_path / "own.nc")
    assert bs.load(path).law.title == "Edited()"
    own_law("Edited", shifted, **said)
    with pytest.raises(ValueError, match=r"Edited\(\) or its noise has another formula"):
        bs.load(path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pooling": {"alhpa": bs.Shared()}}, "did you mean 'alpha'"),
        ({"pooling": {"alpha": bs.Partial("familly")}}, "did you mean 'family'"),
        ({"pooling": {"alpha": "family"}}, "must be Shared"),
        ({"noise": bs.LogStudentT() + bs.Checkpoints()}, "sequence="),
        ({"noise": bs.LogStudentT() + bs.Effect("seed")}, "effect of the group 'seed'"),
        ({"priors": {"aplha": None}}, "did you mean 'alpha'"),
        ({"draws": 0}, "at least 1"),
        ({"noise": bs.LogNormal}, r"the noise is a class: write noise=bs\.LogNormal\(\)"),
        ({"noise": "normal"}, r"the noise is a str: give one such as noise=bs\.LogNormal\(\)"),
        ({"priors": {"alpha": 0.1}}, r"prior of 'alpha' is 0\.1: give a distribution"),
        ({"random_seed": -1}, "random_seed is -1: give a whole number"),
        ({"random_seed": 1.9}, r"random_seed is 1\.9: give a whole number"),
        ({"random_seed": np.random.default_rng(0)}, "random_seed is Generator.*whole number"),
    ],
)
def test_arguments_that_do_not_fit_are_refused_with_a_mend(options, message):
    with pytest.raises(ValueError, match=message):
        bs.fit(bs.laws.OffsetPowerLaw(), runs_of(simulated()), progressbar=False, **options)


class OwnLaw(bs.Law):
    pass


@pytest.mark.parametrize(
    ("law", "runs", "message"),
    [
        (bs.laws.PowerLaw, runs_of(simulated()), r"law is a class: write bs\.laws\.PowerLaw\(\)"),
        (OwnLaw, runs_of(simulated()), r"law is a class: write OwnLaw\(\)"),
        ("power_law", runs_of(simulated()), r"law is a name: write bs\.laws\.get\('power_law'\)"),
        (runs_of(simulated()), bs.laws.PowerLaw(), r"law is a Runs: give one of bs\.laws"),
        (bs.laws.PowerLaw(), simulated(), r"table is a dict: write bs\.Runs\("),
    ],
    ids=["class", "own class", "name", "swapped", "table"],
)
def test_what_is_no_law_or_table_is_refused_by_name(law, runs, message):
    for make in (
        lambda: bs.fit(law, runs),
        lambda: bs.build_model(law, runs),
        lambda: bs.prior_predictive(law, runs),
        lambda: bs.known_fit(law, runs, {}),
    ):
        with pytest.raises(ValueError, match=message):
            make()


@pytest.mark.parametrize("noise", [None, bs.Normal()])
def test_a_law_that_is_positive_takes_no_negative_responses(noise):
    table = simulated()
    runs = runs_of({**table, "loss": table["loss"] - 4})
    with pytest.raises(bs.RunsError, match=r"choose a law that may be negative, e\.g\. LogLaw\(\)"):
        bs.build_model(bs.laws.OffsetPowerLaw(), runs, noise=noise)


@pytest.mark.parametrize(("breaks", "name"), [(2, "d2"), (3, "d3")])
def test_only_the_first_of_ordered_locations_takes_a_prior(breaks, name):
    law, runs = bs.laws.BrokenPowerLaw(breaks=breaks), runs_of(simulated())
    prior = pm.LogNormal.dist(np.log(1e19), 0.5)
    with pytest.raises(ValueError, match=rf"'{name}' is placed by its.*to the first location"):
        bs.build_model(law, runs, priors={name: prior})
    bs.build_model(law, runs, priors={"d1": prior})


def test_an_effect_takes_no_prior():
    noise, prior = bs.LogStudentT() + bs.Effect("family"), pm.Normal.dist(0.1, 0.1)
    with pytest.raises(ValueError, match=r"'effect_family' deviates.*Effect\('seed', scale=0\.1\)"):
        bs.build_model(
            bs.laws.PowerLaw(), runs_of(simulated()), noise=noise, priors={"effect_family": prior}
        )


@pytest.mark.parametrize("noise", [bs.LogStudentT(), bs.LogitNormal()])
def test_a_law_that_may_be_negative_takes_no_scatter_of_a_logarithm(noise):
    x = np.geomspace(1e17, 1e20, 8)
    runs = bs.Runs({"C": x, "y": np.linspace(0.4, 0.6, 8)}, y="y", x="C")
    with pytest.raises(ValueError, match=r"LogLaw\(\) may be negative.*write noise=StudentT\(\)"):
        bs.build_model(bs.laws.LogLaw(), runs, noise=noise)


@pytest.mark.parametrize("name", ["alpha", "sigma", "alpha_sd"])
def test_a_group_with_the_name_of_a_parameter_is_refused(name):
    runs = bs.Runs(simulated(), y="loss", x={"C": "flops"}, groups={name: "arch"})
    for fit in (
        lambda: bs.fit(bs.laws.PowerLaw(), runs),
        lambda: bs.known_fit(bs.laws.PowerLaw(), runs, {"A": 3.0, "alpha": 0.1}),
    ):
        with pytest.raises(ValueError, match=rf"parameter '{name}': give the group another name"):
            fit()


def test_forecasts_refuse_inputs_that_make_no_sense(fit):
    with pytest.raises(ValueError, match="finite and positive"):
        fit.forecast({"C": [-1.0]})
    with pytest.raises(ValueError, match="missing: C"):
        fit.forecast({"N": [1.0]})
    with pytest.raises(ValueError, match="no group is called"):
        fit.forecast({"C": [1e20]}, groups={"famly": "gpt"})
    with pytest.raises(ValueError, match=r"group 'family': a set.*write \['gpt', 'mlp'\]"):
        fit.forecast({"C": [1e20, 1e21]}, groups={"family": {"mlp", "gpt"}})
    with pytest.raises(ValueError, match=r"ci_prob is the text '0\.9': give a number such as 0\.9"):
        fit.forecast({"C": [1e20]}, ci_prob="0.9")
    with pytest.raises(ValueError, match="'run' or 'mean'"):
        fit.forecast({"C": [1e20]}, kind="median")


def test_forecasts_mark_what_lies_beyond_the_data(fit):
    forecast = fit.forecast({"C": [1e19, 1e24]}, groups={"family": "gpt"})
    assert forecast.extrapolated.tolist() == [False, True]
    assert forecast.points["decades_beyond"].iloc[1] == pytest.approx(3.0, abs=0.3)


def test_bands_nest_and_new_families_are_less_certain(fit):
    table = fit.forecast({"C": [1e23]}, groups={"family": "gpt"}).table.iloc[0]
    assert table["lower_0.95"] < table["lower_0.8"] < table["lower_0.5"] < table["median"]
    new = fit.forecast({"C": [1e23]}, groups={"family": "never seen"}).table.iloc[0]
    assert new["upper_0.8"] - new["lower_0.8"] > 3 * (table["upper_0.8"] - table["lower_0.8"])


def test_forecasts_survive_twenty_decades(fit):
    draws = fit.forecast(
        {"C": np.geomspace(1e5, 1e30, 26)}, groups={"family": "mlp"}, kind="mean"
    ).draws
    assert np.isfinite(draws).all()
    assert np.all(np.diff(draws, axis=1) <= 0)
