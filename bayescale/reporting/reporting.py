"""How to report a fit of a scaling law: a checklist that fills itself in, for an appendix."""

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from bayescale.laws.base import Law
from bayescale.laws.links import natural_value
from bayescale.laws.roles import Parameter
from bayescale.pooling import Partial
from bayescale.posterior.chains import shape_of
from bayescale.posterior.intervals import check_probabilities
from bayescale.reporting.tables import latex, to_paper

if TYPE_CHECKING:
    import pandas as pd

    from bayescale.backtesting import Backtest
    from bayescale.comparison import Comparison
    from bayescale.fitting import Fit

#: What a table cannot know and a paper has to say, by a word in the name of a column.
TO_STATE = {
    "param": "State whether embeddings, heads and inactive experts are counted.",
    "token": "State the tokenizer, and whether tokens repeat.",
    "flop": "State how FLOPs were counted: 6ND or by operation, and with attention or not.",
    "compute": "State how compute was counted: 6ND or by operation, and with attention or not.",
    "loss": "State the unit (nats or bits, per token or byte) and the evaluation set.",
}

#: Columns that symbols of the field stand for when their names say nothing.
MEANT_BY = {"N": "param", "D": "token", "C": "flop"}


@dataclass(frozen=True, repr=False)
class Report:
    """What a paper should say about a fit, item by item.

    Attributes
    ----------
    title : str
        What is reported.
    items : tuple of (str, tuple of str)
        Headings and their sentences; code is in backticks and mathematics between dollar signs.
    estimates : DataFrame
        Natural parameters, see :meth:`bayescale.Fit.summary`.
    """

    title: str
    items: tuple[tuple[str, tuple[str, ...]], ...]
    estimates: "pd.DataFrame" = field(repr=False)

    @property
    def markdown(self) -> str:
        """The report as Markdown."""
        parts = [f"# {self.title}"]
        for heading, lines in self.items:
            parts.append(f"**{heading}.**\n" + "\n".join(f"- {line}" for line in lines))
        return "\n\n".join([*parts, "**Estimates.**", to_paper(self.estimates)]) + "\n"

    @property
    def latex(self) -> str:
        """The report as LaTeX, for a document with ``booktabs`` and ``amsmath``."""
        parts = [rf"\section*{{{latex(self.title)}}}", r"\begin{description}"]
        for heading, lines in self.items:
            parts.append(rf"\item[{latex(heading)}.] " + "\n".join(map(_in_latex, lines)))
        parts += [r"\item[Estimates.]\leavevmode\\", to_paper(self.estimates, "latex")]
        return "\n".join([*parts, r"\end{description}", ""])

    def __repr__(self) -> str:
        return self.markdown

    def _repr_markdown_(self) -> str:
        return self.markdown


def report(
    fit: "Fit", held_out: "Comparison | Backtest | None" = None, *, ci_prob: float = 0.9
) -> Report:
    """Fill in the checklist of what to report about a fit.

    Parameters
    ----------
    fit : Fit
        The posterior.
    held_out : Comparison or Backtest, optional
        Where the held-out score comes from; without it the report gives the PSIS-LOO score of
        this fit alone.
    ci_prob : float
        Probability of the intervals of the estimates.

    Returns
    -------
    Report
        With ``.markdown`` and ``.latex``.

    Raises
    ------
    ValueError
        If `held_out` is neither, or `ci_prob` does not lie between 0 and 1.

    References
    ----------
    Li et al. (2025), (Mis)Fitting: a survey of scaling laws, arXiv:2502.18969 (what papers leave
    out); Gelman et al. (2020), Bayesian workflow, arXiv:2011.01808.

    Examples
    --------
    >>> import bayescale as bs
    >>> table = {"flops": [1e17, 1e18, 1e19, 1e20, 1e21], "loss": [4.1, 3.4, 2.9, 2.6, 2.4]}
    >>> runs = bs.Runs(table, y="loss", x={"C": "flops"})
    >>> fit = bs.fit(bs.laws.PowerLaw(), runs, progressbar=False)
    >>> [heading for heading, _ in fit.report().items][:3]
    ['Form', 'Counting', 'Data']
    """
    check_probabilities(ci_prob)
    items = {
        "Form": _form(fit.law),
        "Counting": _counting(fit),
        "Data": _data(fit),
        "Likelihood": _likelihood(fit),
        "Priors": _priors(fit),
        "Pooling": _pooling(fit),
        "Convergence": _convergence(fit),
        "Held-out score": _held_out(fit, held_out),
        "Software": _software(),
    }
    return Report(
        f"Report of a fit: {fit.law.title}",
        tuple((heading, tuple(lines)) for heading, lines in items.items()),
        fit.summary(ci_prob),
    )


