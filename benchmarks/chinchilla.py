"""How a budget is best split, from the runs behind Chinchilla, beside published answers.

Fits L = E + A N^-alpha + B D^-beta to the runs of Hoffmann et al. (2022) as read off their figure
by Besiroglu et al. (2024), without the five that those leave out, and reports the exponent a of
N* ~ C^a and the optimum at the budget of Chinchilla.  Epoch's answer comes from 4000 bootstraps of
a Huber fit: a = .513 with an 80 % width of .051.  Times ``compute_optimal`` on the draws.

    python benchmarks/chinchilla.py
"""

import json
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

import bayescale as bs
from bayescale.noise import Effect, LogStudentT

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "chinchilla_epoch.csv"
EPOCH = {"a": 0.513, "width": 0.051}
#: Their exponents and standard errors.
EXPONENTS = {"alpha": (0.348, 0.015), "beta": (0.366, 0.021)}
NOISE = {
    "independent": LogStudentT(),
    "an effect of every model size": LogStudentT() + Effect("size"),
}


def table() -> pd.DataFrame:
    """Read the 240 runs; sizes that differ by less than 3 % are one model."""
    runs = pd.read_csv(DATA)
    runs = runs[runs["excluded_by_epoch"] == 0].reset_index(drop=True)
    order = np.argsort(runs["params"].to_numpy(), kind="stable")
    steps = np.diff(np.log(runs["params"].to_numpy()[order]), prepend=-np.inf) > 0.03
    size = np.empty(len(runs), int)
    size[order] = np.cumsum(steps)
    return runs.assign(size=size.astype(str))


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
        "a": round(float(median), 4),
        "a_80": [round(float(low), 4), round(float(high), 4)],
        "width": round(float(high - low), 4),
        "width_over_epoch": round(float(high - low) / EPOCH["width"], 2),
        "N_80": [f"{v:.3g}" for v in sizes],
        "tokens_per_parameter_80": [f"{v:.3g}" for v in ratio],
        "converged": bool(fit.diagnostics["converged"]),
        "total_s": round(fit.diagnostics["total_s"], 1),
    }


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
    warnings.simplefilter("ignore")
    frame = table()
    for name, noise in NOISE.items():
        groups = {"size": "size"} if "size" in name else None
        runs = bs.Runs(frame, y="loss", x={"N": "params", "D": "tokens"}, groups=groups)
        fit = bs.fit(bs.laws.Chinchilla(), runs, noise=noise, random_seed=1, progressbar=False)
        print(json.dumps({"noise": name, **answer(fit)}), flush=True)
        if groups is None:
            timing = {
                "closed form": seconds(fit, None),
                "numerical, serving 1e12 tokens": seconds(fit, bs.FLOPs6ND(1e12)),
            }
            print(json.dumps({"seconds for 4000 draws x 200 budgets": timing}), flush=True)
    print(json.dumps({"epoch": EPOCH}))


if __name__ == "__main__":
    main()
