"""Three forms on every curve of a table: seconds for all of them, convergence and scores.

    python benchmarks/many_curves.py --data FILE [--checkpoints]

FILE is read as by ``benchmarks/extrapolation.py``.  A power law, one with a floor and one with a
break are fitted to the train rows of every curve by ``bs.fit_many``, without pooling, and scored on
the rest.  Residuals are independent, the package's default, or those of correlated checkpoints.
"""

import argparse
import time
import warnings

import extrapolation
import numpy as np
import pandas as pd

import bayescale as bs
from bayescale.forecast import predict_runs

FORMS = {
    "power law": bs.laws.PowerLaw(),
    "with a floor": bs.laws.OffsetPowerLaw(),
    "broken": bs.laws.BrokenPowerLaw(),
}
GATES = (1.01, 1.02, 1.05)


def main() -> None:
    """Fit, score and print one row a form."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--data", required=True, help="table of curves (CSV)")
    parser.add_argument("--checkpoints", action="store_true", help="correlated residuals")
    options = parser.parse_args()
    noise = bs.LogStudentT() + bs.Checkpoints() if options.checkpoints else bs.LogStudentT()
    columns = {"y": "y", "x": "x", "sequence": "curve_id"}
    table = extrapolation.read(options.data).sort_values(["curve_id", "x"], kind="stable")
    seen, hidden = (
        {str(name): bs.Runs(part, **columns) for name, part in rows.groupby("curve_id")}
        for rows in (table[table["split"] == split] for split in ("train", "test"))
    )
    rows = {}
    for form, law in FORMS.items():
        started = time.perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", bs.ConvergenceWarning)
            fits = bs.fit_many(law, seen, noise=noise, draws=1000, chains=2, random_seed=1)
        scores = [score(fits[name], hidden[name]) for name in seen]
        rhat = np.array([fits[name].diagnostics["max_rhat"] for name in seen])
        rows[form] = {
            "seconds": time.perf_counter() - started,
            **{f"R-hat <= {gate}": float(np.mean(rhat <= gate)) for gate in GATES},
            "RMSLE": np.mean([rmsle for rmsle, _ in scores]),
            "LL": np.mean([density for _, density in scores]),
        }
    found = pd.DataFrame(rows).T
    print(found.round(3).to_string())
    print(f"{len(seen)} curves, {found['seconds'].sum():.0f} s, compilation included")


def score(fit: bs.Fit, hidden: bs.Runs) -> tuple[float, float]:
    """Root mean square of ln(median / y), and the mean log predictive density."""
    draws = {name: v.reshape(-1, *v.shape[2:]) for name, v in fit.draws.items()}
    predicted = predict_runs(fit.structure, draws, fit.arrays, fit.runs, hidden)
    y = np.asarray(hidden.y)
    median = np.median(predicted.sample(np.random.default_rng(0)), axis=0)
    error = float(np.sqrt(np.mean(np.log(median / y) ** 2)))
    return error, float(predicted.log_density(y).mean())


if __name__ == "__main__":
    main()
