"""Weights of forms are those of the best mixture, and the mixed forecast holds all of them."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from known_curves import runs_of, straight_fit, table, true_fit

import bayescale as bs
from bayescale.comparison import comparison
from bayescale.comparison.stacking import stacking_weights


@pytest.fixture(scope="module")
def pair():
    runs = runs_of(table(rows=120))
    return bs.compare({"straight": straight_fit(runs), "with floor": true_fit(runs)})


def log_score(density, weights, importance):
    return float(importance @ np.log(weights @ np.exp(density)))


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 10_000), st.integers(2, 4), st.integers(1, 30))
def test_no_other_mixture_scores_higher(seed, forms, items):
    rng = np.random.default_rng(seed)
    density, importance = rng.normal(0, 2, (forms, items)), rng.uniform(0.2, 1, items)
    weights = stacking_weights(density, importance)
    assert weights.sum() == pytest.approx(1.0)
    assert (weights >= 0).all()
    best = log_score(density, weights, importance)
    others = [*np.eye(forms), *rng.dirichlet(np.ones(forms), 200)]
    assert best >= max(log_score(density, w, importance) for w in others) - 1e-6 * items


def test_weights_survive_densities_that_underflow():
    density = np.array([[-2000.0, -3000.0], [-2001.0, -2999.0]])
    expected = stacking_weights(density + 2500, np.ones(2))
    np.testing.assert_allclose(stacking_weights(density, np.ones(2)), expected)


def test_a_mixed_forecast_contains_the_disagreement(pair):
    even = pair.table.assign(weight=0.5)
    mixed = comparison.Comparison(pair.fits, "loo", even, pair.pointwise)
    at = {"C": [1e26]}
    medians = [float(fit.forecast(at).table["median"].iloc[0]) for fit in pair.fits.values()]
    band = mixed.forecast(at, ci_prob=0.9, random_seed=1).table.iloc[0]
    assert band["lower_0.9"] < min(medians)
    assert band["upper_0.9"] > max(medians)
    assert max(medians) / min(medians) > 1.25


def test_a_form_without_weight_is_not_mixed_in(pair):
    alone = pair.table.assign(weight=[1.0, 0.0])
    mixed = comparison.Comparison(pair.fits, "loo", alone, pair.pointwise)
    at = {"C": [1e26]}
    ours = mixed.forecast(at, kind="mean").table["median"]
    theirs = pair.fits["with floor"].forecast(at, kind="mean").table["median"]
    np.testing.assert_allclose(ours, theirs, rtol=1e-2)


def test_a_mixture_names_the_forms_that_did_not_converge(pair):
    bad = {"max_rhat": 1.3, "min_ess_bulk": 5.0, "min_ess_tail": 5.0, "divergences": 0}
    bad |= {"ebfmi": 0.9, "converged": False}
    fits = {name: replace(fit, diagnostics=bad) for name, fit in pair.fits.items()}
    alone = pair.table.assign(weight=[1.0, 0.0])
    mixed = comparison.Comparison(fits, "loo", alone, pair.pointwise)
    said = r"did not converge: 'with floor' \(weight 1; R-hat 1.300 > 1.01; .*5 < 400\)\. Do not"
    with pytest.warns(bs.ConvergenceWarning, match=said) as caught:
        mixed.forecast({"C": [1e26]})
    assert len(caught) == 1
