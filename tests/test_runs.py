"""What Runs promises, in the order in which a user meets it."""

import copy
import datetime
import decimal
import doctest
import logging
import pickle
import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bayescale.runs.runs
from bayescale.runs import Runs, RunsError, RunsWarning
from bayescale.runs.responses import check_positive_response
from bayescale.runs.runs import Problem

ARGS = {"y": "loss", "x": {"N": "params", "D": "tokens"}, "groups": {"family": "arch"}}
ALL = ARGS | {"y_se": "se", "weight": "w", "sequence": "run"}
COUNTS = {"y": ("right", "asked"), "x": {"N": "params"}, "groups": "arch"}


def columns(**changes):
    """A table without a fault, and without cause for a warning."""
    good = {
        "loss": [3.9, 3.5, 3.1, 4.1, 3.6, 3.0],
        "params": [1e7, 1e8, 1e9, 1e7, 1e8, 1e9],
        "tokens": [1e10, 2e9, 3e9, 2e9, 1e10, 4e9],
        "arch": ["lstm", "lstm", "lstm", "mlp", "mlp", "mlp"],
        "se": [0.1, 0.1, 0.1, 0.1, 0.1, 0.1],
        "w": [1.0, 2.0, 1.0, 0.5, 1.0, 1.0],
        "run": ["r0", "r1", "r2", "r3", "r4", "r5"],
        "right": [1, 2, 3, 4, 5, 6],
        "asked": [10, 10, 10, 10, 10, 10],
    }
    return good | changes


@pytest.fixture
def runs():
    return Runs(columns(), **ALL)


def changed(column, **cells):
    """The column of the good table, with some cells changed: changed("loss", _2=nan)."""
    values = list(columns()[column])
    for row, value in cells.items():
        values[int(row[1:])] = value
    return {column: values}


# A table comes in -------------------------------------------------------------------------------


def test_columns_become_read_only_arrays_in_table_order(runs):
    assert len(runs) == 6
    assert runs.y.tolist() == columns()["loss"]
    assert list(runs.x) == ["N", "D"]
    assert runs.x["D"].tolist() == columns()["tokens"]
    assert runs.groups == {"family": ("lstm", "mlp")}
    assert runs.labels("family") == ("lstm", "mlp")
    assert runs.codes["family"].tolist() == [0, 0, 0, 1, 1, 1]
    assert runs.code("family", "mlp") == 1
    assert runs.y_se.tolist() == columns()["se"]
    assert runs.weight.tolist() == columns()["w"]
    assert runs.sequence.tolist() == [0, 1, 2, 3, 4, 5]
    assert runs.sequence_labels == ("r0", "r1", "r2", "r3", "r4", "r5")
    assert runs.trials is None
    assert not runs.is_counts
    assert runs.rows.tolist() == [0, 1, 2, 3, 4, 5]
    assert runs.names == {
        **{"y": "loss", "N": "params", "D": "tokens", "family": "arch"},
        **{"y_se": "se", "weight": "w", "sequence": "run"},
    }


def test_what_is_optional_may_be_left_out():
    runs = Runs(columns(), y="loss", x="params")
    assert list(runs.x) == ["x"]
    assert runs.groups == {}
    assert (runs.y_se, runs.weight, runs.sequence, runs.sequence_labels) == (None, None, None, ())


def test_counts():
    runs = Runs(columns(), **COUNTS)
    assert runs.is_counts
    assert runs.y.tolist() == [1, 2, 3, 4, 5, 6]
    assert runs.trials.tolist() == [10] * 6
    assert runs.trials.dtype == np.int64
    assert runs.names["trials"] == "asked"


@pytest.mark.parametrize("groups", ["arch", ["arch"], ("arch",), {"arch": "arch"}])
def test_columns_may_name_their_own_group(groups):
    assert Runs(columns(), y="loss", x="params", groups=groups).groups == {"arch": ("lstm", "mlp")}


def to_parquet(path):
    pd.DataFrame(columns()).to_parquet(path / "runs.parquet")
    return path / "runs.parquet"


def to_csv(path, name="runs.csv", sep=","):
    pd.DataFrame(columns()).to_csv(path / name, index=False, sep=sep)
    return path / name


@pytest.mark.parametrize(
    "give",
    [
        pytest.param(lambda path: pd.DataFrame(columns()), id="pandas"),
        pytest.param(lambda path: pd.DataFrame(columns()).convert_dtypes(), id="pandas nullable"),
        pytest.param(
            lambda path: pd.DataFrame(columns()).convert_dtypes(dtype_backend="pyarrow"),
            id="pandas arrow",
        ),
        pytest.param(
            lambda path: pd.DataFrame(columns()).astype({"arch": "category", "run": object}),
            id="pandas categorical",
        ),
        pytest.param(
            lambda path: pd.DataFrame(columns(), index=[7, 7, 1, 2, 3, 4]), id="pandas odd index"
        ),
        pytest.param(lambda path: pl.DataFrame(columns()), id="polars"),
        pytest.param(lambda path: pl.DataFrame(columns()).lazy(), id="polars lazy"),
        pytest.param(
            lambda path: pl.DataFrame(columns()).with_columns(pl.col("arch").cast(pl.Categorical)),
            id="polars categorical",
        ),
        pytest.param(lambda path: pl.DataFrame(columns()).to_arrow(), id="arrow"),
        pytest.param(
            lambda path: {k: np.array(v) for k, v in columns().items()}, id="dict of arrays"
        ),
        pytest.param(
            lambda path: {k: pd.Series(v) for k, v in columns().items()}, id="dict of series"
        ),
        pytest.param(to_csv, id="csv"),
        pytest.param(lambda path: str(to_csv(path)), id="csv str"),
        pytest.param(lambda path: to_csv(path, "runs.csv.gz"), id="csv.gz"),
        pytest.param(lambda path: to_csv(path, "runs.tsv", "\t"), id="tsv"),
        pytest.param(to_parquet, id="parquet"),
    ],
)
def test_every_kind_of_table_gives_the_same_runs(give, tmp_path, runs):
    assert Runs(give(tmp_path), **ALL) == runs


