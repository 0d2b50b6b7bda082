"""Breaks have a probability in every range, and scales a regime."""

from answers import broken, chinchilla, power_laws

import bayescale as bs


def test_breaks_have_a_probability_in_every_range():
    answer = bs.break_probability(broken(), between=(5e3, 2e6))
    assert answer.probability == 0.75
    assert answer.p_beyond_data == 0.25
    assert answer.p_none == 0.0
    slight = bs.break_probability(broken(0.01), between=(5e3, 2e6), change=0.05)
    assert slight.probability == 0.0
    assert slight.p_none == 1.0


def test_a_regime_is_told_by_breaks_by_elasticity_or_by_the_floor():
    after = bs.regime_at(broken(), [3e4, 3e7])
    assert after.probability.tolist() == [[0.75, 0.25], [0.25, 0.75]]
    fit, _ = chinchilla()
    limited = bs.regime_at(fit, {"N": [1e7, 1e10], "D": [1e12, 1e8]})
    assert limited.names == ("limited by N", "limited by D")
    assert limited.draws.tolist() == [[0, 1]]
    floor = bs.regime_at(
        power_laws([1e4, 1e4], [0.2, 0.2], [1.0, 1.0]), [1e19, 1e21], groups={"family": "gpt"}
    )
    assert floor.draws.tolist() == [[0, 1]]


def test_regimes_and_emergence_say_what_lies_beyond_the_data():
    regimes = bs.regime_at(broken(), [1e4, 1e12])
    assert regimes.extrapolated.tolist() == [False, True]
    assert regimes.summary()["extrapolated"].tolist() == [False, True]
    assert "beyond the data" in regimes.sentence
    assert "beyond the data" not in bs.regime_at(broken(), 1e4).sentence
    plain = power_laws([60, 50], [0.07, 0.07])
    low, high = bs.emergence_test(plain, groups={"family": "gpt"}).path.data
    for between, beyond in (((low, high), False), ((low, 10 * high), True)):
        found = bs.emergence_test(plain, between=between, groups={"family": "gpt"})
        assert ("partly beyond the data" in found.sentence) == beyond
