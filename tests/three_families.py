"""Runs of three families with known parameters, and a quick fit."""

import warnings

import numpy as np

import bayescale as bs

TRUTH = {"alpha": np.array([0.20, 0.30, 0.45]), "E": np.array([1.6, 1.8, 2.0])}


def simulated(counts=(30, 30, 30), seed=3):
    """Runs of three families with known parameters; some may have one run only."""
    rng = np.random.default_rng(seed)
    family = np.repeat(np.arange(3), counts)
    x = 10 ** rng.uniform(17, 21, family.size)
    mean = TRUTH["E"][family] + (x / 1e19) ** -TRUTH["alpha"][family]
    y = mean * np.exp(0.005 * rng.standard_t(4, family.size))
    return {"flops": x, "loss": y, "arch": np.array(["mlp", "lstm", "gpt"])[family]}


def runs_of(table):
    return bs.Runs(table, y="loss", x={"C": "flops"}, groups={"family": "arch"})


def quick(law, runs, **options):
    chosen = {"draws": 500, "tune": 400, "chains": 2, "random_seed": 5, "progressbar": False}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", bs.ConvergenceWarning)
        return bs.fit(law, runs, **{**chosen, **options})
