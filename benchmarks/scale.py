"""How far one machine goes: rows, fits, processes, memory; and a cluster that loses a worker.

    python benchmarks/scale.py --json > benchmarks/results/scale.json

Every part runs in a new process, so that its peak memory is its own.  ``gradient`` calls the
compiled log density and its gradient; ``table`` reads a table, prepares its arrays, scores it and
forecasts from it; ``start`` times the first fit of a process beside the hand-written model of
``benchmarks/sampling.py``; ``sweep`` fits many small tables in one thread, in two, in processes
and in Dask workers; ``kill`` kills one of two Dask workers half way through a sweep.
"""

import argparse
import json
import os
import resource
import signal
import statistics
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import sampling

import bayescale as bs

ROWS = (100, 1_000, 10_000, 100_000, 1_000_000)
FITS = 200


def simulated(rows: int, runs: int, families: int, seed: int = 0) -> dict[str, Any]:
    """Columns of a table: families of runs, checkpoints in order."""
    rng = np.random.default_rng(seed)
    run = np.sort(np.arange(rows) % runs)
    x = 10 ** rng.uniform(17, 21, rows)
    x = x[np.lexsort((x, run))]
    family = run % families
    mean = 1.7 + 0.02 * family + (x / 1e19) ** -(0.25 + 0.1 * family / families)
    return {
        "flops": x,
        "loss": mean * np.exp(0.01 * rng.normal(size=rows)),
        "arch": np.char.add("family ", family.astype(str)).astype(object),
        "run": np.char.add("run ", run.astype(str)).astype(object),
    }


def runs_of(columns: dict[str, Any]) -> bs.Runs:
    """Validate the table."""
    roles: dict[str, Any] = {"y": "loss", "x": {"C": "flops"}, "groups": {"family": "arch"}}
    return bs.Runs(columns, sequence="run", **roles)


