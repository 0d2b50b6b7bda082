"""Coverage, pass rates and downstream metrics: on real tables, and where the truth is known.

Run with ``python benchmarks/evaluation.py [--tables FOLDER] [--json FILE] [part ...]``; where the
tables come from is said in ``docs/benchmarks.md``.  Every forecast is made from the smaller models
only.
"""

import argparse
import json
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import measured
import numpy as np
import pandas as pd
import pymc as pm

import bayescale as bs
from bayescale.fitting.fitting import refit_on

SAMPLING = {"draws": 1000, "tune": 1000, "chains": 2, "random_seed": 1, "progressbar": False}
LONGER = {**SAMPLING, "draws": 2000, "tune": 2000}


def gadre() -> dict[str, Any]:
    """17-task error of 1.4B and 7B models from 5 (loss) and 6 (error) small models a data set.

    The 17 tasks are those in which a 154M model gets ten points above chance, as in the paper.
    """
    losses = measured.read("gadre_loss.csv").query("eval_set == 'c4_val'")
    tasks = measured.read("gadre_downstream.csv")
    middle = tasks[tasks.params.between(1.5e8, 1.6e8)]
    above = (middle.chance_error - middle.error).groupby(middle.task).max() >= 0.1
    chosen = tasks[tasks.task.isin(above.index[above])]
    error = chosen.groupby("model").error.mean().rename("error")
    table = losses.merge(error, on="model")
    table["C"], table["M"] = 6.0 * table.params * table.tokens, table.tokens / table.params
    fitted = table[table.paper_role == "fit"]
    first = bs.fit(
        bs.laws.Overtraining(),
        bs.Runs(fitted, y="loss", x={"C": "C", "M": "M"}, groups=["dataset"]),
        **LONGER,
    )
    second = bs.fit(
        bs.laws.LossToError(),
        bs.Runs(
            table[table.paper_role.str.startswith("fit")],
            y="error",
            x={"L": "loss"},
            groups=["dataset"],
        ),
        noise=bs.LogitNormal(),
        **LONGER,
    )
    target = table[table.paper_role == "target"]
    forecast = bs.chain(first, second).forecast(
        {"C": target.C, "M": target.M}, groups={"dataset": target.dataset}, ci_prob=0.9
    )
    bands = forecast.table
    return {
        "tasks": int(above.sum()),
        "converged": _converged(first, second),
        "targets": [
            {
                "model": row.model,
                "error": row.error,
                "median": m,
                "relative_error_percent": 100 * abs(m / row.error - 1),
                "inside_90": bool(low <= row.error <= high),
                "interval_90": [low, high],
            }
            for row, m, low, high in zip(
                target.itertuples(),
                bands["median"],
                bands["lower_0.9"],
                bands["upper_0.9"],
                strict=True,
            )
        ],
    }


ITEMS = {"hellaswag": 10042, "arc_easy": 2376, "arc_challenge": 1172, "csqa": 1221, "piqa": 1838}
CHANCE = {"hellaswag": 0.25, "arc_easy": 0.25, "arc_challenge": 0.25, "csqa": 0.2, "piqa": 0.5}


def olmo() -> dict[str, Any]:
    """Accuracy of the 1B models of the ladder from models up to 760M, by way of bits per byte."""
    table = measured.read("olmo_ladder.csv").query("is_last == 1 and metric != 'loss'")
    table["task"] = table.eval_set.str.replace(r"_(val|test).*", "", regex=True)
    wide = table.pivot_table(
        index=["run", "size_label", "params", "tokens", "task"], columns="metric", values="value"
    ).reset_index()
    wide["items"] = wide.task.map(ITEMS)
    wide["solved"] = (wide.accuracy * wide["items"]).round()
    small, large = wide[wide.size_label != "1B"], wide[wide.size_label == "1B"]
    loss = bs.fit(
        bs.laws.Chinchilla(),
        bs.Runs(small, y="bpb", x={"N": "params", "D": "tokens"}, groups=["task"]),
        pooling={"E": bs.Partial("task")},
        **SAMPLING,
    )
    metric = bs.fit(
        bs.laws.LossToAccuracy(),
        bs.Runs(small, y=("solved", "items"), x={"L": "bpb"}, groups=["task"]),
        pooling={"hi": bs.Shared()},
        **LONGER,
    )
    forecast = bs.chain(loss, metric).forecast(
        {"N": large.params, "D": large.tokens, "trials": large["items"]},
        groups={"task": large.task},
        ci_prob=0.9,
    )
    scored = large.assign(
        median=forecast.table["median"].to_numpy(),
        inside=(forecast.table["lower_0.9"].to_numpy() <= large.accuracy)
        & (large.accuracy <= forecast.table["upper_0.9"].to_numpy()),
    )
    scored["percent"] = 100 * (scored["median"] / scored.accuracy - 1).abs()
    largest = scored[scored.tokens == scored.tokens.max()]
    return {
        "converged": _converged(loss, metric),
        "relative_error_percent_largest": _by(largest, "task", "percent"),
        "mean_percent_largest": float(largest.percent.mean()),
        "mean_percent_all_1B": float(scored.percent.mean()),
        "inside_90": float(scored.inside.mean()),
        "points": len(scored),
    }


