"""The page about a forecast: what is strange in a table stays text."""

import numpy as np

import bayescale as bs
from bayescale.reporting.html import at_target, page


def test_names_from_a_table_are_text_and_never_markup():
    family = np.repeat(["<script>alert(1)</script>", "a & b"], 4)
    table = {"flops": np.tile([1e17, 1e18, 1e19, 1e20], 2), "arch": family}
    table["loss"] = 3.0 - 0.1 * np.arange(8)
    runs = bs.Runs(table, y="loss", x={"C": "flops"}, groups={"family": "arch"})
    constants = {"A": 100.0, "alpha": np.array([[0.07, 0.08], [0.075, 0.085], [0.08, 0.09]])}
    fit = bs.known_fit(bs.laws.PowerLaw(), runs, constants)
    grid = {"C": np.geomspace(1e17, 1e22, 11)}
    forecast = fit.forecast(grid, kind="mean")
    rows = at_target(forecast, {"C": 1e22})
    assert rows["family"].tolist() == ["<script>alert(1)</script>", "a & b"]
    assert rows["decades_beyond"].round(6).tolist() == [2.0, 2.0]

    import pandas as pd

    scores = pd.DataFrame(
        {"elpd": [1.0], "se": [0.1], "elpd_diff": [0.0], "se_diff": [0.0], "weight": [1.0],
         "high_k": [0], "refits": [0], "refits_failed": [0], "converged": [True]},
        index=["<b>fit</b>"],
    )  # fmt: skip
    comparison = bs.Comparison({"<b>fit</b>": fit}, "loo", scores, scores)
    text = page(comparison, forecast, target={"C": 1e22}, sentences=["a < b"], title="T & T")
    assert "<script" not in text
    assert "<b>" not in text
    assert "a &lt; b" in text
    assert "<title>T &amp; T</title>" in text
