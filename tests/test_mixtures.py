"""Answers over several forms count each by its weight."""

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
