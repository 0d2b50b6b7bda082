"""Whose curves are asked for: labels of a fit, several fits, or a mixture of forms."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from bayescale.model.slips import labels_by_group
from bayescale.posterior.chains import samples_of
from bayescale.posterior.unseen import natural_at_cells
from bayescale.quantities.curves import Curve, Form, thinned
from bayescale.runs.describe import axis_name
from bayescale.runs.labels import known_label
from bayescale.runs.problems import warn_owner
from bayescale.runs.words import did_you_mean
from bayescale.sampling import ConvergenceWarning
from bayescale.sampling.gate import complaints

#: A fit, a comparison of fits, or a mapping from names to either.
Source = Any


def curve_of(source: Source, groups: Mapping[str, Any] | None = None) -> Curve:
    """Curve of the one combination of labels that `groups` leaves.

    Raises
    ------
    ValueError
        If labels are unknown, or several combinations are left.
    """
    fixed = labels_by_group(groups)
    for fit, _ in _weighted(source):
        for group in fit.structure.law_groups:
            labels = fit.runs.labels(group)
            if group not in fixed and len(labels) > 1:
                raise ValueError(
                    f"the fit has {len(labels)} labels of {group!r}: say which, "
                    f"e.g. groups={{{group!r}: {labels[0]!r}}}"
                )
    warn_of_strays(source)
    return _curves(source, [fixed])[0]


def every_curve(source: Source, groups: Mapping[str, Any] | None = None) -> tuple[Curve, ...]:
    """Curves of all combinations of labels of the table that `groups` leaves, with joint draws."""
    fit = _weighted(source)[0][0]
    names, fixed = fit.structure.law_groups, labels_by_group(groups)
    if unknown := set(fixed) - set(names):
        raise ValueError(no_such(min(unknown), "group", names))
    texts = {g: known_label(label, fit.runs.labels(g)) for g, label in fixed.items()}
    columns = [fit.structure.groups.index(g) for g in names]
    asked = []
    for cell in dict.fromkeys(tuple(c[i] for i in columns) for c in fit.structure.cells):
        labels = {g: fit.runs.labels(g)[code] for g, code in zip(names, cell, strict=True)}
        wanted = {**labels, **fixed}
        if wanted not in asked and all(
            fixed[g] is None or texts[g] == labels[g] or texts[g] not in fit.runs.labels(g)
            for g in fixed
        ):
            asked.append(wanted)
    warn_of_strays(source)
    return _curves(source, asked)


def curves_of(
    source: Source, labels: Sequence[Any], groups: Mapping[str, Any] | None = None
) -> tuple[Curve, ...]:
    """Curves of several labels, with joint draws.

    Parameters
    ----------
    source : Fit, Comparison, mapping of str to Fit or Comparison, or None
        Where the draws come from.
    labels : sequence
        A label of the group ``family`` (or of the only group), a mapping from groups to labels,
        the name of a fit in a mapping, or a fit.
    groups : mapping of str to label, optional
        Labels of further groups, the same for all; None as a label stands for a new one, drawn
        from the population.  A group that is left open is averaged over.
    """
    fixed = labels_by_group(groups)
    if any(_is_source(label) for label in labels):
        if not all(_is_source(label) for label in labels):
            raise ValueError("give labels of one fit, or two fits, not one of each")
        sources = {f"fit {i + 1}: {_title(s)}": s for i, s in enumerate(labels)}
        return _of_separate(sources, fixed)
    if isinstance(source, Mapping):
        unknown = [label for label in labels if label not in source]
        if unknown:
            raise ValueError(no_such(unknown[0], "fit", list(source)))
        paired = hasattr(source, "population")
        return _of_separate({label: source[label] for label in labels}, fixed, paired=paired)
    asked = [_asked(source, label, fixed) for label in labels]
    warn_of_strays(source)
    return _curves(source, asked, [_name_of(label) for label in labels])


def labels_of(source: Source) -> list[Any]:
    """Every label that :func:`curves_of` can be asked for."""
    if isinstance(source, Mapping):
        return list(source)
    fit = _weighted(source)[0][0]
    return list(fit.runs.labels(_main_group(fit)))


def pooled(source: Source) -> list[tuple[Any, np.ndarray]]:
    """Fits behind a source, each with the draws that stand for it.

    A mixture of forms takes draws of every form in proportion to its weight.

    Returns
    -------
    list of (Fit, array of int)
    """
    fits = _weighted(source)
    sizes = [samples_of(fit.flat_draws) for fit, _ in fits]
    if len(fits) == 1:
        return [(fits[0][0], np.arange(sizes[0]))]
    share = np.array([weight for _, weight in fits])
    total = max(sizes)
    exact = total * share / share.sum()
    counts = np.floor(exact).astype(int)
    counts[np.argsort(counts - exact, kind="stable")[: total - counts.sum()]] += 1
    rng = np.random.default_rng(fits[0][0].random_seed)
    return [
        (fit, rng.permutation(size)[:count] if count <= size else rng.integers(0, size, count))
        for (fit, _), size, count in zip(fits, sizes, counts, strict=True)
        if count
    ]


def warn_of_strays(*sources: Source) -> None:
    """Warn, once an answer, of fits behind it that did not pass the convergence gate."""
    strayed = [
        f"{name} ({'; '.join(complaints(fit.diagnostics))})"
        for source in sources
        for name, (fit, weight) in zip(_names(source), _weighted(source), strict=True)
        if weight > 0 and not fit.diagnostics["converged"]
    ]
    if strayed:
        text = f"the answer rests on fits that did not converge: {', '.join(strayed)}"
        warn_owner(f"{text}. Do not trust it.", ConvergenceWarning)


def _names(source: Source) -> list[str]:
    return list(map(repr, source.fits)) if hasattr(source, "fits") else [source.law.title]


def _weighted(source: Source) -> list[tuple[Any, float]]:
    if hasattr(source, "structure"):
        return [(source, 1.0)]
    if source is None:
        raise TypeError("labels need a fit to belong to: give it first, or give two fits")
    if not (hasattr(source, "fits") and hasattr(source, "weights")):
        raise TypeError(f"wanted a Fit or a Comparison, not {type(source).__name__}")
    weights = source.weights
    weights = weights.to_dict() if hasattr(weights, "to_dict") else weights
    if not isinstance(weights, Mapping):
        weights = dict(zip(source.fits, np.asarray(weights, float), strict=True))
    return [(fit, float(weights[name])) for name, fit in source.fits.items()]


def _is_source(thing: Any) -> bool:
    return hasattr(thing, "structure") or (hasattr(thing, "fits") and hasattr(thing, "weights"))


def _title(source: Source) -> str:
    return source.law.title if hasattr(source, "law") else "mixture of forms"


def _of_separate(
    sources: Mapping[str, Source], fixed: Mapping[str, Any], *, paired: bool = False
) -> tuple[Curve, ...]:
    """Curves of several posteriors; where those are independent, draws are paired at random."""
    fits = [fit for source in sources.values() for fit, _ in _weighted(source)]
    every = {group for fit in fits for group in fit.structure.law_groups}
    if unknown := [g for g in fixed if g not in every]:
        raise ValueError(no_such(unknown[0], "group", sorted(every)))
    made = []
    for place, (name, source) in enumerate(sources.items()):
        open_groups = {g for fit, _ in _weighted(source) for g in fit.structure.law_groups}
        known = {g: v for g, v in fixed.items() if g in open_groups}
        made.append(_curves(source, [known], [name], shuffle=0 if paired else place)[0])
    warn_of_strays(*sources.values())
    shortest = min(curve.samples for curve in made)
    return tuple(thinned(curve, shortest) for curve in made)


def _main_group(fit: Any) -> str:
    groups = fit.structure.law_groups
    if "family" in groups:
        return "family"
    if len(groups) == 1:
        return groups[0]
    if not groups:
        raise ValueError("the fit has no groups: give two fits, or a table with groups")
    raise ValueError(
        f"the fit has the groups {', '.join(groups)}: say which one a label belongs to, "
        f"e.g. {{{groups[0]!r}: {fit.runs.labels(groups[0])[0]!r}}}"
    )


def _asked(source: Source, label: Any, fixed: Mapping[str, Any]) -> dict[str, Any]:
    own = (
        dict(label) if isinstance(label, Mapping) else {_main_group(_weighted(source)[0][0]): label}
    )
    if both := set(own) & set(fixed):
        raise ValueError(f"{min(both)!r} is given twice: in the label and in groups")
    return {**fixed, **own}


def _name_of(label: Any) -> str:
    return ", ".join(map(str, label.values())) if isinstance(label, Mapping) else str(label)


def _curves(
    source: Source,
    asked: Sequence[Mapping[str, Any]],
    names: Sequence[str] | None = None,
    shuffle: int = 0,
) -> tuple[Curve, ...]:
    forms: list[list[Form]] = [[] for _ in asked]
    data: list[dict[str, np.ndarray]] = [{} for _ in asked]
    measured = [np.zeros(0)] * len(asked)
    averaged: list[tuple[str, ...]] = [()] * len(asked)
    start = 0
    chosen = pooled(source)
    for fit, rows in chosen:
        per_label = _cells(fit, asked)
        cells = [cell for mine, _ in per_label for cell in mine]
        rng = np.random.default_rng(fit.random_seed)
        draws = {name: values[rows] for name, values in fit.flat_draws.items()}
        found = natural_at_cells(fit.structure, draws, fit.arrays, cells, rng)
        stop, first = start + len(rows), 0
        order = (
            np.random.default_rng([fit.random_seed, shuffle]).permutation(len(rows))
            if shuffle
            else slice(None)
        )
        law_names = {q.name for q in fit.law.parameters}
        for i, (mine, open_groups) in enumerate(per_label):
            own = slice(first, first + len(mine))
            taken = {
                name: (kind, values[:, own][order])
                for name, (kind, values) in found.items()
                if name in law_names
            }
            forms[i].append(Form(fit.law, fit.structure.columns, taken, slice(start, stop)))
            averaged[i], first = open_groups, first + len(mine)
            inputs, measured[i] = _data(fit, asked[i])
            data[i].update(inputs)
        start = stop
    symbols = tuple(dict.fromkeys(s for form in forms[0] for _, s in form.columns))
    runs = chosen[0][0].runs
    better = next((said for fit, _ in chosen if (said := direction(fit))), None)
    is_share = runs.is_counts or all(fit.law.response == "unit" for fit, _ in chosen)
    names = names or [_name_of(labels) or _title(source) for labels in asked]
    response, named = axis_name(runs, "y"), {s: axis_name(runs, s) for s in symbols}
    return tuple(
        Curve(name, response, symbols, tuple(f), start, d, y, avg, better, is_share, named)
        for name, f, d, y, avg in zip(names, forms, data, measured, averaged, strict=True)
    )


def direction(fit: Any) -> str | None:
    """Which responses are better: as table or law say, else by the kind of response."""
    if said := fit.runs.better or fit.law.better:
        return str(said)
    signs = set(fit.law.monotone.values())
    if fit.runs.is_counts:
        return None if signs == {-1} else "higher"
    # A slope of a level has either sign, as that of a best learning rate, which may rise.
    rises = signs == {1} or any(q.role == "slope" and q.of for q in fit.law.parameters)
    return None if fit.law.response != "positive" or rises else "lower"


def _cells(
    fit: Any, asked: Sequence[Mapping[str, Any]]
) -> list[tuple[list[tuple[int, ...]], tuple[str, ...]]]:
    """Label codes of every curve, over the combinations of open groups that all curves have."""
    structure, groups = fit.structure, fit.structure.law_groups
    for labels in asked:
        if unknown := set(labels) - set(groups):
            raise ValueError(no_such(min(unknown), "group", groups))
    open_groups = [g for g in groups if all(g not in labels for labels in asked)]
    if uneven := [g for g in groups for v in asked if g not in v and g not in open_groups]:
        raise ValueError(f"group {uneven[0]!r} is given for one curve and not for the other")
    columns = [structure.groups.index(g) for g in open_groups]
    codes = [{g: _code(fit.runs, g, label) for g, label in labels.items()} for labels in asked]
    combinations = None
    for mine in codes:
        here = {
            tuple(cell[c] for c in columns)
            for cell in structure.cells
            if all(
                code >= structure.sizes[structure.groups.index(g)]
                or cell[structure.groups.index(g)] == code
                for g, code in mine.items()
            )
        } or {tuple(cell[c] for c in columns) for cell in structure.cells}
        combinations = here if combinations is None else (combinations & here)
    if not combinations:
        raise ValueError(
            f"the labels share no {' and '.join(open_groups)}: say which, e.g. "
            f"groups={{{open_groups[0]!r}: {fit.runs.labels(open_groups[0])[0]!r}}}"
        )
    result = []
    varied = tuple(g for i, g in enumerate(open_groups) if len({c[i] for c in combinations}) > 1)
    for mine in codes:
        cells = []
        for combination in sorted(combinations):
            known = {**mine, **dict(zip(open_groups, combination, strict=True))}
            cells.append(tuple(known.get(g, 0) for g in structure.groups))
        result.append((cells, varied))
    return result


def _code(runs: Any, group: str, label: Any) -> int:
    labels = list(runs.labels(group))
    if label is None:
        return len(labels)
    text = known_label(label, labels)
    if text not in labels:
        raise ValueError(
            f"{no_such(text, group, labels)}; None stands for a new label, "
            "drawn from the population"
        )
    return labels.index(text)


def no_such(name: Any, kind: str, known: Iterable[Any]) -> str:
    """Say that there is no such thing, and what there is."""
    return f"no {kind} is called {name!r}: {did_you_mean(str(name), known)}"


def _data(fit: Any, labels: Mapping[str, Any]) -> tuple[dict[str, np.ndarray], np.ndarray]:
    runs = fit.runs
    rows = np.ones(len(runs), bool)
    for group, label in labels.items():
        rows &= runs.codes[group] == _code(runs, group, label)
    rows = rows if rows.any() else np.ones(len(runs), bool)
    return {s: np.asarray(v)[rows] for s, v in runs.x.items()}, runs.response[rows]
