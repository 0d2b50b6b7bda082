"""How often leave-one-out picks the form that made the data, or says that it cannot tell.

Tables of several families are simulated from a power law with a floor, a broken power law and a
crossover of two power laws in turn; all three are fitted to every table and compared.  A table is
a success when the form behind it is the best one or one that cannot be told from the best one.
Models are compiled for the first table of a number of families and refitted for the others.

    python benchmarks/selection.py --tables 60 --json
"""

import argparse
import json
import sys
import time
import warnings
from typing import Any

import numpy as np

import bayescale as bs
from bayescale.fitting import Fit
from bayescale.fitting.fitting import refit_on

#: Forms that are both truths and candidates.
FORMS = {
    "power law": bs.laws.OffsetPowerLaw(),
    "broken": bs.laws.BrokenPowerLaw(breaks=1),
    "crossover": bs.laws.CrossoverPowerLaw(),
}

#: Runs of a family, decades that they span, and scatter of ln y.
RUNS, DECADES, SIGMA = 24, 4.0, 0.01


def simulate(form: str, families: int, rng: np.random.Generator) -> bs.Runs:
    """Draw a table of several families whose parameters scatter around common ones."""
    law = FORMS[form]
    common = {
        "power law": {"alpha": rng.uniform(0.2, 0.5)},
        "broken": {
            "c0": rng.uniform(0.1, 0.3),
            "c1": rng.uniform(0.2, 0.5),
            "d1": 10 ** rng.uniform(18.3, 19.7),
            "f1": rng.uniform(0.1, 0.5),
        },
        "crossover": {
            "a2": rng.uniform(0.05, 0.2),
            "delta": rng.uniform(0.3, 0.8),
            "xc": 10 ** rng.uniform(18.3, 19.7),
        },
    }[form]
    table: dict[str, list[Any]] = {"family": [], "flops": [], "loss": []}
    for family in range(families):
        own = {name: v * np.exp(0.1 * rng.standard_normal()) for name, v in common.items()}
        own["E"] = 1.5 * np.exp(0.1 * rng.standard_normal())
        x = 10 ** rng.uniform(17, 17 + DECADES, RUNS)
        reducible = np.exp(0.2 * rng.standard_normal())
        own["A"] = reducible / float(law(1e19, **{**own, "E": 0.0, "A": 1.0}))
        y = law(x, **own) * np.exp(SIGMA * rng.standard_t(4, RUNS))
        table["family"] += [f"family {family}"] * RUNS
        table["flops"] += x.tolist()
        table["loss"] += y.tolist()
    return bs.Runs(table, y="loss", x={"C": "flops"}, groups="family")


def measure(tables: int, families: list[int], draws: int, refits: int, seed: int) -> dict[str, Any]:
    """Compare the forms on many tables and count successes."""
    compiled: dict[tuple[str, int], Fit] = {}
    rows = []
    for number in range(tables):
        truth = list(FORMS)[number % len(FORMS)]
        count = families[number // len(FORMS) % len(families)]
        runs = simulate(truth, count, np.random.default_rng([seed, number]))
        started = time.perf_counter()
        fits = {}
        for name, law in FORMS.items():
            options = {"draws": draws, "tune": 500, "chains": 2, "random_seed": number}
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", bs.ConvergenceWarning)
                original = compiled.get((name, count))
                if original is None:
                    fits[name] = bs.fit(law, runs, progressbar=False, **options)
                    compiled[name, count] = fits[name]
                else:
                    fits[name] = refit_on(original, runs, **options)
        comparison = bs.compare(fits, max_refits=refits, random_seed=number)
        rows.append(
            {
                "truth": truth,
                "families": count,
                "best": comparison.best,
                "contenders": list(comparison.contenders),
                "elpd_diff": float(comparison.table.elpd_diff[truth]),
                "se_diff": float(comparison.table.se_diff[truth]),
                "converged": int(comparison.table.converged.sum()),
                "refits": int(comparison.table.refits.sum()),
                "refits_failed": int(comparison.table.refits_failed.sum()),
                "seconds": time.perf_counter() - started,
            }
        )
        sys.stderr.write(json.dumps(rows[-1]) + "\n")
    return {"summary": {form: summary(rows, form) for form in [None, *FORMS]}, "tables": rows}


def summary(rows: list[dict[str, Any]], form: str | None) -> dict[str, float]:
    """Share of successes, of right picks and of picks at all; of one truth, or of all (None)."""
    mine = [row for row in rows if form in (None, row["truth"])]
    if not mine:
        return {"tables": 0}
    right = [row["truth"] in row["contenders"] for row in mine]
    return {
        "tables": len(mine),
        "picked_or_undecided": float(np.mean(right)),
        "picked": float(np.mean([row["contenders"] == [row["truth"]] for row in mine])),
        "wrong": len(mine) - sum(right),
        "all_converged": float(np.mean([row["converged"] == len(FORMS) for row in mine])),
        "seconds": float(np.median([row["seconds"] for row in mine])),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tables", type=int, default=60)
    parser.add_argument("--families", type=int, nargs="+", default=[4])
    parser.add_argument("--draws", type=int, default=500, help="draws of each of two chains")
    parser.add_argument("--refits", type=int, default=8, help="exact refits a fit, at most")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    given = parser.parse_args()
    found = measure(given.tables, given.families, given.draws, given.refits, given.seed)
    if given.json:
        named = {form or "all": numbers for form, numbers in found["summary"].items()}
        print(json.dumps({**found, "summary": named}, indent=1))
        return
    print(f"{'truth':10s} tables  picked or undecided  picked  all converged  seconds a table")
    for form, s in found["summary"].items():
        if not s["tables"]:
            continue
        print(
            f"{form or 'all':10s} {s['tables']:6d} {s['picked_or_undecided']:20.1%}"
            f" {s['picked']:7.1%} {s['all_converged']:14.1%} {s['seconds']:16.1f}"
        )


if __name__ == "__main__":
    main()
