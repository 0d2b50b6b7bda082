"""Tables for papers: numbers rounded by their uncertainty, as Markdown, LaTeX or HTML."""

import math
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

#: Columns of scores and the columns that hold their standard errors.
ERROR_OF = {"elpd": "se", "elpd_diff": "se_diff", "mean": "sd", "median": "sd"}

#: What columns are called in print.
TITLES = {
    "elpd_diff": "difference",
    "se_diff": "SE of difference",
    "se": "SE",
    "sd": "SD",
    "p_loo": "p (LOO)",
    "high_k": "high k",
    "r_hat": "R-hat",
    "ess_bulk": "bulk ESS",
    "ess_tail": "tail ESS",
    "max_rhat": "largest R-hat",
    "min_ess_bulk": "least bulk ESS",
    "min_ess_tail": "least tail ESS",
    "ebfmi": "E-BFMI",
}

#: Decimals of columns whose uncertainty is no column.
DECIMALS = {"r_hat": 3, "max_rhat": 3, "weight": 2}

#: Numbers without a fraction are written out below this, and as scales from there on.
WHOLE = 1e6

#: How much further from the median one end of an interval is than the other in a skewed row.
LOPSIDED = 3.0

_BAND = re.compile(r"lower_(0?\.\d+)$")


def to_paper(table: "pd.DataFrame", form: str = "markdown", *, digits: int = 2) -> str:
    r"""Write a table for print, with every number rounded by its uncertainty.

    A median or score keeps as many decimals as give its standard deviation or standard error, or
    the distance to the nearest end of an interval where that is smaller (as with heavy tails),
    `digits` significant figures.  The two ends become one column that states its probability.
    A row that is skewed or has heavy tails loses its standard deviation, which belongs to the
    tails alone, and each of its ends is rounded by itself.

    Parameters
    ----------
    table : DataFrame
        ``fit.summary()``, ``comparison.table``, ``forecast.table``, ``backtest.table`` or any
        other table of numbers.
    form : {"markdown", "latex", "html"}
        LaTeX needs the package ``booktabs``.
    digits : int
        Significant figures of an uncertainty, and one less than those of other numbers.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If there is no such form, or `digits` is not positive.
    TypeError
        If `table` is no DataFrame.

    References
    ----------
    Particle Data Group (2024), Review of Particle Physics, section 5.3: rounding by the error.

    Examples
    --------
    >>> import pandas as pd
    >>> import bayescale as bs
    >>> table = pd.DataFrame(
    ...     {"median": [0.31234, 1712.3], "sd": [0.0213, 84.0], "lower_0.9": [0.2771, 1580.0],
    ...      "upper_0.9": [0.3482, 1856.0]}, index=["alpha", "A"])
    >>> print(bs.to_paper(table))
    |  | median | SD | 90 % interval |
    | --- | --- | --- | --- |
    | alpha | 0.312 | 0.021 | 0.277 to 0.348 |
    | A | 1712 | 84 | 1580 to 1856 |
    """
    writers: dict[str, Callable[[Rows], str]] = {
        "markdown": _markdown,
        "latex": _latex,
        "html": _html,
    }
    if form not in writers:
        raise ValueError(f"form must be one of {', '.join(writers)}, not {form!r}")
    if digits < 1:
        raise ValueError(f"digits must be at least 1, not {digits}")
    if not hasattr(table, "columns"):
        own = next((s for s in ("summary()", "table") if hasattr(table, s.rstrip("()"))), None)
        write = f": give its .{own}" if own else ""
        raise TypeError(f"to_paper takes a DataFrame, not {type(table).__name__}{write}")
    return writers[form](_rows(table, digits))


Rows = list[list[str]]


def _rows(table: "pd.DataFrame", digits: int) -> Rows:
    """Header and body as text; names of rows come first where they say something."""
    import pandas as pd

    named = not isinstance(table.index, pd.RangeIndex)
    index = ["" if n is None else str(n).replace("_", " ") for n in table.index.names]
    columns = [c for c in table if not str(c).startswith("upper_")]
    head = [*(index if named else []), *(_title(str(c)) for c in columns)]
    body = []
    for name, row in zip(table.index, table.to_dict("records"), strict=True):
        names = list(map(str, name)) if isinstance(name, tuple) else [str(name)]
        cells = [_cell(row, str(c), digits) for c in columns]
        body.append([*(names if named else []), *cells])
    return [head, *body]


def _title(column: str) -> str:
    if band := _BAND.match(column):
        return f"{100 * float(band[1]):g} % interval"
    return TITLES.get(column, column.replace("_", " "))


