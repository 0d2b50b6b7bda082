"""Train the experiment: ``python -m benchmarks.tinylm.run --role fit``.

Each run is one JSON file in the runs directory, written whole or not at all.  A run that has
its file is not trained again, so a stopped experiment goes on where it was.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .corpora import Corpus
    from .train import Spec

os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false")

log = logging.getLogger("tinylm")


def save(record: dict, folder: Path) -> None:
    """Write a record under its own name in one atomic step."""
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f".{record['run']}.part"
    part.write_text(json.dumps(record))
    part.replace(folder / f"{record['run']}.json")


def find(name: str, folder: Path) -> dict | None:
    """Record of a finished run, if there is one."""
    path = folder / f"{name}.json"
    return json.loads(path.read_text()) if path.exists() else None


def finish(spec: Spec, folder: Path, train: Callable[[Spec], dict]) -> dict:
    """Record of a run: read when it is on disk, else trained and saved."""
    record = find(spec.name, folder)
    if record is None:
        record = train(spec)
        save(record, folder)
        log.info("%s  loss %.4f", spec.name, record["val_loss"])
    return record


def train(spec: Spec) -> dict:
    """Train one run on its corpus."""
    from .train import train

    return train(spec, corpus(spec.corpus))


@cache
def corpus(name: str) -> Corpus:
    """Corpus by name, built once."""
    from .corpora import load

    return load(name)


def plan() -> None:
    """Log the number of runs and their estimated time on one core."""
    from .grid import fit_specs, seconds, target_specs

    for role, specs in (("fit", fit_specs), ("target", target_specs)):
        runs = specs(lambda *_: 0.01)
        for key in sorted({(s.corpus, s.shape.arch) for s in runs}):
            mine = [s for s in runs if (s.corpus, s.shape.arch) == key]
            log.info(
                "%-6s %-5s %-11s %3d runs  6ND %.1e to %.1e  %5.0f s",
                role, *key, len(mine), min(s.compute for s in mine),
                max(s.compute for s in mine), sum(map(seconds, mine)),
            )  # fmt: skip
        log.info("%s: %d runs, %.0f s", role, len(runs), sum(map(seconds, runs)))


def main(arguments: list[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--role", choices=("fit", "target"), default="fit")
    parser.add_argument("--plan", action="store_true", help="only print the estimated time")
    parser.add_argument("--corpus", help="only the runs on this corpus")
    parser.add_argument(
        "--runs", type=Path, default=Path(os.environ.get("TINYLM_RUNS", "runs")),
        help="directory of the records (default: TINYLM_RUNS or runs)",
    )  # fmt: skip
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    if options.plan:
        return plan()

    from .grid import fit_specs, target_specs
    from .rates import tune

    rate = tune(lambda spec: finish(spec, options.runs, train)["val_loss"])
    for spec in {"fit": fit_specs, "target": target_specs}[options.role](rate):
        if options.corpus in (None, spec.corpus):
            finish(spec, options.runs, train)


if __name__ == "__main__":
    main()
