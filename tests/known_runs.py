"""Runs that lie on a law, and the constants that a fit of them has."""

import numpy as np

import bayescale as bs
from bayescale.laws.parameters import Parameters
from bayescale.model.geometry import natural
from bayescale.testing import testing


def runs_by(law, constants, x=None, labels=None):
    """Sixty measurements that lie on a law."""
    columns, sequence = testing.design(law, 60, np.random.default_rng(0))
    columns = {**columns, **(x or {})}
    y = law.mean(
        np, Parameters(np, constants), *testing.formula_inputs(law, columns, sequence)
    ) * np.ones(60)
    y = np.clip(y, 1e-6, 1 - 1e-6) if law.response == "unit" else y
    table = {**columns, "y": y}
    options = {"x": {s: s for s in law.inputs}}
    if sequence is not None:
        table["run"], options["sequence"] = sequence, "run"
    if labels is not None:
        table["label"], options["groups"] = np.resize(labels, 60), {"family": "label"}
    return bs.Runs(table, y="y", **options)


def natural_of(fit):
    found = natural(np, fit.structure, {k: v[0] for k, v in fit.draws.items()}, fit.arrays)
    return {name: np.exp(v) if kind == "logs" else v for name, (kind, v) in found.items()}
