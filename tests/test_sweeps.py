"""What a sweep promises: the same draws wherever and whenever, nothing lost, nothing silent."""

import sys
import warnings
from collections import OrderedDict
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from threading import Event

import h5py
import numpy as np
import pytest

import bayescale as bs
from bayescale.model.signature import prior_text
from bayescale.model.structure import structure_of
from bayescale.sampling import execution, sampling
from bayescale.sampling.execution import map_fits
from bayescale.sweeps.store import file_of
from bayescale.sweeps.sweeps import seed_of


def curve(k, count=12):
    x = np.geomspace(1e17, 1e21, count)
    y = 40 * x**-0.05 * np.exp(0.01 * np.random.default_rng(k).normal(size=count))
    return bs.Runs({"flops": x, "loss": y}, y="loss", x={"C": "flops"})


@pytest.fixture(scope="module")
def tables():
    return {f"curve {k}": curve(k, 12 + k) for k in range(4)}


def swept(tables, **options):
    """Few draws: these tests are about where fits are made, not about what they say."""
    few = {"draws": 50, "tune": 50, "chains": 2, "random_seed": 7, "progressbar": False}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", bs.ConvergenceWarning)
        return bs.fit_many(bs.laws.PowerLaw(), tables, **few, **options)


@pytest.fixture(scope="module")
def sweep(tables):
    return swept(tables)


def same(one, other):
    return list(one) == list(other) and all(
        np.array_equal(one[name].draws[k], other[name].draws[k])
        for name in one
        for k in one[name].draws
    )


def test_warnings_are_on_again_after_fits_that_switch_them_off_side_by_side(monkeypatch):
    monkeypatch.setattr(execution, "available_cores", lambda: 2)
    filters, first_in, second_in, first_out = warnings.filters[:], Event(), Event(), Event()

    def switch(leaves_first, cores):
        if leaves_first:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                first_in.set()
                second_in.wait(10)
            first_out.set()
        else:
            first_in.wait(10)
            with warnings.catch_warnings():
                second_in.set()
                first_out.wait(10)

    map_fits(switch, [(True,), (False,)])
    assert warnings.filters == filters


def test_every_table_has_its_fit_and_its_row(sweep, tables):
    assert list(sweep) == list(tables)
    assert sweep["curve 2"].runs == tables["curve 2"]
    assert list(sweep.table["rows"]) == [12, 13, 14, 15]
    assert {"converged", "max_rhat", "min_ess_bulk", "divergences"} <= set(sweep.table.columns)
    assert sweep.failures == {}


def test_a_fit_depends_on_its_name_and_not_on_its_neighbours(sweep, tables, monkeypatch):
    # Nor on the table that the model was compiled with, which another process may choose otherwise.
    monkeypatch.setattr(sampling, "_compiled", OrderedDict())
    alone = swept({"curve 3": tables["curve 3"], "curve 1": tables["curve 1"]})
    assert np.array_equal(alone["curve 1"].draws["alpha_raw"], sweep["curve 1"].draws["alpha_raw"])
    assert seed_of(7, "curve 1") != seed_of(7, "curve 2") != seed_of(8, "curve 2")


def test_a_thread_pool_gives_the_same_draws(sweep, tables):
    with ThreadPoolExecutor(2) as pool:
        assert same(sweep, swept(tables, executor=pool))


class Unlucky(Executor):
    """Runs at once, but loses the worker of some submissions; perhaps it never comes back."""

    def __init__(self, loses, stays_broken=False):
        self.loses, self.stays_broken, self.submitted = loses, stays_broken, 0

    def submit(self, fn, /, *args, **kwargs):
        self.submitted += 1
        future = Future()
        if self.submitted in self.loses:
            future.set_exception(BrokenExecutor("a worker died"))
        elif self.stays_broken and self.submitted > max(self.loses):
            raise BrokenExecutor("the pool is not usable anymore")
        else:
            future.set_result(fn(*args, **kwargs))
        return future


@pytest.mark.parametrize("executor", [Unlucky([2]), Unlucky([2, 3], stays_broken=True)])
def test_a_worker_that_dies_loses_nothing(sweep, tables, executor):
    assert same(sweep, swept(tables, executor=executor))


def test_a_task_that_kills_every_worker_is_given_up():
    killer = Unlucky(range(1, 100))
    outcomes = map_fits(lambda value, cores: value, [(1,)], killer)
    assert "lost" in outcomes[0].error
    assert killer.submitted < 10


def test_a_failed_fit_is_reported_and_not_fatal(tables):
    negative = bs.Runs({"flops": [1e17, 1e18], "loss": [1.0, -1.0]}, y="loss", x={"C": "flops"})
    mixed = {"bad": negative, "good": tables["curve 0"]}
    with pytest.warns(RuntimeWarning, match="(?s)1 of 2 fits failed.*zero or negative"):
        sweep = swept(mixed)
    assert list(sweep) == ["good"]
    assert "zero or negative" in sweep.failures["bad"]
    with pytest.raises(KeyError, match="zero or negative"):
        sweep["bad"]


def test_a_sweep_says_how_many_fits_did_not_converge(tables):
    with pytest.warns(bs.ConvergenceWarning, match="1 of 1 fits did not converge: curve 0"):
        bs.fit_many(
            bs.laws.PowerLaw(), {"curve 0": tables["curve 0"]}, draws=20, tune=20, chains=2,
            progressbar=False,
        )  # fmt: skip


