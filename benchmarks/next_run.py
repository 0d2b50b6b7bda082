"""Is it worth choosing runs by ``next_run``?  Replays with runs hidden, chosen, revealed, refitted.

A replay starts from a few small runs.  Three strategies spend the same budget on the hidden ones:
``next_run`` for a stated goal; a random order; the largest that the budget allows first.  The
chosen runs are revealed, the law is refitted on them, and the 80 % intervals of the goal are
compared.  "Narrower" counts strictly; replays in which two strategies choose the same runs are
listed as ties and left out of the share.

    python benchmarks/next_run.py                       # all problems
    python benchmarks/next_run.py simulated --replays 20

The problem ``gadre`` reads a table of measured runs (``--tables FOLDER``), and
``docs/benchmarks.md`` says where it comes from.
"""

import argparse
import json
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import measured
import numpy as np

import bayescale as bs
from bayescale.fitting.fitting import refit_on

SAMPLING = {"draws": 1000, "tune": 1000, "chains": 2}


@dataclass(frozen=True)
class Replay:
    """A table of runs, which of them are known, what they cost, and what one wants to know."""

    name: str
    law: object
    runs: bs.Runs
    known: np.ndarray
    cost: np.ndarray
    budget: float
    goal: object
    truth: float | None = None


# Problems ---------------------------------------------------------------------------------------


def simulated(replays: int) -> Iterator[Replay]:
    """Two families over compute; the goal is a forecast of one, or where they cross."""
    for seed in range(replays):
        rng = np.random.default_rng(seed)
        C = np.tile(np.geomspace(1e17, 1e21, 13), 2)
        family = np.repeat(["gpt", "lstm"], 13)
        E = rng.uniform(1.2, 2.0)
        constants = {
            "gpt": (E, rng.uniform(1.0, 2.0), rng.uniform(0.12, 0.25)),
            "lstm": (E, rng.uniform(0.8, 1.6), rng.uniform(0.10, 0.20)),
        }
        mean = np.array([offset_power(x, *constants[f]) for f, x in zip(family, C, strict=True)])
        loss = mean * np.exp(0.01 * rng.standard_normal(26))
        table = {"C": C, "arch": family, "loss": loss}
        runs = bs.Runs(table, y="loss", x={"C": "C"}, groups={"family": "arch"})
        if seed % 2:
            goal, truth = crossing, None
        else:
            at = 1e23
            goal, truth = (
                {"C": at, "family": "gpt"},
                float(np.log(offset_power(at, *constants["gpt"]))),
            )
        known = C < 2e19
        yield Replay("simulated", bs.laws.OffsetPowerLaw(), runs, known, C, 2e21, goal, truth)


def offset_power(x: float, E: float, A: float, alpha: float) -> float:
    return E + A * (x / 1e18) ** -alpha


def crossing(fit: bs.Fit) -> np.ndarray:
    """Log advantage of gpt over lstm at 1e22: which to back."""
    from bayescale.quantities.sources import curves_of

    one, other = curves_of(fit, ["gpt", "lstm"])
    at = {"C": np.array([1e22])}
    return one.log(at) - other.log(at)


def simulated_joint(replays: int, budget: float = 4e19) -> Iterator[Replay]:
    """Model size and data size; the goal is the loss of a large run, or the optimal split.

    The budget buys about half of the candidates: hardly any choice of so many is a bad one.
    """
    for seed in range(replays):
        rng = np.random.default_rng(1000 + seed)
        N, D = map(np.ravel, np.meshgrid(np.geomspace(1e7, 1e9, 5), np.geomspace(1e8, 3e10, 6)))
        E, alpha, beta = rng.uniform(1.4, 2.0), rng.uniform(0.28, 0.4), rng.uniform(0.25, 0.4)
        A, B = rng.uniform(0.3, 0.8) * 1e8**alpha, rng.uniform(0.3, 0.8) * 2e9**beta
        loss = (E + A * N**-alpha + B * D**-beta) * np.exp(0.005 * rng.standard_normal(30))
        runs = bs.Runs({"N": N, "D": D, "loss": loss}, y="loss", x={"N": "N", "D": "D"})
        cost = 6 * N * D
        if seed % 2:
            goal, truth = best_size, None
        else:
            goal = {"N": 7e9, "D": 1.4e11}
            truth = float(np.log(E + A * 7e9**-alpha + B * 1.4e11**-beta))
        known = (N < 2e8) & (D < 4e9)
        name = f"simulated joint {budget:.0e}"
        yield Replay(name, bs.laws.Chinchilla(), runs, known, cost, budget, goal, truth)


