"""Recover the constants of every law from simulated tables.

``python benchmarks/laws.py [--json] [--laws m4 chinchilla ...] [--replicates 3]`` simulates tables
of 200 rows in 5 families from the worked case of a law and fits them one after the other on one
compiled model.  ``--markdown PATH`` writes the table of the documentation.
"""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import bayescale as bs
from bayescale.recovery import check_recovery


def measure(name: str, **options: Any) -> dict[str, Any]:
    law = bs.laws.get(name)
    started = time.perf_counter()
    try:
        found = check_recovery(law, **options)
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


COLUMNS = {
    "law": "{}",
    "fits": "{}",
    "converged": "{}",
    "divergences": "{}",
    "max_rhat": "{:.3f}",
    "coverage": "{:.2f}",
    "error": "{:.2f}",
    "intervals": "{}",
    "compile_s": "{:.0f}",
    "sample_s": "{:.1f}",
    "problem": "{}",
}


def markdown(rows: list[dict[str, Any]], settings: dict[str, Any]) -> str:
    head = "| " + " | ".join(COLUMNS) + " |\n|" + " --- |" * len(COLUMNS)
    lines = [
        "| "
        + " | ".join(form.format(row[k]) if k in row else "" for k, form in COLUMNS.items())
        + " |"
        for row in rows
    ]
    said = ", ".join(f"{k} {v}" for k, v in settings.items())
    return (
        "# Recovery of the constants of every law\n\n"
        "Written by `benchmarks/laws.py`: tables are simulated from the worked case of a law "
        f"({said}), whose constants differ between families by about a tenth, and fitted with "
        "default priors, pooling and noise. Coverage is the share of 90 % intervals, over "
        "parameters and families, that hold the constants of the simulation; its standard error "
        "counts a family once, because its parameters rise and fall together; compilation happens "
        "once a law, and seconds are those of a shared two-core machine.\n\n"
        + "\n".join([head, *lines])
        + "\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--laws", nargs="*", default=list(bs.laws.available()))
    parser.add_argument("--replicates", type=int, default=3)
    parser.add_argument("--draws", type=int, default=400)
    parser.add_argument("--chains", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="start no law after")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--markdown", type=Path)
    asked = parser.parse_args()
    settings = {
        "rows": 200,
        "families": 5,
        "replicates": asked.replicates,
        "draws": asked.draws,
        "chains": asked.chains,
    }
    rows, started = [], time.perf_counter()
    for name in asked.laws:
        if time.perf_counter() - started > asked.seconds:
            break
        rows.append(measure(name, tune=asked.draws, **settings))
        if not asked.json:
            sys.stdout.write(json.dumps(rows[-1]) + "\n")
            sys.stdout.flush()
        if asked.markdown:
            asked.markdown.write_text(markdown(rows, settings))
    if asked.json:
        sys.stdout.write(json.dumps({"settings": settings, "laws": rows}, indent=2) + "\n")


if __name__ == "__main__":
    main()
