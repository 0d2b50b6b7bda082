"""Rooms import only rooms that ARCHITECTURE.md lists above them; imports inside functions may."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest
from pages import ROOT

PACKAGE, PAGE = ROOT / "bayescale", ROOT / "ARCHITECTURE.md"
ROOMS = re.findall(r"^\| `(\w+)(?:/|\.py)` \|", PAGE.read_text(), flags=re.M)


def imported_at_once(body: list[ast.stmt]) -> Iterator[str]:
    """Rooms that are imported when a file is: not in functions, not for types alone."""
    for node in body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("bayescale."):
            yield node.module.split(".")[1]
        elif isinstance(node, ast.ImportFrom) and node.module == "bayescale":
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.Import):
            named = (alias.name.split(".") for alias in node.names)
            yield from (parts[1] for parts in named if parts[0] == "bayescale" and parts[1:])
        elif isinstance(node, ast.ClassDef | ast.Try):
            yield from imported_at_once(node.body)


def test_every_room_is_listed():
    there = {p.stem for p in PACKAGE.iterdir() if p.suffix == ".py" or (p / "__init__.py").exists()}
    assert there - {"__init__", "__main__"} == set(ROOMS)
    assert len(set(ROOMS)) == len(ROOMS)


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_rooms_above_it_in_the_list(room):
    below = set(ROOMS[ROOMS.index(room) + 1 :])
    files = sorted((PACKAGE / room).rglob("*.py")) or [PACKAGE / f"{room}.py"]
    for file in files:
        found = set(imported_at_once(ast.parse(file.read_text()).body))
        assert not found & below, f"{file.relative_to(PACKAGE)} imports {sorted(found & below)}"


def test_files_that_the_list_names_exist():
    for line in PAGE.read_text().splitlines():
        if row := re.match(r"\| `(\w+)/` \|(.*)", line):
            for name in re.findall(r"`(\w+\.py)`", row[2]):
                assert (PACKAGE / row[1] / name).exists(), f"{row[1]}/{name}"


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        ("bayescale", "pymc pytensor arviz pandas matplotlib xarray nutpie"),
        ("bayescale.runs.runs", "matplotlib polars"),
    ],
)
def test_importing_loads_nothing_heavy(module, heavy):
    code = f"import sys, {module}; assert not set({heavy.split()}) & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_the_figure_of_an_answer_has_the_name_of_its_file():
    for file in sorted((PACKAGE / "quantities").glob("*.py")):
        drawn = re.findall(r"from bayescale\.plots\.(\w+) import", file.read_text())
        assert drawn in ([], [file.stem]), file.name
