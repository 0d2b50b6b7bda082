"""The command line: a forecast from a table of runs, and the list of laws."""

import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from bayescale.comparison import Comparison
    from bayescale.fitting import Fit
    from bayescale.laws.base import Law
    from bayescale.runs import Runs

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

#: What is compared when no law is named, by the number of inputs.
DEFAULT_LAWS = ("power_law_offset", "bnsl", "crossover_power_law")

#: Exact refits for every law: more are made for several rows at a time.
MAX_REFITS = 2

#: How far beyond the largest run a forecast goes when nobody says.
REACH = 100.0


def say_version(wanted: bool) -> None:
    """Print the version of the package and stop."""
    if wanted:
        from bayescale import __version__

        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool,
        typer.Option("--version", callback=say_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Bayesian neural scaling laws."""


@app.command()
def forecast(
    table: Annotated[
        Path | None, typer.Argument(help="A CSV or Parquet file; the bundled runs by default.")
    ] = None,
    y: Annotated[str | None, typer.Option(help="The column of the measured response.")] = None,
    x: Annotated[
        list[str] | None, typer.Option(help="An input, as SYMBOL=COLUMN or COLUMN; repeatable.")
    ] = None,
    group: Annotated[
        list[str] | None, typer.Option(help="A group, as NAME=COLUMN or COLUMN; repeatable.")
    ] = None,
    law: Annotated[
        list[str] | None, typer.Option(help="A law to compare, see `bayescale laws`; repeatable.")
    ] = None,
    to: Annotated[
        list[str] | None,
        typer.Option(
            help="The scale to forecast, as a number or SYMBOL=NUMBER for each of several inputs; "
            "100 times the largest by default."
        ),
    ] = None,
    out: Annotated[Path, typer.Option(help="The folder for tables, figures and fits.")] = Path(
        "forecast"
    ),
    draws: Annotated[int, typer.Option(min=1, help="Posterior draws a chain.")] = 1500,
    seed: Annotated[int, typer.Option(min=0, help="Reproduces every number.")] = 0,
    y_se: Annotated[str | None, typer.Option(help="The column of standard errors of y.")] = None,
    sequence: Annotated[
        str | None,
        typer.Option(help="The column of run ids, where rows are checkpoints of runs."),
    ] = None,
    better: Annotated[
        str | None,
        typer.Option(help="lower or higher: which y is better, where it is not a loss."),
    ] = None,
    html: Annotated[
        bool, typer.Option("--html", help="Also write report.html, one page that opens offline.")
    ] = False,
) -> None:
    """Fit several laws to a table of runs, compare them, and forecast a larger run."""
    from rich.console import Console

    console = Console(highlight=False)
    with one_line_errors(), warnings_as_notes():
        columns = {"--y": y, "--x": x, "--group": group, "--y-se": y_se, "--sequence": sequence}
        columns["--better"] = better
        if table is None:
            runs = bundled(console, columns)
        else:
            runs = read(table, y, x or [], group or [], y_se=y_se, sequence=sequence, better=better)
        laws = chosen_laws(law or [], runs)
        target = chosen_target(to or [], runs)
        if out.is_file():
            raise ValueError(f"--out {out} is a file: name a folder")
        out.mkdir(parents=True, exist_ok=True)
        console.print(runs, markup=False, soft_wrap=True)
        comparison = compare_all(
            console, laws, runs, draws=draws, seed=seed, correlated=bool(sequence)
        )
        answer = answer_of(comparison, target, seed)
        write(answer, out)
        if html:
            (out / "report.html").write_text(page_of(answer, out), encoding="utf-8")
        show(console, answer)
        console.print(f"Tables, figures and fits are in {out}/", markup=False, soft_wrap=True)


@app.command()
def laws() -> None:
    """List the laws that can be fitted: names, inputs and what they say."""
    from rich.console import Console
    from rich.padding import Padding

    from bayescale.laws.base import _REGISTRY, available

    console = Console(highlight=False, markup=False)
    for name in available():
        cls = _REGISTRY[name]
        inputs = ", ".join(cls.inputs) if isinstance(cls.inputs, tuple) else "any inputs"
        first = (cls.__doc__ or "").strip().partition("\n")[0]
        console.print(f"{name} ({inputs})")
        console.print(Padding(plain(first), (0, 0, 0, 4)))


def plain(text: str) -> str:
    """Write the formulas in a line of a docstring as one types them."""

    def typed(formula: re.Match[str]) -> str:
        short = re.sub(r"_\{(\w+)\}", r"_\1", formula[1].replace(r"\infty", "inf"))
        words = re.sub(r"(?<=[a-z])\\", " ", short).replace("\\", "")
        return words.replace("{", "(").replace("}", ")")

    return re.sub(r":math:`([^`]*)`", typed, text)


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Say what is wrong with the input in one line on stderr, and exit with code 2."""
    try:
        yield
    except (ValueError, OSError) as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        typer.echo(f"error: {'; '.join(lines)}", err=True)
        raise typer.Exit(2) from error


@contextmanager
def warnings_as_notes() -> Iterator[None]:
    """Show the package's own warnings as lines on stderr, each once."""
    from bayescale.runs import RunsWarning
    from bayescale.sampling import ConvergenceWarning

    said = set()

    def note(message: Warning | str, category: type[Warning], *args: Any) -> None:
        word = "WARNING" if issubclass(category, ConvergenceWarning) else "note"
        line = f"{word}: {' '.join(str(message).split())}"
        if line not in said and issubclass(category, ConvergenceWarning | RunsWarning):
            said.add(line)
            typer.echo(line, err=True)

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = note  # type: ignore[assignment]
        yield


# From the words of the command line to a table, laws and a target ---------------------------------


def pairs(words: Sequence[str]) -> dict[str, str]:
    """Read ``NAME=COLUMN`` or ``COLUMN`` as a mapping from name to column."""
    found: dict[str, str] = {}
    for word in words:
        name, equals, column = word.partition("=")
        name, column = name.strip(), (column if equals else name).strip()
        if not name or not column:
            raise ValueError(f"{word!r} is not NAME=COLUMN")
        if name in found:
            raise ValueError(f"{name!r} is given twice")
        found[name] = column
    return found


def read(
    table: Path,
    y: str | None,
    x: Sequence[str],
    group: Sequence[str],
    **options: str | None,
) -> "Runs":
    """Read the user's table."""
    from bayescale.runs import Runs

    if y is None or not x:
        raise ValueError("a table needs --y COLUMN and --x COLUMN (or --x SYMBOL=COLUMN)")
    inputs = pairs(x)
    one = len(inputs) == 1 and "=" not in x[0]
    return Runs(
        table,
        y=y,
        x=x[0].strip() if one else inputs,
        groups=pairs(group) or None,
        **options,
    )


def bundled(console: "Console", columns: Mapping[str, Any]) -> "Runs":
    """Choose the runs of the bundled table that a law of compute describes, and say which."""
    from bayescale import datasets
    from bayescale.runs import Runs

    if given := [name for name, value in columns.items() if value]:
        raise ValueError(f"{', '.join(given)} describes a table: name one, e.g. runs.csv")
    table = datasets.tinylm().query("role == 'fit'")
    near = datasets.near_frontier(table)
    console.print(
        f"tinylm: {len(near)} of {len(table)} runs, those within 1 % of the best loss that their "
        "compute buys in their architecture and corpus (a law of compute alone describes no "
        "others). Seeds are kept; runs set apart as targets are not used.",
        soft_wrap=True,
    )
    return Runs(near, y="loss", x={"C": "flops"}, groups={"family": "arch", "dataset": "corpus"})


def chosen_laws(names: Sequence[str], runs: "Runs") -> "dict[str, Law]":
    """Laws by name; three forms of one input or the additive law of N and D by default."""
    from bayescale.laws import get

    if names:
        laws = {name: get(name) for name in names}
    elif len(runs.x) == 1:
        laws = {name: get(name) for name in DEFAULT_LAWS}
    elif {"N", "D"} <= set(runs.x):
        laws = {"chinchilla": get("chinchilla")}
    else:
        raise ValueError(f"name a law of {', '.join(runs.x)} with --law; see `bayescale laws`")
    for law in laws.values():
        law.columns(tuple(runs.x))
    return laws


def chosen_target(words: Sequence[str], runs: "Runs") -> dict[str, float]:
    """Largest value of every input in the forecast."""
    target = {s: REACH * float(values.max()) for s, values in runs.x.items()}
    given = set()
    for word in words:
        symbol, equals, number = word.rpartition("=")
        if not equals and len(target) > 1:
            raise ValueError(f"--to {word}: say for which input, e.g. {next(iter(target))}={word}")
        symbol = symbol.strip() or next(iter(target))
        if symbol not in target:
            raise ValueError(f"--to {word}: there is no input {symbol!r}, only {', '.join(target)}")
        if symbol in given:
            raise ValueError(f"--to {word}: the scale of {symbol} is given twice")
        given.add(symbol)
        try:
            target[symbol] = float(number)
        except ValueError:
            raise ValueError(f"--to {word}: {number!r} is not a number") from None
        if not 0 < target[symbol] < float("inf"):
            raise ValueError(f"--to {word}: a scale must be positive and finite")
    return target


# From a table to an answer ------------------------------------------------------------------------


@dataclass(frozen=True)
class Answer:
    """What one call of the command finds out."""

    comparison: "Comparison"
    forecasts: Mapping[str, Any]
    target: Mapping[str, float]
    crossings: tuple[str, ...]

    @property
    def runs(self) -> "Runs":
        """The table."""
        return next(iter(self.comparison.fits.values())).runs


def compare_all(
    console: "Console",
    laws: "Mapping[str, Law]",
    runs: "Runs",
    *,
    draws: int,
    seed: int,
    correlated: bool,
) -> "Comparison":
    """Fit every law and compare; floors vary over all groups, bends are common to the table.

    A family may have a limit of its own, but the few runs of one cannot place a bend of its own.
    """
    from bayescale.comparison.examining import examine_all
    from bayescale.noise import Checkpoints, LogStudentT
    from bayescale.pooling import Partial, Shared

    def options(law: "Law") -> dict[str, Any]:
        return {
            "pooling": {
                **{q.name: Partial(*runs.groups) for q in law.with_role("floor")},
                **{q.name: Shared() for q in law.with_role("bend", "location")},
            },
            "noise": LogStudentT() + Checkpoints() if correlated else None,
            "draws": draws,
            "random_seed": seed,
            "progressbar": False,
        }

    console.print(f"fitting {', '.join(laws)}, and leaving out one run at a time")
    with console.status("compiling and sampling, about half a minute a law"):
        return examine_all(
            laws,
            runs,
            {name: options(law) for name, law in laws.items()},
            random_seed=seed,
            max_refits=MAX_REFITS,
        )


def answer_of(comparison: "Comparison", target: Mapping[str, float], seed: int) -> Answer:
    """Forecast with every fit and with their mixture."""
    import numpy as np

    fits = comparison.fits
    runs = next(iter(fits.values())).runs
    grid = {
        s: np.append(np.geomspace(min(v.min(), target[s]), max(v.max(), target[s]), 81), target[s])
        for s, v in runs.x.items()
    }
    sources: dict[str, Any] = {"stacked": comparison, **fits}
    forecasts = {name: each.forecast(grid, random_seed=seed) for name, each in sources.items()}
    return Answer(comparison, forecasts, target, tuple(crossings(comparison)))


def crossings(comparison: "Comparison") -> Iterator[str]:
    """Sentences on where families change places, within every label of the other groups."""
    import itertools

    from bayescale.quantities import crossover_scale
    from bayescale.quantities.sources import direction

    fits = comparison.fits.values()
    runs = next(iter(fits)).runs
    if len(runs.x) > 1 or not runs.groups:
        return
    if all(direction(fit) is None for fit in fits):
        yield "Say with --better which responses are better, to be told which family is."
        return
    first, *others = runs.groups
    if not 2 <= len(runs.labels(first)) <= 4:
        return
    pairs = [
        (rest, a, b)
        for rest in itertools.product(*(runs.labels(g) for g in others))
        for a, b in itertools.combinations(runs.labels(first), 2)
    ]

    def sentence(rest: tuple[Any, ...], a: Any, b: Any) -> str:
        fixed = dict(zip(others, rest, strict=True))
        found = crossover_scale(comparison, {first: a}, {first: b}, groups=fixed or None)
        return f"{', '.join(map(str, rest))}: {found.sentence}" if rest else found.sentence

    with ThreadPoolExecutor(2) as pool:
        yield from pool.map(sentence, *zip(*pairs, strict=True))


# From an answer to files and the screen -----------------------------------------------------------


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
        "Measured runs, and the stacked forecast of a new run with its bands; what lies beyond "
        "the dotted line is extrapolation.": "forecast.png",
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