@pytest.mark.parametrize(
    "values",
    [
        [10**7, 10**8, 10**9, 10**24, 10**25, 3 * 10**26],
        np.array([1, 2, 3, 4, 5, 2**63], dtype=np.uint64),
        [decimal.Decimal("1e20")] * 5 + [1.5],
        np.array([1, 2, 4, 8, 16, 32], dtype=np.float32),
        (np.float64(1), np.int8(2), 3, 4.0, 5, 6),
    ],
    ids=["large ints", "uint64", "decimals", "float32", "mixed numbers"],
)
@pytest.mark.filterwarnings("ignore::bayescale.runs.RunsWarning")
def test_every_kind_of_number_is_read(values):
    runs = Runs(columns(params=values), y="loss", x="params")
    np.testing.assert_array_equal(runs.x["x"], [float(v) for v in values])


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ([2, 2, 10, 10, 1, 1], ("2", "10", "1")),
        ([True, True, False, False, True, False], ("True", "False")),
        (["b ", "b", "a", "a", " a", "b"], ("b", "a")),
        ([1, "1", 1, 2, "2", 2], ("1", "2")),
    ],
    ids=["ints", "bools", "spaces", "mixed"],
)
def test_labels_are_text_in_order_of_first_appearance(labels, expected):
    runs = Runs(columns(arch=labels), **ARGS)
    assert runs.labels("family") == expected
    assert len(runs.where(family=labels[0])) == 2 + (len(expected) == 2)


DAYS = ["2024-05-01", "2024-05-01", "2024-06-01", "2024-05-01", "2024-06-01", "2024-05-01"]


@pytest.mark.parametrize(
    "labels",
    [
        pd.Series(pd.to_datetime(DAYS)),
        pl.Series(pd.to_datetime(DAYS)),
        [datetime.date.fromisoformat(day) for day in DAYS],
        [datetime.datetime.fromisoformat(day) for day in DAYS],
        np.array(DAYS, "datetime64[D]"),
        DAYS,
    ],
    ids=["pandas", "polars", "dates", "datetimes", "numpy", "text"],
)
def test_a_day_is_one_label_whatever_holds_it(labels):
    runs = Runs(columns(arch=labels), **ARGS)
    assert runs.labels("family") == ("2024-05-01", "2024-06-01")
    for day in (pd.Timestamp("2024-05-01"), np.datetime64("2024-05-01", "ns"), DAY, labels[0]):
        assert len(runs.where(family=day)) == 4


def test_a_time_and_a_duration_are_the_labels_that_are_shown():
    times = pd.Series(pd.to_datetime(["2024-05-01 12:30"] * 3 + ["2024-05-01 00:00"] * 3))
    runs = Runs(columns(arch=times), **ARGS)
    assert runs.labels("family") == ("2024-05-01 12:30:00", "2024-05-01")
    assert len(runs.where(family=times[0])) == 3
    runs = Runs(columns(arch=times - times[5]), **ARGS)
    assert len(runs.where(family=datetime.timedelta(hours=12.5))) == 3


@pytest.mark.parametrize("ten", [10, 10.0, "10", "10.0", "1e1"])
def test_a_number_is_the_label_that_it_equals(ten):
    runs = Runs(columns(arch=[ten, ten, 2.5, 2.5, 1, 1]), **ARGS)
    for number in (10, 10.0, np.float32(10), np.int64(10), decimal.Decimal("10.0")):
        assert len(runs.where(family=number)) == 2
    with pytest.raises(RunsError, match="no label 'True'"):
        runs.where(family=True)


def test_a_number_that_two_labels_equal_is_neither():
    runs = Runs(columns(arch=["007", "007", "7", "7", "7.0", "7.0"]), **ARGS)
    assert runs.code("family", 7) == 1
    assert runs.code("family", 7.0) == 2
    runs = Runs(columns(arch=["007", "007", "07", "07", "b", "b"]), **ARGS)
    with pytest.raises(RunsError, match="no label '7'"):
        runs.code("family", 7)


@pytest.mark.parametrize("name", [100, np.nan, 0.5, ("a", "b"), pd.Timestamp("2024-05-01")])
def test_columns_whose_name_is_no_text_are_read_by_their_text(name):
    runs = Runs(pd.DataFrame({**columns(), name: 2.0 ** np.arange(6)}), y="loss", x=str(name))
    assert runs.x["x"].tolist() == [1, 2, 4, 8, 16, 32]


def test_integers_of_128_bits_are_read():
    params = pl.Series([10**20, 10**21, 10**22] * 2, dtype=pl.Int128)
    runs = Runs(pl.DataFrame(columns(params=params)), **ARGS)
    assert runs.x["N"].tolist() == [1e20, 1e21, 1e22] * 2