def peak_mb() -> float:
    """Largest memory of this process so far."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 0)


# Parts ------------------------------------------------------------------------------------------


def gradient(checkpoints: bool) -> dict[str, Any]:
    """Nanoseconds of a thread, a row, of one evaluation of log density and gradient."""
    from bayescale.model.arrays import arrays_of
    from bayescale.model.packing import model_arrays
    from bayescale.model.structure import structure_of
    from bayescale.sampling.sampling import compile_structure

    noise = bs.LogStudentT() + bs.Checkpoints() if checkpoints else bs.LogStudentT()
    each = {}
    for rows in ROWS:
        runs = runs_of(simulated(rows, runs=min(1000, max(20, rows // 20)), families=20))
        structure = structure_of(bs.laws.OffsetPowerLaw(), runs, noise=noise)
        arrays = arrays_of(structure, runs)
        compiled = compile_structure(structure, arrays).with_data(**model_arrays(arrays))
        call = compiled.compiled_logp_func.ctypes
        point, out = np.zeros(compiled.n_dim), np.zeros(compiled.n_dim)
        value = np.zeros(())
        addresses = (v.ctypes.data for v in (point, out, value, compiled.user_data))
        x, grad, logp, data = (_pointer(a, i == 3) for i, a in enumerate(addresses))
        calls, seconds = max(1, 200_000 // rows), []
        for _ in range(7):
            started = time.thread_time()
            status = [call(compiled.n_dim, x, grad, logp, data) for _ in range(calls)]
            seconds.append((time.thread_time() - started) / calls)
            if any(status):
                raise RuntimeError(f"the log density is not finite: status {max(status)}")
        each[rows] = statistics.median(seconds) / rows * 1e9
    return {"ns_per_row": {str(rows): round(ns, 1) for rows, ns in each.items()}}


def _pointer(address: int, untyped: bool) -> Any:
    import ctypes

    kind: Any = ctypes.c_void_p if untyped else ctypes.POINTER(ctypes.c_double)
    return ctypes.cast(address, kind)


def table(rows: int = 1_000_000) -> dict[str, Any]:
    """Seconds and peak memory of what happens to a large table outside the sampler."""
    from bayescale.model.arrays import arrays_of
    from bayescale.model.structure import structure_of
    from bayescale.posterior.likelihood import log_likelihood

    columns = simulated(rows, runs=1000, families=20)
    before = peak_mb()
    found: dict[str, Any] = {"rows": rows, "runs": 1000, "peak_mb_of_columns": before}
    started = time.perf_counter()
    runs = runs_of(columns)
    found["runs_s"], found["runs_peak_mb"] = round(time.perf_counter() - started, 2), peak_mb()
    noise = bs.LogStudentT() + bs.Checkpoints()
    started = time.perf_counter()
    structure = structure_of(bs.laws.OffsetPowerLaw(), runs, noise=noise)
    arrays = arrays_of(structure, runs)
    found["arrays_s"], found["arrays_peak_mb"] = round(time.perf_counter() - started, 2), peak_mb()
    rng = np.random.default_rng(0)
    draws = {
        "E": 1.7 + 0.01 * rng.normal(size=1000),
        "A": 1e19**0.3 * np.ones(1000),
        "alpha": 0.3 + 1e-4 * rng.normal(size=1000),
        "sigma": 0.02 * np.ones(1000),
        "length": 0.5 * np.ones(1000),
    }
    fit = bs.known_fit(bs.laws.OffsetPowerLaw(), runs, draws, noise=noise)
    started = time.perf_counter()
    for start in range(0, 20_000, 4_000):
        log_likelihood(fit.structure, fit.draws, fit.arrays, np.arange(start, start + 4_000))
    seconds = time.perf_counter() - started
    found["log_likelihood_ns_per_draw_and_row"] = round(seconds / (20_000 * 1000) * 1e9, 1)
    points = {"C": np.geomspace(1e17, 1e24, 20_000)}
    started = time.perf_counter()
    fit.bands(points, groups={"family": "family 3"})
    found["bands_s"], found["bands_points"] = round(time.perf_counter() - started, 2), 20_000
    found["peak_mb"] = peak_mb()
    del arrays
    return found


def first_fit(who: str) -> dict[str, Any]:
    """Seconds of the first fit of a new process, imports and compilation included."""
    started = time.perf_counter()
    report = sampling.SAMPLERS[who](sampling.make_problem("sparse"), 1000, 1)
    return {"total_s": time.perf_counter() - started, **report}


def second_fit() -> dict[str, Any]:
    """Seconds that a second fit of one structure takes beside sampling."""
    tables = list(small_tables(2).values())
    fits = []
    for runs in tables:
        started = time.perf_counter()
        fit = bs.fit(bs.laws.OffsetPowerLaw(), runs, random_seed=1, progressbar=False)
        fits.append(time.perf_counter() - started - fit.diagnostics["sample_s"])
    return {"first_beside_sampling_s": round(fits[0], 2), "second": round(fits[1], 3)}


def start(repeats: int = 3) -> dict[str, Any]:
    """First fit in a new process, medians of processes that take turns."""
    each: dict[str, list[dict[str, Any]]] = {"bayescale": [], "pymc": []}
    for _ in range(repeats):
        for who, found in each.items():
            found.append(in_new_process(first_fit, who))
    result: dict[str, Any] = {
        f"{who}_{key}": round(statistics.median(r[key] for r in found), 2)
        for who, found in each.items()
        for key in ("total_s", "compile_s", "sample_s")
    }
    result["ratio"] = round(result["bayescale_total_s"] / result["pymc_total_s"], 2)
    return {**result, **in_new_process(second_fit)}


def small_tables(count: int) -> dict[str, bs.Runs]:
    """Curves of 12 to 40 runs without groups."""
    made = {}
    for k in range(count):
        rng = np.random.default_rng(k)
        x = np.geomspace(1e17, 1e21, 12 + k % 29)
        y = (1.5 + (x / 1e19) ** -rng.uniform(0.2, 0.4)) * np.exp(0.01 * rng.normal(size=x.size))
        made[f"curve {k}"] = bs.Runs({"C": x, "loss": y}, y="loss", x={"C": "C"})
    return made


def swept(tables: dict[str, bs.Runs], **options: Any) -> bs.Sweep:
    """Fit the tables with the package's defaults."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return bs.fit_many(
            bs.laws.OffsetPowerLaw(), tables, random_seed=1, progressbar=False, **options
        )