def formula(law: Law) -> str:
    """Read the LaTeX formula of a law from its docstring, or its first line without one."""
    doc = inspect.cleandoc(type(law).__doc__ or type(law).__name__)
    shown = re.search(r"\.\. math::((?:[ \t]*\S.*)?(?:\n+[ \t]+.*)*)", doc)
    inline = re.search(r":math:`([^`]*)`", doc.split("\n\n")[0])
    found = inline[1] if inline else shown[1] if shown else ""
    return f"${' '.join(found.split())}$" if found else doc.splitlines()[0].removesuffix(".")


def _form(law: Law) -> Iterator[str]:
    yield f"`{law.title}`: {formula(law)}."
    roles = ", ".join(f"`{q.name}` ({q.role})" for q in law.parameters)
    yield f"Parameters: {roles}."
    doc = inspect.cleandoc(type(law).__doc__ or "")
    if source := re.search(r"\nReferences\n-+\n(.*?)(?=\n\n\w+\n-+\n|\Z)", doc, re.S):
        yield " ".join(source[1].split())


def _counting(fit: "Fit") -> Iterator[str]:
    runs = fit.runs
    for symbol in [*runs.x, "y"]:
        column = runs.names[symbol]
        words = (column.lower(), MEANT_BY.get(symbol, ""))
        asked = next((s for key, s in TO_STATE.items() if any(key in w for w in words)), "")
        unit = f"column `{column}`"
        if symbol == "y" and runs.is_counts:
            unit += f" of `{runs.names['trials']}` trials"
        name = "Response" if symbol == "y" else f"`{symbol}`"
        yield f"{name}: {unit}. {asked or 'State its unit and how it was counted.'}"


def _data(fit: "Fit") -> Iterator[str]:
    from bayescale.runs.describe import count, decades, span

    runs = fit.runs
    rows = count(len(runs), "row")
    if runs.sequence is not None:
        rows += f" (checkpoints of {count(len(runs.sequence_labels), 'run')})"
    yield f"{rows}; response from {span(runs.y).replace(' .. ', ' to ')}."
    for symbol, values in runs.x.items():
        yield f"`{symbol}`: {decades(values).replace(' .. ', ' to ')}."
    for group, labels in runs.groups.items():
        sizes = np.bincount(runs.codes[group], minlength=len(labels))
        each = ", ".join(f"{name} {n}" for name, n in zip(labels, sizes, strict=True))
        yield f"{group}: {count(len(labels), 'label')} (rows: {each})."
    if runs.y_se is not None:
        yield f"Standard errors of the response: column `{runs.names['y_se']}`."
    if runs.weight is not None:
        yield f"Precision weights: column `{runs.names['weight']}`."
    yield "State which runs were left out of the table, and by which rule."


def _likelihood(fit: "Fit") -> Iterator[str]:
    noise = fit.structure.noise
    scale = {"log": "the logarithm of the response", "unit": "its logit", "real": "the response"}
    about = "" if noise.counts else f" on {scale[noise.link]}"
    yield f"`{type(noise).__name__}`{about}; its scale is {_of(fit, 'sigma')}."
    for part in noise.parts:
        yield f"`{part!r}`: {_first_line(part)}"


def _of(fit: "Fit", name: str) -> str:
    pooling = fit.structure.pooling_of.get(name)
    return f"`{pooling!r}`" if pooling is not None else "that of the distribution"


def _first_line(thing: Any) -> str:
    return inspect.cleandoc(type(thing).__doc__ or "").partition("\n")[0]


_WHERE = {
    "level": "the logarithm of the response at the geometric mean of the inputs",
    "intercept": "the response at the geometric mean of the inputs",
    "floor": "the logit of the irreducible share of the response at the same place",
    "location": "the place of the bend, in half ranges of ln x widened by a decade",
    "ceiling": "the logit of the share of the room above the mean of the data",
}
_SCALE = {"log": "logarithm", "real": "value", "unit": "logit"}


def _priors(fit: "Fit") -> Iterator[str]:
    structure, anchor = fit.structure, True
    levels_first = sorted(structure.parameters, key=lambda q: q.role not in ("level", "intercept"))
    for q in levels_first:
        if q.name in structure.prior_of:
            yield f"`{q.name}`: {_given(structure.prior_of[q.name])}."
        elif q.role in _WHERE:
            anchor = False
            where = _WHERE[q.role]
            if q.role == "level" and q.name != structure.anchored and structure.anchored:
                first = f"that of `{structure.anchored}` at the same place"
                where = f"the logarithm of its term over {first}"
            yield f"`{q.name}`: normal with SD {q.spread:g} for {where}."
        elif q.spread > 0:
            yield f"`{q.name}`: {_prior(q)}."
        if isinstance(structure.pooling_of[q.name], Partial):
            yield f"`{q.name}` between groups: SD about {0.5 * q.between:g} ({_SCALE[q.link]})."
    if not anchor:
        yield "Levels, floors and bends are anchored at the data; see the documentation."


