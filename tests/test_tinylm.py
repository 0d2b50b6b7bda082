"""The measured data set: what its tables promise, and that the experiment can be repeated."""

import importlib
import importlib.util
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from bayescale import datasets

ROOT = Path(__file__).parents[1]
SEED_SCATTER = 0.03

INTERRUPTED = """
import sys, time
from pathlib import Path
from types import SimpleNamespace
from benchmarks.tinylm.run import finish

def train(spec):
    if spec.name == "c":
        time.sleep(60)
    return {"run": spec.name, "val_loss": 1.0}

for name in "abcd":
    finish(SimpleNamespace(name=name), Path(sys.argv[1]), train)
"""

SMALLEST = """
import json, sys
from benchmarks.tinylm import corpora, train
from benchmarks.tinylm.models import Shape

row = json.loads(sys.argv[1])
corpus = corpora.load(row["corpus"])
if corpus.sha256 != row["corpus_sha256"]:
    sys.exit(f"this interpreter's library is not that of Python {row['python']}")
shape = Shape(row["arch"], row["width"], row["depth"], row["embed"])
spec = train.Spec("fit", row["corpus"], shape, row["steps"], row["learning_rate"], row["seed"])
print(train.train(spec, corpus)["val_loss"])
"""


@pytest.fixture
def run(monkeypatch):
    if not (ROOT / "benchmarks" / "tinylm").is_dir():
        pytest.skip("the experiment is in the repository, not in the package")
    monkeypatch.syspath_prepend(ROOT)
    return importlib.import_module("benchmarks.tinylm.run")


@pytest.fixture(scope="module")
def final():
    return datasets.tinylm()


@pytest.fixture(scope="module")
def checkpoints():
    return datasets.tinylm_checkpoints()


# The tables ---------------------------------------------------------------------------------


def test_every_data_set_that_is_named_can_be_loaded():
    assert all(len(getattr(datasets, name)()) for name in datasets.available())


def test_the_tables_take_at_most_a_megabyte():
    files = Path(datasets.__file__).parent.glob("*.csv*")
    assert sum(path.stat().st_size for path in files) <= 1_000_000


def test_three_architectures_are_measured_on_two_corpora(final):
    fit = final[final["role"] == "fit"]
    assert set(fit["arch"]) == {"mlp", "gru", "transformer"}
    assert set(fit["corpus"]) == {"code", "prose"}
    assert len(fit.groupby(["arch", "corpus"])) == 6
    assert len(fit) >= 150


@pytest.mark.parametrize("arch", ["mlp", "gru", "transformer"])
def test_sizes_and_data_are_spread_and_come_apart(final, arch):
    fit = final.query("role == 'fit' and corpus == 'code' and arch == @arch")
    size, data = np.log10(fit["params"]), np.log10(fit["tokens"])
    assert fit["params"].nunique() >= 6
    assert np.ptp(size) >= 2.5
    assert fit["tokens"].nunique() >= 5
    assert np.ptp(data) >= 2
    assert np.ptp(data - size) >= 3


def test_a_third_of_the_cells_has_more_than_one_seed(final):
    fit = final[final["role"] == "fit"]
    seeds = fit.groupby(["corpus", "arch", "params", "tokens"])["seed"].nunique()
    assert (seeds >= 2).mean() >= 1 / 3


def test_units_agree_with_one_another(final):
    assert final["run"].is_unique
    assert (final["flops"] == 6 * final["params"] * final["tokens"]).all()
    assert (final["flops_counted"] > final["flops"]).all()
    assert (final["params_total"] > final["params"]).all()
    assert (final["tokens"] == final["steps"] * final["batch_sequences"] * final["context"]).all()
    assert final.notna().all(axis=None)


def test_losses_lie_between_entropy_and_chance(final, checkpoints):
    assert final["loss"].between(0.8, np.log(128)).all()
    assert final["loss_se"].between(0.001, 0.05).all()
    assert checkpoints["loss"].between(0.8, 1.1 * np.log(128)).all()


def test_more_text_lowers_the_loss(final):
    for _, line in cells(final).groupby(["corpus", "arch", "params"]):
        assert line.sort_values("tokens")["loss"].is_monotonic_decreasing


def test_more_parameters_lower_the_loss_once_there_are_steps_to_use_them(final):
    long = cells(final).query("steps >= 512")
    for _, line in long.groupby(["corpus", "arch", "tokens"]):
        losses = line.sort_values("params")["loss"].to_numpy()
        assert (np.diff(losses) < SEED_SCATTER).all()


def cells(final):
    fit = final[final["role"] == "fit"]
    return fit.groupby(["corpus", "arch", "params", "tokens", "steps"], as_index=False)[
        "loss"
    ].mean()


def test_the_last_checkpoint_is_the_final_model(final, checkpoints):
    last = checkpoints.loc[checkpoints.groupby("run")["tokens"].idxmax()].set_index("run")
    ends = final.set_index("run")
    assert set(last.index) == set(ends.index)
    ends = ends.loc[last.index]
    assert (last["tokens"] == ends["tokens"]).all()
    assert (last["flops"] == ends["flops"]).all()
    assert ((last["loss"] - ends["loss"]).abs() < 3 * last["loss_se"]).all()


# The experiment -----------------------------------------------------------------------------


def test_a_killed_experiment_goes_on_where_it_was(run, tmp_path):
    child = subprocess.Popen([sys.executable, "-c", INTERRUPTED, str(tmp_path)], cwd=ROOT)
    deadline = time.monotonic() + 15
    while not (tmp_path / "b.json").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    child.send_signal(signal.SIGKILL)
    child.wait()
    (tmp_path / ".c.part").write_text('{"run": "c", "val')
    finished = {path.name: path.read_bytes() for path in tmp_path.glob("*.json")}
    assert set(finished) == {"a.json", "b.json"}

    trained = []

    class Spec:
        def __init__(self, name):
            self.name = name

    def train(spec):
        trained.append(spec.name)
        return {"run": spec.name, "val_loss": 2.0}

    records = [run.finish(Spec(name), tmp_path, train) for name in "abcd"]
    assert trained == ["c", "d"]
    assert [record["val_loss"] for record in records] == [1.0, 1.0, 2.0, 2.0]
    assert all((tmp_path / name).read_bytes() == text for name, text in finished.items())
    assert {path.name for path in tmp_path.iterdir()} == {f"{name}.json" for name in "abcd"}


@pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="training needs jax")
def test_the_smallest_cell_is_measured_again(run, final):
    row = final.query("role == 'fit' and corpus == 'code' and seed == 0").nsmallest(1, "flops")
    record = row.iloc[0]
    child = subprocess.run(
        [sys.executable, "-c", SMALLEST, record.to_json()],
        cwd=ROOT, env={"JAX_PLATFORMS": "cpu", "PATH": ""}, capture_output=True, text=True,
    )  # fmt: skip
    if "this interpreter's library" in child.stderr:
        pytest.skip(child.stderr.strip())
    assert child.returncode == 0, child.stderr
    assert abs(json.loads(child.stdout) - record["loss"]) < 3 * record["loss_se"]
