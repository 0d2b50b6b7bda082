"""What several files of tests need."""

import warnings

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest
from three_families import quick, runs_of, simulated

import bayescale as bs

mpl.use("agg")


@pytest.fixture(autouse=True)
def _figures_are_closed():
    yield
    plt.close("all")


@pytest.fixture
def few_draws(monkeypatch):
    def with_few_draws(*arguments, **options):
        few = {"draws": 50, "tune": 100, "chains": 2, "progressbar": False}
        return fit(*arguments, **{**options, **few})

    fit = bs.fit
    monkeypatch.setattr(bs, "fit", with_few_draws)
    with plt.rc_context(), warnings.catch_warnings():
        warnings.simplefilter("ignore", bs.ConvergenceWarning)
        yield


@pytest.fixture(scope="session")
def fit_of_families():
    """Sampled once, for all files that ask a fit of three families."""
    return quick(bs.laws.OffsetPowerLaw(), runs_of(simulated()))