def _given(prior: Any) -> str:
    """Write a user's distribution, a PyMC variable or one of PreliZ."""
    if getattr(prior, "owner", None) is None:
        return f"`{prior}` (given)"
    from pymc.printing import str_for_dist

    return f"`{str_for_dist(prior, formatting='plain')}` (given)"


def _prior(q: Parameter) -> str:
    if q.link == "real":
        return f"normal, mean {q.centre:.3g}, SD {q.spread:g}"
    kind, median = {"log": "log", "unit": "logit"}[q.link], natural_value(q.link, q.centre)
    return f"{kind}-normal, median {median:.3g}, SD of the {_SCALE[q.link]} {q.spread:g}"


def _pooling(fit: "Fit") -> Iterator[str]:
    kinds: dict[str, list[str]] = {}
    for name, pooling in fit.structure.pooling:
        kinds.setdefault(repr(pooling), []).append(f"`{name}`")
    for kind, names in kinds.items():
        yield f"{', '.join(names)}: `{kind}`."


def _convergence(fit: "Fit") -> Iterator[str]:
    from bayescale.sampling.gate import complaints

    chains, draws = shape_of(fit.draws)
    found = fit.diagnostics
    if "max_rhat" not in found:
        yield "The parameters were given, not sampled."
        return
    again = " (a second, longer run, as the first did not pass)" if found.get("retried") else ""
    yield f"NUTS, {chains} chains of {draws} draws after warm-up{again}, seed {fit.random_seed}."
    yield (
        f"Largest R-hat {found['max_rhat']:.3f}, smallest bulk ESS {found['min_ess_bulk']:.0f} and "
        f"tail ESS {found['min_ess_tail']:.0f}, {found['divergences']} divergences, smallest "
        f"E-BFMI {found['ebfmi']:.2f}."
    )
    if jumps := found.get("jumps"):
        yield (
            "Chains of NUTS mixed slowly; the draws are those of chains that jump to where they "
            f"had been, {100 * jumps:.0f} % of jumps accepted."
        )
    why = "; ".join(complaints(found))
    yield "The convergence gate passed." if found["converged"] else f"NOT CONVERGED: {why}."


def _held_out(fit: "Fit", held_out: "Comparison | Backtest | None") -> Iterator[str]:
    from bayescale.backtesting import Backtest
    from bayescale.comparison import Comparison

    if isinstance(held_out, Comparison):
        for name, row in held_out.table.iterrows():
            yield (
                f"`{name}`: elpd {row['elpd']:.1f} (SE {row['se']:.1f}), {row['elpd_diff']:.1f} "
                f"(SE {row['se_diff']:.1f}) from the best, stacking weight {row['weight']:.2f}."
            )
        yield f"Left out: {held_out.by}. {held_out.verdict}"
    elif isinstance(held_out, Backtest):
        for name in dict.fromkeys(held_out.table["law"]):
            yield held_out.verdict(name, max(p for p in held_out.ci_prob if p <= 0.9))
    elif held_out is not None:
        raise ValueError(
            f"held_out is a {type(held_out).__name__}: give what bs.compare(...) or "
            "bs.backtest(...) returns"
        )
    elif "max_rhat" not in fit.diagnostics:
        yield "None: the parameters were given."
    else:
        yield from _loo(fit)


def _loo(fit: "Fit") -> Iterator[str]:
    from bayescale.comparison.loo import leave_one_out

    found = leave_one_out(fit, max_refits=0, random_seed=fit.random_seed)
    density = found.log_density
    se = np.sqrt(len(density) * np.var(density))
    bad = int(np.sum(~(found.pareto_k <= found.good_k)))
    yield (
        f"PSIS-LOO of this fit alone: elpd {density.sum():.1f} (SE {se:.1f}), in nats, of the "
        f"density of the response itself; {bad} of {len(density)} rows with a "
        f"Pareto k above {found.good_k:.2f}."
    )
    yield "No other form was compared, and no larger scale was hidden; a forecast needs both."


def _software() -> Iterator[str]:
    from importlib.metadata import version

    versions = ", ".join(f"{name} {version(name)}" for name in ("bayescale", "pymc", "nutpie"))
    yield f"{versions}."


def _in_latex(line: str) -> str:
    """Set code and mathematics of a line as such, and escape the rest."""
    parts = re.split(r"(`[^`]*`|\$[^$]*\$)", line)
    return "".join(
        part
        if part.startswith("$")
        else rf"\texttt{{{latex(part[1:-1])}}}"
        if part.startswith("`")
        else latex(part)
        for part in parts
    )
