"""Reading what experiment trackers export."""

import numpy as np
import polars as pl
import pytest

import bayescale as bs

EXPORT = {
    "Name": ["brave-fox", "calm-owl", "dull-elk"],
    "State": ["finished", "finished", "crashed"],
    "config.model.n_params": [1e6, 1e7, 1e8],
    "config.arch": ["gpt", "gpt", "mlp"],
    "config.flops": ["1e15", "1e17", "1e19"],
    "summary.val/loss": [4.1, 3.2, np.nan],
    "config.loss": ["ce", "ce", "ce"],
}
COLUMNS = {"N": "config.model.n_params", "C": "flops", "family": "arch", "loss": "val/loss"}


def test_columns_lose_their_prefix():
    table = bs.read_tracker({k: v for k, v in EXPORT.items() if k not in ("State", "config.loss")})
    assert list(table) == ["Name", "model.n_params", "arch", "flops", "val/loss"]
    assert table["flops"].tolist() == [1e15, 1e17, 1e19], "text of numbers becomes numbers"
    assert len(table) == 3


def test_a_map_names_columns_and_runs_without_a_value_are_left_out_with_a_warning():
    export = {name: cells for name, cells in EXPORT.items() if name != "State"}
    with pytest.warns(bs.RunsWarning, match=r"1 of 3 runs are left out.*'loss'.*row 2") as caught:
        table = bs.read_tracker(export, COLUMNS)
    assert caught[0].filename == __file__
    runs = bs.Runs(table, y="loss", x={"C": "C"}, groups="family")
    assert runs.y.tolist() == [4.1, 3.2]


@pytest.mark.parametrize(
    ("column", "states", "said"),
    [
        ("State", ["finished", "crashed", "running"], "'State' says 'crashed', 'running' there"),
        ("status", ["FINISHED", "FAILED", "KILLED"], "'status' says 'FAILED', 'KILLED' there"),
        ("state", ["COMPLETE", "PRUNED", "RUNNING"], "'state' says 'PRUNED', 'RUNNING' there"),
    ],
)
@pytest.mark.parametrize("columns", [None, {"N": "n", "loss": "val"}])
def test_runs_that_did_not_finish_are_left_out_though_they_logged_a_loss(
    column, states, said, columns
):
    export = {column: states, "config.n": [1e6, 1e7, 1e8], "summary.val": [4.1, 3.9, 3.7]}
    with pytest.warns(bs.RunsWarning, match=rf"2 of 3 runs are left out.*{said} \(rows 1, 2\)"):
        table = bs.read_tracker(export, columns)
    assert len(table) == 1


def test_ids_stay_text(tmp_path):
    export = {"Name": ["1e5", "100000", "007"], "config.C": ["1e5", "100000", "7"]}
    pl.DataFrame(export).write_csv(tmp_path / "export.csv")
    for table in (export, tmp_path / "export.csv"):
        read = bs.read_tracker(table)
        assert read["Name"].tolist() == export["Name"]
        assert read["C"].tolist() == [1e5, 1e5, 7]


def test_a_list_of_columns_is_refused_with_a_mend():
    with pytest.raises(bs.RunsError, match="columns: a list is not a mapping: give columns="):
        bs.read_tracker(EXPORT, ["N"])


def test_files_and_polars_read_alike(tmp_path):
    finished = {name: values[:2] for name, values in EXPORT.items()}
    frame = pl.DataFrame(finished)
    frame.write_csv(tmp_path / "export.csv")
    one, two = (bs.read_tracker(t, COLUMNS) for t in (tmp_path / "export.csv", frame))
    assert one.equals(two)


def test_missing_columns_are_named_all_at_once_with_a_guess():
    with pytest.raises(bs.RunsError) as error:
        bs.read_tracker(EXPORT, {"N": "config.model.n_parms", "loss": "val/los"})
    said = str(error.value)
    assert "2 problems" in said
    assert "did you mean 'config.model.n_params'" in said
    assert "did you mean 'val/loss'" in said


def test_a_name_under_two_prefixes_is_refused_with_both():
    export = {**EXPORT, "summary.loss": [4.0, 3.0, 2.0]}
    both = "'config.loss' or 'summary.loss'"
    with pytest.raises(bs.RunsError, match=f"give it with its prefix: {both}"):
        bs.read_tracker(export, {"loss": "loss"})
    with pytest.raises(bs.RunsError, match="have one name"):
        bs.read_tracker(export)
    with pytest.warns(bs.RunsWarning, match="'State' says 'crashed' there"):
        assert bs.read_tracker(export, {"loss": "summary.loss"})["loss"].tolist() == [4.0, 3.0]