def test_labels_of_a_file_are_read_as_they_are_written(tmp_path):
    (tmp_path / "runs.csv").write_text(
        "depth,dropout,run,flops,loss,w\n"
        "12,None,1e5,1e17,3.1,1\n12,NA,100000,1e18,3,1\n24,None,007,1e17,3.2,1\n"
        "24,NA,7,1e18,2.9,1\n,None,8,1e18,NA,0\n"
    )
    args = {"y": "loss", "x": {"C": "flops"}, "sequence": "run", "weight": "w"}
    runs = Runs(tmp_path / "runs.csv", groups="depth", **args)
    assert runs.labels("depth") == ("12", "24"), "a cell without one makes no floats of the others"
    assert runs.sequence_labels == ("1e5", "100000", "007", "7")
    with pytest.warns(RunsWarning, match="one distinct C"):
        runs = Runs(tmp_path / "runs.csv", groups="dropout", **args)
    assert runs.labels("dropout") == ("None", "NA")


def test_rows_of_weight_zero_are_left_out_unchecked(caplog):
    table = columns(w=[1, 0, 1, 1, 0, 1], loss=[3.9, "diverged", 3.1, 4.1, np.nan, 3.0])
    with caplog.at_level(logging.INFO, logger="bayescale"):
        runs = Runs(table, **ARGS, weight="w")
    assert runs.rows.tolist() == [0, 2, 3, 5]
    assert runs.y.tolist() == [3.9, 3.1, 4.1, 3.0]
    assert "left out 2 rows of weight 0 in w" in caplog.text


# What is wrong is said at once ------------------------------------------------------------------


def test_every_problem_is_reported_at_once():
    table = columns(
        loss=[3.9, np.nan, 3.1, np.inf, 3.6, 3.0],
        params=[1e7, 1e8, "1e9?", -1, 0, 1e9],
        arch=["lstm", None, "lstm", "mlp", "mlp", "mlp"],
    )
    with pytest.raises(RunsError) as caught:
        Runs(table, y="loss", x={"N": "params", "D": "token"}, groups={"family": "arch"})
    assert [(p.column, p.rows) for p in caught.value.problems] == [
        ("token", ()),
        ("loss", (1, 3)),
        ("params", (2,)),
        ("params", (3, 4)),
        ("arch", (1,)),
    ]
    assert (
        "loss: 2 rows are not finite (rows 1, 3): drop them or fill in the measured value"
        in str(caught.value)
    )


def test_a_problem_names_the_first_rows_and_counts_the_rest():
    table = {"loss": np.full(100, np.nan), "params": np.arange(1.0, 101)}
    with pytest.raises(RunsError, match=r"100 rows are not finite \(rows 0, 1, 2, 3, 4 and 95"):
        Runs(table, y="loss", x="params")


NAN, INF = float("nan"), float("inf")
DAY = datetime.date(2024, 5, 1)
BAD_CELLS = {
    "nan in y": (changed("loss", _3=NAN, _5=NAN), ARGS, "loss", (3, 5), "not finite", "drop them"),
    "inf in y": (changed("loss", _3=INF), ARGS, "loss", (3,), "not finite", "fill in"),
    "none in y": (changed("loss", _1=None), ARGS, "loss", (1,), "not finite", "fill in"),
    "NA in y": (changed("loss", _1=pd.NA), ARGS, "loss", (1,), "not finite", "fill in"),
    "nan in x": (changed("params", _0=NAN), ARGS, "params", (0,), "not finite", "drop them"),
    "x overflows": (changed("params", _2=10**400), ARGS, "params", (2,), "not finite", "drop"),
    "zero x": (changed("params", _4=0), ARGS, "params", (4,), "zero or negative", "need log N"),
    "negative x": (changed("tokens", _4=-1e9), ARGS, "tokens", (4,), "negative", "need log D"),
    "text in y": (changed("loss", _2="n/a"), ARGS, "loss", (2,), "such as 'n/a'", "astype(float)"),
    "empty text": (changed("loss", _2=""), ARGS, "loss", (2,), "no number, such as ''", "mend"),
    "thousands": (
        *(changed("tokens", _2="3,000,000"), ARGS),
        *("tokens", (2,), "no number, such as '3,000,000'", "write 3000000 for '3,000,000'"),
    ),
    "per cent": (changed("loss", _2="31%"), ARGS, "loss", (2,), "such as '31%'", "write 0.31 for"),
    "billions": (changed("params", _2="1.3B"), ARGS, "params", (2,), "'1.3B'", "write 1.3e9 for"),
    "decimal comma": (changed("loss", _2="3,1"), ARGS, "loss", (2,), "'3,1'", "write 3.1 for"),
    "written numbers": (
        *({"loss": list("398765")}, ARGS),
        *("loss", (0, 1, 2, 3, 4, 5), "text that stands for a number", "astype(float)"),
    ),
    "bool y": (
        *({"loss": np.arange(6) > 2}, ARGS),
        *("loss", (0, 1, 2, 3, 4, 5), "True or False", "the measurement"),
    ),
    "one bool": (changed("loss", _2=True), ARGS, "loss", (2,), "True or False", "measurement"),
    "complex y": (changed("loss", _5=3 + 1j), ARGS, "loss", (5,), "complex", "real number"),
    "complex dtype": (
        *({"params": np.full(6, 1e9 + 0j)}, ARGS),
        *("params", (0, 1, 2, 3, 4, 5), "complex", "real number"),
    ),
    "date x": (changed("tokens", _1=DAY), ARGS, "tokens", (1,), "a date", "compute spent"),
    "date dtype": (
        *({"tokens": np.full(6, "2024-05-01", dtype="datetime64[ns]")}, ARGS),
        *("tokens", (0, 1, 2, 3, 4, 5), "date or duration", "give a number"),
    ),
    "duration": (
        *({"tokens": pd.to_timedelta(np.arange(6), unit="h")}, ARGS),
        *("tokens", (0, 1, 2, 3, 4, 5), "duration", "give a number"),
    ),
    "bytes": (changed("params", _1=b"12"), ARGS, "params", (1,), "bytes, not", "decode"),
    "list in a cell": (changed("loss", _1=[3, 4]), ARGS, "loss", (1,), "neither", "not a list"),
    "object in a cell": (changed("loss", _1=object()), ARGS, "loss", (1,), "neither", "one number"),
    "no label": (changed("arch", _1=None), ARGS, "arch", (1,), "without a label", "fill in"),
    "nan label": (changed("arch", _1=NAN), ARGS, "arch", (1,), "without a label", "drop"),
    "empty label": (changed("arch", _5=" "), ARGS, "arch", (5,), "without a label", "fill in"),
    "list label": (changed("arch", _1=["a"]), ARGS, "arch", (1,), "neither text", "one name"),
    "bytes label": (changed("arch", _1=b"a"), ARGS, "arch", (1,), "bytes, not text", "decode"),
    "no run id": (changed("run", _2=None), ALL, "run", (2,), "without a label", "fill in"),
    "zero se": (changed("se", _2=0), ALL, "se", (2,), "zero or negative", "leave y_se out"),
    "negative se": (changed("se", _2=-0.1), ALL, "se", (2,), "negative", "positive standard"),
    "nan se": (changed("se", _2=NAN), ALL, "se", (2,), "not finite", "drop them"),
    "negative weight": (changed("w", _2=-1), ALL, "w", (2,), "negative", "0 to leave a row out"),
    "nan weight": (changed("w", _2=NAN), ALL, "w", (2,), "not finite", "drop them"),
    "text weight": (changed("w", _2="a"), ALL, "w", (2,), "such as 'a'", "mend"),
    "too many right": (
        *(changed("right", _1=11), COUNTS),
        *("right", (1,), "above the trials in 'asked'", "successes come first"),
    ),
    "negative count": (changed("right", _1=-1), COUNTS, "right", (1,), "negative", "at least 0"),
    "fraction": (changed("right", _1=0.5), COUNTS, "right", (1,), "not whole", "not rates"),
    "no trials": (changed("asked", _1=0), COUNTS, "asked", (1,), "below 1", "at least 1"),
    "endless trials": (changed("asked", _1=1e20), COUNTS, "asked", (1,), "above 9.2e18", "64 bits"),
    "half a trial": (changed("asked", _1=9.5), COUNTS, "asked", (1,), "not whole", "counts"),
}


