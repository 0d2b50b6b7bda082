"""Effective draws per second: ``bayescale.fit`` beside models as a user would write them by hand.

Each problem is simulated, then sampled by this package, by textbook PyMC (non-centred families,
``y = E + A (x / x_ref)^-alpha``, nutpie's defaults) and by textbook NumPyro, in one process.  The
figure is the smallest bulk effective sample size over alpha, log A and log E of every family and
over the population mean and standard deviation of log alpha, divided by seconds of sampling after
compilation.

    python benchmarks/sampling.py --json
"""

import argparse
import inspect
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import bayescale as bs

#: Problem -> runs of every family.
FAMILIES = {
    "wide": [60] * 6,
    "many": [12] * 40,
    "sparse": [4] * 12,
    "starved": [40, 40, 40, 1, 2, 3, 1, 2],
    "bivariate": [40] * 6,
}

#: Steps of warm-up: usual ones for the textbook models, and the package's own default.
WARM_UP = 1000
OUR_WARM_UP = int(inspect.signature(bs.fit).parameters["tune"].default)


@dataclass(frozen=True)
class Problem:
    """Simulated runs of several families; ``x`` has one column an input."""

    name: str
    family: np.ndarray
    x: np.ndarray
    y: np.ndarray


def make_problem(name: str, seed: int = 0) -> Problem:
    """Simulate one of the problems."""
    counts = FAMILIES[name]
    rng = np.random.default_rng(seed)
    count = len(counts)
    alpha = 0.3 * np.exp(0.25 * rng.normal(size=count))
    amplitude = np.exp(0.3 * rng.normal(size=count))
    floor = 1.7 + 0.2 * rng.normal(size=count)
    family = np.repeat(np.arange(count), counts)
    if name == "bivariate":
        beta = 0.28 * np.exp(0.25 * rng.normal(size=count))
        n, d = 10 ** rng.uniform(7, 10, family.size), 10 ** rng.uniform(9, 12, family.size)
        reducible = (n / 10**8.5) ** -alpha[family] + 0.8 * (d / 10**10.5) ** -beta[family]
        x = np.stack([n, d], axis=1)
    else:
        x = 10 ** rng.uniform(17, 21, size=(family.size, 1))
        reducible = (x[:, 0] / 1e19) ** -alpha[family]
    mean = floor[family] + amplitude[family] * reducible
    return Problem(name, family, x, mean * np.exp(0.01 * rng.normal(size=family.size)))


def ours(problem: Problem, draws: int, seed: int) -> dict[str, Any]:
    """Sample with the package's defaults."""
    inputs = {"N": "n", "D": "d"} if problem.x.shape[1] == 2 else {"C": "n"}
    table = {"n": problem.x[:, 0], "d": problem.x[:, -1], "loss": problem.y}
    table["family"] = [f"family {k}" for k in problem.family]
    runs = bs.Runs(table, y="loss", x=inputs, groups="family")
    law = bs.laws.Chinchilla() if len(inputs) == 2 else bs.laws.OffsetPowerLaw()
    pooling = {"E": bs.Partial("family")}
    fit = bs.fit(law, runs, pooling=pooling, draws=draws, random_seed=seed, progressbar=False)
    names = [q.name for q in law.parameters]
    values = {name: np.log(fit.posterior[name].values) for name in names}
    values["mean"] = np.log(fit.posterior["alpha_population"].values)
    values["sd"] = fit.posterior["alpha_sd"].values
    found = fit.diagnostics
    return report(values, found["compile_s"], found["sample_s"], fit.stats, OUR_WARM_UP)


def textbook_pymc(problem: Problem, draws: int, seed: int) -> dict[str, Any]:
    """Sample the model that a tutorial would write."""
    import nutpie
    import pymc as pm
    import pytensor.tensor as pt

    z = np.log(problem.x) - np.log(problem.x).mean(axis=0)
    names = ["alpha", "beta"][: z.shape[1]]
    levels = ["log_A", "log_B"][: z.shape[1]]
    with pm.Model(coords={"family": np.arange(problem.family.max() + 1)}) as model:

        def varying(name: str, mean: float, mean_sd: float, sd: float) -> Any:
            mu = pm.Normal(f"mu_{name}", mean, mean_sd)
            tau = pm.HalfNormal(f"sd_{name}", sd)
            raw = pm.Normal(f"z_{name}", dims="family")
            return pm.Deterministic(name, mu + tau * raw, dims="family")

        exponents = [varying(f"log_{name}", np.log(0.3), 0.7, 0.5) for name in names]
        amplitudes = [varying(name, 0.0, 1.5, 1.0) for name in levels]
        mean = varying("log_E", start_of_floor(problem), 0.5, 0.3)[problem.family]
        for a, level, column in zip(exponents, amplitudes, z.T, strict=True):
            mean = pt.logaddexp(mean, level[problem.family] - pt.exp(a)[problem.family] * column)
        sigma = pm.HalfNormal("sigma", 0.05)
        pm.StudentT("y", nu=4, mu=mean, sigma=sigma, observed=np.log(problem.y))
    started = time.perf_counter()
    compiled = nutpie.compile_pymc_model(model)
    compiled_at = time.perf_counter()
    trace = nutpie.sample(
        compiled,
        draws=draws,
        tune=WARM_UP,
        chains=4,
        cores=2,
        seed=seed,
        target_accept=0.9,
        progress_bar=False,
    )
    seconds = time.perf_counter() - compiled_at
    wanted = [f"log_{name}" for name in names] + levels + ["log_E"]
    values = {name: trace["posterior"][name].values for name in wanted}
    values["mean"] = trace["posterior"]["mu_log_alpha"].values
    values["sd"] = trace["posterior"]["sd_log_alpha"].values
    stats = {
        k: v.values
        for k, v in trace["sample_stats"].dataset.items()
        if k in ("diverging", "n_steps")
    }
    return report(values, compiled_at - started, seconds, stats)


