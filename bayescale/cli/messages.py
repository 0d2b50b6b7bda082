"""Errors and warnings as lines on stderr."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer


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