def sweep(where: str, count: int) -> dict[str, Any]:
    """Fits a second after a first one that compiles, and a fingerprint of all draws."""
    from bayescale.sampling import execution

    tables = small_tables(count)
    options: dict[str, Any] = {}
    folder = tempfile.TemporaryDirectory()
    closes: list[Callable[[], Any]] = [folder.cleanup]
    workers = 2
    if where == "one thread":
        execution.available_cores, workers = (lambda: 1), 1
    elif where == "threads with a store":
        options["store"] = folder.name
    elif where == "processes":
        pool = ProcessPoolExecutor(2, mp_context=get_context("spawn"))
        options["executor"] = pool
        closes.append(pool.shutdown)
    elif where == "dask":
        client = dask_client()
        options["executor"] = client.get_executor()
        closes += [client.close, client.cluster.close]
    started = time.perf_counter()
    swept(dict(list(tables.items())[: 2 * workers]), **options)
    warm = time.perf_counter()
    found = swept(tables, **options)
    seconds = time.perf_counter() - warm
    marks = [float(fit.draws["alpha_raw"].sum()) for fit in found.values()]
    for close in closes:
        close()
    return {
        "fits": len(found),
        "converged": int(found.table["converged"].sum()),
        "first_s": round(warm - started, 1),
        "fits_per_s": round(count / seconds, 2),
        "fits_per_core_hour": round(count / seconds / workers * 3600),
        "peak_mb": peak_mb(),
        "draws": marks,
    }


def dask_client() -> Any:
    """Scheduler and two worker processes on this machine."""
    from distributed import Client, LocalCluster

    cluster = LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None)
    return Client(cluster)


def kill(count: int) -> dict[str, Any]:
    """Kill one of two Dask workers half way through a sweep, and count what is there."""
    tables = small_tables(count)
    client = dask_client()
    pids = list(client.run(os.getpid).values())
    killed: list[int] = []
    with tempfile.TemporaryDirectory() as folder:

        def killer() -> None:
            while len(list(Path(folder).glob("*.nc"))) < count // 2:
                time.sleep(0.05)
            killed.append(len(list(Path(folder).glob("*.nc"))))
            os.kill(pids[0], signal.SIGKILL)

        threading.Thread(target=killer, daemon=True).start()
        found = swept(tables, executor=client.get_executor(), store=folder)
        marks = [float(fit.draws["alpha_raw"].sum()) for fit in found.values()]
        size = statistics.median(path.stat().st_size for path in Path(folder).glob("*.nc"))
    client.close()
    client.cluster.close()
    return {
        "fits": len(found),
        "failures": len(found.failures),
        "worker_killed_after_fits": killed[0],
        "kb_per_file": round(size / 1024),
        "draws": marks,
    }


# Running them -----------------------------------------------------------------------------------


def in_new_process(function: Callable[..., Any], *args: Any) -> Any:
    """Call a function in a process that has done nothing else."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *args).result()


def gradients(_: int) -> dict[str, Any]:
    """Cost per gradient, for independent rows and for checkpoints."""
    return {
        "independent": in_new_process(gradient, False),
        "checkpoints": in_new_process(gradient, True),
    }


def sweeps(count: int) -> dict[str, Any]:
    """Throughput wherever fits can run; all draws must be those of one thread."""
    places = ("one thread", "threads", "threads with a store", "processes", "dask")
    found = {where: in_new_process(sweep, where, count) for where in places}
    found["dask, one of two workers killed"] = in_new_process(kill, count)
    expected = found["one thread"]["draws"]
    for result in found.values():
        result["equal_to_one_thread"] = result.pop("draws") == expected
    return found


PARTS: dict[str, Callable[[int], dict[str, Any]]] = {
    "gradient": gradients,
    "table": lambda _: in_new_process(table),
    "start": lambda _: start(),
    "sweep": sweeps,
}


def main() -> None:
    """Run the parts and print what they found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--part", choices=PARTS, action="append")
    parser.add_argument("--fits", type=int, default=FITS, help="tables of the sweeps")
    parser.add_argument("--json", action="store_true", help="one JSON document at the end")
    args = parser.parse_args()
    found: dict[str, Any] = {"date": time.strftime("%Y-%m-%d"), "cores": os.cpu_count()}
    for part in args.part or PARTS:
        print(f"measuring {part}", file=sys.stderr, flush=True)
        found[part] = PARTS[part](args.fits)
        if not args.json:
            print(json.dumps({part: found[part]}, indent=1), flush=True)
    if args.json:
        print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