def simulated_joint_tight(replays: int) -> Iterator[Replay]:
    """The same with a quarter of the budget: the choice matters."""
    yield from simulated_joint(replays, 1e19)


def best_size(fit: bs.Fit) -> np.ndarray:
    """Log of the compute-optimal model size at 1e22 FLOPs."""
    return np.log(bs.compute_optimal(fit, 1e22).draws["N"])


def tinylm(replays: int) -> Iterator[Replay]:
    """Measured small language models; the goal is the largest run of one architecture."""
    table = bs.datasets.tinylm()
    table = table[(table["role"] == "fit") & (table["seed"] == 0)].reset_index(drop=True)
    made = 0
    for corpus in table["corpus"].unique():
        part = table[table["corpus"] == corpus].reset_index(drop=True)
        for arch in part["arch"].unique():
            for seed in range(4):
                if made >= replays:
                    return
                rng = np.random.default_rng([2000, made])
                cost = part["flops"].to_numpy(float)
                target = part[part["arch"] == arch]["flops"].idxmax()
                rest = part.drop(index=target).reset_index(drop=True)
                known = np.zeros(len(rest), bool)
                for a in rest["arch"].unique():
                    small = rest.index[rest["arch"] == a]
                    small = small[np.argsort(rest["flops"][small].to_numpy())][:7]
                    known[rng.choice(small, 4, replace=False)] = True
                inputs = {"N": "params", "D": "tokens"}
                runs = bs.Runs(rest, y="loss", x=inputs, groups={"family": "arch"})
                goal = {
                    "N": float(part["params"][target]),
                    "D": float(part["tokens"][target]),
                    "family": arch,
                }
                truth = float(np.log(part["loss"][target]))
                made += 1
                yield Replay(
                    f"tinylm {corpus} {arch} {seed}",
                    bs.laws.Chinchilla(),
                    runs,
                    known,
                    rest["flops"].to_numpy(float),
                    1.5 * float(np.max(cost)),
                    goal,
                    truth,
                )


def gadre(replays: int) -> Iterator[Replay]:
    """Measured models of Gadre et al.; the goal is a run of 1.4B or 7B parameters."""
    table = measured.read("gadre_loss.csv")
    table["flops"] = 6.0 * table["params"] * table["tokens"]
    made = 0
    for eval_set in table["eval_set"].unique():
        part = table[table["eval_set"] == eval_set]
        small = part[part["params"] < 1e9].reset_index(drop=True)
        for dataset in small["dataset"].unique():
            for size in (1e9, 5e9):
                if made >= replays:
                    return
                rng = np.random.default_rng([3000, made])
                large = part[(part["dataset"] == dataset) & (part["params"] > size)]
                target = large.sort_values("params").iloc[0]
                cheap = small.index[small["flops"] < 3e18]
                known = np.zeros(len(small), bool)
                for d in small["dataset"].unique():
                    mine = cheap[small["dataset"][cheap] == d]
                    known[rng.choice(mine, 5, replace=False)] = True
                inputs = {"N": "params", "D": "tokens"}
                runs = bs.Runs(small, y="loss", x=inputs, groups={"family": "dataset"})
                goal = {
                    "N": float(target["params"]),
                    "D": float(target["tokens"]),
                    "family": dataset,
                }
                made += 1
                yield Replay(
                    f"gadre {eval_set} {dataset} {size:.0e}",
                    bs.laws.Chinchilla(),
                    runs,
                    known,
                    small["flops"].to_numpy(float),
                    8e19,
                    goal,
                    float(np.log(target["loss"])),
                )


PROBLEMS = {
    "simulated": simulated,
    "simulated_joint": simulated_joint,
    "simulated_joint_tight": simulated_joint_tight,
    "tinylm": tinylm,
    "gadre": gadre,
}


# Strategies -------------------------------------------------------------------------------------


def by_next_run(replay: Replay, fit: bs.Fit, hidden: np.ndarray) -> np.ndarray:
    """Choose the batch that is expected to narrow the goal most."""
    runs = replay.runs
    table = {**{s: v[hidden] for s, v in runs.x.items()}, "cost": replay.cost[hidden]}
    table |= {g: np.array(runs.labels(g))[runs.codes[g][hidden]] for g in runs.groups}
    design = bs.next_run(fit, table, replay.goal, replay.budget)
    return hidden[design.chosen.index.to_numpy()]


