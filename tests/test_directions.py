"""Measurements that go against the law they are given to are pointed out."""

import numpy as np
import pytest
from scipy.stats import spearmanr

import bayescale as bs
from bayescale.fitting.directions import disagreements
from bayescale.model.structure import structure_of

LAWS = bs.laws


def said(law, columns, y="y", groups=(), **options):
    """What is said of measurements that go against a law, before anything is sampled."""
    x = [s for s in columns if s in law.inputs or s == "C"]
    runs = bs.Runs(columns, y=y, x={s: s for s in x}, groups=list(groups), **options)
    return list(disagreements(structure_of(law, runs), runs))


SCALE = np.geomspace(1e17, 1e20, 6)


@pytest.mark.parametrize("falls", [LAWS.PowerLaw(), LAWS.OffsetPowerLaw(), LAWS.ExponentialLaw()])
def test_a_response_that_rises_is_told_to_the_owner_of_a_law_that_can_only_fall(falls):
    rising, falling = np.linspace(0.2, 0.45, 6), np.linspace(0.45, 0.2, 6)
    (hint,) = said(falls, {"C": SCALE, "y": rising})
    assert "y rises with C, where the law can only fall" in hint
    assert "LogitGrowth" in hint
    assert not said(falls, {"C": SCALE, "y": falling})
    assert not said(LAWS.LogLaw(), {"C": SCALE, "y": rising})
    assert not said(falls, {"C": SCALE, "y": falling[[0, 2, 1, 3, 5, 4]]})
    assert not said(falls, {"C": SCALE, "y": np.ones(6)})


def test_a_rate_that_falls_is_told_to_the_owner_of_a_law_that_can_only_rise():
    columns = {"C": SCALE, "k": [90, 85, 80, 60, 50, 10], "n": [100] * 6}
    (hint,) = said(LAWS.RLSigmoid(), columns, y=("k", "n"))
    assert "the rate of k falls with C, where the law can only rise" in hint


def test_few_runs_are_enough_where_higher_is_said_to_be_better():
    columns = {"C": SCALE[:4], "y": [0.2, 0.25, 0.31, 0.4]}
    assert not said(LAWS.PowerLaw(), columns)
    assert said(LAWS.PowerLaw(), columns, better="higher")
    over_loss = {"L": [3.5, 3.0, 2.5, 2.0], "y": [0.2, 0.25, 0.31, 0.4]}
    assert not said(LAWS.LossToAccuracy(), over_loss, better="higher")


def test_an_input_is_not_blamed_for_what_another_does():
    N, D = (values.ravel() for values in np.meshgrid([1e6, 1e7, 1e8, 1e9], [1e9, 1e10, 1e11]))
    chinchilla = LAWS.Chinchilla()
    assert not said(chinchilla, {"N": N, "D": D, "y": 1 + (N / 1e6) ** -0.3 + (D / 1e9) ** -0.3})
    y, along = 0.1 * (N / 1e6) ** -0.1 + (D / 1e9) ** -0.9, (N * D > 2e16) & (N * D < 5e18)
    assert spearmanr(N[along], y[along])[0] > 0.5, "larger models had fewer tokens"
    assert not said(chinchilla, {"N": N[along], "D": D[along], "y": y[along]})
    (hint,) = said(chinchilla, {"N": N, "D": D, "y": (N / 1e6) ** 0.05 + (D / 1e9) ** -0.3})
    assert "rises with N" in hint


def test_the_family_that_goes_the_other_way_is_named():
    columns = {"C": np.tile(SCALE, 3), "family": np.repeat(["gpt", "lstm", "mlp"], 6)}
    columns["y"] = np.concatenate([3 * (SCALE / 1e17) ** b for b in (-0.2, 0.2, -0.1)])
    (hint,) = said(LAWS.PowerLaw(), columns, groups=["family"])
    assert "rises with C ('lstm')" in hint


def test_a_fit_warns_of_it():
    runs = bs.Runs({"flops": SCALE, "acc": np.linspace(0.2, 0.45, 6)}, y="acc", x={"C": "flops"})
    with pytest.warns(bs.RunsWarning, match=r"PowerLaw\(\): acc rises with flops"):
        bs.fit(LAWS.PowerLaw(), runs, draws=300, chains=2, progressbar=False)
