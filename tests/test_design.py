"""Which run to train next: cases whose answer is known."""

from types import SimpleNamespace

import numpy as np
import pytest

import bayescale as bs
from bayescale.quantities.value_of_information import normal_scores

SAMPLES = 4000
AT = {"C": 1e22, "family": "gpt"}


@pytest.fixture(scope="module")
def line():
    """Families gpt and lstm, straight in log-log with independent normal level and slope."""
    rng = np.random.default_rng(0)
    x = np.tile([1e18, 1e19, 1e20], 2)
    table = {"flops": x, "arch": np.repeat(["gpt", "lstm"], 3), "loss": np.linspace(4, 3, 6)}
    runs = bs.Runs(table, y="loss", x={"C": "flops"}, groups={"family": "arch"})
    alpha = 0.07 + 0.004 * rng.standard_normal((SAMPLES, 2))
    at_centre = np.log(3.0) + 0.01 * rng.standard_normal((SAMPLES, 2))
    A = np.exp(at_centre + alpha * np.log(1e19))
    return bs.known_fit(
        bs.laws.PowerLaw(), runs, {"A": A, "alpha": alpha, "sigma": 0.01}, noise=bs.LogNormal()
    )


def variance(x, k=1, sigma=0.01):
    """Exact variance of the log mean at 1e22 after k runs at x, for the posterior of `line`."""
    prior = np.diag([0.01**2, 0.004**2])
    row = np.array([1.0, -np.log(x / 1e19)])
    after = np.linalg.inv(np.linalg.inv(prior) + k * np.outer(row, row) / sigma**2)
    goal = np.array([1.0, -np.log(1e22 / 1e19)])
    return goal @ after @ goal, goal @ prior @ goal


def test_the_expected_narrowing_is_that_of_the_exact_posterior(line):
    table = {"C": [1e18, 1e21, 1e19], "family": ["gpt"] * 3}
    design = bs.next_run(line, table, AT, budget=1e25)
    for x, found in zip(table["C"], design.table["narrowing"], strict=True):
        after, before = variance(x)
        assert found == pytest.approx(1 - np.sqrt(after / before), abs=0.03)


def test_runs_of_another_family_tell_nothing(line):
    table = {"C": [1e21, 1e21], "family": ["lstm", "gpt"]}
    design = bs.next_run(line, table, AT, budget=1e21)
    assert design.chosen["family"].tolist() == ["gpt"]
    assert design.table["narrowing"][0] < 0.03
    assert design.cost == 1e21


def test_repeats_cost_more_and_tell_more(line):
    table = {"C": [1e19] * 2, "family": ["gpt"] * 2, "repeats": [1, 4], "cost": [10.0, 10.0]}
    design = bs.next_run(line, table, {"C": 1e19, "family": "gpt"}, budget=100.0)
    assert design.table["cost"].tolist() == [10.0, 40.0]
    assert design.table["narrowing"].tolist() == pytest.approx(
        [1 - 0.5**0.5, 1 - 0.2**0.5], abs=0.03
    )


def test_reweighting_agrees_with_the_regression_where_it_can_be_trusted(line):
    table = {"C": [1e21], "family": ["gpt"]}
    design = bs.next_run(line, table, AT, budget=1e25)
    assert design.ess > 100
    assert design.interval_ratio == pytest.approx(1 - design.narrowing, abs=0.05)
    assert "reweighting the draws" in str(design)


def test_the_batch_is_the_best_of_all_batches(line):
    rng = np.random.default_rng(3)
    C = np.geomspace(1e17, 1e21, 5)
    cost = rng.uniform(1, 5, 5)
    table = {"C": C, "family": ["gpt"] * 5, "cost": cost}
    design = bs.next_run(line, table, AT, budget=8.0)
    assert design.cost <= 8.0
    everything = []
    for mask in range(1, 2**5):
        batch = [k for k in range(5) if mask >> k & 1]
        if cost[batch].sum() <= 8.0:
            only = {k: np.asarray(v)[batch] for k, v in table.items()}
            everything.append(bs.next_run(line, only, AT, budget=8.0).narrowing)
    assert design.narrowing >= max(everything) - 0.01