def in_order(replay: Replay, hidden: np.ndarray) -> np.ndarray:
    """Take candidates in the order given while the budget lasts."""
    chosen, left = [], replay.budget
    for row in hidden:
        if replay.cost[row] <= left:
            chosen.append(row)
            left -= replay.cost[row]
    return np.array(chosen, int)


def width(replay: Replay, fit: bs.Fit) -> tuple[float, float]:
    """Width of the 80 % interval of the goal, and its median."""
    if callable(replay.goal):
        draws = np.asarray(replay.goal(fit)).ravel()
    else:
        inputs = {s: [replay.goal[s]] for s in replay.runs.x}
        groups = {g: replay.goal[g] for g in replay.runs.groups}
        draws = np.log(fit.forecast(inputs, groups=groups, kind="mean").draws[:, 0])
    low, median, high = np.quantile(draws, [0.1, 0.5, 0.9])
    return float(high - low), float(median)


def play(replay: Replay, seed: int) -> dict:
    """Spend the budget by every strategy and refit."""
    start = np.flatnonzero(replay.known)
    hidden = np.flatnonzero(~replay.known)
    rng = np.random.default_rng([4000, seed])
    first = bs.fit(
        replay.law, replay.runs.select(start), random_seed=seed, progressbar=False, **SAMPLING
    )
    largest = hidden[np.argsort(-replay.cost[hidden], kind="stable")]
    batches = {
        "next_run": by_next_run(replay, first, hidden),
        "random": in_order(replay, rng.permutation(hidden)),
        "random 2": in_order(replay, rng.permutation(hidden)),
        "largest": in_order(replay, largest),
    }
    found = {"name": replay.name, "before": width(replay, first)[0]}
    done: dict[tuple[int, ...], bs.Fit] = {}
    for strategy, batch in batches.items():
        key = tuple(sorted(batch.tolist()))
        if key not in done:
            rows = replay.runs.select(np.concatenate([start, batch]))
            done[key] = refit_on(first, rows, random_seed=seed, **SAMPLING)
        found[strategy], median = width(replay, done[key])
        found[f"{strategy} runs"] = key
        found[f"{strategy} converged"] = bool(done[key].diagnostics["converged"])
        if replay.truth is not None:
            found[f"{strategy} error"] = abs(median - replay.truth)
    return found


def summary(results: list[dict]) -> dict:
    """Shares of replays in which ``next_run`` is narrower, and ratios of widths."""
    said: dict = {"replays": len(results)}
    for other in ("random", "largest"):
        names = [other, f"{other} 2"] if other == "random" else [other]
        pairs = [
            (r["next_run"], r[name])
            for r in results
            for name in names
            if r["next_run runs"] != r[f"{name} runs"]
        ]
        if not pairs:
            continue
        mine, theirs = np.array(pairs).T
        said[f"narrower than {other}"] = round(float((mine < theirs).mean()), 3)
        said[f"width ratio to {other}"] = round(float(np.median(mine / theirs)), 3)
        said[f"pairs with {other}"] = len(pairs)
        said[f"ties with {other}"] = len(results) * len(names) - len(pairs)
    converged = [r[f"{s} converged"] for r in results for s in ("next_run", "random", "largest")]
    said["converged"] = round(float(np.mean(converged)), 3)
    errors = [r for r in results if "next_run error" in r]
    for strategy in ("next_run", "random", "largest"):
        if errors:
            median = np.median([r[f"{strategy} error"] for r in errors])
            said[f"median error {strategy}"] = round(float(median), 4)
    return said


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("problems", nargs="*", choices=[*PROBLEMS, []], default=[])
    parser.add_argument("--replays", type=int, default=24)
    parser.add_argument("--verbose", action="store_true")
    measured.option(parser)
    options = parser.parse_args()
    warnings.simplefilter("ignore", bs.RunsWarning)
    warnings.simplefilter("ignore", bs.ConvergenceWarning)
    for problem in options.problems or PROBLEMS:
        results = []
        for seed, replay in enumerate(PROBLEMS[problem](options.replays)):
            results.append(play(replay, seed))
            if options.verbose:
                print(json.dumps(results[-1], default=list), flush=True)
        print(json.dumps({"problem": problem, **summary(results)}), flush=True)


if __name__ == "__main__":
    main()