def test_a_sweep_says_which_tables_go_against_the_law(tables):
    x = tables["curve 0"].x["C"]
    rising = bs.Runs({"flops": x, "score": x**0.05}, y="score", x={"C": "flops"})
    with pytest.warns(bs.RunsWarning, match=r"score rises with flops.*\(up\)"):
        swept({"up": rising, "down": tables["curve 0"]})


def test_a_store_is_where_a_sweep_goes_on(sweep, tables, tmp_path):
    most = dict(list(tables.items())[:3])
    swept(most, store=tmp_path)
    first = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert len(first) == 3
    cut, emptied, _ = first
    cut.write_bytes(b"cut short")
    with h5py.File(emptied, "r+") as file:
        del file["runs"]
    again = swept(tables, store=tmp_path)
    assert same(sweep, again)
    kept = [path for path, at in first.items() if path.stat().st_mtime_ns == at]
    assert len(kept) == 1, "what is whole is read, what is not is made again"
    assert len(list(tmp_path.iterdir())) == 4
    assert again.table.drop(columns=["compile_s", "sample_s", "total_s"]).equals(
        sweep.table.drop(columns=["compile_s", "sample_s", "total_s"])
    )


def test_a_store_that_is_a_file_is_refused_before_sampling(tables, tmp_path):
    (tmp_path / "fits").touch()
    with pytest.raises(ValueError, match="fits' is a file: give a folder"):
        swept(tables, store=tmp_path / "fits")


def test_what_is_no_law_or_executor_is_refused_before_sampling(tables):
    for law, message in (
        ({"power law": bs.laws.PowerLaw()}, r"the law is a dict: give one of bs\.laws"),
        (bs.laws.PowerLaw, r"the law is a class: write bs\.laws\.PowerLaw\(\)"),
    ):
        with pytest.raises(ValueError, match=message):
            bs.fit_many(law, tables)
    for make in (
        lambda: bs.fit_many(bs.laws.PowerLaw(), tables, executor=4),
        lambda: bs.backtest(bs.laws.PowerLaw(), tables["curve 0"], cut=0.5, executor=4),
    ):
        with pytest.raises(ValueError, match="the executor is a int: give one such as concurrent"):
            make()


def test_a_sweep_suggests_the_name_that_was_meant(sweep):
    with pytest.raises(KeyError, match="no fit of 'curve0': did you mean 'curve 0"):
        sweep["curve0"]


def test_a_store_knows_what_a_fit_is_of(sweep, tmp_path):
    fit = sweep["curve 0"]

    def path(name="a", structure=fit.structure, runs=fit.runs, **settings):
        return file_of(tmp_path, name, structure, runs, {"draws": 50, **settings})

    longer = structure_of(bs.laws.OffsetPowerLaw(), fit.runs)
    normal = structure_of(bs.laws.PowerLaw(), fit.runs, noise=bs.LogNormal())
    others = [path("b"), path(draws=51), path(runs=curve(9)), path(structure=longer)]
    assert len({path(), path(), *others, path(structure=normal)}) == 6


def doubled(value):
    return 2 * value


class Basis(bs.laws.Law):
    """Law with a formula that calls a function beside it."""

    inputs = ("x",)
    parameters = (bs.laws.level("A"), bs.laws.exponent("alpha"))

    def log_mean(self, xp, p, x):
        """See :meth:`Law.log_mean`."""
        return p.log_A - doubled(p.alpha) * xp.log(x)


class Inherited(Basis):
    """Law that says nothing by itself."""


class Twice(bs.LogStudentT):
    """Noise that calls a function beside it."""

    def _log_density(self, z, xp=np):
        return super()._log_density(doubled(z), xp) + np.log(2.0)


@pytest.mark.parametrize(
    ("law", "noise", "changed"),
    [
        (Inherited(), bs.LogNormal(), (sys.modules[__name__], "doubled", lambda value: 3 * value)),
        (Inherited(), bs.LogNormal(), (Basis, "log_mean", lambda self, xp, p, x: p.log_A + 0 * x)),
        (
            Inherited(),
            bs.LogNormal(),
            (Basis, "parameters", (bs.laws.level("A"), bs.laws.exponent("alpha", 0.1))),
        ),
        (bs.laws.PowerLaw(), Twice(), (sys.modules[__name__], "doubled", lambda value: 3 * value)),
    ],
    ids=["helper", "base class", "priors", "noise"],
)
def test_a_store_knows_what_law_and_noise_call_and_inherit(
    law, noise, changed, tmp_path, monkeypatch
):
    def path():
        structure = structure_of(law, curve(0), noise=noise)
        return file_of(tmp_path, "a", structure, curve(0), {})

    before = path()
    assert path() == before
    monkeypatch.setattr(*changed)
    assert path() != before


def test_what_cannot_be_evaluated_is_a_failure_of_its_table_with_a_store_too(tables, tmp_path):
    noise = bs.LogStudentT() + bs.ScaleTrend("N")
    with pytest.warns(RuntimeWarning, match="fits failed"):
        failed = swept(dict([*tables.items()][:1]), noise=noise, store=tmp_path)
    assert "no such input" in failed.failures["curve 0"]


def test_equal_priors_are_one_prior():
    import pymc as pm

    text = prior_text(pm.LogNormal.dist(0.0, 0.3))
    assert text == prior_text(pm.LogNormal.dist(0.0, 0.3))
    assert text != prior_text(pm.LogNormal.dist(0.0, 0.4))
    assert text != prior_text(pm.Gamma.dist(0.0, 0.3))
