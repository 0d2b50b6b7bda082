"""Laws of the catalogue on measured tables, beside what papers say of the same runs.

``python benchmarks/real_tables.py [--tables FOLDER] [--json] [--only gadre step_law ...]`` prints
one record a table; ``--markdown PATH`` writes the page of the documentation, and
``docs/benchmarks.md`` says where the tables come from.  Rules for rows are stated in every record;
none was chosen by its result.
"""

import argparse
import json
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import measured
import numpy as np
import pandas as pd

import bayescale as bs
from bayescale.fitting import Fit
from bayescale.fitting.fitting import refit_on
from bayescale.laws.densing import capacity_density, growth_rates

SAMPLING: dict[str, Any] = {"draws": 500, "tune": 500, "chains": 2}
CI = 0.9
Record = dict[str, Any]


def fitted(law: bs.Law, runs: bs.Runs, **options: Any) -> Fit:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return bs.fit(law, runs, random_seed=1, progressbar=False, **{**SAMPLING, **options})


def state(fit: Fit) -> Record:
    kept = ("converged", "divergences", "max_rhat", "compile_s", "sample_s")
    return {"rows": len(fit.runs), **{k: fit.diagnostics[k] for k in kept}}


def interval(fit: Fit, name: str, sign: float = 1.0) -> str:
    draws = sign * fit.posterior[name].values
    low, middle, high = np.quantile(draws, [(1 - CI) / 2, 0.5, (1 + CI) / 2])
    return f"{middle:.3g} [{low:.3g}, {high:.3g}]"