def test_a_crossover_is_narrowed_by_runs_on_both_sides(line):
    table = {"C": [1e21, 1e21, 1e19], "family": ["gpt", "lstm", "gpt"], "cost": [1.0, 1.0, 1.0]}
    crossing = bs.crossover_scale(line, "gpt", "lstm")
    design = bs.next_run(line, table, crossing, budget=2.0)
    assert set(design.chosen["family"]) == {"gpt", "lstm"}
    same = bs.next_run(line, table, lambda fit: bs.crossover_scale(fit, "gpt", "lstm"), budget=2.0)
    assert same.table.equals(design.table)


def test_forms_are_told_apart_where_they_differ():
    x = np.array([1e18, 1e19, 1e20])
    runs = bs.Runs({"C": x, "loss": [4.0, 3.5, 3.0]}, y="loss", x={"C": "C"})
    rng = np.random.default_rng(0)
    level = np.exp(0.002 * rng.standard_normal(500))
    # Both forms are 3 at 1e19 with the same slope there; one has a floor of 2.
    plain = {"A": 3.0 * level * 1e19**0.05, "alpha": 0.05, "sigma": 0.01}
    floored = {"E": 2.0, "A": 1.0 * level * 1e19**0.15, "alpha": 0.15, "sigma": 0.01}
    comparison = SimpleNamespace(
        fits={
            "plain": bs.known_fit(bs.laws.PowerLaw(), runs, plain, noise=bs.LogNormal()),
            "floored": bs.known_fit(bs.laws.OffsetPowerLaw(), runs, floored, noise=bs.LogNormal()),
        },
        weights=np.array([0.5, 0.5]),
    )
    table = {"C": [1e19, 1e22], "cost": [1.0, 1.0]}
    design = bs.next_run(comparison, table, "form", budget=1.0)
    assert design.chosen["C"].tolist() == [1e22]
    assert design.table["narrowing"][0] < 0.1
    assert design.narrowing > 0.8
    forecast = bs.next_run(comparison, table, {"C": 1e24}, budget=1.0)
    assert forecast.chosen["C"].tolist() == [1e22]


def test_goals_with_heavy_tails_are_ranked():
    scores = normal_scores(np.array([[1.0], [np.inf], [2.0], [2.0], [1e300]]))
    assert np.isfinite(scores).all()
    assert scores[2] == scores[3] < scores[4] < scores[1]


def test_nothing_affordable_is_an_answer(line):
    design = bs.next_run(line, {"C": [1e21], "family": ["gpt"]}, AT, 1e20)
    assert not len(design.chosen)
    assert design.narrowing == 0.0
    wanted = "No candidate is within a budget of 1e+20: the cheapest costs 1e+21."
    assert str(design) == wanted


@pytest.mark.parametrize(
    ("table", "goal", "message"),
    [
        ({"family": ["gpt"]}, AT, "candidates: the input 'C' is missing"),
        ({"C": [1e20]}, AT, "candidates: the label of 'family' is missing"),
        ({"C": [1e20], "family": ["gpt"]}, {"C": 1e22}, "goal: the label of 'family' is missing"),
        ({"C": [1e20], "family": ["gpt"]}, "form", "needs a comparison"),
        ({"C": [1e20], "family": ["gpt"]}, np.zeros(3), "the goal has 3 draws and the fit 4000"),
        ({"C": [1e20], "family": ["gpt"], "cost": [0.0]}, AT, "every cost"),
        ({"C": [1e20], "family": ["gpt"], "costs": [3]}, AT, "'costs': did you mean 'cost'"),
        ({"C": [1e20, None], "family": ["gpt"] * 2}, AT, "candidates: 'C' is missing in row 1"),
        ([{"C": 1e20, "family": "gpt"}, {"C": 1e20}], AT, "'family' is missing in row 1"),
    ],
)
def test_what_does_not_fit_together_is_named(line, table, goal, message):
    with pytest.raises(ValueError, match=message):
        bs.next_run(line, table, goal, budget=1e22)


def test_candidates_may_use_the_names_of_the_table(line):
    design = bs.next_run(line, {"flops": [1e20], "arch": ["gpt"]}, AT, 1e20)
    assert design.chosen[["C", "family"]].to_numpy().tolist() == [[1e20, "gpt"]]
