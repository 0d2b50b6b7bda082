"""The page about a forecast: what is strange in a table stays text."""

from types import SimpleNamespace

import numpy as np

import bayescale as bs
from bayescale.cli.answering import answer_of
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


def test_the_forecast_at_the_target_is_that_of_all_inputs():
    N, D = map(np.ravel, np.meshgrid([1e8, 1e9, 1e10], [1e9, 1e10, 1e11]))
    runs = bs.Runs({"N": N, "D": D, "loss": 2.5 + 0 * N}, y="loss", x={"N": "N", "D": "D"})
    constants = {"E": 1.8, "A": 480.0, "alpha": 0.348, "B": 2085.0, "beta": 0.366}
    fit = bs.known_fit(bs.laws.Chinchilla(), runs, constants)
    target = {"N": 1e9, "D": 1e12}
    answer = answer_of(SimpleNamespace(fits={"chinchilla": fit}, forecast=fit.forecast), target, 0)
    (row,) = at_target(answer.forecasts["chinchilla"], target).to_dict("records")
    assert round(row["decades_beyond"], 6) == 1.0
    expected = float(bs.laws.Chinchilla()(1e9, 1e12, **constants))
    assert abs(row["median"] / expected - 1) < 0.1
