"""A saved fit comes back whole, or is refused by name."""

import copy
import dataclasses
import json
import pickle

import h5py
import numpy as np
import pymc as pm
import pytest
import xarray as xr
from three_families import quick

import bayescale as bs
from bayescale.fitting.given_priors import prior_from_json, prior_to_json


@pytest.fixture
def fit(fit_of_families):
    return fit_of_families


def test_draws_are_streamed_to_zarr_when_asked(fit, tmp_path):
    folder = tmp_path / "new" / "draws.zarr"
    streamed = quick(bs.laws.OffsetPowerLaw(), fit.runs, stream=folder)
    assert all(np.array_equal(fit.draws[k], streamed.draws[k]) for k in fit.draws)
    with xr.open_datatree(folder, engine="zarr", consolidated=False) as stored:
        for name, values in stored["posterior"].data_vars.items():
            assert np.array_equal(values, streamed.draws[name])
    with pytest.raises(ValueError, match="is not empty"):
        quick(bs.laws.OffsetPowerLaw(), fit.runs, stream=folder)


def test_labels_of_a_file_that_wrote_whole_floats_with_a_point_are_known(tmp_path):
    x = np.geomspace(1e17, 1e20, 4)
    table = {"C": np.tile(x, 2), "y": np.tile(x**-0.1, 2), "depth": np.repeat(["12.0", "24.0"], 4)}
    runs = bs.Runs(table, y="y", x={"C": "C"}, groups="depth")
    constants = {"A": [[1.0, 2.0]], "alpha": 0.1, "sigma": 0.01}
    path = bs.known_fit(bs.laws.PowerLaw(), runs, constants).save(tmp_path / "old.nc")
    for depth in (24, 24.0, "24.0"):
        found = bs.load(path).forecast({"C": 1e18}, groups={"depth": depth}, kind="mean")
        assert found.table["median"].tolist() == pytest.approx([2 * 1e18**-0.1])


STRAYED = {"max_rhat": 1.087, "min_ess_bulk": 28.0, "min_ess_tail": 500.0, "divergences": 0}
STRAYED |= {"ebfmi": 0.9, "converged": False}


def test_a_fit_that_did_not_converge_says_so_when_it_is_read(fit, tmp_path):
    path = dataclasses.replace(fit, diagnostics=STRAYED).save(tmp_path / "bad.nc")
    said = r"bad.nc: OffsetPowerLaw.* did not converge: R-hat 1.087 > 1.01; bulk ESS 28 < 400"
    with pytest.warns(bs.ConvergenceWarning, match=said) as caught:
        bs.load(path)
    assert [w.filename for w in caught] == [__file__]


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
    for name in fit.posterior:
        for data in (fit.posterior, fit.data["posterior"].dataset):
            with pytest.raises(ValueError, match="read-only"):
                data[name].values[...] = 0.0
    with pytest.raises(ValueError, match="is a view"):
        fit.posterior["alpha"].loc[{"chain": 0}] = 0.0


def test_a_fit_can_be_copied_and_pickled(fit):
    for again in (copy.deepcopy(fit), pickle.loads(pickle.dumps(fit))):
        assert again.diagnostics == fit.diagnostics
        assert again.posterior.equals(fit.posterior)
        with pytest.raises(TypeError):
            again.diagnostics["converged"] = False
        with pytest.raises(ValueError, match="read-only"):
            again.posterior["alpha"].values[...] = 0.0


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


@dataclasses.dataclass(frozen=True)
class Terms(bs.Law):
    """y = sum of A x^-rate, for rates that its user gives."""

    rates: tuple[float, ...] = (0.1,)
    inputs = ("x",)
    parameters = (bs.laws.level("A"),)

    def __post_init__(self):
        if not isinstance(self.rates, tuple):
            raise ValueError("rates must be a tuple")

    def log_mean(self, xp, p, x):
        return xp.log(p.A * sum(x**-rate for rate in self.rates))


def fit_of_terms(rates):
    runs = bs.Runs({"x": [1.0, 2.0, 4.0], "y": [2.0, 1.8, 1.6]}, y="y", x="x")
    return bs.known_fit(Terms(rates=rates), runs, {"A": 1.0, "sigma": 0.1})


@pytest.mark.parametrize("rates", [(0.1, 0.2), (np.float32(0.1), np.int64(1))], ids=str)
def test_options_that_are_tuples_are_stored(rates, tmp_path):
    fit = fit_of_terms(rates)
    loaded = bs.load(fit.save(tmp_path / "terms.nc"))
    assert (loaded.law, hash(loaded.structure)) == (fit.law, hash(fit.structure))


def test_options_that_are_numbers_of_numpy_are_stored(tmp_path):
    runs = bs.Runs({"x": [1.0, 2.0, 4.0], "y": [2.0, 1.8, 1.6]}, y="y", x="x")
    law = bs.laws.BrokenPowerLaw(breaks=np.int64(1))
    constants = {"E": 0.1, "A": 1.0, "c0": 0.1, "c1": 0.1, "d1": 2.0, "f1": 0.5}
    noise = bs.LogStudentT(nu=np.int64(4)) + bs.Discrepancy(np.float32(0.5))
    loaded = bs.load(bs.known_fit(law, runs, constants, noise=noise).save(tmp_path / "fit.nc"))
    assert (loaded.law, loaded.structure.noise) == (law, noise)


def test_a_law_that_refuses_the_options_of_a_file_says_why(tmp_path):
    path = fit_of_terms((0.1, 0.2)).save(tmp_path / "terms.nc")
    rewritten(lambda said: said["structure"]["law"]["options"].update(rates=0.1))(path)
    with pytest.raises(ValueError, match=r"Terms', which refuses its options: rates must be a tup"):
        bs.load(path)


def test_a_law_that_is_not_defined_is_asked_for(fit, tmp_path):
    path = fit.save(tmp_path / "fit.nc")
    rewritten(lambda said: said["structure"]["law"].update(name="lab.Unknown"))(path)
    with pytest.raises(ValueError, match=r"the law 'lab\.Unknown': define or import it first"):
        bs.load(path)


@pytest.mark.parametrize("said", [{}, {"name": "edited_by_its_user"}])
def test_a_law_that_was_edited_since_its_fit_was_saved_is_refused(said, tmp_path):
    path = known_of(own_law("Edited", falling, **said)()).save(tmp_path / "own.nc")
    assert bs.load(path).law.title == "Edited()"
    own_law("Edited", shifted, **said)
    with pytest.raises(ValueError, match=r"Edited\(\) or its noise has another formula"):
        bs.load(path)