EMERGENT = {
    "arithmetic_2da_2_acc": 2000,
    "arithmetic_2dm_2_acc": 2000,
    "arithmetic_3da_2_acc": 2000,
    "arithmetic_3ds_2_acc": 2000,
    "gsm8k": 1319,
}


def observational() -> dict[str, Any]:
    """Emergent tasks: the largest model of every family from its smaller ones."""
    table = measured.read("obs_scaling.csv").dropna(subset=["flops"])
    table = table[table.task.isin(EMERGENT)]
    table["items"] = table.task.map(EMERGENT)
    table["solved"] = (table.score * table["items"]).round()
    rank = table.groupby(["family", "task"]).flops.rank(ascending=False, method="first")
    size = table.groupby(["family", "task"]).flops.transform("nunique")
    hidden, seen = table[(rank == 1) & (size >= 3)], table[(rank > 1) | (size < 3)]
    hidden = hidden[hidden.family.isin(seen.family)]
    fit = bs.fit(
        bs.laws.RLSigmoid(),
        bs.Runs(seen, y=("solved", "items"), x={"C": "flops"}, groups=["family", "task"]),
        noise=bs.BetaBinomial(scale=bs.Partial("task")),
        pooling={
            "R0": bs.Partial("task"),
            "A": bs.Shared(),
            "C_mid": bs.Partial("family", "task"),
            "Bq": bs.Partial("task"),
        },
        priors={"A": pm.Beta.dist(50, 1), "R0": pm.Beta.dist(1, 50)},
        **SAMPLING,
    )
    runs = bs.Runs(hidden, y=("solved", "items"), x={"C": "flops"}, groups=["family", "task"])
    forecast = fit.forecast(
        {"C": hidden.flops, "trials": hidden["items"]},
        groups={"family": hidden.family, "task": hidden.task},
        ci_prob=0.9,
    )
    last = seen.sort_values("flops").groupby(["family", "task"]).score.last().rename("last")
    scored = hidden.join(last, on=["family", "task"])
    bands = forecast.table
    inside = (bands["lower_0.9"].to_numpy() <= scored.score) & (
        scored.score <= bands["upper_0.9"].to_numpy()
    )
    return {
        "converged": _converged(fit),
        "points": len(runs),
        "inside_90": float(inside.mean()),
        "mean_absolute_error": float(np.abs(bands["median"].to_numpy() - scored.score).mean()),
        "mean_absolute_error_of_last_value": float(np.abs(scored["last"] - scored.score).mean()),
    }


def test_time() -> dict[str, Any]:
    """Majority vote of o1-mini on 30 problems: the three largest budgets from the smaller ones."""
    table = measured.read("o1_test_time.csv").query("method == 'majority_vote'")
    table = table.sort_values("avg_tokens_used").assign(problems=30)
    table["solved"] = (table.accuracy * 30).round()
    seen, hidden = table.iloc[:-3], table.iloc[-3:]
    found: dict[str, Any] = {}
    for law in (bs.laws.CoverageExpPower(), bs.laws.RLSigmoid()):
        runs = bs.Runs(seen, y=("solved", "problems"), x={"C": "avg_tokens_used"})
        fit = bs.fit(law, runs, noise=bs.Binomial(), **SAMPLING)
        bands = fit.forecast({"C": hidden.avg_tokens_used}, ci_prob=0.9).table
        inside = (bands["lower_0.9"].to_numpy() <= hidden.accuracy) & (
            hidden.accuracy <= bands["upper_0.9"].to_numpy()
        )
        found[law.name] = {
            "converged": _converged(fit),
            "accuracy": hidden.accuracy.tolist(),
            "median": bands["median"].tolist(),
            "width_90": (bands["upper_0.9"] - bands["lower_0.9"]).tolist(),
            "inside_90": int(inside.sum()),
        }
    return found


