"""Write down what the target runs will reach, before they are trained.

Fits three joint forms to the runs of role ``fit``, weighs them by how well they predict their own
largest scales (leave-future-out), and writes median and intervals of every target run.

    python -m benchmarks.tinylm.preregister
"""

from __future__ import annotations

import logging
from pathlib import Path

import bayescale as bs

from .grid import target_specs
from .models import count_parameters

PROBABILITIES = (0.5, 0.8, 0.95)
OUTPUT = Path(__file__).with_name("forecast.csv")

log = logging.getLogger("tinylm")


def comparison(random_seed: int = 20261122) -> bs.Comparison:
    """Fit the forms and weigh them."""
    table = bs.datasets.tinylm().query("role == 'fit'")
    table = table.assign(ratio=table["tokens"] / table["params"])
    runs = bs.Runs(
        table, y="loss", x={"N": "params", "D": "tokens", "C": "flops", "M": "ratio"},
        groups={"family": "arch", "dataset": "corpus"},
    )  # fmt: skip
    noise = bs.LogStudentT(scale=bs.Partial("family"))
    pooling = {
        "chinchilla": {"E": bs.Partial("family", "dataset")},
        "kaplan_nd": {},
        "overtraining": {"E": bs.Partial("family", "dataset")},
    }
    fits = {
        name: bs.fit(bs.laws.get(name), runs, pooling=pooled, noise=noise,
                     draws=1000, tune=700, random_seed=random_seed, progressbar=False)
        for name, pooled in pooling.items()
    }  # fmt: skip
    for name, fit in fits.items():
        log.info("%s %s", name, dict(fit.diagnostics))
    return bs.compare(fits, by="lfo", random_seed=random_seed)


def main() -> None:
    """Forecast every target run."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    compared = comparison()
    log.info("%s\n%s", compared.table.to_string(), compared.verdict)
    targets = target_specs(lambda arch, size, steps: 0.0)
    n = [float(count_parameters(spec.shape)[0]) for spec in targets]
    d = [float(spec.data_bytes) for spec in targets]
    forecast = compared.forecast(
        {"N": n, "D": d, "C": [6 * a * b for a, b in zip(n, d, strict=True)],
         "M": [b / a for a, b in zip(n, d, strict=True)]},
        groups={"family": [s.shape.arch for s in targets], "dataset": [s.corpus for s in targets]},
        kind="run", ci_prob=PROBABILITIES,
    )  # fmt: skip
    table = forecast.table.copy()
    for name, weight in compared.weights.items():
        table[f"weight_{name}"] = weight
    table.to_csv(OUTPUT, index=False, float_format="%.6g")
    log.info("%s", table.to_string())


if __name__ == "__main__":
    main()
