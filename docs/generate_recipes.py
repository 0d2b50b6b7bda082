"""Write docs/recipes.md from docs/recipes.toml: a paper, its law, its table, ten lines of code.

``python docs/generate_recipes.py`` writes the page; ``--run`` runs every recipe as well, with few
draws, as ``make docs`` does.
"""

import argparse
import json
import sys
import tomllib
import warnings
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import redirect_stdout
from io import StringIO
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

import bayescale as bs
from bayescale.fitting import Fit
from bayescale.fitting.fitting import fit as sampled_fit
from bayescale.model.arrays import arrays_of
from bayescale.model.structure import structure_of
from bayescale.noise import default_noise

HERE = Path(__file__).parent
Recipe = Mapping[str, Any]


def recipes() -> list[Recipe]:
    return tomllib.loads((HERE / "recipes.toml").read_text())["recipe"]


def law_of(recipe: Recipe) -> bs.Law:
    return bs.laws.get(recipe["law"], **recipe.get("options", {}))


def code(recipe: Recipe) -> str:
    """Lines that run as they are."""
    options = "".join(f", {k}={v!r}" for k, v in recipe.get("options", {}).items())
    chosen = "".join(f", {k}={recipe[k]}" for k in ("pooling", "noise") if k in recipe)
    extra = "".join(f", {k}={json.dumps(recipe[k])}" for k in ("trials", "better") if k in recipe)
    simulated = [
        "from bayescale.testing import simulate",
        f"runs, _ = simulate(law, rows=120, families={recipe.get('families', 3)}{extra})",
    ]
    lines = [
        f'law = bs.laws.get("{recipe["law"]}"{options})',
        *recipe.get("table", simulated),
        f"fit = bs.fit(law, runs{chosen})",
        *recipe["ask"],
    ]
    imports = [line for line in lines if line.startswith(("import ", "from "))]
    general = sorted(line for line in imports if "bayescale" not in line)
    own = ["import bayescale as bs", *sorted(set(imports) - set(general))]
    rest = [line for line in lines if line not in imports]
    return "\n".join([*general, *([""] if general else []), *own, "", *rest])


def entry(recipe: Recipe) -> str:
    law = law_of(recipe)
    names = ", ".join(f"[`{name}`](#{name})" for name in (recipe["law"], *recipe.get("also", ())))
    counted = "trials" in recipe or recipe.get("counts", False)
    noise = f"`{recipe['noise']}`" if "noise" in recipe else usual_noise(law, counted)
    pooling = f"`{recipe['pooling']}`" if "pooling" in recipe else "that of the law"
    facts = [
        f"- **Law**: {names}",
        *([f"- **Made of**: {recipe['made_of']}"] if "made_of" in recipe else []),
        f"- **Table**: {recipe['rows']}; groups: {recipe['groups']}",
        f"- **Pooling**: {pooling}; **noise**: {noise}",
        f"- **Quantity**: {recipe['quantity']}",
    ]
    return "\n".join([f"## {recipe['paper']}", "", *facts, "", f"```python\n{code(recipe)}\n```"])


def usual_noise(law: bs.Law, counted: bool) -> str:
    return f"`bs.{type(default_noise(law, counted)).__name__}()`"


def page() -> str:
    entries = sorted(recipes(), key=lambda recipe: recipe["paper"].lower())
    intro = [
        "# Recipes",
        f"{len(entries)} papers and how to work with their laws. Written by "
        "`docs/generate_recipes.py` from `docs/recipes.toml`: do not edit.",
        "The code simulates a table from the worked case of the law, so that it runs as it is, and "
        "numbers in it are those of that case. With a table of your own, "
        '`runs = bs.Runs(table, y="loss", x={"x": "column"}, groups={"family": "column"})`.',
    ]
    return "\n\n".join([*intro, *map(entry, entries)]) + "\n"


def run(recipe: Recipe, fit: Callable[..., Any]) -> str:
    """Run the code of a recipe with some way to fit; return what it prints."""
    printed = StringIO()
    with (
        patch.object(bs, "fit", fit, create=True),
        redirect_stdout(printed),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        exec(compile(code(recipe), recipe["paper"], "exec"), {})
    return printed.getvalue()


def with_few_draws(law: bs.Law, runs: bs.Runs, **options: Any) -> Any:
    """Fit in earnest, but briefly."""
    few = {"draws": 200, "tune": 300, "chains": 1, "random_seed": 0, "progressbar": False}
    return sampled_fit(law, runs, **options, **few)


def without_sampling(law: bs.Law, runs: bs.Runs, **options: Any) -> Any:
    """Stand in for a fit: check the arguments, then scatter draws around where samplers start."""
    noise = options.get("noise") or default_noise(law, runs.is_counts)
    asked = structure_of(law, runs, options.get("pooling"), noise, options.get("priors"))
    apart = {
        name: bs.Independent(*pooling.groups) if pooling.groups else bs.Shared()
        for name, pooling in asked.pooling
    }
    structure = structure_of(law, runs, apart, noise, None)
    arrays = arrays_of(structure, runs)
    rng = np.random.default_rng(0)
    draws = {
        f"{q.name}_raw": 0.05 * rng.standard_normal((1, 30, len(structure.units[q.name])))
        for q in structure.parameters
    }
    return Fit(law, runs, structure, arrays, draws, {}, {"converged": True})


def problem_of(recipe: Recipe) -> str:
    """Run one recipe in earnest; return what went wrong, if anything did."""
    try:
        return "" if run(recipe, with_few_draws) else "prints nothing"
    except Exception as problem:
        return f"{type(problem).__name__}: {problem}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", action="store_true")
    asked = parser.parse_args()
    (HERE / "recipes.md").write_text(page())
    if not asked.run:
        return
    failed = 0
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        for recipe, problem in zip(recipes(), pool.map(problem_of, recipes()), strict=True):
            failed += bool(problem)
            sys.stderr.write(f"{recipe['paper']}: {problem or 'runs'}\n")
    sys.exit(f"{failed} recipes do not run" if failed else 0)


if __name__ == "__main__":
    main()
