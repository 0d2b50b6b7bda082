"""Laws of data: repeated, filtered, pruned and without end."""

import numpy as np
import pytest

import bayescale as bs
from bayescale.laws import (
    data_filtering,
    infinite_compute,
    projektor,
    pruning,
)
from bayescale.testing import testing


def test_repeated_data_have_a_gradient_where_parameters_are_far_in_excess():
    law = bs.laws.DataConstrained()
    z = testing.coordinates(law, {**law.presets["muennighoff_2023"], "alpha": 1e-3})
    x = [np.full(1, v) for v in (1e9, 1e10, 1e6)]
    found = testing._value_and_gradients(law, {k: np.full(1, v) for k, v in z.items()}, x)
    assert np.all(np.isfinite(found))


def test_the_worth_of_repeated_data_follows_the_rate_that_defines_it():
    constants = {"d": 0.1, "a": 4e-6, "b": 0.5, "tau": 2.0}
    U, steps = 1e6, 400_000
    edges = np.geomspace(U, 5.5 * U, steps + 1)
    middle = np.sqrt(edges[1:] * edges[:-1])
    rate = 0.5 * 2 ** (-np.floor(middle / U) / 2.0) * np.diff(np.log(edges))
    wanted = 0.1 + 4**-0.5 * np.exp(-rate.sum())
    got = float(bs.laws.DataFiltering()(5.5 * U, U, **constants))
    assert got == pytest.approx(wanted, abs=1e-5)


def test_worse_pools_pay_once_the_best_is_worn_out():
    law = bs.laws.DataFiltering()
    pools = list(law.presets.values())
    constants = {"d": 0.1, "a": 0.025e-5} | {
        k: np.array([p[k] for p in pools]) for k in ("b", "tau")
    }
    n = np.geomspace(1e7, 1e10, 7)
    chosen = [int(data_filtering.pools_to_mix(constants, v, 1.28e7)) for v in n]
    assert chosen == sorted(chosen)
    assert chosen[0] == 1 < chosen[-1]
    one = {**constants, "b": constants["b"][:1], "tau": constants["tau"][:1]}
    assert data_filtering.mixture_error(one, 1e9, 1e8) == pytest.approx(
        float(law(1e9, 1e8, **pools[0]))
    )


def test_the_frontier_of_pruning_beats_every_fraction():
    constants = {k: np.full(3, v) for k, v in bs.laws.PruningFrontier.example.parameters.items()}
    D, fractions = np.geomspace(1e4, 1e7, 9), np.array([0.1, 0.3, 1.0])
    best, error = pruning.frontier(constants, D, fractions)
    assert best.shape == error.shape == (3, 9)
    single = bs.laws.PruningFrontier()(
        D[:, None], fractions, **{k: v[0] for k, v in constants.items()}
    )
    np.testing.assert_allclose(error[0], single.min(axis=-1))
    assert np.all(np.diff(best[0]) <= 0)


def test_limits_of_models_and_of_ensembles_nest():
    law = bs.laws.InfiniteCompute()
    constants = law.example.parameters
    best = infinite_compute.best_loss(constants, D=2e8)
    assert float(law(2e8, 1e30, 1e30, **constants)) == pytest.approx(best)
    target = 0.5 * (best + float(law(2e8, 1e9, 1e9, **constants))) + 0.1
    members = infinite_compute.members_for(constants, target, N=1e9, D=2e8)
    reached = float(law(2e8, 1e9, members, **constants))
    assert reached == pytest.approx(target) or members == 1.0
    assert np.isinf(infinite_compute.members_for(constants, best, N=1e9, D=2e8))
    worse = infinite_compute.best_loss(constants, D=5e7)
    assert infinite_compute.data_multiple(constants, worse, D=2e8) == pytest.approx(4.0)


def test_a_score_between_two_sizes_lies_on_the_law():
    law, constants = bs.laws.Projektor(), bs.laws.Projektor.example.parameters
    at = [float(law(N, 8.0, **constants)) for N in (1e3, 1e4, 1e5)]
    assert projektor.extrapolate(1e5, 1e3, at[0], 1e4, at[1]) == pytest.approx(at[2])
