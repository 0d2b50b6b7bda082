"""Extrapolate every curve of a table, with one method and one set of defaults for all of them.

    python benchmarks/extrapolation.py --data FILE [--every N] [--json] [--out predictions.csv]

FILE is a CSV with the columns curve_id, domain, task, model, seen_examples, loss, split, or one of
the other benchmark tables, whose columns are mapped.  Rows whose split is ``train`` are fitted,
the others predicted.  Scores: RMSLE is the root mean square of ln(median / y) over a curve, LL the
mean log predictive density in units of y, cov95 the share inside central 95 % intervals.

The method: a power law with a floor and one, two or three smooth breaks, the fewest that the train
rows of a curve do not speak against strongly (odds above ten to one for more, by Laplace's
approximation; Jeffreys 1961).  Residuals of log y follow an Ornstein-Uhlenbeck process in ln x with
Student-t innovations, rather short than long, for what lasts is a bend and belongs to the law.
Beyond the data the change of the curve may be off by a quarter of itself.  No pooling.  Every curve
is sampled with NUTS; a model is compiled once.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

import bayescale as bs
from bayescale.forecast.points import predict_runs
from bayescale.forecast.predictive import Predictive
from bayescale.model.arrays import arrays_of
from bayescale.model.structure import structure_of
from bayescale.sampling.mixing import mix
from bayescale.sampling.sampling import sample

FORMS = tuple(bs.laws.BrokenPowerLaw(breaks=n) for n in (1, 2, 3))
#: Odds of ten to one, from which Jeffreys (1961) calls evidence strong.
STRONG = 10.0
NOISE = bs.LogStudentT() + bs.Checkpoints(length=0.1) + bs.Discrepancy(share=0.25)
SAMPLER: dict[str, Any] = {"draws": 800, "tune": 400, "chains": 2, "cores": 2}

#: First of these that a table has -> our name.
COLUMNS = {
    "x": ("seen_examples", "n_embd", "tokens", "train_examples", "x"),
    "y": ("loss", "value", "error_test", "y"),
    "domain": ("domain", "family", "learner", "metric", "y_name"),
}

#: Published rows for the image-classification curves: RMSLE and LL (benchmarks of the papers).
PUBLISHED = {
    "IC": {"NSL-PFN": (0.0280, 3.330), "MCMC(M4)": (0.0422, 3.024), "LC-PFN": (0.0428, 2.429)},
    "DD": {"NSL-PFN": (0.0335, 2.565), "BNSL": (0.0468, None)},
    "nano": {"NSL-PFN": (0.0194, 2.773), "BNSL": (0.0223, None)},
}


@dataclass(frozen=True)
class Score:
    """Scores of one curve."""

    curve_id: str
    domain: str
    rmsle: float
    persistence: float
    ll: float
    cov95: float
    seconds: float
    max_rhat: float
    breaks: int


def read(path: str) -> pd.DataFrame:
    """Table with the columns curve_id, domain, x, y, split."""
    table = pd.read_csv(path)
    found = {new: next((c for c in old if c in table), None) for new, old in COLUMNS.items()}
    if missing := [new for new in ("x", "y") if found[new] is None]:
        raise SystemExit(f"{path}: no column for {missing[0]}; one of {COLUMNS[missing[0]]}")
    result = pd.DataFrame(
        {
            "curve_id": table["curve_id"].astype(str),
            "domain": table[found["domain"]].astype(str) if found["domain"] else "all",
            "x": table[found["x"]].astype(float),
            "y": table[found["y"]].astype(float),
        }
    )
    result["split"] = table["split"] if "split" in table else first_half(result)
    return result[(result["y"] > 0) & (result["x"] > 0)]


def first_half(table: pd.DataFrame) -> pd.Series:
    """Split of a table that has none: the lower half of the inputs of every curve is train."""
    rank = table.groupby("curve_id")["x"].rank(pct=True)
    return pd.Series(np.where(rank <= 0.5, "train", "test"), index=table.index)


def form_of(seen: bs.Runs) -> bs.laws.BrokenPowerLaw:
    """Fewest breaks against which the odds are not strong."""
    evidence = [bs.log_evidence(law, seen, noise=NOISE, random_seed=1) for law in FORMS]
    weakest = max(evidence) - np.log(STRONG)
    return next(law for law, e in zip(FORMS, evidence, strict=True) if e >= weakest)


def predict_curve(curve: pd.DataFrame) -> tuple[Predictive, pd.DataFrame, float, int]:
    """Predictive distribution of the test rows, those rows, largest R-hat, number of breaks."""
    curve = curve.sort_values("x", kind="stable")
    train, test = (curve[curve["split"] == part] for part in ("train", "test"))
    columns = {"y": "y", "x": "x", "sequence": "curve_id"}
    seen, new = bs.Runs(train, **columns), bs.Runs(test, **columns)
    law = form_of(seen)
    structure = structure_of(law, seen, None, NOISE, None)
    arrays = arrays_of(structure, seen)
    sampled = sample(structure, arrays, random_seed=1, **SAMPLER)
    sampled, found = mix(structure, arrays, sampled, random_seed=1)
    flat = {k: v.reshape(-1, *v.shape[2:]) for k, v in sampled.draws.items()}
    predictive = predict_runs(structure, flat, arrays, seen, new)
    return predictive, test, found["max_rhat"], law.breaks


def run(table: pd.DataFrame) -> Iterator[tuple[Score, pd.DataFrame]]:
    """Scores and predictions of every curve; the first is fitted twice, to compile."""
    warm = False
    for name, curve in table.groupby("curve_id"):
        parts = curve["split"].value_counts()
        if parts.get("train", 0) < 3 or parts.get("test", 0) < 1:
            sys.stderr.write(f"{name}: fewer than 3 train rows or no test row, left out\n")
            continue
        if not warm:
            predict_curve(curve)
            warm = True
        started = time.perf_counter()
        predictive, test, rhat, breaks = predict_curve(curve)
        y = test["y"].to_numpy()
        drawn = predictive.sample(np.random.default_rng(0))
        low, median, high = np.quantile(drawn, [0.025, 0.5, 0.975], axis=0)
        density = predictive.log_density(y)
        seconds = time.perf_counter() - started
        train = curve[curve["split"] == "train"]
        last = train.loc[train["x"].idxmax(), "y"]
        yield (
            Score(
                str(name),
                str(curve["domain"].iloc[0]),
                float(np.sqrt(np.mean(np.log(median / y) ** 2))),
                float(np.sqrt(np.mean(np.log(last / y) ** 2))),
                float(density.mean()),
                float(np.mean((low <= y) & (y <= high))),
                seconds,
                rhat,
                breaks,
            ),
            test.assign(median=median, lower_95=low, upper_95=high, log_density=density),
        )


def summary(scores: pd.DataFrame) -> pd.DataFrame:
    """Means and medians by domain."""
    groups = scores.groupby("domain")
    means = groups[["rmsle", "persistence", "ll", "cov95", "seconds"]].mean()
    means.insert(1, "rmsle_median", groups["rmsle"].median())
    means["mixed"] = groups["max_rhat"].apply(lambda r: float((r <= 1.05).mean()))
    means["breaks"] = groups["breaks"].mean()
    means["curves"] = groups.size()
    return means


def main() -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--data", required=True, help="table of curves (CSV)")
    parser.add_argument(
        "--every",
        type=int,
        default=1,
        metavar="N",
        help="take every Nth curve in the order of names",
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.add_argument("--out", help="write the predictions of all test rows to this CSV")
    options = parser.parse_args()
    table = read(options.data)
    chosen = sorted(table["curve_id"].unique())[:: options.every]
    results = list(run(table[table["curve_id"].isin(chosen)]))
    scores = pd.DataFrame([vars(score) for score, _ in results])
    if options.out:
        pd.concat([rows for _, rows in results]).to_csv(options.out, index=False)
    if options.json:
        print(
            json.dumps(
                {
                    "domains": summary(scores).round(4).to_dict(orient="index"),
                    "curves": scores.round(4).to_dict(orient="records"),
                }
            )
        )
        return
    print(scores.round(4).to_string(index=False))
    print("\nmeans (mixed: share of curves with R-hat <= 1.05)")
    print(summary(scores).round(4).to_string())
    for domain, rows in PUBLISHED.items():
        if domain in set(scores["domain"]):
            for name, (rmsle, ll) in rows.items():
                print(f"{domain} published: {name} RMSLE {rmsle} LL {ll}")


if __name__ == "__main__":
    main()
