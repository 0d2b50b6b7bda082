"""What runs show: ranges in decades for every group, in a few lines."""

import numpy as np
import pytest
from sound_table import ALL, ARGS, COUNTS, columns

from bayescale.runs import Runs


@pytest.fixture
def runs():
    return Runs(columns(), **ALL)


def test_repr_has_ranges_in_decades_per_group():
    runs = Runs(columns(), y="loss", x={"N": "params"}, groups={"family": "arch"}, sequence="run")
    assert repr(runs.above("N", 1e8)).splitlines() == [
        "Runs: 4 rows",
        "  y = loss        3 .. 3.6",
        "  N = params      1e08 .. 1e09 (1.0 decades)",
        "  sequence = run  6 runs",
        "  family = arch, 2 labels",
        "    lstm  2 rows  N 1e08 .. 1e09 (1.0 decades)",
        "    mlp   2 rows  N 1e08 .. 1e09 (1.0 decades)",
    ]


@pytest.mark.parametrize("groups", [["a"], ["a", "b"], ["a", "b", "c"]])
def test_repr_is_short(groups):
    rng = np.random.default_rng(0)
    table = {name: np.arange(400) % 88 for name in groups}
    table |= {"loss": rng.uniform(1, 2, 400), "flops": rng.uniform(1e6, 1e9, 400)}
    runs = Runs(table, y="loss", x="flops", groups=groups)
    assert len(repr(runs).splitlines()) <= 15
    assert "... and 8" in repr(runs)


def test_html_escapes_labels():
    runs = Runs(columns(arch=["<b>"] * 3 + ["mlp"] * 3), **ARGS)
    html = runs._repr_html_()
    assert "&lt;b&gt;" in html
    assert "(2.0 decades)" in html
    assert html.startswith("<table>")


def test_empty_and_counted_runs_can_be_shown(runs):
    assert "mlp   0 rows" in repr(runs.select([]))
    assert "y = right of asked" in repr(Runs(columns(), **COUNTS))
