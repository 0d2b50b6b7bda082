"""What a law says about itself beside its formula: a worked case, and laws that it turns into."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Table = Callable[[Any, int], Mapping[str, Any]]


def _same(constants: Mapping[str, float]) -> dict[str, float]:
    return dict(constants)


def _as_they_are(*inputs: Any) -> tuple[Any, ...]:
    return inputs


@dataclass(frozen=True)
class Example:
    """A worked case of a law, for its catalogue entry and its tests.

    Attributes
    ----------
    parameters : mapping of str to float
        All constants.
    inputs : mapping of str to tuple of float
        Where they were measured: two numbers are a range, more are the values that occur.
    table : callable, optional
        ``table(rng, rows)`` makes the columns of a table where independent inputs would not do,
        such as a learning-rate schedule; the column ``sequence`` holds the runs.
    noise : float
        Typical scatter: of log y, or in units of y where the response may be negative.
    """

    parameters: Mapping[str, float]
    inputs: Mapping[str, tuple[float, ...]]
    table: Table | None = None
    noise: float = 0.01


@dataclass(frozen=True)
class Limit:
    """A statement that a law becomes another one when some parameters go to a limit.

    Attributes
    ----------
    law : str
        Identifier of the other law.
    at : mapping of str to float
        Values of the parameters that go to the limit.
    parameters : callable
        Constants of this law -> constants of the other.
    inputs : callable
        Inputs of this law -> inputs of the other.
    tolerance : float
        Largest relative difference of the two responses.
    """

    law: str
    at: Mapping[str, float]
    parameters: Callable[[Mapping[str, float]], dict[str, float]] = _same
    inputs: Callable[..., tuple[Any, ...]] = _as_they_are
    tolerance: float = 1e-9