@pytest.mark.parametrize(
    ("changes", "args", "column", "rows", "message", "mend"), BAD_CELLS.values(), ids=BAD_CELLS
)
def test_bad_cells(changes, args, column, rows, message, mend):
    with pytest.raises(RunsError) as caught:
        Runs(columns(**changes), **args)
    [problem] = caught.value.problems
    assert (problem.column, problem.rows) == (column, rows)
    assert message in problem.message
    assert mend in problem.mend
    assert str(problem) in str(caught.value)


BAD_ARGUMENTS = {
    "unknown column": ({"y": "los"}, "los", "no such column", "did you mean 'loss'? there are"),
    "case of a column": ({"x": "Params"}, "Params", "no such column", "did you mean 'params'?"),
    "far from any column": ({"y": "zzz"}, "zzz", "no such column", "there are 'loss', 'params'"),
    "y is a list": ({"y": ["a", "b", "c"]}, "y", "neither a column nor a pair", "for counts"),
    "y is an array": ({"y": np.ones(6)}, "y", "neither a column nor a pair", 'give y="loss"'),
    "x is a list": ({"x": [["a"]]}, "x", "a list is not a mapping", 'give x={"C": "flops"}'),
    "x is empty": ({"x": {}}, "x", "there is no input", 'give x={"C": "flops"}'),
    "x of arrays": ({"x": {"N": np.ones(6)}}, "x", "not the name of a column", "symbol to column"),
    "symbol is a number": ({"x": {1: "params"}}, "x", "1 is not a name", "symbol to column"),
    "groups are numbers": ({"groups": [1, 2]}, "groups", "a list is not a mapping", "family"),
    "group of lists": ({"groups": {"g": ["arch"]}}, "groups", "not the name of", "name to column"),
    "y_se is a number": ({"y_se": 0.1}, "y_se", "0.1 is not the name", 'give y_se="column"'),
    "y is x": ({"x": "loss"}, "loss", "used as y and as x", "its own column"),
    "two groups, one column": (
        *({"groups": {"a": "arch", "b": "arch"}}, "arch"),
        *("used as a and as b", "its own column"),
    ),
    "x and group": ({"x": {"family": "params"}}, "family", "an input and a group", "rename"),
    "reserved symbol": ({"x": {"draw": "params"}}, "draw", "is taken", "taken are"),
    "a column of forecasts": (
        {"groups": {"median": "arch"}},
        "median",
        "is taken",
        "choose another",
    ),
    "a band": ({"x": {"lower_0.95": "params"}}, "lower_0.95", "is taken", "choose another"),
    "slash": ({"groups": {"a/b": "arch"}}, "a/b", "holds a slash", "without one"),
    "reserved group": ({"groups": {"y": "arch"}}, "y", "the name is taken", "choose another"),
}