def textbook_numpyro(problem: Problem, draws: int, seed: int) -> dict[str, Any]:
    """Sample the same model in NumPyro; its compilation counts as sampling."""
    import jax
    import jax.numpy as jnp
    import numpyro
    import numpyro.distributions as dist
    from numpyro.infer import MCMC, NUTS

    jax.config.update("jax_enable_x64", True)
    z = np.log(problem.x) - np.log(problem.x).mean(axis=0)
    families = int(problem.family.max()) + 1

    def model() -> None:
        def varying(name: str, mean: float, mean_sd: float, sd: float) -> Any:
            mu = numpyro.sample(f"mu_{name}", dist.Normal(mean, mean_sd))
            tau = numpyro.sample(f"sd_{name}", dist.HalfNormal(sd))
            with numpyro.plate(f"family_{name}", families):
                raw = numpyro.sample(f"z_{name}", dist.Normal())
            return numpyro.deterministic(name, mu + tau * raw)

        mean = varying("log_E", start_of_floor(problem), 0.5, 0.3)[problem.family]
        for name, level, column in zip(["alpha", "beta"], ["log_A", "log_B"], z.T, strict=False):
            exponent = jnp.exp(varying(f"log_{name}", np.log(0.3), 0.7, 0.5))[problem.family]
            mean = jnp.logaddexp(
                mean, varying(level, 0.0, 1.5, 1.0)[problem.family] - exponent * column
            )
        sigma = numpyro.sample("sigma", dist.HalfNormal(0.05))
        numpyro.sample("y", dist.StudentT(4, mean, sigma), obs=np.log(problem.y))

    sampler = MCMC(
        NUTS(model, target_accept_prob=0.9),
        num_warmup=WARM_UP,
        num_samples=draws,
        num_chains=4,
        chain_method="vectorized",
        progress_bar=False,
    )
    started = time.perf_counter()
    sampler.run(jax.random.PRNGKey(seed), extra_fields=("num_steps",))
    seconds = time.perf_counter() - started
    posterior = {k: np.asarray(v) for k, v in sampler.get_samples(group_by_chain=True).items()}
    values = {
        k: posterior[k]
        for k in ("log_alpha", "log_beta", "log_A", "log_B", "log_E")
        if k in posterior
    }
    values["mean"], values["sd"] = posterior["mu_log_alpha"], posterior["sd_log_alpha"]
    extra = sampler.get_extra_fields(group_by_chain=True)
    stats = {"diverging": np.asarray(extra["diverging"]), "n_steps": np.asarray(extra["num_steps"])}
    return report(values, 0.0, seconds, stats)


def start_of_floor(problem: Problem) -> float:
    """Prior location of log E in the textbook models."""
    lowest = [problem.y[problem.family == k].min() for k in range(problem.family.max() + 1)]
    return float(np.log(0.7 * np.mean(lowest)))


def report(
    values: dict[str, np.ndarray],
    compile_s: float,
    sample_s: float,
    stats: Any,
    warm_up: int = WARM_UP,
) -> dict[str, Any]:
    """Figures of one run."""
    from arviz_stats.base import array_stats

    columns = [c for v in values.values() for c in np.moveaxis(v.reshape(*v.shape[:2], -1), -1, 0)]
    ess = min(float(array_stats.ess(c, chain_axis=0, draw_axis=1, method="bulk")) for c in columns)
    rhat = max(float(array_stats.rhat(c, chain_axis=0, draw_axis=1)) for c in columns)
    draws = stats["n_steps"].shape[1]
    gradients = float(np.sum(stats["n_steps"])) * (1 + warm_up / draws)
    return {
        "compile_s": round(compile_s, 2),
        "sample_s": round(sample_s, 2),
        "min_ess": round(ess),
        "ess_per_s": round(ess / sample_s, 1),
        "ess_per_1000_gradients": round(1000 * ess / gradients, 2),
        "divergences": int(np.sum(stats["diverging"])),
        "max_rhat": round(rhat, 4),
    }


SAMPLERS: dict[str, Callable[[Problem, int, int], dict[str, Any]]] = {
    "bayescale": ours,
    "pymc": textbook_pymc,
    "numpyro": textbook_numpyro,
}


def main() -> None:
    """Run the problems and print a line each."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--problem", choices=FAMILIES, action="append")
    parser.add_argument("--backend", choices=SAMPLERS, action="append")
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=1, help="medians over this many seeds")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    args = parser.parse_args()
    for name in args.problem or FAMILIES:
        problem = make_problem(name)
        speed = {}
        for backend in args.backend or SAMPLERS:
            each = [
                SAMPLERS[backend](problem, args.draws, seed + 1) for seed in range(args.repeats)
            ]
            row = {
                "problem": name,
                "backend": backend,
                **{k: float(np.median([r[k] for r in each])) for k in each[0]},
            }
            speed[backend] = row["ess_per_s"]
            if "bayescale" in speed and backend != "bayescale":
                row["bayescale_over_this"] = round(speed["bayescale"] / row["ess_per_s"], 1)
            text = json.dumps(row) if args.json else "  ".join(f"{k} {v}" for k, v in row.items())
            print(text, flush=True)


if __name__ == "__main__":
    main()
