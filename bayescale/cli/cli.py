"""The command line: a forecast from a table of runs, and the list of laws."""

import re
from pathlib import Path
from typing import Annotated

import typer

from bayescale.cli.answering import answer_of, compare_all
from bayescale.cli.messages import one_line_errors, warnings_as_notes
from bayescale.cli.words import bundled, chosen_laws, chosen_target, read
from bayescale.cli.writing import page_of, show, write

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


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
    y: Annotated[
        str | None,
        typer.Option(help="The column of the measured response; counts are for Python alone."),
    ] = None,
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
            "10 times the largest by default."
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

    from bayescale.laws.registry import available, get

    console = Console(highlight=False, markup=False)
    for name in available():
        law = get(name)
        first = (law.__doc__ or "").strip().partition("\n")[0]
        console.print(f"{name} ({', '.join(law.inputs)})")
        console.print(Padding(plain(first), (0, 0, 0, 4)))


def plain(text: str) -> str:
    """Write the formulas in a line of a docstring as one types them."""

    def typed(formula: re.Match[str]) -> str:
        short = re.sub(r"_\{(\w+)\}", r"_\1", formula[1].replace(r"\infty", "inf"))
        words = re.sub(r"(?<=[a-z])\\", " ", short).replace("\\", "")
        return words.replace("{", "(").replace("}", ")")

    return re.sub(r":math:`([^`]*)`", typed, text)
