"""Notebooks: they run, and what they show was really computed.

``make notebooks`` stores their outputs; here all are read, and run with few draws.
"""

import ast
import re

import pytest
from pages import NOTEBOOKS, code_cells, code_of, run


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


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.name)
def test_notebooks_run_from_top_to_bottom(path, few_draws):
    run(path)


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