def within(forecast: Any, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Relative error of the median, and whether the 90 % interval holds the measurement."""
    low, middle, high = np.quantile(forecast.draws, [(1 - CI) / 2, 0.5, (1 + CI) / 2], axis=0)
    return middle / y - 1, (low <= y) & (y <= high)


def gadre() -> Record:
    table = measured.read("gadre_loss.csv").query("eval_set == 'c4_val'")
    table = table.assign(C=6.0 * table["params"] * table["tokens"])
    known, target = (table[table["paper_role"] == role] for role in ("fit", "target"))
    x = {"C": "C", "M": "token_multiplier"}
    runs = bs.Runs(known, y="loss", x=x, groups=["dataset"])
    at = {"C": target["C"], "M": target["token_multiplier"]}
    said = []
    for noise in (bs.LogStudentT(), bs.LogNormal()):
        fit = fitted(bs.laws.get("overtraining"), runs, noise=noise, draws=20_000, tune=2000)
        forecast = fit.forecast(at, groups={"dataset": target["dataset"]})
        error, inside = within(forecast, target["loss"].to_numpy())
        rows = zip(target.itertuples(), error, inside, strict=True)
        targets = "; ".join(
            f"{row.dataset} {row.params / 1e9:.1f}B x {row.token_multiplier:.0f}: "
            f"{100 * e:+.2f} %{'' if i else ' (outside)'}"
            for row, e, i in rows
        )
        said.append(
            f"with {type(noise).__name__} {targets}; {inside.sum()} of {len(inside)} inside"
        )
    return {
        "rule": "the five runs per data set that the paper fits; C4 validation loss; normal "
        "residuals are the likelihood of the least squares of the paper",
        **state(fit),
        "found": f"error of targets {'. '.join(said)}",
        "published": "0.71 % (1.4B x 640, RedPajama) and 0.73 % (7B x 20)",
    }


def chinchilla() -> Record:
    """Fit five tables on one compiled model."""
    epoch = measured.read("chinchilla_epoch.csv").query("excluded_by_epoch == 0")
    gem = measured.read("gemstones.csv").query("schedule == 'main' and tokens >= 1e11")
    slices = measured.read("isoflop_llama3_marin.csv")
    tables = {
        "chinchilla_epoch": epoch,
        "gemstones": gem,
        **{f"isoflop {d}": rows for d, rows in slices.groupby("dataset")},
    }
    law, first, said, last = bs.laws.get("chinchilla"), None, [], None
    for name, rows in tables.items():
        runs = bs.Runs(rows, y="loss", x={"N": "params", "D": "tokens"})
        if first is None:
            last = first = fitted(law, runs)
        else:
            last = refit_on(first, runs, random_seed=1, **SAMPLING)
        p = last.posterior
        a = (p["beta"] / (p["alpha"] + p["beta"])).values
        low, middle, high = np.quantile(a, [(1 - CI) / 2, 0.5, (1 + CI) / 2])
        said.append(
            f"{name} ({len(runs)} rows, {last.diagnostics['sample_s']:.0f} s, "
            f"{'converged' if last.diagnostics['converged'] else 'not converged'}): "
            f"alpha {interval(last, 'alpha')}, beta {interval(last, 'beta')}, "
            f"N* ~ C^{middle:.2f} [{low:.2f}, {high:.2f}]"
        )
    return {
        "rule": "gemstones: constant rate from 1e11 tokens on; isoFLOP tables whole",
        **state(first),
        "found": "; ".join(said),
        "published": "chinchilla_epoch: alpha 0.348 (SE 0.015), beta 0.366 (SE 0.021)",
    }


def data_constrained() -> Record:
    table = measured.read("datablations_final.csv")
    law, said, first = bs.laws.get("data_constrained"), [], None
    for rule, rows in (("up to 60 epochs", table[table["epochs"] <= 60]), ("all rows", table)):
        runs = bs.Runs(rows, y="loss", x={"N": "params", "D": "tokens", "U": "unique_tokens"})
        if first is None:
            fit = first = fitted(law, runs)
        else:
            fit = refit_on(first, runs, random_seed=1, **SAMPLING)
        said.append(
            f"{rule} ({len(runs)} rows, {fit.diagnostics['sample_s']:.0f} s, "
            f"{'converged' if fit.diagnostics['converged'] else 'not converged'}): "
            f"R_D* {interval(fit, 'Rd')}, R_N* {interval(fit, 'Rn')}, "
            f"sigma {interval(fit, 'sigma')}"
        )
    return {
        "rule": "all exponents and levels fitted together with R_D* and R_N*",
        **state(first),
        "found": "; ".join(said),
        "published": "R_D* 15.4, R_N* 5.3, with the other constants fixed beforehand",
    }


def step_law() -> Record:
    table = measured.read("steplaw_dense.csv")
    best = table.groupby(["params", "tokens"])["loss"].transform("min")
    table = table[table["loss"] <= 1.02 * best]
    table = table.assign(batch=2048 * table["batch_size_seqs"])
    x = {"N": "params", "D": "tokens", "lr": "lr", "B": "batch"}
    fit = fitted(bs.laws.get("step_law"), bs.Runs(table, y="loss", x=x))
    return {
        "rule": "runs within 2 % of the best loss of their (N, D)",
        **state(fit),
        "found": f"lr ~ N^{interval(fit, 'p', -1.0)} D^{interval(fit, 'q')}, "
        f"B ~ D^{interval(fit, 'r')}",
        "published": "lr ~ N^-0.713 D^0.307, B ~ D^0.571, over more settings than these 17",
    }


def explained(y: Any, curve: Any) -> float:
    """Share of the variance of y about its mean that a curve explains."""
    return float(1 - np.sum((y - curve) ** 2) / np.sum((y - np.mean(y)) ** 2))


def lr_annealing() -> Record:
    """Fit one schedule in two sizes, and forecast the others."""
    table = measured.read("multipower_lr_schedules.csv")
    table = table.assign(run=table["size_label"] + " " + table["schedule"])
    # The linear warm-up of 2160 steps sums to as much learning rate as half as many at the peak.
    table = table.assign(step=table["step"] - 1080).sort_values(["run", "step"])
    known = table[table["schedule"] == "wsd_20000_24000"]
    x = {"step": "step", "lr": "lr"}
    runs = bs.Runs(known, y="loss", x=x, groups={"size": "size_label"}, sequence="run")
    noise = bs.LogStudentT() + bs.Checkpoints()
    fit = fitted(bs.laws.get("lr_annealing", decay=None), runs, noise=noise)
    said, squares, inside, medians = [], [], [], []
    forecasts = table[table["schedule"] != "wsd_20000_24000"]
    for (size, schedule), rows in forecasts.groupby(["size_label", "schedule"]):
        columns = {"step": rows["step"].astype(float), "lr": rows["lr"]}
        groups = {"size": size, "sequence": f"{size} {schedule}"}
        y = rows["loss"].to_numpy()
        curve = np.median(fit.forecast(columns, groups=groups, kind="mean").draws, axis=0)
        squares.append(explained(y, curve))
        medians.append(pd.Series(curve, index=rows.index))
        inside.append(within(fit.forecast(columns, groups=groups), y)[1].mean())
        said.append(f"{size} {schedule} {squares[-1]:.4f}")
    forecasts = forecasts.assign(median=pd.concat(medians))
    together = "; ".join(
        f"{size} {explained(rows['loss'], rows['median']):.4f}"
        for size, rows in forecasts.groupby("size_label")
    )
    return {
        "rule": "fit: wsd_20000_24000 in both sizes, memory of drops fitted, warm-up as 1080 steps "
        "at the peak, checkpoints correlated; forecast: the others",
        **state(fit),
        "found": f"R2 over all schedules {together}; of one each {'; '.join(said)}; "
        f"{np.sum(np.array(squares) >= 0.995)} of {len(squares)} reach 0.995; "
        f"90 % intervals hold {100 * np.mean(inside):.0f} %",
        "published": "R2 0.9988 (25M), 0.9983 (100M) for another form fitted to three schedules",
    }


def m4() -> Record:
    """Extrapolate learning curves beside the offset power law, pooled over curves."""
    table = measured.read("rnsl_benchmark.csv")
    said, last = [], None
    for domain in ("BB", "IC"):
        rows = table[table["domain"] == domain]
        curves = rows["curve_id"].unique()
        rows = rows[rows["curve_id"].isin(curves[:: max(1, len(curves) // 10)])]
        known, hidden = rows[rows["split"] == "train"], rows[rows["split"] == "test"]
        thin = known.groupby("curve_id").cumcount() % max(1, len(known) // 250) == 0
        runs = bs.Runs(known[thin], y="loss", x={"x": "seen_examples"}, groups=["curve_id"])
        for name in ("m4", "m2"):
            last = fitted(bs.laws.get(name), runs)
            forecast = last.forecast(
                {"x": hidden["seen_examples"].astype(float)},
                groups={"curve_id": hidden["curve_id"]},
            )
            error, inside = within(forecast, hidden["loss"].to_numpy())
            squares = pd.Series(np.log1p(error) ** 2).groupby(hidden["curve_id"].to_numpy())
            score = np.sqrt(squares.mean()).mean()
            said.append(
                f"{domain} {name}: RMSLE {score:.4f} over {hidden['curve_id'].nunique()} curves, "
                f"90 % intervals hold {100 * inside.mean():.0f} %, "
                f"{'converged' if last.diagnostics['converged'] else 'not converged'} in "
                f"{last.diagnostics['sample_s']:.0f} s"
            )
    return {
        "rule": "up to ten curves a domain, evenly along their names, about 250 rows to fit",
        **state(last),
        "found": "; ".join(said),
        "published": "M4 point fits over all curves: BB 0.0123, IC 0.0415",
    }


def routing() -> Record:
    table = measured.read("routing_clark.csv").query(
        "router_type in ('Dense', 'S-Base') and k == 1 and routing_frequency == 0.5"
    )
    table = table[table["step"] >= 240_000].groupby("hyper_id").last()
    table = table.assign(
        A=np.where(
            table["router_type"] == "Dense", 1.0, table["params_dense"] / table["params_total"]
        ),
        C=3.0 * table["forward_flops_per_step"] * table["step"],
    )
    runs = bs.Runs(table, y="loss_validation", x={"A": "A", "C": "C"})
    law = bs.laws.MoEEfficiencyLeverage(granularity=False)
    fit = fitted(law, runs)
    constants = {q.name: fit.posterior[q.name].values for q in law.parameters}
    said = []
    for A in (0.1, 0.01):
        for C in (1e20, 1e21):
            low, middle, high = np.quantile(
                law.leverage(A, C, constants=constants), [(1 - CI) / 2, 0.5, (1 + CI) / 2]
            )
            said.append(f"leverage {middle:.2f} [{low:.2f}, {high:.2f}] at A={A:g}, C={C:.0e}")
    return {
        "rule": "dense and S-Base runs at the last step, one expert a token, every second layer",
        **state(fit),
        "found": "; ".join(said),
        "published": "none for these runs; other models: above 7 at A=0.03 and C=1e22",
    }


#: Month in which the weights of the first model of a family were given out, by the announcement or
#: the arXiv number of its report (OPT 2205.01068, ..., H2O-Danube 2401.16818).
RELEASED = {
    "OPT": "2022-05",
    "BLOOM": "2022-07",
    "Llama": "2023-02",
    "Cerebras-GPT": "2023-03",
    "Pythia": "2023-04",
    "MPT": "2023-05",
    "Falcon": "2023-05",
    "RedPajama-INCITE-Base": "2023-05",
    "OpenLlama": "2023-06",
    "Llama-2": "2023-07",
    "BTLM": "2023-07",
    "OpenLlamaV2": "2023-07",
    "Qwen": "2023-08",
    "Mistral": "2023-09",
    "Yi": "2023-11",
    "Mixtral": "2023-12",
    "Amber": "2023-12",
    "TinyLlama": "2024-01",
    "H2O-Danube": "2024-01",
    "Gemma": "2024-02",
    "Llama-3": "2024-04",
    "Gemma-2": "2024-06",
    "SmolLM": "2024-07",
    "Llama-3.1": "2024-07",
}


def years(month: str) -> float:
    """Middle of a month, in years."""
    year, number = map(int, month.split("-"))
    return year + (number - 0.5) / 12


def densing() -> Record:
    points = measured.read("chinchilla_epoch.csv").query("excluded_by_epoch == 0")
    loss = fitted(
        bs.laws.Chinchilla(),
        bs.Runs(points, y="loss", x={"N": "params", "D": "tokens"}),
    )
    scores = (
        measured.read("obs_scaling.csv")
        .query("task == 'hellaswag'")
        .dropna(subset=["params", "score"])
    )
    reference = scores[scores["family"].isin(["Pythia", "OPT", "BLOOM", "Cerebras-GPT"])]
    judged = scores[scores["family"].isin(list(RELEASED))]
    rng = np.random.default_rng(0)
    first, densities = None, []
    every = {q.name: loss.posterior[q.name].values.ravel() for q in loss.law.parameters}
    for draw in rng.choice(len(every["E"]), 8, replace=False):
        constants = {name: values[draw] for name, values in every.items()}
        L = bs.laws.Chinchilla()(reference["params"], reference["tokens"], **constants)
        runs = bs.Runs({"L": L, "y": reference["score"]}, y="y", x={"L": "L"})
        fit = first = (
            fitted(bs.laws.LossToAccuracy(), runs)
            if first is None
            else refit_on(first, runs, random_seed=1, **SAMPLING)
        )
        link = {
            name: fit.posterior[name].values.ravel()[::10] for name in ("lo", "hi", "L_mid", "g")
        }
        densities.append(capacity_density(constants, link, judged["score"], judged["params"]))
    density = np.concatenate(densities)
    rates = growth_rates(density, judged["family"].map(RELEASED).map(years).to_numpy())
    known = np.isfinite(rates)
    low, middle, high = np.quantile(rates[known], [(1 - CI) / 2, 0.5, (1 + CI) / 2])
    return {
        "rule": "HellaSwag; reference Pythia, OPT, BLOOM and Cerebras-GPT on the loss of eight "
        "draws of the Chinchilla law; one month of release a family",
        **state(loss),
        "found": f"density grows by {middle:.2f} [{low:.2f}, {high:.2f}] a year (log), doubling in "
        f"{12 * np.log(2) / middle:.1f} months; no frontier in {100 * (1 - known.mean()):.0f} % of "
        f"draws, {100 * np.isnan(density).mean():.0f} % of densities beyond the reference",
        "published": "0.007 a day on the authors' models and five benchmarks: 2.6 a year",
    }


TABLES: dict[str, Callable[[], Record]] = {
    "gadre": gadre,
    "lr_annealing": lr_annealing,
    "step_law": step_law,
    "data_constrained": data_constrained,
    "chinchilla": chinchilla,
    "m4": m4,
    "routing": routing,
    "densing": densing,
}


def markdown(records: dict[str, Record]) -> str:
    parts = [
        "# Laws on measured tables\n\nWritten by `benchmarks/real_tables.py`; default priors and "
        "pooling; medians and 90 % intervals; seconds are those of a shared two-core machine."
    ]
    for name, r in records.items():
        parts.append(
            f"## {name}\n\n- rows: {r['rows']}; {r['rule']}\n- found: {r['found']}\n"
            f"- published: {r['published']}\n"
            f"- sampling: {'converged' if r['converged'] else 'not converged'}, "
            f"{r['divergences']} divergences, R-hat {r['max_rhat']:.3f}, "
            f"{r['sample_s']:.0f} s after {r['compile_s']:.0f} s of compilation"
        )
    return "\n\n".join(parts) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", default=list(TABLES), choices=list(TABLES))
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--markdown", type=Path)
    measured.option(parser)
    asked = parser.parse_args()
    records: dict[str, Record] = {}
    for name in asked.only:
        started = time.perf_counter()
        records[name] = TABLES[name]()
        records[name]["total_s"] = time.perf_counter() - started
        if not asked.json:
            sys.stdout.write(json.dumps({name: records[name]}, default=float) + "\n")
            sys.stdout.flush()
        if asked.markdown:
            asked.markdown.write_text(markdown(records))
    if asked.json:
        sys.stdout.write(json.dumps(records, indent=2, default=float) + "\n")


if __name__ == "__main__":
    main()
