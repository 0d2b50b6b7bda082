"""Three forms on every curve of a table: seconds for all of them, convergence and scores.

    python benchmarks/many_curves.py --data FILE [--checkpoints] [--pool DOMAIN]

FILE is read as by ``benchmarks/extrapolation.py``.  A power law, one with a floor and one with a
break are fitted to the train rows of every curve by ``bs.fit_many``, without pooling, and scored on
the rest.  Residuals are independent, the package's default, or those of correlated checkpoints.
With ``--pool`` the broken fits of one domain are made with twice the draws and pooled afterwards.
"""

import argparse
import time
import warnings
from collections.abc import Mapping

import extrapolation
import numpy as np
import pandas as pd

import bayescale as bs
from bayescale.forecast.points import predict_runs

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
    parser.add_argument("--pool", metavar="DOMAIN", help="pool the curves of this domain")
    options = parser.parse_args()
    noise = bs.LogStudentT() + bs.Checkpoints() if options.checkpoints else bs.LogStudentT()
    columns = {"y": "y", "x": "x"} | ({"sequence": "curve_id"} if options.checkpoints else {})
    table = extrapolation.read(options.data).sort_values(["curve_id", "x"], kind="stable")
    if options.pool:
        table = table[table["domain"] == options.pool]
    seen, hidden = (
        {str(name): bs.Runs(part, **columns) for name, part in rows.groupby("curve_id")}
        for rows in (table[table["split"] == split] for split in ("train", "test"))
    )
    if options.pool:
        pool(seen, hidden, noise)
        return
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


def pool(seen: dict[str, bs.Runs], hidden: dict[str, bs.Runs], noise: bs.noise.Noise) -> None:
    """Pool broken fits in one and in two passes, and print how it went."""
    started = time.perf_counter()
    apart = bs.fit_many(FORMS["broken"], seen, noise=noise, draws=2000, chains=2, random_seed=1)
    rows = {"apart": {"seconds": time.perf_counter() - started, **mean_score(apart, hidden)}}
    for passes in (1, 2):
        started = time.perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", bs.ConvergenceWarning)
            pooled = bs.pool_fits(apart, passes=passes, draws=2000)
        found = dict(pooled.diagnostics)
        rows[f"pass {passes}"] = {
            "seconds": time.perf_counter() - started,
            **mean_score(pooled, hidden),
            "carried": min(found.pop("carried").values()),
            **found,
        }
        print(pooled.summary().round(3).to_string())
    print(pd.DataFrame(rows).T.to_string())


def mean_score(fits: Mapping[str, bs.Fit], hidden: dict[str, bs.Runs]) -> dict[str, float]:
    scores = [score(fits[name], rows) for name, rows in hidden.items()]
    return dict(zip(("RMSLE", "LL"), np.mean(scores, axis=0), strict=True))


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
