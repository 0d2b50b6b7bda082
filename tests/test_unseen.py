"""Labels that were not fitted: draws from what is known of those that were."""

from dataclasses import replace

import numpy as np
import pymc as pm
import pytest
from scipy import stats

import bayescale as bs
from bayescale.fitting.given_priors import LostPrior
from bayescale.forecast.prior import coordinates_from_prior
from bayescale.model.arrays import arrays_of
from bayescale.model.structure import structure_of
from bayescale.posterior.crossed import responses_of
from bayescale.posterior.unseen import Fresh, natural_at_cells

X = np.geomspace(1e17, 1e20, 8)


def families(count=3):
    y = np.concatenate([(1 + 0.2 * i) * (0.5 + (X / 1e17) ** -0.3) for i in range(count)])
    table = {"x": np.tile(X, count), "y": y, "arch": np.repeat([*"abcd"][:count], len(X))}
    return bs.Runs(table, y="y", x={"C": "x"}, groups={"family": "arch"})


@pytest.mark.parametrize(
    ("name", "prior"),
    [
        ("alpha", pm.LogNormal.dist(np.log(0.3), 0.02)),
        ("E", pm.LogNormal.dist(np.log(0.5), 0.02)),
    ],
)
def test_a_new_label_of_an_independent_parameter_follows_the_prior_of_the_user(name, prior):
    runs, pooling = families(), {name: bs.Independent("family")}
    law, noise = bs.laws.OffsetPowerLaw(), bs.LogNormal()
    structure = structure_of(law, runs, pooling, noise, {name: prior})
    arrays = arrays_of(structure, runs)
    draws = coordinates_from_prior(structure, arrays, 400, 0)
    cells, rng = [(0,), (3,), (4,), (3,)], np.random.default_rng(1)
    found = natural_at_cells(structure, draws, arrays, cells, rng)[name][1].T
    centre = np.log(0.3 if name == "alpha" else 0.5)
    for new in found[1:]:
        assert stats.kstest((new - centre) / 0.02, "norm").pvalue > 1e-3
    assert np.array_equal(found[1], found[3])
    assert not np.array_equal(found[1], found[2])
    loaded = replace(structure, priors=((name, LostPrior("mine")),))
    with pytest.raises(ValueError, match="could not hold the prior mine"):
        natural_at_cells(loaded, draws, arrays, cells, rng)


FAMILIES, DATASETS = {"lstm": 1.5, "gpt": 1.0, "mlp": 2.0}, {"web": 1.0, "code": 0.5, "books": 2.5}
EVERY = [(f, d) for f in FAMILIES for d in DATASETS]


def terms_at(pairs, *asked, pooling=None):
    """Logarithms of the falling term amid the data and of the floor, for any pairs of labels.

    The data alone place the fitted ones.
    """
    y = [FAMILIES[f] * DATASETS[d] * (0.5 + (X / 1e17) ** -0.3) for f, d in pairs]
    table = {"x": np.tile(X, len(pairs)), "y": np.concatenate(y)}
    for place, name in enumerate(("family", "dataset")):
        table[name] = np.repeat([pair[place] for pair in pairs], len(X))
    runs = bs.Runs(table, y="y", x={"C": "x"}, groups=["family", "dataset"])
    structure = structure_of(bs.laws.OffsetPowerLaw(), runs, pooling, bs.LogNormal(), None)
    arrays = arrays_of(structure, runs)
    draws = coordinates_from_prior(structure, arrays, 2000, 0)
    draws["A_raw"] = np.tile(-arrays["start_A"] / arrays["step_A"], (2000, 1))
    known = [runs.labels(g) for g in runs.groups]
    cells = [
        tuple(
            names.index(v) if v in names else len(names)
            for names, v in zip(known, pair, strict=True)
        )
        for pair in asked
    ]
    found = natural_at_cells(structure, draws, arrays, cells, np.random.default_rng(1))
    falling = found["A"][1] - np.exp(found["alpha"][1]) * np.log(X).mean()
    return falling.T, found["E"][1].T


def test_a_new_data_set_is_as_hard_for_one_family_as_for_another():
    pairs = [(family, data) for data in ("new", *DATASETS) for family in ("lstm", "gpt")]
    falling, floors = terms_at(EVERY, *pairs)
    assert np.corrcoef(falling[:2])[0, 1] > 0.9
    assert falling[0].std() > 0.5
    new, *known = np.median(falling[::2] - falling[1::2], axis=1)
    assert min(known) - 0.05 < new < max(known) + 0.05
    assert np.array_equal(*floors[:2])


def test_a_new_family_is_as_good_on_one_data_set_as_on_another():
    (one, two), floors = terms_at(EVERY, ("new", "web"), ("new", "code"))
    assert np.corrcoef(one, two)[0, 1] > 0.9
    known = terms_at(EVERY, ("lstm", "web"), ("lstm", "code"))[1]
    assert np.array_equal(floors, known)


def test_the_floor_of_a_new_data_set_lies_under_levels_that_it_does_not_change():
    pooling = {"A": bs.Independent("family"), "E": bs.Partial("dataset")}
    _, floors = terms_at(EVERY, ("lstm", "new"), ("gpt", "new"), pooling=pooling)
    _, others = terms_at(EVERY, ("lstm", "web"), ("gpt", "web"), pooling=pooling)
    assert np.array_equal(*floors)
    assert np.median(floors) == pytest.approx(np.median(others), abs=1.0)


