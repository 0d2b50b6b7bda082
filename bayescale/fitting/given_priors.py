"""Priors of the user as plain data: the name of a distribution and its numbers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np

from bayescale.model.signature import prior_text


@dataclass(frozen=True)
class LostPrior:
    """Stands for a prior that a file could not hold; all but its text is lost.

    Parameters
    ----------
    text : str
        What the prior was.
    """

    text: str

    def __str__(self) -> str:
        """Show what the prior was."""
        return self.text

    def to_pymc(self) -> NoReturn:
        """Refuse, where a model needs the distribution."""
        raise ValueError(
            f"the file of this fit could not hold the prior {self.text}: to sample its model or "
            "prior, fit the table again with priors=..."
        )


def prior_to_json(prior: Any) -> dict[str, Any] | str:
    """Write a distribution as its name in PyMC and numbers, or as text where they do not do.

    Parameters
    ----------
    prior : distribution
        Of PyMC, or of PreliZ.
    """
    from pymc.printing import str_for_dist
    from pytensor import function

    if isinstance(prior, LostPrior):
        return prior.text
    variable = prior.to_pymc() if hasattr(prior, "to_pymc") else prior
    node = variable.owner
    try:
        values = function([], list(node.op.dist_params(node)), mode="FAST_COMPILE")()
        numbers = [np.asarray(value).tolist() for value in values]
        said = {"distribution": _name_in_pymc(node.op), "numbers": numbers}
        if prior_text(_distribution(said)) == prior_text(_with_numbers(variable, numbers)):
            return said
    except Exception:  # whatever a distribution of the user's own raises
        pass
    return str(str_for_dist(variable, formatting="plain"))


def prior_from_json(said: Mapping[str, Any] | str) -> Any:
    """Make the distribution that :func:`prior_to_json` wrote."""
    return LostPrior(said) if isinstance(said, str) else _distribution(said)


def _name_in_pymc(op: Any) -> str:
    import pymc as pm

    named = (n for n in dir(pm) if getattr(getattr(pm, n), "rv_type", None) is type(op))
    return next(named, type(op).__name__)


def _distribution(said: Mapping[str, Any]) -> Any:
    import pymc as pm

    kind, numbers = getattr(pm, said["distribution"]), said["numbers"]
    if issubclass(kind, pm.Distribution):  # numbers as its random variable takes them
        return pm.Distribution.dist.__func__(kind, numbers)
    return kind.dist(*numbers)


def _with_numbers(variable: Any, numbers: list[Any]) -> Any:
    """Put numbers in the place of the parameters' graphs."""
    import pytensor.tensor as pt

    node = variable.owner
    places = [node.inputs.index(p) for p in node.op.dist_params(node)]
    inputs = list(node.inputs)
    for place, number in zip(places, numbers, strict=True):
        inputs[place] = pt.as_tensor_variable(number)
    return node.op.make_node(*inputs).outputs[node.outputs.index(variable)]
