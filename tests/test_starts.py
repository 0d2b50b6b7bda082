"""Chains start where the posterior has its mass, also where it has several modes."""

import numpy as np
import pymc as pm
import pytest
from scipy import stats

import bayescale as bs
from bayescale.model.arrays import arrays_of
from bayescale.model.information import end_information
from bayescale.model.packing import model_arrays
from bayescale.model.structure import structure_of
from bayescale.sampling.sampling import compile_structure
from bayescale.sampling.starts import Mode, density_of, draw_near, find_modes

CENTRES = np.array([[-4.0, 0.0], [4.0, 1.0]])
SPREADS = np.array([[0.5, 1.0], [1.0, 1.0]])
WEIGHTS = np.array([0.25, 0.75])


def two_hills(point):
    parts = np.array(
        [
            np.log(w) + stats.norm(c, s).logpdf(point).sum()
            for w, c, s in zip(WEIGHTS, CENTRES, SPREADS, strict=True)
        ]
    )
    value = np.logaddexp(*parts)
    share = np.exp(parts - value)
    gradient = sum(r * (c - point) / s**2 for r, c, s in zip(share, CENTRES, SPREADS, strict=True))
    return value, gradient


def test_both_hills_are_found_with_their_mass():
    modes = sorted(find_modes(two_hills, 2, np.random.default_rng(0), 10), key=lambda m: m.at[0])
    assert np.allclose([m.at for m in modes], CENTRES, atol=1e-2)
    mass = np.exp([m.log_mass for m in modes])
    assert mass / mass.sum() == pytest.approx(WEIGHTS, rel=0.02)


def test_a_density_that_is_nowhere_finite_has_no_modes():
    def nowhere(point):
        return -np.inf, np.zeros_like(point)

    assert find_modes(nowhere, 3, np.random.default_rng(0), 10) == []


def test_a_mode_without_mass_is_dropped():
    def hill_and_mound(point):
        high, low = (-0.5 * np.sum((point - c) ** 2) for c in (-20.0, 20.0))
        value = np.logaddexp(high, low - 200.0)
        share = np.exp(high - value)
        return value, -share * (point + 20.0) - (1 - share) * (point - 20.0)

    def from_both_sides(point):
        return hill_and_mound(20.0 * point)[0], 20.0 * hill_and_mound(20.0 * point)[1]

    (mode,) = find_modes(from_both_sides, 2, np.random.default_rng(0), 10)
    assert mode.at == pytest.approx([-1.0, -1.0], abs=1e-3)


def ridge(point):
    """Log density that is highest at (1, 1), the end of a curved ridge."""
    x, y = point
    value = -50 * (1 - x) ** 2 - 5000 * (y - x**2) ** 2
    return value, np.array([100 * (1 - x) + 20_000 * x * (y - x**2), -10_000 * (y - x**2)])


@pytest.mark.parametrize("steps", [3, 8, 300])
def test_a_climb_that_gave_up_on_a_ridge_is_no_mode(steps, monkeypatch):
    monkeypatch.setattr("bayescale.sampling.starts.MAX_STEPS", steps)
    found = find_modes(ridge, 2, np.random.default_rng(0), 30)
    assert all(mode.at == pytest.approx([1.0, 1.0], abs=0.1) for mode in found)
    assert len(found) == 1 or steps < 300


def test_starts_stay_where_the_density_follows_the_approximation():
    def narrow(point):
        return -0.5 * np.sum((point / 0.1) ** 2), -point / 0.01

    too_wide = Mode(np.zeros(3), np.eye(3), 0.0)
    rng = np.random.default_rng(1)
    for _ in range(50):
        assert narrow(draw_near([too_wide], narrow, rng))[0] >= -3.0


