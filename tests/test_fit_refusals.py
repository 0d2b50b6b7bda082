"""Arguments that do not fit are refused before anything is sampled, with a mend."""

import numpy as np
import pymc as pm
import pytest
from three_families import runs_of, simulated

import bayescale as bs


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pooling": {"alhpa": bs.Shared()}}, "did you mean 'alpha'"),
        ({"pooling": {"alpha": bs.Partial("familly")}}, "did you mean 'family'"),
        ({"pooling": {"alpha": "family"}}, "must be Shared"),
        ({"noise": bs.LogStudentT() + bs.Checkpoints()}, "sequence="),
        ({"noise": bs.LogStudentT() + bs.Effect("seed")}, "effect of the group 'seed'"),
        ({"priors": {"aplha": None}}, "did you mean 'alpha'"),
        ({"noise": bs.LogNormal}, r"the noise is a class: write noise=bs\.LogNormal\(\)"),
        ({"noise": "normal"}, r"the noise is a str: give one such as noise=bs\.LogNormal\(\)"),
        ({"priors": {"alpha": 0.1}}, r"prior of 'alpha' is 0\.1: give a distribution"),
        ({"priors": [pm.Normal.dist(0, 1)]}, r"priors= is a list: say it by name"),
        ({"pooling": bs.Shared()}, r"pooling= is a Shared: say it by name, e\.g\. pooling={"),
        ({"random_seed": -1}, "random_seed is -1: give a whole number"),
        ({"random_seed": 1.9}, r"random_seed is 1\.9: give a whole number"),
        ({"random_seed": np.random.default_rng(0)}, "random_seed is Generator.*whole number"),
    ],
)
def test_arguments_that_do_not_fit_are_refused_with_a_mend(options, message):
    with pytest.raises(ValueError, match=message):
        bs.fit(bs.laws.OffsetPowerLaw(), runs_of(simulated()), progressbar=False, **options)


@pytest.mark.parametrize("wrong", [0, 1e3, 2.5, "1000", None])
def test_draws_and_chains_are_whole_numbers(wrong):
    law, runs = bs.laws.PowerLaw(), runs_of(simulated())
    for name in ("draws", "tune", "chains"):
        for make in (
            lambda **n: bs.fit(law, runs, **n),
            lambda **n: bs.fit_many(law, {"one": runs}, **n),
            lambda **n: bs.backtest(law, runs, **n),
        ):
            with pytest.raises(ValueError, match=rf"^{name} is {wrong!r}: give a whole number of"):
                make(**{name: wrong})
    with pytest.raises(ValueError, match=rf"^draws is {wrong!r}: give a whole number of"):
        bs.prior_predictive(law, runs, draws=wrong)


@pytest.mark.parametrize("wrong", [0, -0.3, float("nan"), float("inf"), "wide"])
@pytest.mark.parametrize(
    ("make", "name"),
    [
        (bs.LogStudentT, "nu"),
        (bs.StudentT, "nu"),
        (bs.LogitStudentT, "nu"),
        (bs.LogOneSided, "above"),
        (bs.Checkpoints, "length"),
        (lambda **scale: bs.Effect("seed", **scale), "scale"),
        (bs.ScaleTrend, "spread"),
    ],
)
def test_options_of_noise_are_checked_when_it_is_made(make, name, wrong):
    with pytest.raises(ValueError, match=rf"^{name} must be a positive number, not {wrong!r}"):
        make(**{name: wrong})


@pytest.mark.parametrize("kind", [bs.Partial, bs.Independent])
def test_a_pooling_takes_names_of_groups_one_by_one(kind):
    with pytest.raises(ValueError, match=r"\(\['family'\]\): give names.*\('family', 'dataset'\)"):
        kind(["family"])


class OwnLaw(bs.Law):
    pass


@pytest.mark.parametrize(
    ("law", "runs", "message"),
    [
        (bs.laws.PowerLaw, runs_of(simulated()), r"law is a class: write bs\.laws\.PowerLaw\(\)"),
        (OwnLaw, runs_of(simulated()), r"law is a class: write OwnLaw\(\)"),
        ("power_law", runs_of(simulated()), r"law is a name: write bs\.laws\.get\('power_law'\)"),
        (runs_of(simulated()), bs.laws.PowerLaw(), r"law is a Runs: give one of bs\.laws"),
        (bs.laws.PowerLaw(), simulated(), r"table is a dict: write bs\.Runs\("),
        (
            bs.laws.PowerLaw(),
            runs_of(simulated()).below("C", 1),
            r"table has no rows: is nothing left",
        ),
    ],
    ids=["class", "own class", "name", "swapped", "table", "no rows"],
)
def test_what_is_no_law_or_table_is_refused_by_name(law, runs, message):
    for make in (
        lambda: bs.fit(law, runs),
        lambda: bs.build_model(law, runs),
        lambda: bs.prior_predictive(law, runs),
        lambda: bs.known_fit(law, runs, {}),
        lambda: bs.backtest(law, runs),
        lambda: bs.backtest({"one": law}, runs),
    ):
        with pytest.raises(ValueError, match=message):
            make()


