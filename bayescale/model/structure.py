"""What a model looks like, apart from its numbers: the key under which it is compiled once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from bayescale.laws.base import Law
from bayescale.laws.roles import Parameter
from bayescale.laws.validation import refuse_mistakes
from bayescale.model.levels import refuse_bent_levels
from bayescale.model.slips import check_by_name, noise_of
from bayescale.noise import Noise
from bayescale.pooling import Partial, Pooling, Units, resolve_pooling, units_of
from bayescale.runs import Runs
from bayescale.runs.groups import SEQUENCE, group_codes, group_labels
from bayescale.runs.responses import check_positive_response, check_proportions
from bayescale.runs.words import did_you_mean


@dataclass(frozen=True)
class Structure:
    """A law, a noise model, a pooling and the combinations of labels that occur.

    Two tables of one structure share a compiled model; only arrays differ.

    Attributes
    ----------
    law, noise
        What was asked for.
    pooling : tuple of (str, Pooling)
        Pooling of every parameter of the law and of the noise.
    groups : tuple of str
        Groups of the table.
    sizes : tuple of int
        Number of labels of every group.
    cells : tuple of tuple of int
        Combinations of label codes that occur.
    columns : tuple of (str, str)
        Input of the law -> symbol in the table.
    extras : tuple of str
        Optional columns in use, of ``se`` and ``weight``.
    priors : tuple of (str, object)
        The user's priors of population medians.
    """

    law: Law
    noise: Noise
    pooling: tuple[tuple[str, Pooling], ...]
    groups: tuple[str, ...]
    sizes: tuple[int, ...]
    cells: tuple[tuple[int, ...], ...]
    columns: tuple[tuple[str, str], ...]
    extras: tuple[str, ...] = ()
    priors: tuple[tuple[str, Any], ...] = ()

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        """Parameters of law and noise; one that both name is the law's."""
        names = {q.name for q in self.law.parameters}
        return (
            *self.law.parameters,
            *(q for q in self.noise.parameters if q.name not in names),
        )

    @cached_property
    def units(self) -> dict[str, Units]:
        """Units of every parameter."""
        made: dict[tuple[str, ...], Units] = {}
        for _, pooling in self.pooling:
            if pooling.groups not in made:
                made[pooling.groups] = units_of(pooling.groups, self.groups, self.cells)
        return {name: made[pooling.groups] for name, pooling in self.pooling}

    @cached_property
    def pooling_of(self) -> dict[str, Pooling]:
        """Pooling by parameter name."""
        return dict(self.pooling)

    @cached_property
    def prior_of(self) -> dict[str, Any]:
        """The user's priors by parameter name."""
        return dict(self.priors)

    @cached_property
    def law_groups(self) -> tuple[str, ...]:
        """Groups that are not the noise's alone: their labels make a curve."""
        return tuple(g for g in self.groups if g not in self.noise.claimed_groups)

    @cached_property
    def stages(self) -> tuple[tuple[Parameter, ...], ...]:
        """Parameters in the order in which their coordinates lean on earlier ones."""
        rank = [_stage(self, q) for q in self.parameters]
        return tuple(
            tuple(q for q, r in zip(self.parameters, rank, strict=True) if r == stage)
            for stage in range(4)
        )

    def main_effects(self, name: str) -> tuple[str, ...]:
        """Name the groups whose labels have an effect of their own on a pooled parameter."""
        units = self.units[name]
        if not isinstance(self.pooling_of[name], Partial) or len(units.groups) < 2:
            return ()
        used = np.array(units.codes)
        return tuple(g for i, g in enumerate(units.groups) if 1 < len(set(used[:, i])) < len(units))

    @property
    def anchored(self) -> str | None:
        """Name of the parameter that carries the level at the anchor, if the law has one."""
        anchors = self.law.with_role("level", "intercept")
        return anchors[0].name if anchors and anchors[0].name not in self.prior_of else None

    def cell_of(self, codes: np.ndarray) -> np.ndarray:
        """Position of rows of label codes, shape (rows, groups), among the cells; -1 if absent."""
        if not self.groups:
            return np.zeros(len(codes), int)
        sizes = np.array(self.sizes)
        weights = np.concatenate([np.cumprod(sizes[::-1])[::-1][1:], [1]])
        keys = np.array(self.cells) @ weights
        order = np.argsort(keys)
        wanted = codes @ weights
        found = np.minimum(np.searchsorted(keys[order], wanted), len(keys) - 1)
        position = order[found]
        return np.where((keys[position] == wanted) & np.all(codes >= 0, axis=1), position, -1)


