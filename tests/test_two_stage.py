"""Pooling curves that were fitted one by one: the same answer as one hierarchy."""

import numpy as np
import pytest

import bayescale as bs
from bayescale.model.population import typical_deviation

X = [1e17, 1e18, 1e19, 1e20, 1e21]
LAW = bs.laws.PowerLaw()
ALPHA = LAW.parameter("alpha")


def runs_of(alpha: float = 0.06) -> bs.Runs:
    table = {"flops": X, "loss": 40 * np.array(X) ** -alpha}
    return bs.Runs(table, y="loss", x={"C": "flops"})


def measured(estimate: float, error: float, rng: np.random.Generator, size: int = 2000) -> bs.Fit:
    """Draws of a curve whose rows say N(estimate, error) of the standardised log exponent."""
    precision = 1 / error**2 + 1 / ALPHA.spread**2
    z = estimate / error**2 / precision + rng.standard_normal(size) / np.sqrt(precision)
    sigma = 0.02 * np.exp(0.2 * rng.standard_normal(size))
    values = {"A": 40.0, "alpha": np.exp(ALPHA.centre + z), "sigma": sigma}
    return bs.known_fit(LAW, runs_of(), values)


def reference(estimates: np.ndarray, errors: np.ndarray) -> tuple[float, float]:
    """Mean and standard deviation of the population mean, by integration over the spread."""
    tau = np.geomspace(1e-3, 5, 4000)
    total = errors[:, None] ** 2 + tau**2
    precision = 1 / ALPHA.spread**2 + np.sum(1 / total, axis=0)
    mean = np.sum(estimates[:, None] / total, axis=0) / precision
    log_p = (
        -0.5 * np.sum(np.log(total) + estimates[:, None] ** 2 / total, axis=0)
        + 0.5 * precision * mean**2
        - 0.5 * np.log(precision)
        - ALPHA.between_dof * np.log(tau)
        - 0.5 * ALPHA.between_dof * typical_deviation(ALPHA) ** 2 / tau**2
    )
    weight = np.exp(log_p - log_p.max())
    weight /= weight.sum()
    centre = float(weight @ mean)
    return centre, float(np.sqrt(weight @ (1 / precision + (mean - centre) ** 2)))


@pytest.fixture(scope="module")
def curves() -> dict[str, bs.Fit]:
    rng = np.random.default_rng(1)
    estimates = [-0.3, -0.1, 0.0, 0.1, 0.15, 0.4]
    errors = [0.3, 0.1, 0.15, 0.1, 0.2, 0.3]
    return {
        f"curve {k}": measured(m, s, rng)
        for k, (m, s) in enumerate(zip(estimates, errors, strict=True))
    }


@pytest.fixture(scope="module")
def pooled(curves: dict[str, bs.Fit]) -> bs.PooledFits:
    return bs.pool_fits(curves, passes=1, draws=2000, progressbar=False)


def test_the_population_is_that_of_one_hierarchy(pooled: bs.PooledFits) -> None:
    estimates = np.array([-0.3, -0.1, 0.0, 0.1, 0.15, 0.4])
    errors = np.array([0.3, 0.1, 0.15, 0.1, 0.2, 0.3])
    mean, sd = reference(estimates, errors)
    found = pooled.population["alpha_mean"]
    assert pooled.diagnostics["converged"]
    assert np.mean(found) == pytest.approx(mean, abs=0.1 * sd)
    assert np.std(found) == pytest.approx(sd, rel=0.1)


def test_curves_move_towards_the_population_and_narrow(
    curves: dict[str, bs.Fit], pooled: bs.PooledFits
) -> None:
    for name in ("curve 0", "curve 5"):
        apart, together = (np.log(f[name].posterior["alpha"].values) for f in (curves, pooled))
        assert np.std(together) < np.std(apart)
    ends = [
        [np.median(f[n].posterior["alpha"]) for n in ("curve 0", "curve 5")]
        for f in (curves, pooled)
    ]
    assert np.ptp(ends[1]) < np.ptp(ends[0])


def test_levels_stay_with_their_curve(pooled: bs.PooledFits) -> None:
    assert "A_mean" not in pooled.population
    assert {"alpha_mean", "alpha_sd"} <= set(pooled.summary().index)


def test_the_median_of_the_population_is_told_in_natural_units(pooled: bs.PooledFits) -> None:
    found = pooled.summary().loc["alpha_population", "median"]
    single = np.median([np.median(fit.posterior["alpha"]) for fit in pooled.values()])
    assert found == pytest.approx(single, rel=0.1)
    assert "A_population" not in pooled.population


def test_a_probability_above_one_is_refused(pooled: bs.PooledFits) -> None:
    with pytest.raises(ValueError, match=r"ci_prob must lie .* did you mean 0.9"):
        pooled.summary(90)


def test_pooled_fits_forecast_as_any_fit_does(pooled: bs.PooledFits) -> None:
    forecast = pooled["curve 0"].forecast({"C": [1e22]})
    assert np.isfinite(forecast.table["median"]).all()


