"""Tables of measured runs, which are not part of this repository.

``docs/benchmarks.md`` says where each comes from.
"""

import argparse
from pathlib import Path

import pandas as pd

BESIDE = Path(__file__).resolve().parents[2] / "shared" / "data"
_folders = [BESIDE]


def option(parser: argparse.ArgumentParser) -> None:
    """Add ``--tables FOLDER``."""
    parser.add_argument("--tables", type=_folders.append, metavar="FOLDER", help="of measured runs")


def read(name: str) -> pd.DataFrame:
    """Read a table; the program ends where there is none."""
    path = Path(_folders[-1]) / name
    if not path.exists():
        raise SystemExit(f"no table {path}: docs/benchmarks.md says where it comes from")
    return pd.read_csv(path)
