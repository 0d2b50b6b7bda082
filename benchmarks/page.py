"""Write the page of everything that was measured, from ``benchmarks/results``.

    python benchmarks/page.py

A file of results is JSON, nested as its benchmark likes, or JSON lines, one record a line.  Records
with most fields in common share a table; the names on the way to a record become its first column.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
PAGE = Path(__file__).parent.parent / "docs" / "measured.md"
HEAD = """# Everything measured

Written by `benchmarks/page.py` from `benchmarks/results`: what the figures mean is said in
[benchmarks](benchmarks.md), [scale](scale.md) and at the head of each script. A column holds what
the benchmark of its row means by that name, so compare rows of one benchmark only; a share
is between 0 and 1. Figures of calibration stand in [calibration](calibration.md) only. Timings are
those of one machine with two cores; compare them within a table only.
"""

Record = dict[str, Any]


def read(path: Path) -> Iterator[tuple[str, Record]]:
    """Records of one file, each with the names that lead to it."""
    text = path.read_text()
    for part in text.splitlines() if path.suffix == ".jsonl" else [text]:
        yield from walk(json.loads(part), ())


def walk(found: Any, names: tuple[str, ...]) -> Iterator[tuple[str, Record]]:
    if isinstance(found, list):
        for one in found:
            yield from walk(one, names)
        return
    plain = {k: v for k, v in found.items() if not is_nested(v)}
    if plain:
        yield " ".join(names), plain
    for name, inner in found.items():
        if is_nested(inner):
            yield from walk(inner, (*names, name))


def is_nested(value: Any) -> bool:
    if isinstance(value, list):
        return any(isinstance(v, dict) for v in value)
    return isinstance(value, dict)


def cell(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: ""}[value]
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1000 else f"{value:.0f}"
    if isinstance(value, list):
        return ", ".join(map(cell, value))
    return str(value).replace("|", r"\|")


def tables(records: list[tuple[str, Record]]) -> Iterator[str]:
    """One table for all records that share most of their fields, in the order of the file."""
    left = list(records)
    while left:
        fields = list(left[0][1])
        mine = [r for r in left if 2 * len(set(r[1]) & set(fields)) >= min(len(r[1]), len(fields))]
        left = [r for r in left if r not in mine]
        fields += [k for _, r in mine for k in r if k not in fields]
        fields = list(dict.fromkeys(fields))
        named = any(name for name, _ in mine)
        head = [*([""] if named else []), *(f.replace("_", " ") for f in fields)]
        rows = [
            [*([name] if named else []), *(cell(r[f]) if f in r else "" for f in fields)]
            for name, r in mine
        ]
        lines = [head, ["---"] * len(head), *rows]
        yield "\n".join("| " + " | ".join(line) + " |" for line in lines)


def main() -> None:
    parts = [HEAD]
    for path in sorted(p for p in RESULTS.iterdir() if p.suffix in (".json", ".jsonl")):
        parts += [
            f"## {path.stem.replace('_', ' ')}\n",
            *(t + "\n" for t in tables(list(read(path)))),
        ]
    PAGE.write_text("\n".join(parts))


if __name__ == "__main__":
    main()
