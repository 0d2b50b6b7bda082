"""Every paper of the recipes page has laws that exist and code that runs."""

import ast
import importlib.util
import re
from pathlib import Path

import pytest

import bayescale as bs

DOCS = Path(__file__).parents[1] / "docs"
_spec = importlib.util.spec_from_file_location("generate_recipes", DOCS / "generate_recipes.py")
generate = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(generate)
RECIPES = generate.recipes()


def test_every_paper_appears_once():
    papers = [recipe["paper"] for recipe in RECIPES]
    assert len(set(papers)) == len(papers)


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe["paper"][:30])
def test_a_recipe_names_laws_that_exist_and_runs_but_for_the_sampling(recipe):
    assert {recipe["law"], *recipe.get("also", ())} <= set(bs.laws.available())
    ast.parse(generate.code(recipe))
    assert generate.run(recipe, generate.without_sampling)


def test_code_is_short_enough_to_read():
    lengths = sorted(len(generate.code(recipe).splitlines()) for recipe in RECIPES)
    assert lengths[len(lengths) // 2] <= 10
    assert lengths[-1] <= 15


def test_the_page_is_up_to_date():
    page = (DOCS / "recipes.md").read_text()
    assert page == generate.page(), "run python docs/generate_recipes.py"
    linked = set(re.findall(r"\]\(#(\w+)\)", page))
    assert linked <= set(bs.laws.available())
