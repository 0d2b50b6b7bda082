"""Measured training runs that ship with the package, as pandas tables.

The data card is ``docs/tinylm.md``.
"""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

from bayescale.datasets.frontier import near_frontier

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["available", "near_frontier", "tinylm", "tinylm_checkpoints", "tinylm_sweep"]

_FILES = {
    "tinylm": "tinylm.csv",
    "tinylm_checkpoints": "tinylm_checkpoints.csv.gz",
    "tinylm_sweep": "tinylm_sweep.csv",
}


def available() -> tuple[str, ...]:
    """Name the data sets; each is also a function of this module.

    Returns
    -------
    tuple of str
        The names.

    Examples
    --------
    >>> from bayescale import datasets
    >>> datasets.available()
    ('tinylm', 'tinylm_checkpoints', 'tinylm_sweep')
    """
    return tuple(_FILES)


def tinylm() -> pd.DataFrame:
    """Load the final losses of small byte-level language models, one row a run.

    Returns
    -------
    DataFrame
        Columns ``arch`` (mlp, gru, transformer), ``corpus`` (code, prose), ``role`` (fit, or
        target for runs kept apart to test forecasts), ``params`` (non-embedding) and
        ``params_total``, ``tokens`` (bytes of text trained on), ``flops`` (6 x params x tokens)
        and ``flops_counted``, ``seed``, ``loss`` (validation, nats per byte) with its standard
        error ``loss_se``, ``seconds`` of training, and how each run was set up.

    Examples
    --------
    >>> from bayescale import datasets
    >>> sorted(datasets.tinylm()["arch"].unique())
    ['gru', 'mlp', 'transformer']
    """
    return _load("tinylm")


def tinylm_checkpoints() -> pd.DataFrame:
    """Load the intermediate losses of the runs of `tinylm`, one row a checkpoint.

    Returns
    -------
    DataFrame
        As `tinylm`, with ``tokens`` and the FLOPs counted up to the checkpoint, ``run_tokens``
        for the whole run, the learning rate at that step ``learning_rate_now`` and the mean
        ``train_loss`` since the checkpoint before. ``loss`` is measured on an eighth of the
        validation set of the final losses.

    Examples
    --------
    >>> from bayescale import datasets
    >>> points = datasets.tinylm_checkpoints()
    >>> bool((points["tokens"] <= points["run_tokens"]).all())
    True
    """
    return _load("tinylm_checkpoints")


def tinylm_sweep() -> pd.DataFrame:
    """Load the short runs that set the learning rates of `tinylm`.

    Returns
    -------
    DataFrame
        One row a run, with ``learning_rate`` and the ``loss`` it reached.

    Examples
    --------
    >>> from bayescale import datasets
    >>> bool((datasets.tinylm_sweep()["learning_rate"] > 0).all())
    True
    """
    return _load("tinylm_sweep")


def _load(name: str) -> pd.DataFrame:
    import pandas as pd

    with resources.as_file(resources.files(__name__) / _FILES[name]) as path:
        return pd.read_csv(path)
