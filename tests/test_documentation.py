"""Pages and notebooks: what they name exists, and what they show was really computed.

``make notebooks`` stores their outputs; here all are read, and run with few draws.
"""

import ast
import doctest
import importlib
import json
import pkgutil
import re
import warnings
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import bayescale as bs

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
MODULES = [
    module.name
    for module in pkgutil.walk_packages(bs.__path__, "bayescale.")
    if not module.name.startswith("bayescale.laws")
]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def code_cells(path):
    return [c for c in json.loads(path.read_text())["cells"] if c["cell_type"] == "code"]


def code_of_page(path):
    return re.findall(r"^```python\n(.*?)^```", path.read_text(), re.M | re.S)


def code_of(path):
    if path.suffix == ".ipynb":
        return ["".join(cell["source"]) for cell in code_cells(path)]
    return code_of_page(path)


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


def test_there_are_nine_notebooks():
    assert [path.name[:2] for path in NOTEBOOKS] == [f"{i:02d}" for i in range(1, 10)]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.name)
def test_notebooks_are_stored_whole_executed_in_order_and_without_errors(path):
    cells = code_cells(path)
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [output for cell in cells for output in cell["outputs"]]
    assert not [o for o in outputs if o["output_type"] == "error"]
    assert any("image/png" in o.get("data", {}) for o in outputs), "no figure"
    shown = "".join(
        "".join(o.get("text", [])) + "".join(o.get("data", {}).get("text/plain", []))
        for o in outputs
    )
    assert "did not converge" not in shown
    assert not re.search(r"/(home|root|Users|work|tmp)/", path.read_text()), "a path of a machine"


@pytest.fixture
def few_draws(monkeypatch):
    plt.switch_backend("agg")

    def with_few_draws(*arguments, **options):
        few = {"draws": 50, "tune": 100, "chains": 2, "progressbar": False}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", bs.ConvergenceWarning)
            return fit(*arguments, **{**options, **few})

    fit = bs.fit
    monkeypatch.setattr(bs, "fit", with_few_draws)
    with plt.rc_context():
        yield
    plt.close("all")


def run(path):
    names = {"__name__": "page"}
    for source in code_of(path):
        exec(compile(source, path.name, "exec"), names)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.name)
def test_notebooks_run_from_top_to_bottom(path, few_draws):
    run(path)


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


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.name)
def test_notebooks_fix_every_seed(path):
    for call in (n for s in code_of(path) for n in ast.walk(ast.parse(s))):
        if not isinstance(call, ast.Call):
            continue
        name = ast.unparse(call.func)
        if name in ("bs.fit", "bs.compare"):
            words = {k.arg for k in call.keywords}
            assert "random_seed" in words or None in words, ast.unparse(call)
        if name.endswith("default_rng"):
            assert call.args, "default_rng() without a seed"


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
