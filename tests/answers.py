"""Posteriors whose answers are known."""

import numpy as np

import bayescale as bs

BUDGETS = np.geomspace(1e18, 1e26, 200)


BESIROGLU = {"E": 1.8172, "A": 482.01, "alpha": 0.3478, "B": 2085.43, "beta": 0.3658}


def pair_table(y="loss", group="family", low=1e17, high=1e21):
    x = np.tile(np.geomspace(low, high, 6), 2)
    table = {"C": x, group: np.repeat(["lstm", "gpt"], 6), y: np.linspace(4.0, 2.5, 12)}
    return bs.Runs(table, y=y, x={"C": "C"}, groups=group)


def joint_table():
    N, D = map(np.ravel, np.meshgrid(np.geomspace(1e7, 1e9, 4), np.geomspace(1e8, 1e10, 4)))
    return bs.Runs(
        {"N": N, "D": D, "loss": 5 - np.arange(16) / 10}, y="loss", x={"N": "N", "D": "D"}
    )


def power_laws(A, alpha, E=None):
    """Two curves: columns are lstm and gpt."""
    A, alpha = np.atleast_2d(A), np.atleast_2d(alpha)
    if E is None:
        return bs.known_fit(bs.laws.PowerLaw(), pair_table(), {"A": A, "alpha": alpha})
    values = {"A": A, "alpha": alpha, "E": np.atleast_2d(E)}
    return bs.known_fit(bs.laws.OffsetPowerLaw(), pair_table(), values)


def chinchilla(samples=1, **spread):
    rng = np.random.default_rng(1)
    values = {
        name: value * np.exp(rng.normal(0, spread.get(name, 0.0), samples))
        for name, value in BESIROGLU.items()
    }
    return bs.known_fit(bs.laws.Chinchilla(), joint_table(), values), values


def at_its_example(law, **columns):
    """Fit of a law with the constants of its example, known exactly, to a grid of inputs."""
    constants = {q.name: law.example.parameters[q.name] for q in law.parameters}
    grid = dict(zip(columns, map(np.ravel, np.meshgrid(*columns.values())), strict=True))
    runs = bs.Runs({**grid, "y": law(*grid.values(), **constants)}, y="y", x={s: s for s in grid})
    return bs.known_fit(law, runs, constants)


OVERTRAINING = {"C": [1e17, 1e19, 1e21], "M": [1.0, 20.0, 320.0]}


def broken(c1=0.3):
    table = bs.Runs({"C": [1e3, 1e5, 1e7], "loss": [4, 3, 2]}, y="loss", x={"C": "C"})
    at = np.array([1e4, 1e5, 1e6, 1e9])
    values = {"E": 0.1, "A": 8.0, "c0": 0.1, "c1": c1, "d1": at, "f1": 0.3}
    return bs.known_fit(bs.laws.BrokenPowerLaw(), table, values)