def integrated(law, runs, noise, samples=20_000):
    """Evidence by importance sampling from a wide Student-t around the only mode."""
    structure = structure_of(law, runs, None, noise, None)
    arrays = arrays_of(structure, runs)
    compiled = compile_structure(structure, arrays).with_data(**model_arrays(arrays))
    density = density_of(compiled)
    (mode,) = find_modes(density, compiled.n_dim, np.random.default_rng(0), 10)
    standard = stats.multivariate_t(np.zeros(3), np.eye(3), df=5)
    drawn = standard.rvs(samples, random_state=np.random.default_rng(6))
    log_width = np.linalg.slogdet(mode.spread)[1]
    ratio = [density(mode.at + mode.spread @ d)[0] for d in drawn] - standard.logpdf(drawn)
    weight = np.exp(ratio - np.max(ratio))
    assert weight.sum() ** 2 / np.sum(weight**2) > samples / 10
    return np.logaddexp.reduce(ratio) - np.log(samples) + log_width


@pytest.mark.parametrize(
    ("law", "noise"),
    [(bs.laws.PowerLaw(), bs.LogStudentT()), (bs.laws.LogLaw(), bs.StudentT())],
    ids=repr,
)
def test_the_evidence_is_that_of_a_density_which_can_be_integrated(law, noise):
    x = np.geomspace(1e17, 1e21, 12)
    y = 3.0 * (x / 1e19) ** -0.08 * np.exp(0.02 * np.random.default_rng(5).normal(size=12))
    runs = bs.Runs({"flops": x, "loss": y}, y="loss", x={"C": "flops"})
    exact = integrated(law, runs, noise)
    assert bs.log_evidence(law, runs, noise=noise) == pytest.approx(exact, abs=0.3)


def test_the_evidence_does_not_depend_on_where_scores_begin():
    x = np.geomspace(1e7, 1e11, 12)
    score = 0.5 * np.log10(x) - 2 + 0.1 * np.random.default_rng(0).normal(size=12)
    of = [bs.Runs({"N": x, "y": y}, y="y", x="N") for y in (score, score + 100.0, score - 100.0)]
    found = [bs.log_evidence(bs.laws.LogLaw(), runs, noise=bs.Normal()) for runs in of]
    np.testing.assert_allclose(found, integrated(bs.laws.LogLaw(), of[0], bs.Normal()), atol=0.3)
    np.testing.assert_allclose(found[1:], found[0], atol=0.01)


FAMILIES = {"C": [1e17, 1e18, 1e19] * 2, "y": [3.0, 2.8, 2.6, 2.9, 2.7, 2.5], "f": list("aaabbb")}


@pytest.mark.parametrize(
    ("noise", "mend"),
    [
        (bs.LogNormal(), r"pooling={'alpha': bs.Independent\('f'\)}"),
        (bs.LogNormal() + bs.Effect("f"), "leave the effect out"),
        (bs.LogNormal(scale=bs.Partial("f")), r"'sigma': bs.Independent\('f'\)}"),
    ],
    ids=["parameter", "effect", "scale"],
)
def test_the_evidence_of_pooled_labels_is_refused(noise, mend):
    runs = bs.Runs(FAMILIES, y="y", x="C", groups={"f": "f"})
    with pytest.raises(ValueError, match=mend):
        bs.log_evidence(bs.laws.PowerLaw(), runs, noise=noise)


def test_the_evidence_of_labels_apart_is_that_of_each_alone():
    runs = bs.Runs(FAMILIES, y="y", x="C", groups={"f": "f"})
    apart = {name: bs.Independent("f") for name in ("A", "alpha", "sigma")}
    law, noise = bs.laws.PowerLaw(), bs.LogNormal()
    each = [bs.log_evidence(law, runs.where(f=f).drop_unused(), noise=noise) for f in "ab"]
    assert bs.log_evidence(law, runs, noise=noise, pooling=apart) == pytest.approx(sum(each), abs=1)


@pytest.mark.parametrize("width", [0.05, 1.0, 30.0])
def test_the_mass_of_a_hill_does_not_depend_on_how_wide_it_is(width):
    def hill(point):
        return -0.5 * np.sum((point / width) ** 2), -point / width**2

    (mode,) = find_modes(hill, 2, np.random.default_rng(0), 10)
    assert mode.log_mass == pytest.approx(2 * np.log(width), abs=1e-3)