def test_two_labels_that_were_not_seen_together_need_not_do_what_they_did_apart():
    one, both = ("gpt", "web"), ("lstm", "code")
    (level,), _ = terms_at([one, ("lstm", "web"), ("gpt", "code")], both)
    assert level.std() > 0.1
    four = [one, ("lstm", "web"), ("gpt", "code"), ("mlp", "web"), ("mlp", "code")]
    (again,), _ = terms_at(four, both)
    assert again.std() < level.std()


def drawn(responses, new, samples=4000):
    """Responses of combinations that were not fitted, from known ones of those that were."""
    fresh = Fresh(np.random.default_rng(0), samples)
    reached = np.tile([*responses.values()], (samples, 1))
    return responses_of([*responses], reached, 1.5, fresh.normal)(new)


@pytest.mark.parametrize("count", [2, 3, 6])
def test_a_new_label_is_as_far_off_as_so_few_labels_allow(count):
    known = 0.01 * np.sin(np.arange(count))
    new = drawn({(i,): v for i, v in enumerate(known)}, (count,))
    off = (new - known.mean()) / (known.std(ddof=1) * np.sqrt(1 + 1 / count))
    assert stats.kstest(off, stats.t(count - 1).cdf).pvalue > 1e-3


@pytest.mark.parametrize("shape", [(2, 3), (3, 3), (2, 5)])
def test_labels_not_seen_together_are_as_far_off_as_the_deviations_of_so_few_allow(shape):
    cells = [*np.ndindex(shape)][:-1]
    apart = 0.01 * np.sin(3 * np.arange(len(cells)))
    known = {cell: 0.3 * cell[0] - 0.2 * cell[1] + d for cell, d in zip(cells, apart, strict=True)}
    design = np.array([np.r_[np.eye(shape[0])[i], np.eye(shape[1])[j]] for i, j in known])
    asked = np.r_[np.eye(shape[0])[-1], np.eye(shape[1])[-1]]
    values = np.array([*known.values()])
    inverse = np.linalg.pinv(design)
    free = len(cells) - sum(shape) + 1
    scatter = np.sqrt(np.sum((values - design @ inverse @ values) ** 2) / free)
    error = scatter * np.sqrt(1 + np.sum((asked @ inverse) ** 2))
    off = (drawn(known, tuple(n - 1 for n in shape)) - asked @ inverse @ values) / error
    assert stats.kstest(off, stats.t(free).cdf).pvalue > 1e-3


def test_bands_of_the_missing_cell_of_two_by_two_hold_it():
    rng, held = np.random.default_rng(1), []
    for _ in range(300):
        family, dataset = rng.normal(0, 0.2, (2, 2, 1))
        cells = family + dataset.T + rng.normal(0, 0.06, (2, 2))
        known = {cell: cells[cell] for cell in [(0, 0), (0, 1), (1, 0)]}
        low, high = np.quantile(drawn(known, (1, 1), 400), [0.05, 0.95])
        held.append(low < cells[1, 1] < high)
    assert np.mean(held) > 0.87


def test_a_second_family_is_as_uncertain_in_any_unit_of_the_response():
    def spread(unit):
        table = {"C": X, "score": unit * (3 - 0.2 * np.log10(X)), "arch": ["a"] * len(X)}
        runs = bs.Runs(table, y="score", x="C", groups={"family": "arch"})
        structure = structure_of(bs.laws.LogLaw(), runs, None, bs.Normal(), None)
        arrays = arrays_of(structure, runs)
        draws = coordinates_from_prior(structure, arrays, 500, 0)
        found = natural_at_cells(structure, draws, arrays, [(1,)], np.random.default_rng(1))
        return (found["a"][1] + found["b"][1] * np.log10(X).mean()).std() / unit

    assert spread(1000.0) == pytest.approx(spread(1.0), rel=1e-6)


def test_a_new_family_is_as_far_off_as_the_responses_of_the_others_not_as_their_parts():
    rng, count = np.random.default_rng(0), 400
    at, x = 1e19, np.geomspace(1e18, 1e20, 5)
    totals = np.linspace(2.9, 3.1, 6)
    names = [f"f{i}" for i in range(6)]
    table = {"x": np.tile(x, 6), "y": np.repeat(totals, 5), "family": np.repeat(names, 5)}
    table["y"] = table["y"] * np.tile((x / at) ** -0.05, 6)
    runs = bs.Runs(table, y="y", x={"C": "x"}, groups=["family"])
    floors = totals * rng.uniform(0.2, 0.8, (count, 6))
    alpha = rng.uniform(0.1, 0.3, (count, 6))
    draws = {"E": floors, "alpha": alpha, "A": (totals - floors) * at**alpha}
    fit = bs.known_fit(bs.laws.OffsetPowerLaw(), runs, draws)
    new = fit.forecast({"C": [at]}, groups={"family": "other"}, kind="mean").draws[:, 0]
    assert np.quantile(new, 0.95) / np.quantile(new, 0.05) < 1.25
