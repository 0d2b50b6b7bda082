"""Who shares what: every parameter of a law is shared, partially pooled or independent.

A *cell* is a combination of labels that occurs in the table (one family on one data set).  The
*units* of a parameter are the combinations of only those groups over which it varies.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bayescale.laws.roles import Parameter
from bayescale.runs.words import did_you_mean


@dataclass(frozen=True, init=False)
class Pooling:
    """How one parameter varies over groups; use one of the three subclasses."""

    groups: tuple[str, ...]

    def __init__(self, *groups: str) -> None:
        if unnamed := [g for g in groups if not isinstance(g, str)]:
            kind = type(self).__name__
            raise ValueError(
                f"{kind}({unnamed[0]!r}): give names of groups, e.g. {kind}('family', 'dataset')"
            )
        object.__setattr__(self, "groups", groups)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self.groups))})"


class Shared(Pooling):
    """One value for the whole table.

    Examples
    --------
    >>> Shared()
    Shared()
    """

    def __init__(self) -> None:
        super().__init__()


class Partial(Pooling):
    """Values that share a prior over the labels of one or more crossed groups.

    With several groups every group has its effect and every observed combination a deviation of
    its own, so that a label that was seen with others informs a combination that was not.

    Parameters
    ----------
    *groups : str
        Names of groups of the table; none means :class:`Shared`.

    Examples
    --------
    >>> Partial("family", "dataset")
    Partial('family', 'dataset')
    """


class Independent(Pooling):
    """A value of its own for every combination of labels, with a wide prior.

    Parameters
    ----------
    *groups : str
        Names of groups of the table; none means :class:`Shared`.

    Examples
    --------
    >>> Independent("family")
    Independent('family')
    """


@dataclass(frozen=True)
class Units:
    """Combinations of labels over which one parameter varies.

    Attributes
    ----------
    groups : tuple of str
        The groups that make the combinations.
    codes : tuple of tuple of int
        Label codes of every unit, one per group.
    of_cell : tuple of int
        The unit of every cell of the table.
    """

    groups: tuple[str, ...]
    codes: tuple[tuple[int, ...], ...]
    of_cell: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.codes)

    def members(self, other: "Units") -> np.ndarray:
        """Units of `other` that meet every unit of this, padded by repetition, shape (units, k)."""
        met: list[list[int]] = [[] for _ in self.codes]
        for mine, theirs in zip(self.of_cell, other.of_cell, strict=True):
            if theirs not in met[mine]:
                met[mine].append(theirs)
        longest = max(map(len, met))
        return np.array([m + m[:1] * (longest - len(m)) for m in met])

    def averaging(self, other: "Units") -> np.ndarray | None:
        """Weights that average values at the units of `other` over this unit's cells.

        None where every unit of this lies within one unit of `other`: then a plain look-up with
        ``members(other)[:, 0]`` serves.
        """
        if self.members(other).shape[1] == 1:
            return None
        weights = np.zeros((len(self), len(other)))
        np.add.at(weights, (np.array(self.of_cell), np.array(other.of_cell)), 1.0)
        return weights / weights.sum(axis=1, keepdims=True)


def units_of(
    groups: Sequence[str], all_groups: Sequence[str], cells: Sequence[tuple[int, ...]]
) -> Units:
    """Units of a parameter that varies over `groups`, given the cells of a table."""
    columns = [list(all_groups).index(g) for g in groups]
    of_each = [tuple(cell[c] for c in columns) for cell in cells]
    codes = tuple(sorted(set(of_each)))
    position = {code: i for i, code in enumerate(codes)}
    return Units(tuple(groups), codes, tuple(position[code] for code in of_each))


_BY_ROLE: dict[str, type[Pooling]] = {
    "level": Independent,
    "intercept": Independent,
    "width": Shared,
    "scale": Shared,
}
_BY_NAME: dict[str | None, type[Pooling]] = {
    "shared": Shared,
    "partial": Partial,
    "independent": Independent,
}


def default_pooling(parameter: Parameter, groups: Sequence[str]) -> Pooling:
    """Pooling that a parameter, or else its role, asks for.

    Exponents share a prior over all groups, bends over the labels of the first group, floors
    belong to the data set where there is a group of that name, levels to every combination,
    widths and noise scales to the table.
    """
    if parameter.role == "floor" and "dataset" in groups:
        return Partial("dataset")
    if parameter.role in ("slope", "bend", "location") and parameter.pooling is None and groups:
        return Partial(groups[0])
    kind = _BY_NAME.get(parameter.pooling) or _BY_ROLE.get(parameter.role, Partial)
    return Shared() if kind is Shared or not groups else kind(*groups)


def resolve_pooling(
    parameters: Sequence[Parameter], groups: Sequence[str], chosen: Mapping[str, Pooling] | None
) -> dict[str, Pooling]:
    """Pooling of every parameter: the user's choice, else the default of its role.

    Raises
    ------
    ValueError
        If the choice names an unknown parameter or group, or is no pooling at all.
    """
    chosen = dict(chosen or {})
    names = [q.name for q in parameters]
    for name, pooling in chosen.items():
        if name not in names:
            raise ValueError(
                f"pooling names the parameter {name!r}, which the law does not have: "
                f"{did_you_mean(name, names)}"
            )
        if not isinstance(pooling, Pooling):
            raise ValueError(
                f"pooling of {name!r} must be Shared(), Partial(...) or Independent(...), "
                f"not {pooling!r}"
            )
        for group in pooling.groups:
            if group not in groups:
                raise ValueError(
                    f"pooling of {name!r} names the group {group!r}, which the table does not "
                    f"have: {did_you_mean(group, groups)}"
                )
    reserved = {g for q in parameters for g in q.groups}
    resolved = {
        q.name: chosen.get(q.name)
        or default_pooling(q, [g for g in groups if g not in reserved or g in q.groups])
        for q in parameters
    }
    return {k: v if v.groups else Shared() for k, v in resolved.items()}
