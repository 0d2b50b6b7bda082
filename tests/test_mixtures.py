"""Answers over several forms count each by its weight."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from answers import power_laws

import bayescale as bs


def mixture(weights):
    fits = {
        "plain": power_laws(np.full((100, 2), [60.0, 169.0]), [0.07, 0.095]),
        "with floor": power_laws(np.full((100, 2), [60.0, 169.0]), [0.07, 0.095], [0.5, 0.6]),
    }
    return SimpleNamespace(fits=fits, weights=weights)


@pytest.mark.parametrize(
    "weights",
    [[0.75, 0.25], {"with floor": 0.25, "plain": 0.75}, pd.Series({"with floor": 1, "plain": 3})],
)
def test_a_mixture_of_forms_counts_every_form_by_its_weight(weights):
    source = mixture(weights)
    answer = bs.asymptote(source, groups={"family": "lstm"}).draws[:, 0]
    assert (answer == 0.0).mean() == 0.75
    np.testing.assert_allclose(answer[answer > 0], 0.5)
    crossing = bs.crossover_scale(source, "lstm", "gpt", bounds=(1e10, 1e30)).draws
    alone = [
        bs.crossover_scale(f, "lstm", "gpt", bounds=(1e10, 1e30)).draws[0]
        for f in source.fits.values()
    ]
    assert (np.abs(np.log(crossing / alone[0])) < 1e-9).mean() == 0.75
    never = bs.scale_for(source, 0.4, groups={"family": "lstm"}).p_never
    assert float(never) == 0.25
    assert float(bs.probability(source, "E > 0.55", groups={"family": "gpt"})) == 1.0


@pytest.mark.parametrize(
    "answer",
    [
        lambda source: bs.crossover_scale(source, "lstm", "gpt"),
        lambda source: bs.asymptote(source),
        lambda source: bs.scale_for(source, 1.0, groups={"family": "gpt"}),
        lambda source: bs.probability(source, "alpha > 0.08", groups={"family": "gpt"}),
        lambda source: bs.next_run(
            source, {"C": [1e22], "family": ["gpt"]}, {"C": 1e24, "family": "gpt"}, 1e22
        ),
    ],
)
def test_an_answer_names_the_fits_behind_it_that_did_not_converge(answer):
    bad = {"max_rhat": 1.3, "min_ess_bulk": 500.0, "min_ess_tail": 5.0, "divergences": 0}
    bad |= {"ebfmi": 0.9, "converged": False}
    source = mixture([0.75, 0.25])
    strayed = {"with floor": replace(source.fits["with floor"], diagnostics=bad)}
    said = r"'with floor' \(R-hat 1.300 > 1.01; tail ESS 5 < 400\)\. Do not trust"
    with pytest.warns(bs.ConvergenceWarning, match=said) as caught:
        answer(SimpleNamespace(fits=source.fits | strayed, weights=source.weights))
    assert [Path(one.filename).name for one in caught] == ["test_mixtures.py"]
    answer(SimpleNamespace(fits=source.fits | strayed, weights=[1.0, 0.0]))


def test_two_fits_that_did_not_converge_are_named_in_one_warning():
    fits = mixture([0.5, 0.5]).fits
    bad = {"max_rhat": 1.3, "min_ess_bulk": 500.0, "min_ess_tail": 500.0, "divergences": 0}
    bad |= {"ebfmi": 0.9, "converged": False}
    fits = {name: replace(fit, diagnostics=bad) for name, fit in fits.items()}
    with pytest.warns(bs.ConvergenceWarning, match=r"PowerLaw.*, OffsetPowerLaw") as caught:
        bs.crossover_scale(None, *fits.values(), groups={"family": "gpt"})
    assert len(caught) == 1
