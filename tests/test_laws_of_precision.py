"""Laws of precision and sparsity: what they say and what one decides by them."""

import numpy as np
import pytest

import bayescale as bs
from bayescale.laws import (
    moe,
    qat_loss,
    sparsity,
)
from bayescale.testing import testing


@pytest.mark.parametrize("free", [False, True])
def test_the_loss_of_few_bits_is_least_at_the_critical_data(free):
    law, own = bs.laws.CapybaraFP(free=free), {"gD": 0.3, "gN": 0.1} if free else {}
    constants = {**law.presets["sun_2025"], **own}
    critical = law.critical_data(1e9, 2, 1, 128, constants)
    least, *around = law(1e9, critical * np.array([1.0, 0.9, 1.1]), 2.0, 1.0, 128.0, **constants)
    assert least < min(around)


def test_a_number_format_has_its_own_error_and_one_common_surface():
    from bayescale.pooling import resolve_pooling

    pooling = resolve_pooling(bs.laws.get("qat_error").parameters, ("format",), None)
    assert pooling["delta"].groups == ("format",)
    assert [name for name, p in pooling.items() if p.groups] == ["delta"]


def test_the_best_fraction_of_quantised_tokens_is_that_of_the_lowest_loss():
    law = bs.laws.QATLoss()
    constants = {k: np.full(2, v) for k, v in law.example.parameters.items()}
    fraction, loss = qat_loss.best_fraction(constants, 1e9, 1e11, 4.0)
    one = law.example.parameters
    for other in (0.02, 0.98):
        there = float(law(1e9, (1 - other) * 1e11, other * 1e11, 4.0, **one))
        assert loss[0] <= there
    assert 0.01 < fraction[0] == fraction[1] < 0.99


def test_learning_rates_and_batches_at_the_ends_of_a_plateau_lose_what_was_allowed():
    law = bs.laws.StepLaw()
    constants = dict(law.example.parameters)
    best_lr, best_batch = law.optimum(1e9, 1e11, constants)
    best = law(1e9, 1e11, best_lr, best_batch, **constants)
    rates, batches = law.plateau(1e9, 1e11, constants, excess=0.02)
    lost = [law(1e9, 1e11, lr, best_batch, **constants) / best for lr in rates]
    assert np.allclose(lost, 1.02)
    assert rates[0] < best_lr < rates[1]
    lr = np.geomspace(best_lr / 1e3, best_lr * 1e3, 20_001)
    lost = [law(1e9, 1e11, lr, batch, **constants).min() / best for batch in batches]
    assert np.allclose(lost, 1.02, atol=1e-5)
    assert batches[0] < best_batch < batches[1]


@pytest.mark.parametrize("error", [1e-3, 0.05, 0.5])
def test_the_group_for_an_error_of_rounding_inverts_the_law(error):
    law = bs.laws.QATError(G_r=64.0)
    constants = law.presets["w4a4_2025"]
    group = law.group_for(error, 7e9, 1e12, constants)
    lost = law(7e9, 1e12, group, **constants) - law(7e9, 1e12, 1.0, **constants)
    assert group > 1
    assert lost == pytest.approx(error)


def test_half_a_parameter_counts_at_the_width_where_half_is_lost():
    law = bs.laws.EffectiveParameters()
    constants = law.example.parameters
    few = float(law(2e8, 1e10, constants["g"] * np.log(2.0), **constants))
    dense = {k: v for k, v in constants.items() if k != "g"}
    assert few == pytest.approx(float(bs.laws.Chinchilla()(1e8, 1e10, **dense)))


def test_tokens_for_a_sparsity_invert_the_law():
    law = bs.laws.ActivationSparsity()
    constants = law.presets["relu_2.4b_2024"]
    tokens = sparsity.tokens_for(0.07, constants)
    assert float(law(tokens, **constants)) == pytest.approx(0.07)
    assert np.isinf(sparsity.tokens_for(0.06, constants))


def test_sparse_runs_reach_the_loss_of_dense_ones_at_a_fraction_of_the_compute():
    law = bs.laws.MoEEfficiencyLeverage()
    constants = testing.example_of(law).parameters
    saved = float(law.leverage(0.03, 12.0, 1e21, constants=constants))
    assert saved > 3
    sparse = float(law(0.03, 12.0, 1e21, **constants))
    assert sparse == pytest.approx(float(law(1.0, 1.0, saved * 1e21, **constants)))
    assert np.isnan(moe.best_granularity({"gamma": -0.1, "beta": -0.1}))