def _stage(structure: Structure, q: Parameter) -> int:
    """Position among stages: what leans comes late, and most what others are linear in."""
    if leans_on_knots(structure, q):
        return 1 if not is_linear(q) else 2 if q.role == "exponent" else 3
    if leans_on_level(structure, q):
        return 2
    return 1 if leans_on_length(structure, q) else 0


def leans_on_level(structure: Structure, q: Parameter) -> bool:
    """Whether an exponent is sampled as the slope that it gives the whole response.

    Data determine the slope at the anchor, which is the exponent times the share of its term in
    the response; the exponent itself only together with the floor.
    """
    return (
        q.role == "exponent"
        and not leans_on_knots(structure, q)
        and q.of is not None
        and structure.anchored is not None
        and q.name not in structure.prior_of
        and structure.units[q.name].groups == structure.units[structure.anchored].groups
    )


def is_linear(q: Parameter) -> bool:
    """Whether the logarithm of a term is linear in an exponent or a change of one."""
    return q.role == "exponent" or (q.role == "bend" and q.link == "real")


def leans_on_knots(structure: Structure, q: Parameter) -> bool:
    """Whether an exponent or its change is sampled as its distance from least squares.

    Where a curve bends and what it tends to being given, a few points of the data say what
    exponents are, and how well.
    """
    law = structure.law
    return (
        q.role in ("exponent", "bend")
        and bool(law.with_role("bend"))
        and len(law.inputs) == 1
        and len(law.with_role("level")) == len(law.with_role("exponent")) == 1
        and structure.anchored is not None
        and q.name not in structure.prior_of
    )


def leans_on_end(structure: Structure, q: Parameter) -> bool:
    """Whether a floor is sampled as a share of the response at the end of the data.

    Near it, exponents of what is left rise without bound.
    """
    return (
        q.role == "floor"
        and any(leans_on_knots(structure, r) for r in structure.law.parameters if not is_linear(r))
        and q.name not in structure.prior_of
        and structure.units[q.name].groups == structure.units[str(structure.anchored)].groups
    )


def leans_on_length(structure: Structure, q: Parameter) -> bool:
    """Whether the scale of correlated checkpoints is sampled as that of their innovations.

    Data determine how far one checkpoint lies from the next; the scale itself only together with
    the length over which checkpoints forget.
    """
    return (
        q.role == "scale" and structure.noise.has_checkpoints and q.name not in structure.prior_of
    )


