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
    table = bs.read_tracker({k: v for k, v in EXPORT.items() if k != "config.loss"})
    assert list(table) == ["Name", "State", "model.n_params", "arch", "flops", "val/loss"]
    assert table["flops"].tolist() == [1e15, 1e17, 1e19], "text of numbers becomes numbers"
    assert len(table) == 3


def test_a_map_names_columns_and_unfinished_runs_are_left_out_with_a_warning():
    with pytest.warns(bs.RunsWarning, match=r"1 of 3 runs are left out.*'loss'.*rows 2"):
        table = bs.read_tracker(EXPORT, COLUMNS)
    runs = bs.Runs(table, y="loss", x={"C": "C"}, groups="family")
    assert runs.y.tolist() == [4.1, 3.2]


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
    assert bs.read_tracker(export, {"loss": "summary.loss"})["loss"].tolist() == [4.0, 3.0, 2.0]
