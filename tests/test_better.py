"""Which of two curves is better, whatever is measured."""

import numpy as np
import pytest

import bayescale as bs

LAWS = bs.laws


def two(law, draws, y, x="C", at=(1e17, 1e21), **options):
    """Fit of a law to two families, `first` and `second`."""
    values = np.tile([0.6, 0.5], 2)
    table = {x: np.tile(at, 2), "family": np.repeat(["first", "second"], 2)}
    table |= {"k": [60, 50, 60, 50], "n": [100] * 4} if isinstance(y, tuple) else {y: values}
    runs = bs.Runs(table, y=y, x={x: x}, groups="family", **options)
    return bs.known_fit(law, runs, draws)


ACCURACY = {"lo": 0.1, "hi": 0.95, "L_mid": [[3.0, 2.7]], "g": 5.0}


ERROR = {"eps": 0.9, "k": [[2.6, 2.2]], "g": 0.7}


LOSS = {"A": [[60.0, 66.0]], "alpha": [[0.07, 0.07]]}


RATE = {"A": [[3.3, 3.0]], "alpha": 0.07}


SCORE = {"a": [[-150.0, -160.0]], "b": [[12.0, 12.0]]}


@pytest.mark.parametrize(
    ("fit", "scale", "better"),
    [
        (two(LAWS.PowerLaw(), LOSS, "loss"), 1e19, "lower"),
        (two(LAWS.LossToAccuracy(), ACCURACY, "acc", x="L", at=(2.0, 3.5)), 2.5, "higher"),
        (two(LAWS.LossToError(), ERROR, "error", x="L", at=(2.0, 3.5)), 2.5, "lower"),
        (two(LAWS.LogLaw(), SCORE, "score", better="higher"), 1e19, "higher"),
        (two(LAWS.PowerLaw(), RATE, ("k", "n"), better="higher"), 1e19, "higher"),
    ],
    ids=["loss", "accuracy over loss", "error over loss", "score", "counts of successes"],
)
def test_the_better_one_is_better_wherever_it_is_asked_for(fit, scale, better):
    (symbol,) = fit.runs.x
    both = fit.forecast({symbol: [scale] * 2}, groups={"family": ["first", "second"]}, kind="mean")
    first, second = both.draws[0]
    assert (first > second) == (better == "higher")
    assert bs.better_at(fit, "first", "second", scale).probability == 1.0
    assert bs.crossover_scale(fit, "first", "second").p_a_always == 1.0
    assert bs.pareto(fit, [scale]).sentence.endswith("first is best with probability > 99 %.")


@pytest.mark.parametrize(
    ("law", "draws", "y"),
    [(LAWS.LogLaw(), SCORE, "score"), (LAWS.PowerLaw(), RATE, ("k", "n"))],
    ids=["a response that may be negative", "counts under a law that falls"],
)
def test_where_nobody_says_what_is_better_the_answer_is_refused(law, draws, y):
    fit = two(law, draws, y)
    with pytest.raises(ValueError, match=r"Runs\(..., better='higher'\)"):
        bs.better_at(fit, "first", "second", 1e19)
    crossing = bs.crossover_scale(fit, "first", "second")
    assert "better=" in crossing.sentence
    assert not [name for name in crossing.summary() if name.endswith("always")]
    with pytest.raises(ValueError, match=r"Runs\(..., better='higher'\)"):
        crossing.p_a_overtakes  # noqa: B018


@pytest.mark.parametrize("law", [LAWS.LogitGrowth(), LAWS.GrowthTiming(), LAWS.BivariatePower()])
def test_a_quantity_that_may_fall_or_rise_is_not_taken_for_a_loss(law):
    table = {symbol: list(ends) for symbol, ends in law.example.inputs.items()}
    constants = {q.name: law.example.parameters[q.name] for q in law.parameters}
    runs = bs.Runs({**table, "y": [1.0, 2.0]}, y="y", x={s: s for s in law.inputs})
    path = dict.fromkeys(law.inputs[1:], 1e10)
    with pytest.raises(ValueError, match=r"Runs\(..., better='higher'\)"):
        bs.scale_for(bs.known_fit(law, runs, constants), 200.0, path=path)


def test_more_leverage_is_better():
    law = LAWS.MoEEfficiencyLeverage(ratios=True)
    constants = law.presets["tian_2025"]
    x = {"A": [0.01, 0.3, 0.1, 0.03], "G": [4.0, 4.0, 12.0, 12.0], "C": [1e19, 1e20, 1e21, 1e18]}
    table = {**x, "EL": law(*x.values(), **constants)}
    fit = bs.known_fit(law, bs.Runs(table, y="EL", x={s: s for s in x}), constants)
    reach = bs.scale_for(fit, [2.0, 4.0], path={"A": 0.03, "G": 12.0})
    np.testing.assert_allclose(law(0.03, 12.0, reach.draws[0], **constants), [2.0, 4.0])