def coverage(replicates: int = 400) -> dict[str, Any]:
    """Intervals of pass@k at a level of 90 %: raw counts against a Gaussian fit to the curve.

    100 problems with 100 samples each; rates from a beta distribution with a share of zeros whose
    constants are drawn anew every time.  Both fits use the same law.  The curve is the unbiased
    estimate of pass@k at 15 values of k up to 100.
    """
    rng = np.random.default_rng(0)
    problems, samples, asked = 100, 100, np.array([1.0, 10.0, 100.0, 1000.0])
    ks = np.unique(np.geomspace(1, samples, 15).round())
    law, hits = bs.laws.CoverageBeta(), {"counts": [], "curve": []}
    widths: dict[str, list[Any]] = {"counts": [], "curve": []}
    fits: dict[str, bs.Fit] = {}
    options = {**SAMPLING, "draws": 500, "tune": 500}
    for i in range(replicates):
        truth = {"s1": rng.uniform(0.3, 0.9), "s2": rng.uniform(1, 5), "z": rng.uniform(0.05, 0.3)}
        rates = rng.beta(truth["s1"], truth["s2"], problems)
        rates[rng.random(problems) < truth["z"]] = 0.0
        solved = rng.binomial(samples, rates)
        tables = {
            "counts": bs.Runs(
                {"k": np.ones(problems), "c": solved, "n": np.full(problems, samples)},
                y=("c", "n"),
                x={"k": "k"},
            ),
            "curve": bs.Runs({"k": ks, "y": _pass_at(ks, solved, samples)}, y="y", x={"k": "k"}),
        }
        noises = {"counts": bs.ZeroInflatedBetaBinomial(), "curve": bs.LogitNormal()}
        for name, runs in tables.items():
            if name not in fits:
                fits[name] = bs.fit(law, runs, noise=noises[name], **options)
                fit = fits[name]
            else:
                chosen = {k: options[k] for k in ("draws", "tune", "chains")}
                fit = refit_on(fits[name], runs, random_seed=i, **chosen)
            bands = fit.forecast({"k": asked}, kind="mean", ci_prob=0.9).table
            wanted = law(asked, **truth)
            low, high = bands["lower_0.9"].to_numpy(), bands["upper_0.9"].to_numpy()
            hits[name].append((low <= wanted) & (wanted <= high))
            widths[name].append(high - low)
    return {
        "replicates": replicates,
        "k": asked.tolist(),
        **{
            f"{name}_inside_90": np.mean(values, axis=0).round(3).tolist()
            for name, values in hits.items()
        },
        **{f"{name}_inside_90_mean": float(np.mean(values)) for name, values in hits.items()},
        **{
            f"{name}_width": np.mean(values, axis=0).round(4).tolist()
            for name, values in widths.items()
        },
    }


def _pass_at(k: np.ndarray, solved: np.ndarray, samples: int) -> np.ndarray:
    """Unbiased estimate of pass@k, averaged over problems (Chen et al. 2021, arXiv:2107.03374)."""
    from scipy.special import gammaln

    left = (samples - solved)[:, None]
    log_fail = (
        gammaln(left + 1)
        - gammaln(np.maximum(left - k, 0) + 1)
        - gammaln(samples + 1)
        + gammaln(samples - k + 1)
    )
    return np.mean(1 - np.where(left >= k, np.exp(log_fail), 0.0), axis=0)


def _converged(*fits: bs.Fit) -> bool:
    return all(bool(fit.diagnostics["converged"]) for fit in fits)


def _by(table: pd.DataFrame, group: str, column: str) -> dict[str, float]:
    return {str(k): float(v) for k, v in table.groupby(group)[column].mean().items()}


PARTS = {
    "gadre": gadre,
    "olmo": olmo,
    "observational": observational,
    "test_time": test_time,
    "coverage": coverage,
}


def main() -> None:
    """Run the parts that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(PARTS)}; all by default")
    parser.add_argument("--json", type=Path, help="file for the results")
    parser.add_argument("--replicates", type=int, default=400, help="of the simulation")
    measured.option(parser)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", bs.RunsWarning)
    warnings.simplefilter("ignore", bs.ConvergenceWarning)
    results = {}
    for name in arguments.parts or PARTS:
        started = time.perf_counter()
        part = PARTS[name]
        results[name] = part(arguments.replicates) if part is coverage else part()
        results[name]["seconds"] = round(time.perf_counter() - started, 1)
        sys.stdout.write(json.dumps({name: results[name]}, indent=1, default=float) + "\n")
        sys.stdout.flush()
        if arguments.json:
            arguments.json.write_text(json.dumps(results, indent=1, default=float))


if __name__ == "__main__":
    main()
