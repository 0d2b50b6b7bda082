"""From a table to an answer: fits, their comparison, forecasts, and who overtakes whom."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

    from bayescale.comparison import Comparison
    from bayescale.laws.base import Law
    from bayescale.runs import Runs


#: Exact refits for every law: more are made for several rows at a time.
MAX_REFITS = 2


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

    runs = next(iter(comparison.fits.values())).runs
    if len(runs.x) > 1 or not runs.groups:
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
