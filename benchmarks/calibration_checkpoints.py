"""Coverage of forecasts one decade beyond correlated checkpoints, with and without correlation.

    python benchmarks/calibration_checkpoints.py [--runs 100] [--seed 0]

Training runs are simulated from a power law with a floor, whose residuals of log y follow an
Ornstein-Uhlenbeck process in ln x.  Truths come from the priors of the model, narrowed to runs
that a user would meet.  Both noise models see the same 40 checkpoints over two decades and
forecast one new measurement a decade beyond.
"""

import argparse

import numpy as np
import pandas as pd

import bayescale as bs
from bayescale.forecast.points import predict_runs
from bayescale.model.arrays import arrays_of
from bayescale.model.structure import structure_of
from bayescale.sampling.sampling import sample

LAW = bs.laws.OffsetPowerLaw()
NOISES = {
    "checkpoints": bs.LogStudentT() + bs.Checkpoints(),
    "independent": bs.LogStudentT(),
}
X = np.r_[np.geomspace(1e6, 1e8, 40), 1e9]


def simulate(rng: np.random.Generator) -> np.ndarray:
    """Measurements of one run at X."""
    alpha, share = 0.3 * np.exp(0.5 * rng.standard_normal()), rng.uniform(0.2, 0.8)
    mean = np.log(share + (1 - share) * (X / 1e7) ** -alpha)
    sd, length = (
        0.02 * np.exp(0.5 * rng.standard_normal()),
        0.3 * np.exp(0.5 * rng.standard_normal()),
    )
    residual = np.empty(len(X))
    residual[0] = sd * rng.standard_t(4)
    for i, gap in enumerate(np.diff(np.log(X)), start=1):
        rho = np.exp(-gap / length)
        residual[i] = rho * residual[i - 1] + sd * np.sqrt(1 - rho**2) * rng.standard_t(4)
    return np.exp(mean + residual)


def main() -> None:
    """Run the simulation from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    rows = []
    for number in range(options.runs):
        y = simulate(rng)
        table = {"x": X, "y": y, "run": ["a"] * len(X)}
        runs = bs.Runs(table, y="y", x="x", sequence="run")
        seen, new = runs.below("x", 3e8), runs.above("x", 3e8)
        for name, noise in NOISES.items():
            structure = structure_of(LAW, seen, None, noise, None)
            arrays = arrays_of(structure, seen)
            made = sample(structure, arrays, draws=300, tune=300, chains=2, random_seed=number)
            flat = {k: v.reshape(-1, *v.shape[2:]) for k, v in made.draws.items()}
            predictive = predict_runs(structure, flat, arrays, seen, new)
            below = float(predictive.cdf(new.y)[0])
            rows.append(
                {
                    "noise": name,
                    "inside 90 %": 0.05 <= below <= 0.95,
                    "inside 50 %": 0.25 <= below <= 0.75,
                    "log density": float(predictive.log_density(new.y)[0]),
                }
            )
    result = pd.DataFrame(rows).groupby("noise").mean()
    result["standard error at 90 %"] = np.sqrt(0.09 / options.runs)
    print(result.round(3).to_string())


if __name__ == "__main__":
    main()