def test_what_is_better_is_checked_kept_and_saved(tmp_path):
    table = {"C": [1e17, 1e21], "score": [20.0, 60.0]}
    with pytest.raises(bs.RunsError, match='give better="higher" or "lower"'):
        bs.Runs(table, y="score", x={"C": "C"}, better="up")
    runs = bs.Runs(table, y="score", x={"C": "C"}, better="higher")
    assert runs.select([0]).better == "higher"
    assert bs.Runs.from_dataset(runs.to_dataset()) == runs
    other = bs.Runs(table, y="score", x={"C": "C"})
    assert other != runs
    with pytest.raises(bs.RunsError, match="better"):
        runs.concat(other)
    path = bs.known_fit(LAWS.LogLaw(), runs, {"a": -150.0, "b": 10.0}).save(tmp_path / "fit.nc")
    assert bs.load(path).runs.better == "higher"


# Ties -------------------------------------------------------------------------------------------


def test_of_one_curve_under_two_names_neither_is_better():
    fit = two(LAWS.PowerLaw(), {"A": [[60.0, 60.0]], "alpha": 0.07}, "loss")
    crossing = bs.crossover_scale(fit, "first", "second")
    assert crossing.p_same == 1.0
    assert crossing.p_a_always == crossing.p_b_always == 0.0
    assert "cannot tell them apart" in crossing.sentence
    assert bs.better_at(fit, "first", "second", 1e20).probability == 0.5
    np.testing.assert_array_equal(bs.pareto(fit, [1e20]).probability, [[0.5, 0.5]])
    assert bs.compute_multiplier(fit, "first", "second", at=1e20).p_saves == 0.5


def test_rounding_does_not_make_a_speedup_shrink():
    rng = np.random.default_rng(0)
    alpha = rng.normal(0.07, 0.003, 400)[:, None]
    A = np.column_stack([np.full(400, 60.0), 58.5 * np.exp(0.002 * rng.normal(size=400))])
    fit = two(LAWS.PowerLaw(), {"A": A, "alpha": np.hstack([alpha, alpha])}, "loss")
    assert bs.optimizer_speedup(fit, "first", "second", at=[1e18, 1e21]).p_shrinks == 0.0


def test_two_infinite_asymptotes_have_no_difference_but_are_not_the_same():
    turning = {"E": 0.1, "A": [[8.0, 9.0]], "c0": 0.1, "c1": -0.3, "d1": 1e19, "f1": 0.5}
    gap = bs.asymptote_gap(two(LAWS.BrokenPowerLaw(), turning, "loss"), "first", "second")
    assert gap.p_undefined == 1.0
    assert not gap.is_shared
    assert "infinite" in gap.sentence


# Beyond whose data ------------------------------------------------------------------------------


def test_every_curve_has_its_own_end_of_the_data():
    table = {"C": [1e17, 1e18, 1e17, 1e22], "loss": [3.9, 3.5, 4.1, 1.7], "family": list("aabb")}
    runs = bs.Runs(table, y="loss", x={"C": "C"}, groups="family")
    fit = bs.known_fit(LAWS.PowerLaw(), runs, {"A": [[60.0, 300.0]], "alpha": [[0.06, 0.095]]})
    crossing = bs.crossover_scale(fit, "a", "b")
    assert 1e18 < crossing.draws[0] < 1e22
    assert crossing.p_beyond_data == 1.0
    # What a needs for what b reaches lies inside and beyond the data of a.
    found = bs.compute_multiplier(fit, "a", "b", at=[3e18, 1e21])
    assert found.extrapolated.tolist() == [False, True]
    assert "beyond the data" in found.sentence


def test_curves_of_fits_that_were_pooled_keep_their_common_draws():
    curves = {
        name: bs.known_fit(
            LAWS.PowerLaw(),
            bs.Runs({"C": [1e17, 1e21], "loss": [3.9, 2.0]}, y="loss", x={"C": "C"}),
            {"A": 60.0, "alpha": np.linspace(0.05, 0.09, 50)},
        )
        for name in ("one", "other")
    }
    apart = bs.exponent_contrast(curves, "one", "other").draws
    together = bs.PooledFits(curves, {}, {})
    np.testing.assert_array_equal(bs.exponent_contrast(together, "one", "other").draws, 0.0)
    assert np.std(apart) > 0.01
