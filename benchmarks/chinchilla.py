"""How a budget is best split, from the runs behind Chinchilla, beside published answers.

Fits L = E + A N^-alpha + B D^-beta to the runs of Hoffmann et al. (2022) as read off their figure
by Besiroglu et al. (2024), without the five that those leave out, and reports the exponent a of
N* ~ C^a and the optimum at the budget of Chinchilla.  Epoch's answer comes from 4000 bootstraps of
a Huber fit: a = .513 with an 80 % width of .051.  Times ``compute_optimal`` on the draws.

Widths of exponents are set beside 400 bootstraps, over runs and over model sizes, of Epoch's
estimator, a Huber loss that is hardly more than absolute errors, and of the maximum of the
Student-t likelihood that is ours.

    python benchmarks/chinchilla.py [--tables FOLDER]

``docs/benchmarks.md`` says where the table comes from.
"""

import argparse
import json
import time
import warnings
from collections.abc import Callable

import measured
import numpy as np
import pandas as pd
from scipy import special
from scipy.optimize import minimize
from scipy.stats import t as student_t

import bayescale as bs
from bayescale.noise import Effect, LogStudentT

EPOCH = {"a": 0.513, "width": 0.051}
#: Their exponents and standard errors.
EXPONENTS = {"alpha": (0.348, 0.015), "beta": (0.366, 0.021)}
NOISE = {
    "independent": LogStudentT(),
    "an effect of every model size": LogStudentT() + Effect("size"),
    "and scatter that changes with size and data": (
        LogStudentT() + Effect("size") + bs.ScaleTrend("N") + bs.ScaleTrend("D")
    ),
    "and an effect of the number of tokens": (
        LogStudentT() + Effect("size") + Effect("horizon") + bs.ScaleTrend("N") + bs.ScaleTrend("D")
    ),
}
#: Distance between the ends of a 90 % interval, in standard errors.
NINETY = 3.29
BOOTSTRAPS, HUBER, NU = 400, 1e-3, 4.0
Loss = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


def table() -> pd.DataFrame:
    """Read the 240 runs; sizes within 3 % of the next are one model, tokens go by 8 a decade."""
    runs = measured.read("chinchilla_epoch.csv")
    runs = runs[runs["excluded_by_epoch"] == 0].reset_index(drop=True)
    order = np.argsort(runs["params"].to_numpy(), kind="stable")
    steps = np.diff(np.log(runs["params"].to_numpy()[order]), prepend=-np.inf) > 0.03
    size = np.empty(len(runs), int)
    size[order] = np.cumsum(steps)
    eighth = np.round(8 * np.log10(runs["tokens"])).astype(int)
    return runs.assign(size=size.astype(str), horizon=eighth.astype(str))


def answer(fit: bs.Fit) -> dict:
    """Exponent, its 80 % width, and the optimum at the budget of Chinchilla."""
    best = bs.compute_optimal(fit, [5.76e23])
    low, median, high = np.quantile(best.exponent[:, 0], [0.1, 0.5, 0.9])
    sizes = np.quantile(best.draws["N"][:, 0], [0.1, 0.5, 0.9])
    ratio = np.quantile(best.draws["tokens_per_parameter"][:, 0], [0.1, 0.5, 0.9])
    medians = {name: float(fit.posterior[name].median()) for name in EXPONENTS}
    return {
        **{name: round(value, 4) for name, value in medians.items()},
        "standard errors from Epoch's": {
            name: round((medians[name] - value) / error, 2)
            for name, (value, error) in EXPONENTS.items()
        },
        "width of 90 %": {
            name: round(float(np.ptp(np.quantile(fit.posterior[name], [0.05, 0.95]))), 4)
            for name in EXPONENTS
        },
        "a": round(float(median), 4),
        "a_80": [round(float(low), 4), round(float(high), 4)],
        "width": round(float(high - low), 4),
        "width_over_epoch": round(float(high - low) / EPOCH["width"], 2),
        "N_80": [f"{v:.3g}" for v in sizes],
        "tokens_per_parameter_80": [f"{v:.3g}" for v in ratio],
        "converged": bool(fit.diagnostics["converged"]),
        "total_s": round(fit.diagnostics["total_s"], 1),
    }


