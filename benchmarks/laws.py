"""Recover the constants of every law from simulated tables.

    python benchmarks/laws.py [--laws m4 chinchilla ...] > benchmarks/results/laws.jsonl

Tables of 200 rows in 5 families, whose constants differ by about a tenth, are simulated from the
worked case of a law and fitted with default priors, pooling, noise and settings of the sampler, one
after the other on one compiled model.  ``coverage`` is the share of 90 % intervals, over parameters
and families, that hold the constants; its ``error`` counts a family once, because its parameters
rise and fall together.
"""

import argparse
import json
import time
from typing import Any

import bayescale as bs
from bayescale.testing.recovery import recover


def measure(name: str, **options: Any) -> dict[str, Any]:
    law = bs.laws.get(name)
    started = time.perf_counter()
    try:
        found = recover(law, **options)
    except Exception as problem:
        return {"law": name, "problem": f"{type(problem).__name__}: {problem}"}
    table = found.table
    return {
        "law": name,
        "fits": len(table),
        "converged": int(table["converged"].sum()),
        "divergences": int(table["divergences"].sum()),
        "max_rhat": float(table["max_rhat"].max()),
        "coverage": found.coverage,
        "error": found.error,
        "intervals": int(table["parameters"].sum()),
        "compile_s": float(table["compile_s"].max()),
        "sample_s": float(table["sample_s"].median()),
        "total_s": time.perf_counter() - started,
        "problem": "",
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--laws", nargs="*", default=list(bs.laws.available()))
    parser.add_argument("--replicates", type=int, default=3)
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--chains", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="start no law after")
    asked = parser.parse_args()
    settings = {
        "rows": 200,
        "families": 5,
        "replicates": asked.replicates,
        "draws": asked.draws,
        "chains": asked.chains,
    }
    started = time.perf_counter()
    for name in asked.laws:
        if time.perf_counter() - started > asked.seconds:
            break
        found = measure(name, tune=asked.draws // 2, **settings)
        print(json.dumps({**found, "draws": asked.draws, "chains": asked.chains}), flush=True)


if __name__ == "__main__":
    main()
