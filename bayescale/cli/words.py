"""From the words of the command line to a table, laws and a target."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from rich.console import Console

    from bayescale.laws.base import Law
    from bayescale.runs import Runs


#: What is compared when no law is named and the table has one input.
DEFAULT_LAWS = ("power_law_offset", "bnsl", "crossover_power_law")


#: How far beyond the largest run a forecast goes when nobody says.
REACH = 10.0

#: How far outside the data a target may lie unremarked: most slips of units are larger.
FAR = 1e5


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
    inputs, groups = pairs(x), pairs(group)
    if "law" in {**inputs, **groups}:
        raise ValueError(
            "the tables that are written have a column 'law': name --x or --group else"
        )
    one = len(inputs) == 1 and "=" not in x[0]
    return Runs(
        table,
        y=y,
        x=x[0].strip() if one else inputs,
        groups=groups or None,
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
    for name, law in laws.items():
        if len(law.inputs) > 1 and (missing := [s for s in law.inputs if s not in runs.x]):
            raise ValueError(
                f"--law {name} needs the inputs {', '.join(law.inputs)}; the table lacks "
                f"{', '.join(missing)}: name the column, e.g. --x {missing[0]}=COLUMN"
            )
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
        point_out_far(word, symbol, target[symbol], runs.x[symbol])
    return target


def point_out_far(word: str, symbol: str, target: float, values: "np.ndarray") -> None:
    """Warn where the data lie so far from a target that it may be in another unit."""
    from bayescale.runs.problems import warn_owner

    low, high = float(values.min()), float(values.max())
    if low / FAR <= target <= FAR * high:
        return
    where, edge = ("below", low) if target < low else ("beyond", high)
    decades = abs(math.log10(target) - math.log10(edge))
    warn_owner(
        f"--to {word}: {decades:.0f} decades {where} the data, where {symbol} runs from {low:.3g} "
        f"to {high:.3g}; is it in another unit?"
    )
