"""One self-contained page about a comparison and its forecast: opens offline, asks for nothing."""

import base64
import re
from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

from bayescale.reporting.tables import to_paper

if TYPE_CHECKING:
    import pandas as pd

    from bayescale.comparison import Comparison
    from bayescale.fitting import Fit
    from bayescale.forecast import Forecast

#: Figures for print are set in small type; on a screen they are read from further away.
ENLARGED = 1.6

#: Columns of a comparison that its verdict puts in words.
SPARED = ("p_loo", "refits_failed", "diag_diff", "diag_elpd")

PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>$title</title>
<style>
:root { color-scheme: light; --line: #d8dce2; --quiet: #5a6472; --bad: #a4161a; }
body { font: 16px/1.5 system-ui, sans-serif; color: #17202b; background: #fff;
  max-width: 52rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2.2rem; }
p.verdict { font-size: 1.1rem; border-left: 4px solid #0072b2; padding: .3rem 0 .3rem .9rem; }
p.bad { border-left: 4px solid var(--bad); color: var(--bad); padding: .3rem 0 .3rem .9rem; }
figure { margin: 1rem 0; } figure img { max-width: 100%; }
figcaption, footer { color: var(--quiet); font-size: .9rem; }
div.table { overflow-x: auto; }
table { border-collapse: collapse; font-size: .92rem; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .8rem .25rem 0; text-align: left; vertical-align: top; }
th { border-bottom: 1px solid var(--line); font-weight: 600; }
details { margin: .6rem 0; } summary { cursor: pointer; }
</style>
</head>
<body>
<h1>$title</h1>
$body
<footer>Written by bayescale $version. Intervals are equal-tailed posterior intervals.</footer>
</body>
</html>
""")


def page(
    comparison: "Comparison",
    forecast: "Forecast",
    *,
    target: Mapping[str, float],
    sentences: Iterable[str] = (),
    figures: Mapping[str, Path] | None = None,
    title: str = "Forecast of larger runs",
) -> str:
    """Write the page.

    Parameters
    ----------
    comparison : Comparison
        The fits that were compared.
    forecast : Forecast
        Their forecast, of which the points nearest to `target` are tabulated.
    target : mapping of str to float
        The scale that is asked about, by symbol.
    sentences : iterable of str
        Further answers, such as where families change places.
    figures : mapping of str to Path, optional
        PNG files by caption; they become part of the page.
    title : str
        Heading of the page.

    Returns
    -------
    str
        HTML without any reference to another file or address.
    """
    from bayescale import __version__

    fits = comparison.fits
    where = ", ".join(f"{s} = {value:.3g}" for s, value in target.items())
    said = [f"<p>{escape(sentence)}</p>" for sentence in sentences]
    parts = [
        f'<p class="verdict">{escape(comparison.verdict)}</p>',
        *_complaints(fits),
        f"<h2>A new run at {escape(where)}</h2>",
        _table(at_target(forecast, target)),
        *_figures(figures or {}),
        *(["<h2>Who overtakes whom</h2>", *said] if said else []),
        "<h2>Comparison of forms</h2>",
        _table(comparison.table.drop(columns=[c for c in SPARED if c in comparison.table])),
        "<h2>Convergence</h2>",
        _table(diagnostics(fits)),
        "<h2>Data</h2>",
        f'<div class="table">{forecast.runs._repr_html_()}</div>',
        "<h2>Parameters</h2>",
        *(_fold(name, _table(fit.summary())) for name, fit in fits.items()),
        "<h2>How to report these fits</h2>",
        *(_fold(name, _checklist(fit, comparison)) for name, fit in fits.items()),
    ]
    return PAGE.substitute(title=escape(title), body="\n".join(parts), version=__version__)


def at_target(forecast: "Forecast", target: Mapping[str, float]) -> "pd.DataFrame":
    """Pick the forecast nearest to a scale, one row a combination of labels.

    Parameters
    ----------
    forecast : Forecast
        Points that reach the target.
    target : mapping of str to float
        The scale, by symbol.
    """
    import numpy as np
    import pandas as pd

    table = forecast.table
    groups = [g for g in forecast.runs.groups if g in table]
    away = sum(np.abs(np.log(table[symbol] / value)) for symbol, value in target.items())
    parts = [part for _, part in table.groupby(groups, sort=False)] if groups else [table]
    rows = [part.loc[[away[part.index].idxmin()]] for part in parts]
    bands = [f"{end}_{p:g}" for p in forecast.ci_prob for end in ("lower", "upper")]
    kept = [*groups, "decades_beyond", "median", *bands]
    return pd.concat(rows, ignore_index=True)[kept]


def diagnostics(fits: Mapping[str, "Fit"]) -> "pd.DataFrame":
    """Collect the convergence of every fit in one table."""
    import pandas as pd

    kept = ("max_rhat", "min_ess_bulk", "min_ess_tail", "divergences", "ebfmi", "converged")
    rows = {name: {k: fit.diagnostics.get(k) for k in kept} for name, fit in fits.items()}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("fit")


def _complaints(fits: Mapping[str, "Fit"]) -> list[str]:
    from bayescale.sampling.gate import complaints

    failed = {n: fit.diagnostics for n, fit in fits.items() if not fit.diagnostics["converged"]}
    return [
        f'<p class="bad"><strong>{escape(name)} did not converge</strong> '
        f"({escape('; '.join(complaints(found)))}). Do not trust its numbers.</p>"
        for name, found in failed.items()
    ]


def _figures(figures: Mapping[str, Path]) -> list[str]:
    from PIL import Image

    shown = []
    for caption, path in figures.items():
        data = base64.b64encode(Path(path).read_bytes()).decode()
        with Image.open(path) as image:
            inches = image.width / image.info.get("dpi", (96, 96))[0]
        shown.append(
            f'<figure><img src="data:image/png;base64,{data}" alt="{escape(caption)}"'
            f' style="width: {ENLARGED * inches:.2f}in">'
            f"<figcaption>{escape(caption)}</figcaption></figure>"
        )
    return shown


def _table(table: "pd.DataFrame") -> str:
    return f'<div class="table">{to_paper(table, "html")}</div>'


def _fold(name: str, inner: str) -> str:
    return f"<details><summary>{escape(name)}</summary>{inner}</details>"


def _checklist(fit: "Fit", comparison: "Comparison") -> str:
    from bayescale.reporting.reporting import report

    parts = []
    for heading, lines in report(fit, comparison).items:
        inner = "".join(f"<li>{_code(line)}</li>" for line in lines)
        parts.append(f"<h3>{escape(heading)}</h3><ul>{inner}</ul>")
    return "".join(parts)


def _code(line: Any) -> str:
    """Set what stands between backticks or dollar signs as code."""
    return re.sub(r"`([^`]*)`|\$([^$]*)\$", r"<code>\1\2</code>", escape(line))