@pytest.mark.parametrize(
    ("args", "column", "message", "mend"), BAD_ARGUMENTS.values(), ids=BAD_ARGUMENTS
)
def test_bad_arguments(args, column, message, mend):
    with pytest.raises(RunsError) as caught:
        Runs(columns(), **(ARGS | args))
    [problem] = caught.value.problems
    assert (problem.column, problem.rows) == (column, ())
    assert message in problem.message
    assert mend in problem.mend


TWICE = pd.DataFrame([[1.0, 2.0, 3.0]], columns=["loss", "params", "loss"])
BAD_TABLES = {
    "no rows": ({k: [] for k in columns()}, "table", "has no rows", "at least one run"),
    "no rows in pandas": (pd.DataFrame(columns()).head(0), "table", "has no rows", "one run"),
    "weights of zero": (columns(w=[0] * 6), "w", "every row has weight 0", "give some row"),
    "lengths differ": (
        *(columns(loss=[1.0]), "table"),
        *("differ in length ('loss' 1, 'params' 6", "one value per row"),
    ),
    "a scalar": (columns(arch="lstm"), "arch", "0 dimensions", "one value per row"),
    "a matrix": (columns(loss=np.ones((6, 2))), "loss", "2 dimensions", "one value per row"),
    "a column twice": (TWICE, "loss", "several columns of this name", "rename all but one"),
    "an arrow column twice": (
        *(pa.table([[1.0], [2.0]], names=["loss", "loss"]), "loss"),
        *("several columns of this name", "rename all but one"),
    ),
    "one name as a number": ({1: [1.0], "1": [2.0]}, "1", "several columns of this name", "rename"),
    "names of two levels": (
        *(pd.DataFrame([[1.0]], columns=pd.MultiIndex.from_tuples([("loss", "mean")])), "table"),
        *("names of several levels", "flatten the columns"),
    ),
    "series of other rows": (
        *({"loss": pd.Series([1.0, 2.0]), "params": pd.Series([1.0, 2.0], index=[1, 0])}, "table"),
        *("differ in their index", "series.to_numpy()"),
    ),
    "a list": ([1, 2], "table", "a list is not a table", "DataFrame, a dict"),
    "none": (None, "table", "a NoneType is not a table", "the path of a CSV file"),
    "a series": (pd.Series([1.0]), "table", "a Series is not a table", "DataFrame"),
}


@pytest.mark.parametrize(
    ("table", "column", "message", "mend"), BAD_TABLES.values(), ids=BAD_TABLES
)
def test_bad_tables(table, column, message, mend):
    with pytest.raises(RunsError) as caught:
        Runs(table, **ALL)
    [problem] = caught.value.problems
    assert (problem.column, problem.rows) == (column, ())
    assert message in problem.message
    assert mend in problem.mend


BAD_FILES = {
    "no such file": ("run.csv", None, "there is no file", "did you mean 'runs.csv'?"),
    "no such folder": ("none/run.csv", None, "there is no file", "check the path"),
    "suffix": ("runs.xlsx", "a", "not a .csv, .tsv or .parquet file", "a DataFrame or a dict"),
    "ragged": ("bad.csv", "a,b\n1,2\n1,2,3\n", "Expected 2 fields in line 3", "as many cells"),
    "empty": ("bad.csv", "", "No columns to parse", "the file is complete"),
    "an extra cell": ("bad.csv", "a,b\n1,2,\n1,2,\n", "Expected 2 fields in line 2", "at its end"),
    "semicolons": ("bad.csv", "a;b\n1;2,5\n", "separated by ';'", "read_csv(path, sep=';')"),
    "tabs": ("bad.csv", "a\tb\n1\t2\n", "separated by '\\t'", "save it with ','"),
    "commas": ("bad.tsv", "a,b\n1,2\n", "separated by ','", "save it with '\\t'"),
    "latin-1": ("bad.csv", "arch\nd\xe9", "not text in UTF-8", "save it as UTF-8"),
    "utf-16": ("bad.csv", "\xff\xfea\0,\0b\0\n\0", "not text in UTF-8", "save it as UTF-8"),
    "not parquet": ("bad.parquet", "loss", "cannot be read", "write the file again"),
    "a folder": ("folder.csv", "/", "there is no file", "did you mean"),
}


@pytest.mark.parametrize(("name", "text", "message", "mend"), BAD_FILES.values(), ids=BAD_FILES)
def test_bad_files(name, text, message, mend, tmp_path):
    to_csv(tmp_path)
    if text == "/":
        (tmp_path / name).mkdir()
    elif text is not None:
        (tmp_path / name).write_text(text, encoding="latin-1")
    with pytest.raises(RunsError) as caught:
        Runs(tmp_path / name, **ARGS)
    [problem] = caught.value.problems
    assert problem.column == "table"
    assert message in problem.message
    assert mend in problem.mend


def test_a_name_that_two_columns_of_a_file_have_is_refused_as_in_a_frame(tmp_path):
    (tmp_path / "runs.csv").write_text("flops,loss,loss,,\n1e6,3.1,9,,\n")
    with pytest.raises(RunsError, match="loss: the table has several columns of this name"):
        Runs(tmp_path / "runs.csv", y="loss", x={"C": "flops"})


def test_the_home_of_the_user_is_known(tmp_path, monkeypatch, runs):
    monkeypatch.setenv("HOME", str(tmp_path))
    to_csv(tmp_path)
    assert Runs("~/runs.csv", **ALL) == runs


def test_there_are_at_least_forty_kinds_of_bad_input_each_with_its_message():
    kinds = [*BAD_CELLS.values(), *BAD_ARGUMENTS.values(), *BAD_TABLES.values()]
    assert len(kinds) >= 40


