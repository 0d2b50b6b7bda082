"""Slips that are easily made: a class for an object, a name for a law, a table that is no Runs."""

from collections.abc import Mapping
from numbers import Integral
from typing import Any

from bayescale.laws.base import Law
from bayescale.noise import Noise, default_noise
from bayescale.runs import Runs


def check_law(law: Any) -> None:
    """Refuse what is no law; the message says what to write."""
    if isinstance(law, type) and issubclass(law, Law):
        raise ValueError(f"the law is a class: write {_place(law, 'laws.')}{law.__name__}()")
    if isinstance(law, str):
        raise ValueError(f"the law is a name: write bs.laws.get({law!r})")
    _check_kind("law", law, Law, "give one of bs.laws, e.g. bs.laws.PowerLaw()")


def check_table(runs: Any) -> None:
    """Refuse what is no table of runs, or has no rows."""
    _check_kind("table", runs, Runs, "write bs.Runs(table, y='loss', x={'C': 'flops'})")
    if not len(runs):
        raise ValueError("the table has no rows: is nothing left of a cut of it?")


def noise_of(law: Any, runs: Any, noise: Any) -> Noise:
    """Noise of a model: that which the law expects where nobody says.

    Raises
    ------
    ValueError
        If law, table or noise are not what they are taken for; the message says what to write.
    """
    check_law(law)
    check_table(runs)
    if noise is None:
        return default_noise(law, runs.is_counts)
    if isinstance(noise, type) and issubclass(noise, Noise):
        raise ValueError(f"the noise is a class: write noise={_place(noise)}{noise.__name__}()")
    _check_kind("noise", noise, Noise, "give one such as noise=bs.LogNormal()")
    return noise


def check_by_name(what: str, given: Any, example: str) -> None:
    """Refuse what says something of parameters, groups or inputs, but does not name them."""
    if given is not None and not isinstance(given, Mapping):
        raise ValueError(
            f"{what}= is a {type(given).__name__}: say it by name, e.g. {what}={example}"
        )


def labels_by_group(groups: Any) -> dict[str, Any]:
    """Labels that are asked for, none where nobody says."""
    check_by_name("groups", groups, "{'family': 'lstm'}")
    return dict(groups or {})


def check_part(what: str, given: Any, part: str, mend: str) -> None:
    """Refuse what lacks a part that all things of its kind have, whatever class they are of."""
    if not hasattr(given, part):
        raise ValueError(f"the {what} is a {type(given).__name__}: {mend}")


def check_counts(**given: Any) -> None:
    """Refuse what is no number of draws, chains and the like."""
    for name, value in given.items():
        if not isinstance(value, Integral) or value < 1:
            raise ValueError(f"{name} is {value!r}: give a whole number of at least 1")


def _place(kind: type, room: str = "") -> str:
    return f"bs.{room}" if kind.__module__.startswith("bayescale.") else ""


def _check_kind(what: str, given: Any, kind: type, mend: str) -> None:
    if not isinstance(given, kind):
        raise ValueError(f"the {what} is a {type(given).__name__}: {mend}")
