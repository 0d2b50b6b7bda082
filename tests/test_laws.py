"""Every law of the catalogue keeps the promises that its class makes."""

import doctest
import importlib
import inspect
import pkgutil

import numpy as np
import pytest

import bayescale as bs
from bayescale import testing
from bayescale.laws.base import Law, Parameters, exponent, floor, level
from bayescale.laws.claims import Example, Limit
from bayescale.laws.numerics import implicit_root

TRAINING = (
    "power_law power_law_offset log_law m1 m2 m3 m4 shifted_power_law bnsl crossover_power_law "
    "stretched_exponential exponential_law u_shape chinchilla kaplan_nd overtraining hitchhiker "
    "bivariate_power additive_power kaplan_ns critical_batch batch_trajectory lr_annealing "
    "step_law data_constrained capybara_fp qat_error compute_optimal_qat parscale "
    "isoflop_parabola"
).split()

VARIANTS = [
    bs.laws.get("bnsl", breaks=2),
    bs.laws.get("crossover_power_law", sharpness=-2.0),
    bs.laws.get("log_law", cap=100.0),
    bs.laws.get("bivariate_power", offset=True, over=("N", "D", "K")),
    bs.laws.get("additive_power", over=("N", "D", "K")),
    bs.laws.get("data_constrained", degradation=True),
    bs.laws.get("capybara_fp", free=True),
    bs.laws.get("parscale", tokens=True),
    bs.laws.get("u_shape", inverted=True),
    bs.laws.get("critical_batch", at=2.0, floor=1.0),
]


@pytest.mark.parametrize("name", TRAINING)
def test_the_catalogue_has_the_training_laws(name):
    assert name in bs.laws.available()


@pytest.mark.parametrize("name", bs.laws.available())
def test_a_law_passes_the_checks(name):
    testing.check_law(bs.laws.get(name))


@pytest.mark.parametrize("name", bs.laws.available())
def test_a_law_explains_itself(name):
    law = type(bs.laws.get(name))
    assert "math:" in law.__doc__
    for section in ("Notes", "References", "Examples"):
        assert f"\n{section}\n---" in inspect.cleandoc(law.__doc__)
