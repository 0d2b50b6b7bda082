"""Write docs/catalogue.md and its figures from the laws themselves.

Run it from anywhere: ``python docs/generate_catalogue.py``.
"""

import inspect
import re
import sys
from pathlib import Path

import numpy as np

import bayescale as bs
from bayescale.laws.base import Law
from bayescale.plots._axes import log_axis
from bayescale.pooling import default_pooling
from bayescale.testing import testing

HERE = Path(__file__).parent
FIGURES = HERE / "catalogue"
SECTIONS = ("Parameters", "Notes", "References", "Examples")
BOUNDS = {"real": "any real number", "unit": "between 0 and 1"}


def main() -> None:
    FIGURES.mkdir(exist_ok=True)
    laws = [bs.laws.get(name) for name in bs.laws.available()]
    (HERE / "catalogue.md").write_text(page(laws))
    for law in laws:
        draw(law, FIGURES / f"{law.name}.svg")


def page(laws: list[Law]) -> str:
    rooms = dict.fromkeys(sorted(type(law).__module__ for law in laws))
    parts = [
        "# Catalogue of laws",
        f"{len(laws)} laws, by the name that `bs.laws.get` takes. Written by "
        "`docs/generate_catalogue.py` from the laws themselves: do not edit.",
        index(laws),
    ]
    for room in rooms:
        parts.append(f"## {first_line(sys.modules[room].__doc__ or '')}")
        parts += [entry(law) for law in laws if type(law).__module__ == room]
    return "\n\n".join(parts) + "\n"


def index(laws: list[Law]) -> str:
    rows = [
        f"| [`{law.name}`](#{law.name}) | {', '.join(law.inputs)} | {title(law)} |" for law in laws
    ]
    return "\n".join(["| law | inputs | |", "| --- | --- | --- |", *rows])


def entry(law: Law) -> str:
    parts = sections(inspect.cleandoc(type(law).__doc__ or ""))
    text = [
        f"({law.name})=\n### `{law.name}`: {type(law).__name__}",
        markdown(parts[""]),
        f"![{law.name}](catalogue/{law.name}.svg)",
        "**Table.** " + schema(law),
        "**Parameters.** " + parameters(law),
    ]
    if "Parameters" in parts:
        text.append("**Options.**\n\n" + options(parts["Parameters"]))
    text.append("**Notes.** " + markdown(parts.get("Notes", "")))
    if law.presets:
        text.append("**Published constants.**\n\n" + presets(law))
    text.append("**Paper.** " + markdown(parts.get("References", "")))
    text.append("**Fit.**\n\n" + recipe(law))
    return "\n\n".join(part for part in text if part)


def sections(doc: str) -> dict[str, str]:
    """Text of every section of a numpydoc docstring; what comes first has the name ''."""
    found = {"": doc}
    for name in SECTIONS:
        for key, text in list(found.items()):
            before, mark, after = text.partition(f"\n{name}\n{'-' * len(name)}\n")
            if mark:
                found[key], found[name] = before.strip(), after.strip()
    return found


def first_line(text: str) -> str:
    return text.strip().splitlines()[0].rstrip(".")


def title(law: Law) -> str:
    return markdown(first_line(inspect.cleandoc(type(law).__doc__ or "")))


def markdown(text: str) -> str:
    """Turn the reStructuredText of docstrings into Markdown."""
    text = re.sub(r"\.\. math::((?:[ \t]*\S.*)?(?:\n+[ \t]+.*)*)", displayed, text)
    text = re.sub(r":math:`([^`]*)`", r"$\1$", text)
    text = re.sub(r":\w+:`~?(?:[\w.]*\.)?(\w+)`", r"`\1`", text)
    return text.replace("``", "`")


def displayed(match: re.Match) -> str:
    lines = [line.strip() for line in match.group(1).strip().splitlines()]
    return "$$\n" + "\n".join(line for line in lines if line) + "\n$$"


def schema(law: Law) -> str:
    """Columns of a table: inputs with the ranges of the worked case, and the response."""
    case = testing.example_of(law)
    columns = []
    for symbol in law.inputs:
        values = case.inputs[symbol]
        shown = f"{values[0]:.3g} to {values[1]:.3g}" if len(values) == 2 else several(values)
        columns.append(f"`{symbol}` (say {shown})")
    columns.append(f"the response, {BOUNDS.get(law.response, 'positive')}")
    if case.table is not None:
        columns.append("the run of every row (`sequence=`)")
    return ", ".join(columns) + "; one row a measurement, and any groups."


def several(values: tuple[float, ...]) -> str:
    return ", ".join(f"{v:g}" for v in values)


