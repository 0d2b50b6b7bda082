"""A progress bar for terminals and notebooks, shown only where a user waits."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def progress(shown: bool, total: int, title: str) -> Iterator[Callable[..., Any] | None]:
    """Yield a callback for the sampler, or None when nothing is to be shown.

    Parameters
    ----------
    shown : bool
        Whether to show a bar at all.
    total : int
        Draws of all chains, tuning included.
    title : str
        What is being sampled.
    """
    if not shown:
        yield None
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TextColumn("{task.fields[divergences]} divergences"),
        TimeRemainingColumn(),
        transient=True,
    ) as bar:
        task = bar.add_task(title, total=total, divergences=0)

        def update(*args: Any, **kwargs: Any) -> None:
            chains = args[-1] if args else kwargs.get("chains", [])
            done = sum(getattr(c, "finished_draws", 0) for c in chains)
            bad = sum(getattr(c, "divergences", 0) for c in chains)
            bar.update(task, completed=done, divergences=bad)

        yield update


@contextmanager
def counting(shown: bool, total: int, title: str) -> Iterator[Callable[..., None]]:
    """Yield a function to call with ``failed=`` when one of many fits ends.

    Parameters
    ----------
    shown : bool
        Whether to show a bar at all.
    total : int
        Number of fits.
    title : str
        What they are of.
    """
    if not shown:
        yield lambda failed: None
        return
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[failed]} failed"),
        TimeRemainingColumn(),
        transient=True,
    ) as bar:
        task = bar.add_task(title, total=total, failed=0)
        lost = 0

        def advance(failed: bool) -> None:
            nonlocal lost
            lost += failed
            bar.update(task, advance=1, failed=lost)

        yield advance
