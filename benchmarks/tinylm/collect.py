"""Turn the records of finished runs into the tables that the package ships.

``python -m benchmarks.tinylm.collect`` reads every JSON file of the runs directory and writes
``tinylm.csv``, ``tinylm_checkpoints.csv.gz`` and ``tinylm_sweep.csv``.
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
import os
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

RENAMED = {
    "bytes": "tokens",
    "flops_6nd": "flops",
    "val_loss": "loss",
    "val_loss_se": "loss_se",
    "train_seconds": "seconds",
}
FINAL = [
    "run", "role", "arch", "corpus", "params", "params_total", "width", "depth", "embed",
    "tokens", "epochs", "flops", "flops_counted", "steps", "batch_sequences", "context",
    "learning_rate", "schedule", "seed", "loss", "loss_se", "seconds", "python", "jax", "numpy",
    "corpus_sha256",
]  # fmt: skip
CHECKPOINT = [
    "run", "role", "arch", "corpus", "params", "params_total", "run_tokens", "tokens", "flops",
    "flops_counted", "step", "learning_rate", "learning_rate_now", "seed", "train_loss", "loss",
    "loss_se",
]  # fmt: skip
SWEEP = [
    "run", "arch", "corpus", "params", "tokens", "flops", "steps", "learning_rate", "seed",
    "loss", "loss_se", "seconds",
]  # fmt: skip
DIGITS = {
    "loss": 5, "loss_se": 5, "train_loss": 5, "epochs": 5, "seconds": 2, "learning_rate_now": 8
}  # fmt: skip


def read(folder: Path) -> list[dict]:
    """Records of all finished runs, small ones first and in a fixed order."""
    records = [json.loads(path.read_text()) for path in folder.glob("*.json")]
    return sorted(records, key=lambda r: (r["role"], r["corpus"], r["arch"], r["params"],
                                          r["bytes"], r["learning_rate"], r["seed"]))  # fmt: skip


def final_table(records: Iterable[dict], columns: list[str] = FINAL) -> pd.DataFrame:
    """One row a run, at the end of its schedule."""
    table = pd.DataFrame(list(records)).rename(columns=RENAMED)
    return table[columns].round(DIGITS)


def checkpoint_table(records: Iterable[dict]) -> pd.DataFrame:
    """One row a checkpoint; ``run_tokens`` is the length of the run that it belongs to."""
    rows = [
        {**record, **point, "run_tokens": record["bytes"], **_spent(record, point["bytes"])}
        for record in records
        for point in record["checkpoints"]
    ]
    return pd.DataFrame(rows).rename(columns=RENAMED)[CHECKPOINT].round(DIGITS)


def _spent(record: dict, tokens: int) -> dict[str, int]:
    """FLOPs of both counts up to a number of tokens."""
    per = {name: record[name] // record["bytes"] for name in ("flops_6nd", "flops_counted")}
    return {name: each * tokens for name, each in per.items()}


def write(table: pd.DataFrame, path: Path) -> None:
    """Write a table so that the same rows give the same bytes."""
    text = table.to_csv(index=False, lineterminator="\n").encode()
    if path.suffix == ".gz":
        packed = io.BytesIO()
        with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0, filename="") as stream:
            stream.write(text)
        text = packed.getvalue()
    path.write_bytes(text)


def main(arguments: list[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=Path, default=Path(os.environ.get("TINYLM_RUNS", "runs")))
    parser.add_argument("--out", type=Path, default=Path("bayescale/datasets"))
    options = parser.parse_args(arguments)
    records = read(options.runs)
    measured = [record for record in records if record["role"] != "sweep"]
    sweep = [record for record in records if record["role"] == "sweep"]
    write(final_table(measured), options.out / "tinylm.csv")
    write(checkpoint_table(measured), options.out / "tinylm_checkpoints.csv.gz")
    write(final_table(sweep, SWEEP), options.out / "tinylm_sweep.csv")


if __name__ == "__main__":
    main()