def test_an_error_survives_pickling():
    error = RunsError([Problem("loss", (3,), "1 row is not finite", "drop it")])
    again = pickle.loads(pickle.dumps(error))
    assert again.problems == error.problems
    assert str(again) == str(error)


def test_integers_that_may_have_wrapped_are_pointed_out():
    N = np.array([10**8, 10**9, 7 * 10**9])
    table = {"N": N, "loss": [3.0, 2.5, 2.2]}
    with pytest.warns(RunsWarning, match=r"flops: rows 1, 2 may be wrong: .*6.0 \* N"):
        Runs(table | {"flops": 6 * N * (10 * N)}, y="loss", x={"C": "flops"})
    with (
        pytest.warns(RunsWarning, match="flops: rows 1, 2 may be wrong"),
        pytest.raises(RunsError, match=r"zero or negative .*multiply floats"),
    ):
        Runs(table | {"flops": 6 * N * (20 * N)}, y="loss", x={"C": "flops"})
    Runs(table | {"flops": 6.0 * N * (20 * N)}, y="loss", x={"C": "flops"})


def test_signed_responses_are_legal_until_a_law_needs_their_logarithm():
    table = columns(loss=[1.0, 0.0, -2.0, 1.0, 2.0, 3.0], w=[0, 1, 1, 1, 1, 1])
    runs = Runs(table, **ARGS, weight="w")
    with pytest.raises(RunsError, match=r"loss: 2 rows are zero or negative \(rows 1, 2\): .*log"):
        check_positive_response(runs)
    check_positive_response(runs.select(runs.y > 0))
    check_positive_response(Runs(columns(**changed("right", _0=0)), **COUNTS))


# What is doubtful is said, too ------------------------------------------------------------------


def test_a_sound_table_gives_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Runs(columns(), **ALL)


DOUBTS = {
    "one x in a group": (
        *({"params": [1e7, 1e8, 1e9, 1e8, 1e8, 1e8]}, ARGS),
        "family 'mlp': one distinct N, so nothing to learn about its exponent .* population",
    ),
    "one x in the table": (
        *({"params": [1e8] * 6}, ARGS),
        "params: every row has the same N: there is nothing to learn",
    ),
    "inputs rise together": (
        *({"tokens": [2e8, 2e9, 2e10, 2.1e8, 2e9, 2e10]}, ARGS),
        r"corr\(log N, log D\) = 1.000: .* vary one of them alone",
    ),
    "copies": (
        *({k: [*v[:5], v[4]] for k, v in columns().items()}, ARGS),
        "row 5: exact copies of earlier rows",
    ),
    "labels differ in case": (
        *({"arch": ["lstm", "LSTM", "lstm", "LSTM", "lstm", "LSTM"]}, ARGS),
        "family: the labels 'lstm' and 'LSTM' differ in case only",
    ),
    "millions of parameters": (
        *({"params": [1, 10, 99, 1, 10, 99]}, ARGS),
        "params: the largest value is 99; in units of",
    ),
    "small flops": (
        *({"flops": [1.0, 10, 99, 1, 10, 99]}, ARGS | {"x": {"C": "flops"}}),
        "flops: the largest value is 99; in units of",
    ),
    "billions of tokens": (
        *({"tokens": [10, 2, 3, 2, 10, 4]}, ARGS),
        "tokens: the largest value is 10; in units of",
    ),
    "mixed units": (
        *({"params": [1.3, 7, 350e6, 1.3, 7, 350e6]}, ARGS),
        "params: no run between 7 and 3.5e.08, 7.7 decades; are two units mixed",
    ),
    "a unit of its own in one family": (
        *({"flops": [1e18, 1e19, 1e20, 2, 20, 200]}, ARGS | {"x": {"C": "flops"}}),
        "flops: no run between 200 and 1e.18, 15.7 decades; are two units mixed",
    ),
    "one run far away": (
        *({"flops": [1e17, 2e17, 1e18, 1e17, 5e17, 1e23]}, ARGS | {"x": {"C": "flops"}}),
        "flops: no run between 1e.18 and 1e.23, 5.0 decades; .* the law alone says",
    ),
    "perplexity": (
        *(changed("loss", _2=80.0), ARGS),
        "loss: the largest value is 80; a perplexity",
    ),
    "run id in two families": (
        *({"run": list("abcabc")}, ARGS | {"sequence": "run"}),
        "run: runs 'a', 'b', 'c' have rows in several labels of family",
    ),
    "checkpoints without order": (
        *({"params": [1e7, 1e7, 1e9, 1e7, 1e8, 1e9], "run": list("aabbbb")},),
        {"y": "loss", "x": "params", "sequence": "run"},
        r"run: two checkpoints of one run have the same x \(rows 1, 5\)",
    ),
}


@pytest.mark.parametrize(("changes", "args", "message"), DOUBTS.values(), ids=DOUBTS)
def test_doubts_are_warnings_at_the_line_of_the_user(changes, args, message):
    with pytest.warns(RunsWarning, match=message) as caught:
        Runs(columns(**changes), **args)
    assert len(caught) == 1
    assert caught[0].filename == __file__


@pytest.mark.parametrize("name", ["tokens_per_param", "token_multiplier", "param_ratio"])
def test_a_ratio_is_no_amount_in_another_unit(name):
    Runs(columns() | {name: [10, 20, 30, 10, 20, 40]}, y="loss", x={"M": name})