def test_the_evidence_under_priors_of_the_user_does_not_depend_on_the_unit():
    x, found = np.geomspace(1e7, 1e11, 12), []
    score = 0.5 * np.log10(x) - 2 + 0.1 * np.random.default_rng(0).normal(size=12)
    for unit in (1.0, 1000.0):
        runs = bs.Runs({"N": x, "score": unit * score}, y="score", x="N", better="higher")
        priors = {
            "a": pm.Normal.dist(0, 10 * unit),
            "b": pm.Normal.dist(0, 2 * unit),
            "sigma": pm.LogNormal.dist(np.log(0.1 * unit), 0.5),
        }
        evidence = bs.log_evidence(bs.laws.LogLaw(), runs, noise=bs.Normal(), priors=priors)
        found.append(evidence + 12 * np.log(unit))
    assert found[1] == pytest.approx(found[0], abs=0.01)


@pytest.mark.parametrize(
    "prior",
    [
        pm.Normal.dist(2e6, 3e4),
        pm.LogNormal.dist(np.log(1e7), 0.05),
        pm.Uniform.dist(100.0, 100.2),
        pm.HalfCauchy.dist(1e-6),
    ],
    ids=str,
)
def test_what_is_sampled_of_a_prior_of_the_user_has_unit_scale(prior):
    x = np.geomspace(1e7, 1e11, 12)
    runs = bs.Runs({"N": x, "score": np.log10(x)}, y="score", x="N")
    model = bs.build_model(bs.laws.LogLaw(), runs, priors={"b": prior})
    value = model["b_raw_natural"]
    sampled = model.rvs_to_transforms[value].forward(value, *value.owner.inputs)
    steps = pm.draw(sampled, 4000, random_seed=1, mode="FAST_COMPILE")
    assert np.median(steps) == pytest.approx(0.0, abs=0.15)
    assert np.quantile(np.abs(steps), 2 / 3) == pytest.approx(1.0, rel=0.15)


def test_a_density_that_cannot_be_drawn_from_is_sampled_all_the_same():
    x, scatter = np.geomspace(1e17, 1e21, 12), np.random.default_rng(0).normal(size=12)
    runs = bs.Runs({"C": x, "y": (x / 1e18) ** -0.1 * np.exp(0.02 * scatter)}, y="y", x="C")
    known = pm.LogNormal.dist(-2.0, 0.3)
    own = pm.CustomDist.dist(
        -2.0, logp=lambda value, mu: pm.logp(pm.LogNormal.dist(mu, 0.3), value)
    )
    found = [bs.log_evidence(bs.laws.PowerLaw(), runs, priors={"alpha": p}) for p in (known, own)]
    assert found[1] == pytest.approx(found[0], abs=0.1)


def test_a_curve_that_turns_round_shows_a_slope_at_each_end():
    log_x, unit = np.linspace(-2.0, 2.0, 21), np.zeros(21, int)
    falling_then_rising = 0.1 * (log_x - 0.5) ** 2
    low, high = (
        end_information(log_x, falling_then_rising, unit, 1, end) for end in ("low", "high")
    )
    # A tenth of the rows from either end, at -1.6 and 1.6.
    np.testing.assert_allclose([low.slope[0], high.slope[0]], [0.42, 0.22])
    np.testing.assert_allclose([low.rise[0], high.rise[0]], [0.416, 0.096])


def test_an_exponent_that_rules_at_an_end_starts_near_the_slope_there():
    law, x = bs.laws.UShape(), np.geomspace(1e7, 1e11, 40)
    y = law(x, E=1e-6, A=8.0, a=0.2, d=1e9, b=0.1, f=0.05)
    runs = bs.Runs({"x": x, "y": y}, y="y", x="x")
    arrays = arrays_of(structure_of(law, runs, None, bs.LogNormal(), {}), runs)
    a, b = (np.exp(arrays[f"start_{q}"][0] + law.parameter(q).centre) for q in ("a", "b"))
    # A parabola through a corner is steeper at its ends than the corner.
    assert 0.2 < a < 0.3
    assert 0.1 < b < 0.2
