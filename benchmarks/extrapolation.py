"""Extrapolate every curve of a table, with one method and one set of defaults for all of them.

    python benchmarks/extrapolation.py --data FILE [--json] [--out predictions.csv]

FILE is a CSV with the columns curve_id, domain, task, model, seen_examples, loss, split, or one of
the other benchmark tables, whose columns are mapped.  Rows whose split is ``train`` are fitted,
the others predicted.  Scores: RMSLE is the root mean square of ln(median / y) over a curve, LL the
mean log predictive density in units of y, cov95 the share inside central 95 % intervals.

The method: a power law with a floor and one or two smooth breaks, mixed by their posterior
probability given the train rows of a curve, without a form that another is strongly preferred to
(Occam's window of Madigan and Raftery 1994); residuals of log y that follow an Ornstein-Uhlenbeck
process in ln x with Student-t innovations, and no pooling.  Every curve is sampled with NUTS; a
model is compiled once.
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
from bayescale.arrays import arrays_of
from bayescale.forecast import predict_runs
from bayescale.predictive import Predictive
from bayescale.sampling import mix, sample
from bayescale.structure import structure_of

ONE, TWO = bs.laws.BrokenPowerLaw(breaks=1), bs.laws.BrokenPowerLaw(breaks=2)
FORMS = (ONE, TWO)
#: Odds of ten to one, from which Jeffreys (1961) calls evidence strong.
STRONG = 10.0
NOISE = bs.LogStudentT() + bs.Checkpoints()
SAMPLER: dict[str, Any] = {"tune": 400, "chains": 2, "cores": 2}
#: Draws a chain of all forms together, and of one at least.
DRAWS, LEAST_DRAWS = 800, 200

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
    two_breaks: float


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


def weigh(seen: bs.Runs) -> dict[bs.Law, float]:
    """Posterior probabilities of the forms that no other is strongly preferred to."""
    log_odds = np.array([bs.log_evidence(law, seen, noise=NOISE, random_seed=1) for law in FORMS])
    if not np.isfinite(log_odds).any():
        return {ONE: 1.0}
    odds = np.exp(log_odds - log_odds.max())
    kept = np.where(odds >= 1 / STRONG, odds, 0.0)
    return {law: w for law, w in zip(FORMS, kept / kept.sum(), strict=True) if w > 0}


@dataclass(frozen=True)
class Mixture:
    """Predictive distributions of several forms, and the weight of each."""

    parts: list[Predictive]
    weights: np.ndarray

    def sample(self, rng: np.random.Generator) -> np.ndarray:
        """Draw from every form as often as its weight says, shape (samples, rows)."""
        drawn = [part.sample(rng) for part in self.parts]
        total = min(len(d) / w for d, w in zip(drawn, self.weights, strict=True))
        counts = np.floor(self.weights * total + 1e-9).astype(int)
        return np.concatenate(
            [rng.permutation(d)[:count] for d, count in zip(drawn, counts, strict=True)]
        )

    def log_density(self, y: np.ndarray) -> np.ndarray:
        """Log density of every row, shape (rows,)."""
        each = [p.log_density(y) + np.log(w) for p, w in zip(self.parts, self.weights, strict=True)]
        return np.asarray(np.logaddexp.reduce(each, axis=0))


def predict_curve(curve: pd.DataFrame) -> tuple[Mixture, pd.DataFrame, float, float]:
    """Predictive distribution of the test rows, those rows, largest R-hat, weight of two breaks."""
    curve = curve.sort_values("x", kind="stable")
    train, test = (curve[curve["split"] == part] for part in ("train", "test"))
    columns = {"y": "y", "x": "x", "sequence": "curve_id"}
    seen, new = bs.Runs(train, **columns), bs.Runs(test, **columns)
    weights, parts, rhats = weigh(seen), [], []
    for law in weights:
        structure = structure_of(law, seen, None, NOISE, None)
        arrays = arrays_of(structure, seen)
        draws = max(LEAST_DRAWS, round(DRAWS * weights[law]))
        sampled = sample(structure, arrays, random_seed=1, draws=draws, **SAMPLER)
        sampled, found = mix(structure, arrays, sampled, random_seed=1)
        flat = {k: v.reshape(-1, *v.shape[2:]) for k, v in sampled.draws.items()}
        parts.append(predict_runs(structure, flat, arrays, seen, new))
        rhats.append(found["max_rhat"])
    mixed = Mixture(parts, np.array(list(weights.values())))
    return mixed, test, max(rhats), weights.get(TWO, 0.0)


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
        predictive, test, rhat, two_breaks = predict_curve(curve)
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
                two_breaks,
            ),
            test.assign(median=median, lower_95=low, upper_95=high, log_density=density),
        )


def summary(scores: pd.DataFrame) -> pd.DataFrame:
    """Means and medians by domain."""
    groups = scores.groupby("domain")
    means = groups[["rmsle", "persistence", "ll", "cov95", "seconds"]].mean()
    means.insert(1, "rmsle_median", groups["rmsle"].median())
    means["mixed"] = groups["max_rhat"].apply(lambda r: float((r <= 1.05).mean()))
    means["two_breaks"] = groups["two_breaks"].mean()
    means["curves"] = groups.size()
    return means


def main() -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--data", required=True, help="table of curves (CSV)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.add_argument("--out", help="write the predictions of all test rows to this CSV")
    options = parser.parse_args()
    results = list(run(read(options.data)))
    scores = pd.DataFrame([vars(score) for score, _ in results])
    if options.out:
        pd.concat([rows for _, rows in results]).to_csv(options.out, index=False)
    if options.json:
        print(
            json.dumps(
                {
                    "domains": summary(scores).to_dict(orient="index"),
                    "curves": scores.to_dict(orient="records"),
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
