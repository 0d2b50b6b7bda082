"""Every kind of table, number, label and file is read, and means the same."""

import datetime
import decimal
import logging

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sound_table import ALL, ARGS, DAY, columns, to_csv

from bayescale.runs import Runs, RunsError, RunsWarning


@pytest.fixture
def runs():
    return Runs(columns(), **ALL)


def to_parquet(path):
    pd.DataFrame(columns()).to_parquet(path / "runs.parquet")
    return path / "runs.parquet"


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
        ([2.0, 2.0, np.float32(10), 10.0, 1, 1.0], ("2", "10", "1")),
        ([0.5, 0.5, 1e300, 1e300, -3.0, -3.0], ("0.5", "1e+300", "-3")),
        ([True, True, False, False, True, False], ("True", "False")),
        (["b ", "b", "a", "a", " a", "b"], ("b", "a")),
        ([1, "1", 1, 2, "2", 2], ("1", "2")),
    ],
    ids=["ints", "whole floats", "floats", "bools", "spaces", "mixed"],
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
    assert runs.code("family", 7) == runs.code("family", 7.0) == 1
    assert runs.code("family", "7.0") == 2
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
