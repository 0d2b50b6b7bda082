"""Runs hold a table: read-only, and with parts that keep their labels."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
from sound_table import ALL, ARGS, COUNTS, changed, columns

from bayescale.runs import Runs, RunsError, RunsWarning


@pytest.fixture
def runs():
    return Runs(columns(), **ALL)


# A table comes in -------------------------------------------------------------------------------


def test_columns_become_read_only_arrays_in_table_order(runs):
    assert len(runs) == 6
    assert runs.y.tolist() == runs.response.tolist() == columns()["loss"]
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
    assert runs.response.tolist() == (runs.y / 10).tolist()
    assert runs.trials.dtype == np.int64
    assert runs.names["trials"] == "asked"


@pytest.mark.parametrize("groups", ["arch", ["arch"], ("arch",), {"arch": "arch"}])
def test_columns_may_name_their_own_group(groups):
    assert Runs(columns(), y="loss", x="params", groups=groups).groups == {"arch": ("lstm", "mlp")}


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
    for wrong in ("large", [1e7, 1e8], None):
        with pytest.raises(RunsError, match=r"N: .* is not a number: cut at one such as 1e20"):
            runs.above("N", wrong)


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


def test_concat_knows_labels_that_a_missing_cell_made_floats():
    depths = {"arch": [12, 12, 12, 24, 24, 24], "run": [1, 1, 1, 2, 2, 2]}
    whole = pd.DataFrame(columns(**depths))
    upper, lower = whole, whole.assign(loss=whole["loss"] + 0.1).reindex(range(7)).dropna()
    assert lower["arch"].dtype == lower["run"].dtype == float
    both = Runs(upper, **ALL).concat(Runs(lower, **ALL))
    assert both.groups == {"family": ("12", "24")}
    assert both.sequence_labels == ("1", "2")


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


def test_concat_says_what_to_do_with_a_table_that_was_not_read(runs):
    with pytest.raises(TypeError, match=r"takes Runs, not dict: .*runs\.concat\(Runs\(table"):
        runs.concat(columns())


def test_to_frame_gives_the_columns_of_the_user(runs):
    frame = runs.where(family="mlp").to_frame()
    assert list(frame.columns) == ["loss", "params", "tokens", "arch", "se", "w", "run"]
    assert frame.index.tolist() == [3, 4, 5]
    assert frame["arch"].tolist() == ["mlp"] * 3
