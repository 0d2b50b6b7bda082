"""From an answer to files and the screen."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bayescale.cli.answering import Answer

if TYPE_CHECKING:
    from rich.console import Console

    from bayescale.fitting import Fit


def write(answer: Answer, out: Path) -> None:
    """Write tables, figures and fits."""
    import pandas as pd

    comparison = answer.comparison
    comparison.table.to_csv(out / "comparison.csv")
    pd.concat(
        {name: each.table for name, each in answer.forecasts.items()}, names=["law"]
    ).reset_index("law").to_csv(out / "forecast.csv", index=False)
    pd.concat(
        {name: fit.summary() for name, fit in comparison.fits.items()}, names=["law", "parameter"]
    ).to_csv(out / "parameters.csv")
    with ThreadPoolExecutor(1) as pool:
        saved = [pool.submit(f.save, out / f"{name}.nc") for name, f in comparison.fits.items()]
        draw(answer, out)
    for each in saved:
        each.result()


def draw(answer: Answer, out: Path) -> None:
    """Draw the figures of an answer."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    from bayescale import plots

    runs, best = answer.runs, answer.comparison.fits[answer.comparison.best]
    side_by_side = [g for g in list(runs.groups)[1:] if 2 <= len(runs.labels(g)) <= 4]
    panels = side_by_side[0] if side_by_side else None
    with plots.publication(columns=2 if panels else 1):
        plots.plot_forecast(answer.forecasts["stacked"], panels=panels)
        for suffix in ("png", "pdf"):
            plt.savefig(out / f"forecast.{suffix}")
    with plots.publication():
        for file, name in exponent_figures(best).items():
            plots.plot_exponents(best, name)
            plt.savefig(out / file)
        plots.plot_comparison(answer.comparison)
        plt.savefig(out / "comparison.png")
    plt.close("all")


def exponent_figures(fit: "Fit") -> dict[str, str | None]:
    """Files of the figures of exponents, and which parameter each shows."""
    names = [q.name for q in fit.law.with_role("exponent")]
    if len(names) < 2:
        return {"exponents.png": None}
    return {f"exponents_{name}.png": name for name in names}


def page_of(answer: Answer, out: Path) -> str:
    """Put the answer and the figures that were drawn on one page."""
    from bayescale.reporting.html import page

    best = answer.comparison.best
    captions = {
        "Measured runs, and the stacked forecast of a new run with its bands; lines "
        "that are not solid are extrapolation.": "forecast.png",
        **{
            f"{name or 'Exponents'} of {best}.": file
            for file, name in exponent_figures(answer.comparison.fits[best]).items()
        },
        "Score of every form, difference to the best one, and stacking weight.": "comparison.png",
    }
    return page(
        answer.comparison,
        answer.forecasts["stacked"],
        target=answer.target,
        sentences=answer.crossings,
        figures={caption: out / name for caption, name in captions.items()},
    )


def show(console: "Console", answer: Answer) -> None:
    """Print the comparison, the verdict and the forecast at the target."""
    from rich.table import Table

    from bayescale.sampling.gate import complaints

    comparison, fits = answer.comparison, answer.comparison.fits
    scores = Table("law", "elpd less than best", "weight", "refits", "converged", box=None)
    for name, row in comparison.table.iterrows():
        score = f"{abs(row['elpd_diff']):.1f} ± {row['se_diff']:.1f}"
        converged = "yes" if row["converged"] else "[bold red]NO[/]"
        scores.add_row(
            str(name), score, f"{100 * row['weight']:.0f} %", f"{row['refits']:.0f}", converged
        )
    console.print(scores)
    console.print(comparison.verdict, markup=False, soft_wrap=True)
    for name, fit in fits.items():
        if not fit.diagnostics["converged"]:
            why = "; ".join(complaints(fit.diagnostics))
            console.print(f"[bold red]NOT CONVERGED: {name}[/] ({why}). Do not trust its numbers.")
    console.print(at_target(answer))
    for sentence in answer.crossings:
        console.print(sentence, markup=False, soft_wrap=True)


def at_target(answer: Answer) -> Any:
    """Forecast at the target by labels, as a table for the screen."""
    from rich.table import Table

    from bayescale.reporting.html import at_target as rows_at_target

    rows = rows_at_target(answer.forecasts["stacked"], answer.target)
    groups = [g for g in answer.runs.groups if g in rows]
    where = ", ".join(f"{s} = {value:.3g}" for s, value in answer.target.items())
    shown = Table(*groups, "median", "50 %", "95 %", box=None, title=f"a new run at {where}")
    for row in rows.to_dict("records"):
        bands = [f"{row[f'lower_{p}']:.4g} to {row[f'upper_{p}']:.4g}" for p in ("0.5", "0.95")]
        shown.add_row(*(str(row[g]) for g in groups), f"{row['median']:.4g}", *bands)
    return shown
