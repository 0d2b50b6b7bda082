"""Mistakes in what a law says about itself, found when its class is made."""

from collections.abc import Iterator
from functools import cached_property
from typing import Any

RESPONSES = ("positive", "unit", "real")
BETTER = (None, "lower", "higher")


def refuse_mistakes(law: Any) -> None:
    """Refuse a law whose inputs, parameters or claims cannot be meant.

    Parameters
    ----------
    law : Law or subclass of it
        Of a class, what depends on options is left for its instances.

    Raises
    ------
    ValueError
        Naming the law, what is wrong, and how to mend it.
    """
    name = law.__name__ if isinstance(law, type) else law.title
    for said in _mistakes(law):
        raise ValueError(f"{name}: {said}")


def _mistakes(law: Any) -> Iterator[str]:
    from bayescale.laws.base import Law
    from bayescale.laws.roles import Parameter

    if isinstance(law.inputs, str):
        yield f"inputs is a string: write inputs = ({law.inputs!r},) with a comma"
    if isinstance(law.parameters, Parameter):
        yield "parameters is a single one: put a comma behind it, parameters = (level('A'),)"
    cls: Any = law if isinstance(law, type) else type(law)
    if cls.log_mean is Law.log_mean and cls.mean is Law.mean and (law is not cls or cls.name):
        yield "there is no formula: write the method log_mean(self, xp, p, *inputs), or mean"
    if _known(law.response) and law.response not in RESPONSES:
        yield f"response must be one of {RESPONSES}, not {law.response!r}"
    if _known(law.better) and law.better not in BETTER:
        yield f"better must be one of {BETTER}, not {law.better!r}"
    if _known(law.inputs, law.monotone):
        for symbol in law.monotone:
            if symbol not in law.inputs:
                yield f"monotone names {symbol!r}, and the inputs are {_listed(law.inputs)}"
    if _known(law.inputs, law.conditions):
        for symbol in law.conditions:
            if symbol not in law.inputs:
                yield f"conditions names {symbol!r}, and the inputs are {_listed(law.inputs)}"
    if not _known(law.parameters):
        return
    for q in law.parameters:
        if not isinstance(q, Parameter):
            yield f"the parameter {q!r} has no role: write level({q!r}), exponent({q!r}) or so"
    names = [q.name for q in law.parameters]
    for i, name in enumerate(names):
        if name in names[:i]:
            yield f"two parameters are called {name!r}: rename one"
    levels = [q.name for q in law.parameters if q.role in ("level", "intercept")]
    for q in law.parameters:
        if q.role == "location":
            if _known(law.inputs) and q.of not in law.inputs:
                yield f"{q.name!r} is of the input {q.of!r}; the inputs are {_listed(law.inputs)}"
        elif q.of is not None and q.of not in levels:
            yield f"{q.name!r} is of the level {q.of!r}; the levels are {_listed(levels)}"
        if q.after is not None and q.after not in names[: names.index(q.name)]:
            yield f"{q.name!r} comes after {q.after!r}, which is no parameter before it"


def _known(*values: Any) -> bool:
    """Whether these are values, not properties of instances."""
    return not any(isinstance(v, property | cached_property) for v in values)


def _listed(names: Any) -> str:
    return ", ".join(names) or "none"
