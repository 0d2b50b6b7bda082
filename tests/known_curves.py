"""Curves whose fits are known, and a stand-in for the sampler."""

from types import SimpleNamespace

import numpy as np

import bayescale as bs
from bayescale.fitting import known_fit
from bayescale.laws import OffsetPowerLaw, PowerLaw

DRAWS = 400


TRUTH = {"E": 1.5, "A": 40.0, "alpha": 0.1}


def table(rows=30, families=("lstm",), sigma=0.01, seed=0):
    rng = np.random.default_rng(seed)
    x = np.geomspace(1e16, 1e20, rows)
    y = OffsetPowerLaw()(x, **TRUTH)
    found = {"arch": [], "flops": [], "loss": []}
    for i, family in enumerate(families):
        found["arch"] += [family] * rows
        found["flops"] += x.tolist()
        found["loss"] += (y * (1 + 0.1 * i) * np.exp(sigma * rng.standard_normal(rows))).tolist()
    return found


def runs_of(found, groups=False):
    return bs.Runs(found, y="loss", x={"C": "flops"}, groups={"family": "arch"} if groups else None)


def jittered(value, width, rng):
    return value * np.exp(width * rng.standard_normal(DRAWS))


def true_fit(runs, width=0.002, seed=1, **options):
    rng = np.random.default_rng(seed)
    values = {name: jittered(v, width, rng) for name, v in TRUTH.items()}
    return known_fit(OffsetPowerLaw(), runs, {**values, "sigma": 0.01}, **options)


def straight_fit(runs, sigma=0.05, seed=2):
    """The best straight line in log-log, which misses the floor."""
    rng = np.random.default_rng(seed)
    slope, level = np.polyfit(np.log(runs.x["C"]), np.log(runs.y), 1)
    values = {"A": jittered(np.exp(level), 0.002, rng), "alpha": -slope, "sigma": sigma}
    return known_fit(PowerLaw(), runs, values)


def sampler(draws_of, calls):
    """Stands in for the sampler: says what it was asked and answers with chosen draws."""

    def sample(structure, arrays, *, draws, chains, **options):
        calls.append(SimpleNamespace(structure=structure, arrays=arrays, options=options))
        made = draws_of(structure, arrays, draws, chains)
        shape = next(iter(made.values())).shape[:2]
        energy = np.random.default_rng(0).standard_normal(shape)
        for name in [name for name, v in made.items() if np.ptp(v) == 0]:
            made[name] = made[name] + 1e-9 * energy[..., None]  # no sampler stands still
        stats = {"energy": energy, "diverging": np.zeros(shape, bool)}
        return SimpleNamespace(draws=made, stats=stats)

    return sample


def spread(fit, chains=2):
    """Draws of a fit dealt to several chains."""
    return {k: v.reshape(chains, -1, *v.shape[2:]) for k, v in fit.draws.items()}
