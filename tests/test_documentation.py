"""Pages and docstrings: what they name exists, and their code runs."""

import ast
import doctest
import importlib
import pkgutil
import re

import numpy as np
import pandas as pd
import pytest
from pages import NOTEBOOKS, ROOT, code_of, run

import bayescale as bs

MODULES = [
    module.name
    for module in pkgutil.walk_packages(bs.__path__, "bayescale.")
    if not module.name.startswith("bayescale.laws")
]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def public_names(tree):
    """Dotted names that start with ``bs``, and names imported from the package."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            parts, inner = [node.attr], node.value
            while isinstance(inner, ast.Attribute):
                parts.append(inner.attr)
                inner = inner.value
            if isinstance(inner, ast.Name) and inner.id == "bs":
                yield "bayescale", parts[::-1]
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("bayescale"):
            for alias in node.names:
                yield node.module, [alias.name]


@pytest.mark.parametrize("path", [*NOTEBOOKS, *PAGES], ids=lambda p: p.name)
def test_code_parses_and_names_only_what_is_public(path):
    for source in code_of(path):
        for module, parts in public_names(ast.parse(source)):
            found = importlib.import_module(module)
            for part in parts:
                assert not part.startswith("_"), f"{part} is private"
                assert hasattr(found, part), f"{module} has no {'.'.join(parts)}"
                found = getattr(found, part)


PAGES_ON_A_TABLE = ["README.md", "docs/getting_started.md", "docs/guide.md", "docs/reporting.md"]


@pytest.mark.parametrize("page", [*PAGES_ON_A_TABLE, "docs/tinylm.md"])
def test_code_of_pages_runs_on_a_table_of_runs(page, few_draws, tmp_path, monkeypatch):
    compare = bs.compare
    monkeypatch.setattr(bs, "compare", lambda fits, **how: compare(fits, max_refits=0, **how))
    rng = np.random.default_rng(0)
    N, D = 10 ** rng.uniform([[7], [9]], [[9], [11]], (2, 60))
    table = pd.DataFrame({"params": N, "tokens": D, "flops": 6 * N * D})
    table["loss"] = (1.8 + 480 * N**-0.35 + 2100 * D**-0.37) * np.exp(rng.normal(0, 0.01, 60))
    table["arch"] = np.tile(["lstm", "transformer"], 30)
    table["corpus"] = np.repeat(["web", "books"], 30)
    table.to_csv(tmp_path / "runs.csv")
    tracked = {"params": "config.model.n_params", "loss": "summary.val_loss"}
    table.rename(columns=tracked).to_csv(tmp_path / "export.csv")
    monkeypatch.chdir(tmp_path)
    run(ROOT / page)


@pytest.mark.parametrize("module", MODULES)
def test_examples_in_docstrings_run(module):
    assert doctest.testmod(importlib.import_module(module)).failed == 0


def test_the_reference_lists_every_public_name():
    listed = set(re.findall(r"^   (\w+)$", (ROOT / "docs" / "api.md").read_text(), re.M))
    rooms = {"laws", "noise", "datasets", "plots", "quantities", "__version__"}
    assert not set(bs.__all__) - rooms - listed


@pytest.mark.parametrize("path", PAGES, ids=lambda p: p.name)
def test_links_between_files_lead_somewhere(path):
    for target in re.findall(r"\]\(([^)#\s]+)\)", path.read_text()):
        if not target.startswith(("http", "mailto")):
            assert (path.parent / target).exists(), target