def test_equal_counts_are_no_copies():
    Runs(columns(right=[1] * 6, params=[1e7, 1e9, 1e9, 1e7, 1e9, 1e9]), **COUNTS)


# Nobody can change it ---------------------------------------------------------------------------


def test_it_is_immutable(runs):
    with pytest.raises(ValueError, match="read-only"):
        runs.y[0] = 1
    with pytest.raises(ValueError, match="read-only"):
        runs.x["N"][0] = 1
    with pytest.raises(TypeError):
        runs.x["N"] = runs.y
    with pytest.raises(AttributeError):
        runs.y = runs.y
    with pytest.raises((AttributeError, TypeError)):
        runs.extra = 1


def test_changing_the_table_later_does_not_change_the_runs():
    table = {k: np.array(v) for k, v in columns().items()}
    runs = Runs(table, **ARGS)
    table["loss"][:] = 0
    assert runs == Runs(columns(), **ARGS)


def test_equality_is_by_content(runs):
    assert runs == Runs(columns(), **ALL)
    assert runs != Runs(columns(**changed("loss", _0=3.91)), **ALL)
    assert runs != Runs(columns(**changed("arch", _0="gru", _1="gru", _2="gru")), **ALL)
    assert runs != "runs"


def test_it_can_be_copied_pickled_and_saved(runs, tmp_path):
    assert copy.deepcopy(runs) == runs
    assert pickle.loads(pickle.dumps(runs)) == runs
    assert not pickle.loads(pickle.dumps(runs)).y.flags.writeable
    runs.to_dataset().to_netcdf(tmp_path / "runs.nc", engine="h5netcdf")
    import xarray as xr

    with xr.open_dataset(tmp_path / "runs.nc", engine="h5netcdf") as saved:
        assert Runs.from_dataset(saved) == runs
    counts = Runs(columns(), **COUNTS).where(arch="mlp")
    assert Runs.from_dataset(counts.to_dataset()) == counts
    assert Runs.from_dataset(counts.to_dataset()).rows.tolist() == [3, 4, 5]


# Parts of it ------------------------------------------------------------------------------------


def test_select_keeps_labels(runs):
    part = runs.select(runs.x["N"] < 1e8)
    assert part.y.tolist() == [3.9, 4.1]
    assert part.rows.tolist() == [0, 3]
    assert part.select([1]).groups == runs.groups
    assert part.select([1]).sequence_labels == runs.sequence_labels
    assert runs.select([-1, 0]).y.tolist() == [3.0, 3.9]
    assert len(runs.select([])) == 0
    assert runs.select([]).groups == runs.groups


@pytest.mark.parametrize(
    ("which", "message"),
    [([True], "a mask of shape"), ([0.5], "not a mask or a list"), ([[1]], "of shape")],
)
def test_select_refuses_what_is_no_selection(runs, which, message):
    with pytest.raises(RunsError, match=message):
        runs.select(which)


def test_where(runs):
    assert runs.where(family="mlp").rows.tolist() == [3, 4, 5]
    assert runs.where(family=["mlp", "lstm"]) == runs
    assert len(runs.where(family=[])) == 0
    assert runs.where() == runs
    with pytest.raises(RunsError, match=r"no label 'lst': did you mean 'lstm'\?"):
        runs.where(family="lst")
    with pytest.raises(RunsError, match=r"famly: no such group: did you mean 'family'\?"):
        runs.where(famly="lstm")


def test_below_and_above_share_the_rows(runs):
    below, above = runs.below("N", 1e8), runs.above("N", 1e8)
    assert below.x["N"].max() == 1e7
    assert above.x["N"].min() == 1e8
    assert len(below) + len(above) == len(runs)
    with pytest.raises(RunsError, match="C: no such input: there are 'N', 'D'"):
        runs.below("C", 1)


def test_drop_unused(runs):
    part = runs.where(family="mlp").drop_unused()
    assert part.groups == {"family": ("mlp",)}
    assert part.codes["family"].tolist() == [0, 0, 0]
    assert part.sequence_labels == ("r3", "r4", "r5")
    assert part.sequence.tolist() == [0, 1, 2]
    assert runs.drop_unused() == runs


def test_concat_unites_labels(runs):
    more = Runs(
        columns(arch=["gru"] * 3 + ["mlp"] * 3, run=["r5", "a", "b", "c", "d", "e"]),
        **{name: value for name, value in ALL.items() if name != "weight"},
    )
    with pytest.warns(RunsWarning, match="runs 'r5' have rows in several labels of family"):
        both = runs.concat(more)
    assert both.groups == {"family": ("lstm", "mlp", "gru")}
    assert both.codes["family"].tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2, 1, 1, 1]
    assert both.sequence.tolist() == [0, 1, 2, 3, 4, 5, 5, 6, 7, 8, 9, 10]
    assert both.weight.tolist() == [*columns()["w"], 1, 1, 1, 1, 1, 1]
    assert both.rows.tolist() == list(range(12))
    assert both.select(np.arange(6)).drop_unused() == runs


def test_concat_points_out_two_units(runs):
    part = runs.where(family="mlp")
    billions = {"tokens": [2, 10, 4], "loss": [4.0, 3.5, 2.9], "run": ["a", "b", "c"]}
    keep = {k: v[3:] for k, v in columns().items() if k not in billions}
    with pytest.warns(RunsWarning, match="tokens: the largest value is 10"):
        other = Runs(keep | billions, **ALL)
    with pytest.warns(RunsWarning, match="tokens: no run between 10 and 2e.09") as caught:
        part.concat(other)
    assert caught[0].filename == __file__
    assert len(runs.select([]).concat(other.select([]))) == 0


