"""Code of the pages and notebooks."""

import json
import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def code_cells(path):
    return [c for c in json.loads(path.read_text())["cells"] if c["cell_type"] == "code"]


def code_of_page(path):
    return re.findall(r"^```python\n(.*?)^```", path.read_text(), re.M | re.S)


def code_of(path):
    if path.suffix == ".ipynb":
        return ["".join(cell["source"]) for cell in code_cells(path)]
    return code_of_page(path)


def run(path):
    names = {"__name__": "page"}
    for source in code_of(path):
        exec(compile(source, path.name, "exec"), names)
