"""Simulation-based calibration of the offset power law over five families.

Tables are drawn from the prior, fitted, and the rank of every true value among its posterior draws
is recorded: parameters of every family, the population, the noise, and the curve two decades beyond
the data.  Calibrated intervals of probability 0.9 hold the truth in 90 % of tables (Talts et al.
2018, arXiv:1804.06788).

    python benchmarks/calibration.py --tables 500 --json --out docs/calibration
"""

import argparse
import json
import time
import warnings
from pathlib import Path

import numpy as np

import bayescale as bs
from bayescale.forecast.prior import coordinates_from_prior
from bayescale.model.arrays import arrays_of
from bayescale.model.geometry import natural
from bayescale.model.rows import Arrays
from bayescale.model.structure import Structure, structure_of
from bayescale.sampling.gate import diagnose
from bayescale.sampling.sampling import sample

FAMILIES, RUNS = 5, 16
BEYOND = 1e23


def template(seed: int = 0) -> tuple[Structure, bs.Runs]:
    """Structure of all tables, and a table that fixes where priors are anchored."""
    rng = np.random.default_rng(seed)
    family = np.repeat(np.arange(FAMILIES), RUNS)
    x = 10 ** rng.uniform(17, 21, family.size)
    y = (1.8 + (x / 1e19) ** -0.3) * np.exp(0.02 * rng.normal(size=family.size))
    runs = bs.Runs(
        {"C": x, "loss": y, "family": [f"family {k}" for k in family]},
        y="loss", x={"C": "C"}, groups="family",
    )  # fmt: skip
    return structure_of(bs.laws.OffsetPowerLaw(), runs, None, bs.LogStudentT(), None), runs


def quantities(
    structure: Structure, draws: dict[str, np.ndarray], arrays: Arrays
) -> dict[str, np.ndarray]:
    """Everything that is checked, shape (sample, ...)."""
    found = natural(np, structure, draws, arrays)
    values = {name: value for name, (_, value) in found.items()}
    far = np.logaddexp(values["E"], values["A"] - np.exp(values["alpha"]) * np.log(BEYOND))
    level = np.logaddexp(values["E"], values["A"] - np.exp(values["alpha"]) * arrays["anchor_x"])
    return {
        **values, "level at anchor": level, "two decades beyond": far,
        "population of alpha": draws["alpha_mean"], "sd of alpha": draws["alpha_sd"],
        "sd of E": draws["E_sd"],
    }  # fmt: skip


def simulate(
    structure: Structure, draws: dict[str, np.ndarray], arrays: Arrays, rng: np.random.Generator
) -> np.ndarray:
    """Log losses of every table, shape (tables, rows)."""
    found = natural(np, structure, draws, arrays)
    unit = arrays["unit_family"]
    log_e, log_a, log_alpha = (found[name][1][:, unit] for name in ("E", "A", "alpha"))
    mean = np.logaddexp(log_e, log_a - np.exp(log_alpha) * arrays["log_x"])
    return mean + np.exp(found["sigma"][1]) * rng.standard_t(4, mean.shape)


def main() -> None:
    """Fit the tables and report coverage."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tables", type=int, default=500)
    parser.add_argument("--draws", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, help="folder for ranks (CSV) and their figure")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    # Losses that are drawn from the prior may be of any size.
    warnings.simplefilter("ignore", bs.RunsWarning)
    structure, runs = template()
    anchored = arrays_of(structure, runs)
    truth_draws = coordinates_from_prior(structure, anchored, args.tables, args.seed)
    truth = quantities(structure, truth_draws, anchored)
    responses = simulate(structure, truth_draws, anchored, np.random.default_rng(args.seed))
    ranks: dict[str, list[np.ndarray]] = {name: [] for name in truth}
    rhats, started = [], time.perf_counter()
    for i, log_y in enumerate(responses):
        table = dict(runs.to_frame(), loss=np.exp(log_y))
        fresh = arrays_of(structure, bs.Runs(table, y="loss", x={"C": "C"}, groups="family"))
        kept = {name: anchored[name] for name in fresh if name.startswith(("offset_", "scale_"))}
        arrays = {**fresh, **kept}
        moved = {q.name for q in structure.law.parameters if np.any(fresh[f"start_{q.name}"] != 0)}
        shift = {
            f"start_{name}": fresh[f"start_{name}"]
            + fresh[f"offset_{name}"]
            - anchored[f"offset_{name}"]
            for name in moved
        }
        sampled = sample(
            structure, {**arrays, **shift}, draws=args.draws, tune=400, chains=2, random_seed=i
        )
        rhats.append(diagnose(sampled.draws, sampled.stats)["max_rhat"])
        flat = {k: v.reshape(-1, *v.shape[2:]) for k, v in sampled.draws.items()}
        for name, values in quantities(structure, flat, {**arrays, **shift}).items():
            ranks[name].append(np.mean(values < truth[name][i], axis=0))
    report(ranks, rhats, time.perf_counter() - started, args)


def report(
    ranks: dict[str, list[np.ndarray]], rhats: list[float], seconds: float, args: argparse.Namespace
) -> None:
    """Print coverage of every quantity; write ranks and their histograms."""
    for name, each in ranks.items():
        share = np.array(each)
        inside = float(np.mean((share > 0.05) & (share < 0.95)))
        row = {"quantity": name, "tables": len(each), "coverage_90": round(inside, 4)}
        print(
            json.dumps(row) if args.json else "  ".join(f"{k} {v}" for k, v in row.items()),
            flush=True,
        )
    print(
        json.dumps(
            {
                "seconds": round(seconds, 1),
                "share_rhat_above_1.05": float(np.mean(np.array(rhats) > 1.05)),
            }
        )
    )
    if args.out:
        import matplotlib.pyplot as plt
        import pandas as pd

        args.out.mkdir(parents=True, exist_ok=True)
        long = pd.concat(
            [pd.DataFrame({"quantity": n, "rank": np.ravel(np.array(e))}) for n, e in ranks.items()]
        )
        long.to_csv(args.out / "ranks.csv", index=False, float_format="%.3f")
        figure, axes = plt.subplots(3, 4, figsize=(10, 6), layout="constrained")
        for ax in axes.flat[len(ranks) :]:
            ax.set_axis_off()
        for ax, (name, each) in zip(axes.flat, ranks.items(), strict=False):
            ax.hist(np.ravel(np.array(each)), bins=20, range=(0, 1), density=True, color="#0072B2")
            ax.axhline(1.0, color="black", linewidth=0.8)
            ax.set(title=name, yticks=[], xlabel="rank of the truth")
        figure.savefig(args.out / "ranks.png", dpi=150)


if __name__ == "__main__":
    main()