def test_concat_refuses_another_kind_of_table(runs):
    with pytest.raises(RunsError, match=r"x: \['N', 'D'\] in one table, \['x'\] in the other"):
        runs.concat(Runs(columns(), y="loss", x="params"))
    with pytest.raises(RunsError, match="y_se: given for one table and not for the other"):
        runs.concat(Runs(columns(), **ARGS))


def test_to_frame_gives_the_columns_of_the_user(runs):
    frame = runs.where(family="mlp").to_frame()
    assert list(frame.columns) == ["loss", "params", "tokens", "arch", "se", "w", "run"]
    assert frame.index.tolist() == [3, 4, 5]
    assert frame["arch"].tolist() == ["mlp"] * 3


# What it shows ----------------------------------------------------------------------------------


def test_repr_has_ranges_in_decades_per_group():
    runs = Runs(columns(), y="loss", x={"N": "params"}, groups={"family": "arch"}, sequence="run")
    assert repr(runs.above("N", 1e8)).splitlines() == [
        "Runs: 4 rows",
        "  y = loss        3 .. 3.6",
        "  N = params      1e08 .. 1e09 (1.0 decades)",
        "  sequence = run  6 runs",
        "  family = arch, 2 labels",
        "    lstm  2 rows  N 1e08 .. 1e09 (1.0 decades)",
        "    mlp   2 rows  N 1e08 .. 1e09 (1.0 decades)",
    ]


@pytest.mark.parametrize("groups", [["a"], ["a", "b"], ["a", "b", "c"]])
def test_repr_is_short(groups):
    rng = np.random.default_rng(0)
    table = {name: np.arange(400) % 88 for name in groups}
    table |= {"loss": rng.uniform(1, 2, 400), "flops": rng.uniform(1e6, 1e9, 400)}
    runs = Runs(table, y="loss", x="flops", groups=groups)
    assert len(repr(runs).splitlines()) <= 15
    assert "... and 8" in repr(runs)


def test_html_escapes_labels():
    runs = Runs(columns(arch=["<b>"] * 3 + ["mlp"] * 3), **ARGS)
    html = runs._repr_html_()
    assert "&lt;b&gt;" in html
    assert "(2.0 decades)" in html
    assert html.startswith("<table>")


def test_empty_and_counted_runs_can_be_shown(runs):
    assert "mlp   0 rows" in repr(runs.select([]))
    assert "y = right of asked" in repr(Runs(columns(), **COUNTS))


def test_the_example_in_the_docstring_runs():
    found = doctest.DocTestFinder().find(Runs, "Runs", module=bayescale.runs.runs)
    runner = doctest.DocTestRunner()
    for test in found:
        test.globs["Runs"] = Runs
        runner.run(test)
    assert runner.failures == 0
    assert runner.tries > 0


def test_importing_it_is_cheap():
    check = (
        "import importlib.util, sys; import bayescale.runs.runs; "
        "assert not {'matplotlib', 'polars'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", check], check=True, timeout=60)


# Properties -------------------------------------------------------------------------------------

positive = st.floats(1e-30, 1e30)
row = st.tuples(st.floats(-1e6, 1e6), positive, st.sampled_from("abcde"), st.sampled_from("pq"))
tables = st.lists(row, min_size=1, max_size=12)


def made(rows):
    y, x, a, b = zip(*rows, strict=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RunsWarning)
        return Runs({"y": y, "c": x, "a": a, "b": b}, y="y", x={"C": "c"}, groups=["a", "b"])


@given(tables)
@settings(max_examples=50, deadline=None)
def test_a_frame_makes_the_same_runs(rows):
    runs = made(rows)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RunsWarning)
        assert Runs(runs.to_frame(), y="y", x={"C": "c"}, groups=["a", "b"]) == runs


@given(tables, st.data())
@settings(max_examples=50, deadline=None)
def test_selecting_keeps_labels_and_meaning(rows, data):
    runs = made(rows)
    which = data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=8))
    part = runs.select(which)
    assert part.groups == runs.groups
    chosen = [rows[i] for i in which]
    assert part.y.tolist() == [r[0] for r in chosen]
    assert [part.labels("a")[code] for code in part.codes["a"]] == [r[2] for r in chosen]


@given(tables, st.randoms(use_true_random=False))
@settings(max_examples=50, deadline=None)
def test_the_order_of_rows_does_not_matter_for_ranges(rows, random):
    shuffled = list(rows)
    random.shuffle(shuffled)
    one, other = made(rows), made(shuffled)
    assert set(one.labels("a")) == set(other.labels("a"))
    assert repr(one).splitlines()[:3] == repr(other).splitlines()[:3]
    lines = [line.strip() for line in repr(one).splitlines() if not line.strip().startswith("...")]
    if len(one.labels("a")) < 5:
        assert sorted(lines) == sorted(line.strip() for line in repr(other).splitlines())


@given(tables, tables)
@settings(max_examples=50, deadline=None)
def test_concat_puts_rows_below_rows(first, second):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RunsWarning)
        both = made(first).concat(made(second))
    assert both == made(first + second)


def test_a_million_rows_take_seconds():
    rng = np.random.default_rng(1)
    n = 1_000_000
    table = {"y": rng.normal(size=n), "c": rng.uniform(1, 1e9, n), "g": rng.integers(0, 500, n)}
    runs = Runs(table, y="y", x="c", groups="g")
    assert len(runs.where(g=3)) > 1000