def parameters(law: Law) -> str:
    """Names, roles and how each varies over groups unless told otherwise."""
    kinds: dict[str, list[str]] = {}
    for q in law.parameters:
        pooling = type(default_pooling(q, ["family"])).__name__.lower()
        groups = f" over the group `{q.groups[0]}` only" if q.groups else ""
        kinds.setdefault(f"{q.role}, {pooling}{groups}", []).append(f"`{q.name}`")
    return "; ".join(f"{', '.join(names)} ({kind})" for kind, names in kinds.items()) + "."


def options(text: str) -> str:
    """Parameters of the constructor as a list."""
    items = re.findall(r"^(\w[\w, ]*) : ([^\n]+)\n((?:[ \t]+[^\n]*\n?)*)", text, re.M)
    shown = [
        f"- `{name}` ({markdown(kind)}): {markdown(' '.join(about.split()))}"
        for name, kind, about in items
    ]
    return "\n".join(shown)


def presets(law: Law) -> str:
    names = [q.name for q in law.parameters]
    head = ["| preset | " + " | ".join(f"`{n}`" for n in names) + " |"]
    rule = ["| --- |" + " --- |" * len(names)]
    rows = [
        f"| `{key}` | " + " | ".join(f"{v[n]:.5g}" if n in v else "" for n in names) + " |"
        for key, v in law.presets.items()
    ]
    return "\n".join(head + rule + rows)


def recipe(law: Law) -> str:
    case = testing.example_of(law)
    columns = ", ".join(f'"{s}": "{s}"' for s in law.inputs)
    of_runs = case.table is not None
    extra = ', sequence="run"' if of_runs else ""
    noise = ", noise=bs.LogStudentT() + bs.Checkpoints()" if of_runs else ""
    far = ", ".join(f'"{s}": {max(case.inputs[s]):.3g}' for s in law.inputs)
    lines = [
        f'runs = bs.Runs(table, y="y", x={{{columns}}}, groups=["family"]{extra})',
        f"fit = bs.fit(bs.laws.{type(law).__name__}(), runs{noise})",
        f"forecast = fit.forecast({{{far}}})",
    ]
    return "```python\n" + "\n".join(lines) + "\n```"


def draw(law: Law, path: Path) -> None:
    """Response against the first input, at three values of the second."""
    import matplotlib as mpl

    mpl.use("svg")
    import matplotlib.pyplot as plt
    from matplotlib.ticker import LogLocator, NullFormatter

    mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "bayescale", "font.size": 8})
    figure, axes = plt.subplots(figsize=(2.8, 1.9), layout="constrained")
    for label, x, y in curves(law):
        axes.plot(x, y, label=label, linewidth=1.2)
    axes.set(xscale="log")
    low, high = axes.get_xlim()
    if high < 10 * low:
        log_axis(axes, "x")
    else:
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 3) if high < 30 * low else (1,)))
        axes.xaxis.set_minor_formatter(NullFormatter())
    if law.response == "positive":
        log_axis(axes, "y")
    axes.set(xlabel=law.inputs[0], ylabel="share" if law.response == "unit" else "response")
    if len(law.inputs) > 1 and testing.example_of(law).table is None:
        axes.legend(frameon=False, fontsize=6, title=law.inputs[1], title_fontsize=6)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
    path.write_text(numbered(path.read_text()))


def numbered(svg: str) -> str:
    """Number clip paths, whose names are addresses in memory, as they come."""
    place: dict[str, str] = {}
    return re.sub(r"\bp[0-9a-f]{10}\b", lambda m: place.setdefault(m[0], f"p{len(place)}"), svg)


def curves(law: Law) -> list[tuple[str, np.ndarray, np.ndarray]]:
    case = testing.example_of(law)
    if case.table is not None:
        rng = np.random.default_rng(0)
        table = {k: np.asarray(v) for k, v in case.table(rng, 300).items()}
        runs = [table["sequence"] == run for run in np.unique(table["sequence"])]
        x = [[table[s][rows] for s in law.inputs] for rows in runs]
        return [("", columns[0], law(*columns, **case.parameters)) for columns in x]
    first, *rest = law.inputs
    x = np.geomspace(*case.inputs[first], 60) if len(case.inputs[first]) == 2 else None
    x = np.array(sorted(case.inputs[first])) if x is None else x
    middle = {s: testing.central(v) for s, v in case.inputs.items()}
    second = case.inputs[rest[0]] if rest else (1.0,)
    between = middle[rest[0]] if rest and len(second) == 2 else sorted(second)[len(second) // 3]
    values = [min(second), between, max(second)] if rest else [1.0]
    found = []
    for value in values:
        at = {**middle, **({rest[0]: value} if rest else {}), first: x}
        y = law(*(np.broadcast_to(at[s], x.shape) for s in law.inputs), **case.parameters)
        found.append((f"{value:.2g}", x, np.asarray(y)))
    return found


if __name__ == "__main__":
    main()