@pytest.mark.parametrize("noise", [None, bs.Normal()])
def test_a_law_that_is_positive_takes_no_negative_responses(noise):
    table = simulated()
    runs = runs_of({**table, "loss": table["loss"] - 4})
    with pytest.raises(bs.RunsError, match=r"choose a law that may be negative, e\.g\. LogLaw\(\)"):
        bs.build_model(bs.laws.OffsetPowerLaw(), runs, noise=noise)


@pytest.mark.parametrize(("breaks", "name"), [(2, "d2"), (3, "d3")])
def test_only_the_first_of_ordered_locations_takes_a_prior(breaks, name):
    law, runs = bs.laws.BrokenPowerLaw(breaks=breaks), runs_of(simulated())
    prior = pm.LogNormal.dist(np.log(1e19), 0.5)
    with pytest.raises(ValueError, match=rf"'{name}' is placed by its.*to the first location"):
        bs.build_model(law, runs, priors={name: prior})
    bs.build_model(law, runs, priors={"d1": prior})


@pytest.mark.parametrize(
    ("prior", "message"),
    [
        (pm.Uniform.dist(-3, -2), r"no mass above 0.*lies around -2\.\d+; mind the sign"),
        (pm.Normal.dist(-5, 1), r"no mass above 0, where it can be"),
        (pm.Poisson.dist(2), r"one of whole numbers: give a continuous distribution"),
        (pm.Normal.dist([0.1, 0.2], 1), r"one of arrays: give that of one number"),
        (pm.Dirichlet.dist([1.0, 1.0]), r"one of arrays: give that of one number"),
        (pm.DiracDelta.dist(0.3), r"the number 0\.3: give a narrow distribution"),
    ],
    ids=["bounded", "far", "counts", "vector", "simplex", "number"],
)
def test_a_prior_that_a_parameter_cannot_have_is_refused(prior, message):
    for pooling in ({}, {"alpha": bs.Shared()}):
        with pytest.raises(ValueError, match=rf"the prior of 'alpha' (is|has) {message}"):
            bs.build_model(
                bs.laws.PowerLaw(), runs_of(simulated()), pooling=pooling, priors={"alpha": prior}
            )


def test_a_proportion_takes_no_prior_outside_0_and_1():
    runs = bs.Runs({"C": [1.0, 2.0, 3.0], "y": [0.2, 0.3, 0.4]}, y="y", x="C")
    law = bs.laws.RLSigmoid()
    with pytest.raises(ValueError, match=r"'A' has no mass between 0 and 1, where it can be"):
        bs.build_model(law, runs, priors={"A": pm.Normal.dist(50, 3)})


def test_chains_start_where_a_prior_is_possible():
    prior = pm.Normal.dist(-1, 1)
    model = bs.build_model(bs.laws.PowerLaw(), runs_of(simulated()), priors={"alpha": prior})
    origin = {name: np.zeros_like(value) for name, value in model.initial_point().items()}
    assert np.isfinite(model.compile_logp()(origin))


def test_an_effect_takes_no_prior():
    noise, prior = bs.LogStudentT() + bs.Effect("family"), pm.Normal.dist(0.1, 0.1)
    with pytest.raises(ValueError, match=r"'effect_family' deviates.*Effect\('seed', scale=0\.1\)"):
        bs.build_model(
            bs.laws.PowerLaw(), runs_of(simulated()), noise=noise, priors={"effect_family": prior}
        )


@pytest.mark.parametrize("noise", [bs.LogStudentT(), bs.LogitNormal()])
def test_a_law_that_may_be_negative_takes_no_scatter_of_a_logarithm(noise):
    x = np.geomspace(1e17, 1e20, 8)
    runs = bs.Runs({"C": x, "y": np.linspace(0.4, 0.6, 8)}, y="y", x="C")
    with pytest.raises(ValueError, match=r"LogLaw\(\) may be negative.*write noise=StudentT\(\)"):
        bs.build_model(bs.laws.LogLaw(), runs, noise=noise)


@pytest.mark.parametrize("name", ["alpha", "sigma", "alpha_sd"])
def test_a_group_with_the_name_of_a_parameter_is_refused(name):
    runs = bs.Runs(simulated(), y="loss", x={"C": "flops"}, groups={name: "arch"})
    for fit in (
        lambda: bs.fit(bs.laws.PowerLaw(), runs),
        lambda: bs.known_fit(bs.laws.PowerLaw(), runs, {"A": 3.0, "alpha": 0.1}),
    ):
        with pytest.raises(ValueError, match=rf"parameter '{name}': give the group another name"):
            fit()