def _distinct(codes: np.ndarray, sizes: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
    """Sort the combinations that occur; numbers sort faster than rows."""
    _, first = np.unique(np.ravel_multi_index(tuple(codes.T), sizes), return_index=True)
    return tuple(map(tuple, codes[first].tolist()))


def _check_link(law: Law, noise: Noise) -> None:
    """Refuse scatter on a scale that the mean of a law may leave."""
    if law.response == "real" and noise.link != "real":
        mend = "choose a law of a rate" if noise.counts else "write noise=StudentT()"
        raise ValueError(
            f"{law.title} may be negative, where {type(noise).__name__} has no scale: {mend}"
        )


def _check_priors(parameters: Sequence[Parameter], priors: Mapping[str, Any]) -> None:
    """Refuse priors of what a model does not have, or of what has no median of its own."""
    names = [q.name for q in parameters]
    if unknown := sorted(set(priors) - set(names)):
        hint = did_you_mean(unknown[0], names)
        raise ValueError(f"priors name the parameter {unknown[0]!r}: {hint}")
    for name, prior in priors.items():
        if not hasattr(prior, "owner") and not hasattr(prior, "to_pymc"):
            raise ValueError(
                f"the prior of {name!r} is {prior!r}: give a distribution, "
                "e.g. pm.LogNormal.dist(np.log(0.3), 0.5)"
            )
    for q in (q for q in parameters if q.name in priors):
        if q.after is not None:
            raise ValueError(
                f"{q.name!r} is placed by its distance beyond {q.after!r} and takes no prior of "
                "its own: give one to the first location only"
            )
        if q.role == "effect":
            raise ValueError(
                f"{q.name!r} deviates from the law around zero and takes no prior of its own: say "
                "how far it does, e.g. bs.Effect('seed', scale=0.1)"
            )
    levels = {q.name for q in parameters if q.role == "level"}
    if levels & set(priors) and not levels <= set(priors):
        raise ValueError(f"a prior of one level needs one of all: {', '.join(sorted(levels))}")


def _check_names(structure: Structure, runs: Runs) -> None:
    """Refuse groups whose names posteriors give to parameters, or to other groups together."""
    suffixes = ("", "_raw", "_mean", "_sd", "_population")
    taken = {f"{q.name}{suffix}" for q in structure.parameters for suffix in suffixes}
    for group in runs.groups:
        if group in taken:
            raise ValueError(
                f"{structure.law.title} or its noise has a parameter {group!r}: give the group "
                f"another name, e.g. Runs(..., groups={{'the_{group}': {runs.names[group]!r}}})"
            )
    known: dict[str, tuple[str, ...]] = {}
    for units in structure.units.values():
        joined = "_".join(units.groups)
        if known.setdefault(joined, units.groups) != units.groups:
            raise ValueError(
                f"the group {joined!r} is called like others together: give one of "
                f"{', '.join(sorted({*units.groups, *known[joined]}))} another name"
            )


def structure_of(
    law: Law,
    runs: Runs,
    pooling: Mapping[str, Pooling] | None = None,
    noise: Noise | None = None,
    priors: Mapping[str, Any] | None = None,
) -> Structure:
    """Structure of a model of one table, with the noise that its law expects where nobody says.

    Raises
    ------
    RunsError
        If law or noise need the logarithm or the logit of a response that has none.
    ValueError
        If the law cannot be meant, or law, noise, pooling and table do not fit; the message says
        how to mend it.
    """
    noise = noise_of(law, runs, noise)
    check_by_name("pooling", pooling, "{'alpha': bs.Shared()}")
    check_by_name("priors", priors, "{'alpha': pm.LogNormal.dist(np.log(0.3), 0.5)}")
    refuse_mistakes(law)
    needs_sequence = SEQUENCE in noise.claimed_groups
    if (needs_sequence or noise.has_checkpoints) and runs.sequence is None:
        raise ValueError(
            "the noise follows checkpoints of runs: name the column, "
            "e.g. Runs(..., sequence='run_id')"
        )
    groups = tuple(runs.groups) + ((SEQUENCE,) if needs_sequence else ())
    for g in noise.claimed_groups:
        if g not in groups:
            raise ValueError(
                f"the noise has an effect of the group {g!r}; "
                f"the table has {', '.join(runs.groups) or 'no groups'}"
            )
    if noise.counts != runs.is_counts:
        wanted = (
            "counts: give y=('successes', 'trials')"
            if noise.counts
            else "one measured column: give y='column'"
        )
        raise ValueError(f"{type(noise).__name__} describes {wanted}")
    _check_link(law, noise)
    noise.check(runs)
    for_laws = tuple(g for g in groups if g not in noise.claimed_groups)
    law_names = [q.name for q in law.parameters]
    noise_names = [q.name for q in noise.parameters if q.name not in law_names]
    for q in noise.parameters:
        if q.name in law_names and q.name not in noise.shared:
            raise ValueError(
                f"{law.title} names a parameter {q.name!r}, and so does its noise, "
                f"{type(noise).__name__}: give that of the law another name"
            )
    chosen = dict(pooling or {})
    resolved = resolve_pooling(
        [*law.parameters, *noise.parameters], groups, {**noise.pooling, **chosen}
    )
    defaults = resolve_pooling(
        law.parameters,
        for_laws,
        {k: v for k, v in chosen.items() if k in law_names and set(v.groups) <= set(for_laws)},
    )
    resolved.update({k: v for k, v in defaults.items() if k not in chosen})
    _check_response(law, runs, noise)
    parameters = [*law.parameters, *(q for q in noise.parameters if q.name in noise_names)]
    _check_priors(parameters, priors or {})
    codes = group_codes(runs, groups)
    sizes = tuple(len(group_labels(runs, g)) for g in groups)
    structure = Structure(
        law=law,
        noise=noise,
        pooling=tuple((n, resolved[n]) for n in [*law_names, *noise_names]),
        groups=groups,
        sizes=sizes,
        cells=_distinct(codes, sizes) if groups else ((),),
        columns=tuple(law.columns(tuple(runs.x)).items()),
        extras=tuple(
            name
            for name, column in (("se", runs.y_se), ("weight", runs.weight))
            if column is not None
        ),
        priors=tuple(sorted((priors or {}).items())),
    )
    _check_names(structure, runs)
    if structure.anchored:
        x = {symbol: np.asarray(runs.x[column], float) for symbol, column in structure.columns}
        refuse_bent_levels(law, x, runs.sequence)
    return structure


def _check_response(law: Law, runs: Runs, noise: Noise) -> None:
    """Refuse responses that are not of the kind that law and noise need."""
    if noise.link == "unit":
        check_proportions(runs)
    elif noise.on_log or law.response != "real":
        check_positive_response(runs)