def _cell(row: dict[Any, Any], column: str, digits: int) -> str:
    value = row[column]
    if value is None or value != value:
        return ""
    if isinstance(value, str) or not hasattr(value, "__float__"):
        return str(value)
    if isinstance(value, bool) or type(value).__name__ == "bool":
        return "yes" if value else "no"
    if column in DECIMALS:
        return f"{float(value):.{DECIMALS[column]}f}"
    if column == "sd" and _is_skewed(row):
        return ""
    error = _error(row, column)
    if band := _BAND.match(column):
        ends = [float(value), float(row[f"upper_{band[1]}"])]
        errors = [error, error]
        if _is_skewed(row):
            errors = [min(abs(end), abs(end - row["median"])) for end in ends]
        return " to ".join(rounded(*pair, digits) for pair in zip(ends, errors, strict=True))
    whole = error is None and float(value).is_integer() and abs(value) < WHOLE
    if isinstance(value, int) or whole:
        return str(int(value))
    own = float(value) if column in ERROR_OF.values() else None
    return rounded(float(value), own if own is not None else error, digits)


def _error(row: dict[Any, Any], column: str) -> float | None:
    """Uncertainty of a column: a standard error, or the nearest end of an interval if nearer."""
    of_median = column == "median" or _BAND.match(column)
    named = ERROR_OF.get("median" if of_median else column)
    errors = [float(row[named])] if named in row else []
    if of_median:
        bands = [c for c in row if _BAND.match(str(c))]
        middle = row.get("median")
        for c in bands:
            low, high = row[c], row[f"upper_{c[6:]}"]
            errors += [(high - low) / 2] if middle is None else [middle - low, high - middle]
    return min((e for e in errors if math.isfinite(e) and e > 0), default=None)


def _is_skewed(row: dict[Any, Any]) -> bool:
    """Whether an interval is lopsided about the median, or narrower than the standard deviation."""
    if "median" not in row:
        return False
    for c in (c for c in row if _BAND.match(str(c))):
        low, high = row["median"] - row[c], row[f"upper_{c[6:]}"] - row["median"]
        if max(low, high) > LOPSIDED * min(low, high) or row.get("sd", 0.0) > low + high:
            return True
    return False


def rounded(value: float, error: float | None, digits: int = 2) -> str:
    """Write a number with as many decimals as its uncertainty warrants.

    Parameters
    ----------
    value : float
        The number.
    error : float or None
        Its uncertainty; without one the number gets one figure more than `digits`.
    digits : int
        Significant figures of the uncertainty.

    Examples
    --------
    >>> rounded(0.31234, 0.0213), rounded(1.2345e17, 3e15), rounded(2.0, None)
    ('0.312', '1.234e17', '2.00')
    """
    if not math.isfinite(value):
        return "" if math.isnan(value) else str(value)
    known = error is not None and math.isfinite(error) and error > 0
    scale = error if known and error is not None else abs(value) / 10
    if scale == 0:
        return "0"
    decimals = digits - 1 - math.floor(math.log10(scale))
    size = math.floor(math.log10(max(abs(value), scale)))
    if -4 <= size < 5:
        return f"{round(value, decimals):.{max(decimals, 0)}f}"
    mantissa, _, power = f"{value:.{max(decimals + size, 0)}e}".partition("e")
    return f"{mantissa}e{int(power)}"


def _markdown(rows: Rows) -> str:
    lines = [[cell.replace("|", r"\|") for cell in row] for row in rows]
    lines.insert(1, ["---"] * len(rows[0]))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _latex(rows: Rows) -> str:
    head, *body = [" & ".join(map(latex, row)) + r" \\" for row in rows]
    columns = "l" + "r" * (len(rows[0]) - 1)
    rules = [rf"\begin{{tabular}}{{{columns}}}", r"\toprule", head, r"\midrule"]
    return "\n".join([*rules, *body, r"\bottomrule", r"\end{tabular}"])


def latex(text: str) -> str:
    """Escape text for LaTeX, and set powers of ten as such."""
    for sign in "\\{}":
        text = text.replace(sign, {"\\": "\0", "{": r"\{", "}": r"\}"}[sign])
    text = re.sub(r"([&%$#_])", r"\\\1", text).replace("\0", r"\textbackslash{}")
    text = text.replace("~", r"\textasciitilde{}").replace("^", r"\textasciicircum{}")
    text = re.sub(r"(?<![\w.-])-(?=\d)", "$-$", text)
    return re.sub(r"(?<=\d)e\+?(-?)0*(\d+)\b", r"$\\times 10^{\1\2}$", text)


def _html(rows: Rows) -> str:
    from html import escape

    def line(cells: Sequence[str], tag: str) -> str:
        inner = "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells)
        return f"<tr>{inner}</tr>"

    head, *body = rows
    inner = "".join(line(row, "td") for row in body)
    return f"<table><thead>{line(head, 'th')}</thead><tbody>{inner}</tbody></table>"