@pytest.mark.filterwarnings("ignore::bayescale.ConvergenceWarning")
def test_every_number_follows_from_the_seed(curves: dict[str, bs.Fit]) -> None:
    once, again = (
        bs.pool_fits(curves, passes=1, draws=50, chains=2, random_seed=3) for _ in range(2)
    )
    np.testing.assert_array_equal(once.population["alpha_sd"], again.population["alpha_sd"])


def test_few_draws_that_carry_a_curve_are_told(curves: dict[str, bs.Fit]) -> None:
    rng = np.random.default_rng(0)
    far = {**curves, "far": measured(1.5, 0.4, rng, size=20)}
    with pytest.warns(bs.ConvergenceWarning, match="'far' is carried by"):
        found = bs.pool_fits(far, passes=1, progressbar=False)
    assert found.diagnostics["carried"]["far"] < 50
    assert not found.diagnostics["converged"]


def test_a_short_curve_borrows_the_floor_that_long_ones_have() -> None:
    law, rng = bs.laws.OffsetPowerLaw(), np.random.default_rng(2)

    def curve(last: float, error: float) -> bs.Fit:
        x = np.geomspace(1e17, last, 12)
        runs = bs.Runs({"flops": x, "loss": 2 + 4 * (x / 1e17) ** -0.3}, y="loss", x="flops")
        floors = 2 * np.exp(error * rng.standard_normal(2000))
        return bs.known_fit(law, runs, {"A": 4 * 1e17**0.3, "alpha": 0.3, "E": floors})

    long = {f"long {k}": curve(1e21, 0.02) for k in range(6)}
    pooled = bs.pool_fits({**long, "short": curve(1e18, 1.0)}, passes=1, progressbar=False)
    assert float(pooled["short"].posterior["E"].median()) == pytest.approx(2.0, rel=0.5)


def test_a_second_pass_samples_curves_near_the_population() -> None:
    rng = np.random.default_rng(5)
    tables = {}
    for k, alpha in enumerate((0.25, 0.28, 0.31)):
        loss = 3 * (np.array(X) / 1e19) ** -alpha * np.exp(0.05 * rng.standard_normal(5))
        tables[f"{k}"] = bs.Runs({"flops": X, "loss": loss}, y="loss", x={"C": "flops"})
    fits = bs.fit_many(LAW, tables, draws=1000, chains=2, random_seed=0, progressbar=False)
    first, second = (bs.pool_fits(fits, passes=passes, progressbar=False) for passes in (1, 2))
    a, b = (p.population["alpha_mean"] for p in (first, second))
    assert np.mean(a) == pytest.approx(np.mean(b), abs=0.3 * np.std(a))
    assert min(second.diagnostics["carried"].values()) > min(first.diagnostics["carried"].values())


def test_a_population_wider_than_the_prior_of_a_curve_is_carried_by_many_draws() -> None:
    rng = np.random.default_rng(6)
    tables = {}
    for k, alpha in enumerate((0.02, 0.05, 0.15, 0.3, 0.35)):
        loss = 3 * (np.array(X) / 1e19) ** -alpha * np.exp(0.05 * rng.standard_normal(5))
        tables[f"{k}"] = bs.Runs({"flops": X, "loss": loss}, y="loss", x={"C": "flops"})
    fits = bs.fit_many(LAW, tables, draws=1000, chains=2, random_seed=0, progressbar=False)
    found = bs.pool_fits(fits, progressbar=False)
    assert np.median(found.population["alpha_sd"]) > ALPHA.spread
    assert min(found.diagnostics["carried"].values()) > 300


def test_fits_that_share_no_model_are_refused(curves: dict[str, bs.Fit]) -> None:
    other = bs.known_fit(
        bs.laws.OffsetPowerLaw(), runs_of(), {"E": 0.1, "A": 40.0, "alpha": np.full(10, 0.06)}
    )
    with pytest.raises(ValueError, match="'other' has another law"):
        bs.pool_fits({**curves, "other": other})
    with pytest.raises(ValueError, match="at least two curves"):
        bs.pool_fits({"one": curves["curve 0"]})
    with pytest.raises(ValueError, match="passes must be 1 or 2"):
        bs.pool_fits(curves, passes=3)
    with pytest.raises(ValueError, match=r"chains is 2\.0: give a whole number of at least 1"):
        bs.pool_fits(curves, chains=2.0)


def test_fits_with_groups_are_refused() -> None:
    table = {"flops": X * 2, "loss": [3.0, 2.8, 2.6, 2.5, 2.4] * 2, "arch": ["a"] * 5 + ["b"] * 5}
    runs = bs.Runs(table, y="loss", x={"C": "flops"}, groups="arch")
    fit = bs.known_fit(LAW, runs, {"A": 40.0, "alpha": 0.06})
    with pytest.raises(ValueError, match="varies over arch"):
        bs.pool_fits({"one": fit, "two": fit})