def huber(residual: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Loss of residuals and its derivative, in units of the bend of the loss."""
    pull = np.clip(residual, -HUBER, HUBER)
    return special.huber(HUBER, residual) / HUBER**2, pull / HUBER**2


def student(residual: np.ndarray, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """Negative log likelihood up to a constant, and its derivative."""
    square = residual**2 / (NU * scale**2)
    loss = (NU + 1) / 2 * np.log1p(square)
    return loss, (NU + 1) * residual / (NU * scale**2) / (1 + square)


def fitted(runs: pd.DataFrame, loss: Loss, weight: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Return ln A, ln B, ln E, alpha and beta at the least weighted loss."""
    log_n, log_d, log_y = (np.log(runs[c].to_numpy()) for c in ("params", "tokens", "loss"))

    def objective(p: np.ndarray) -> tuple[float, np.ndarray]:
        terms = np.stack([p[0] - p[3] * log_n, p[1] - p[4] * log_d, np.full_like(log_y, p[2])])
        log_mean = np.logaddexp.reduce(terms, axis=0)
        shares = np.exp(terms - log_mean)
        slopes = np.concatenate([shares, [-log_n * shares[0], -log_d * shares[1]]])
        value, pull = loss(log_y - log_mean)
        return float(weight @ value), -slopes @ (weight * pull)

    return minimize(objective, start, jac=True, method="BFGS").x


def bootstraps(runs: pd.DataFrame) -> dict[str, dict[str, float]]:
    """90 % widths of alpha and beta by estimator and by what is drawn."""
    rng, once = np.random.default_rng(0), np.ones(len(runs))
    start = fitted(runs, huber, once, np.array([6.2, 7.6, 0.6, 0.35, 0.37]))
    names = dict(zip(("A", "B", "E", *EXPONENTS), [*np.exp(start[:3]), *start[3:]], strict=True))
    expected = bs.laws.Chinchilla()(runs["params"], runs["tokens"], **names)
    scale = student_t.fit(np.log(runs["loss"] / expected), f0=NU, floc=0)[2]
    losses = {"Huber": huber, "Student-t": lambda residual: student(residual, scale)}
    drawn = {"runs": np.arange(len(runs)), "sizes": np.unique(runs["size"], return_inverse=True)[1]}
    widths = {}
    for estimator, loss in losses.items():
        best = fitted(runs, loss, once, start)
        for what, unit in drawn.items():
            count = unit.max() + 1
            again = [
                fitted(runs, loss, rng.multinomial(count, np.full(count, 1 / count))[unit], best)
                for _ in range(BOOTSTRAPS)
            ]
            low, high = np.quantile(again, [0.05, 0.95], axis=0)
            both = dict(zip(EXPONENTS, (high - low)[3:], strict=True))
            widths[f"{estimator} over {what}"] = {k: round(float(v), 4) for k, v in both.items()}
    return widths


def seconds(fit: bs.Fit, cost: object) -> float:
    """Shortest of three times of 200 budgets on 4000 draws."""
    taken = []
    for _ in range(3):
        start = time.perf_counter()
        found = bs.compute_optimal(fit, np.geomspace(1e18, 1e26, 200), cost=cost)
        taken.append(time.perf_counter() - start)
    assert found.draws["N"].shape == (4000, 200)
    return round(min(taken), 3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    measured.option(parser)
    parser.parse_args()
    warnings.simplefilter("ignore")
    frame = table()
    fits = {}
    for name, noise in NOISE.items():
        groups = [part.group for part in noise.parts if isinstance(part, Effect)]
        runs = bs.Runs(frame, y="loss", x={"N": "params", "D": "tokens"}, groups=groups)
        fit = bs.fit(bs.laws.Chinchilla(), runs, noise=noise, random_seed=1, progressbar=False)
        print(json.dumps({"noise": name, **answer(fit)}), flush=True)
        fits[name] = fit
        if not groups:
            timing = {
                "closed form": seconds(fit, None),
                "numerical, serving 1e12 tokens": seconds(fit, bs.FLOPs6ND(1e12)),
            }
            print(json.dumps({"seconds for 4000 draws x 200 budgets": timing}), flush=True)
    found = bs.compare(fits).table[["elpd_diff", "se_diff"]].round(1).to_dict(orient="index")
    print(json.dumps({"leave-one-out": found}), flush=True)
    epoch = {name: round(NINETY * error, 4) for name, (_, error) in EXPONENTS.items()}
    print(json.dumps({"epoch": EPOCH, "width of 90 %": epoch}), flush=True)
    print(json.dumps({"bootstraps, width of 90 %": bootstraps(frame)}))


if __name__ == "__main__":
    main()
