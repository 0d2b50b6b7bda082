"""Run independent fits on the cores of this machine, or wherever an executor runs them."""

import logging
import os
import warnings
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from bayescale.model.slips import check_part

_log = logging.getLogger(__name__)

#: Threads of one process beyond which the interpreter lets no more fits advance at once.
MOST_THREADS = 8

#: Tasks that are handed to an executor at a time; the rest waits here.
IN_FLIGHT = 1000

#: Times that a task is handed out again after its worker was lost.
RETRIES = 3


@dataclass(frozen=True)
class Outcome:
    """What became of a task: its value, or the text of its error."""

    value: Any = None
    error: str | None = None


def map_fits(
    function: Callable[..., Any],
    tasks: Sequence[tuple[Any, ...]],
    executor: Executor | None = None,
    *,
    done: Callable[[Outcome], None] | None = None,
) -> list[Outcome]:
    """Call a function for every task, each on its own core, in whatever order cores are free.

    An error of the function is an outcome.  A worker that dies is none: its tasks are handed out
    again, and when the executor itself is broken or shut down, the cores of this machine take the
    rest.

    Parameters
    ----------
    function : callable
        Is given the values of a task, and ``cores=``, how many it may keep busy.
    tasks : sequence of tuple
        Positional arguments, one tuple a call.
    executor : concurrent.futures.Executor, optional
        Where calls run; threads of this process by default, because the sampler does not hold the
        interpreter.  Of another process, function and tasks must be picklable.
    done : callable, optional
        Told the outcome of a task when it ends, in this thread.

    Returns
    -------
    list of Outcome
        In the order of the tasks.

    Raises
    ------
    ValueError
        If the executor is none.
    """
    if executor is not None:
        mend = "give one such as concurrent.futures.ProcessPoolExecutor(4)"
        check_part("executor", executor, "submit", mend)
    outcomes: list[Outcome] = [Outcome()] * len(tasks)

    def finish(place: int, outcome: Outcome) -> None:
        outcomes[place] = outcome
        if done is not None:
            done(outcome)

    threads = max(1, min(available_cores(), len(tasks), MOST_THREADS))
    cores = 1 if executor is not None else available_cores() // threads
    if executor is None and threads == 1:
        for place, task in enumerate(tasks):
            finish(place, _attempt(function, task, cores))
        return outcomes
    waiting = deque((place, 0) for place in range(len(tasks)))
    running: dict[Future[Outcome], tuple[int, int]] = {}
    with ExitStack() as stack:
        # Libraries switch warnings off and on in every thread, and may leave them off for all.
        stack.enter_context(warnings.catch_warnings())

        def here() -> Executor:
            pool = stack.enter_context(ThreadPoolExecutor(threads))
            stack.callback(_cancel, running)  # an interrupt waits for no fit that has not begun
            return pool

        stack.callback(_cancel, running)
        pool = executor or here()
        while waiting or running:
            while waiting and len(running) < IN_FLIGHT:
                place, lost = waiting[0]
                try:
                    future = pool.submit(_attempt, function, tasks[place], cores, lost)
                except RuntimeError as error:  # broken executors are of this kind, too
                    if pool is not executor:
                        raise
                    _log.warning("the executor takes no more fits (%s): going on here", error)
                    pool = here()
                    continue
                waiting.popleft()
                running[future] = place, lost
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                place, lost = running.pop(future)
                try:
                    outcome = future.result()
                except Exception as error:
                    if lost < RETRIES:
                        _log.info("a worker was lost (%r): its fit is handed out again", error)
                        waiting.append((place, lost + 1))
                        continue
                    outcome = Outcome(error=f"lost {lost + 1} workers: {error!r}")
                finish(place, outcome)
    return outcomes


def _attempt(
    function: Callable[..., Any], task: tuple[Any, ...], cores: int, lost: int = 0
) -> Outcome:
    """Call, and turn an error into text, which every process can read.

    `lost` makes one attempt differ from the next for schedulers that remember results.
    """
    try:
        return Outcome(function(*task, cores=cores))
    except Exception as error:
        return Outcome(error=f"{type(error).__name__}: {error}")


def _cancel(running: dict[Future[Outcome], tuple[int, int]]) -> None:
    for future in running:
        future.cancel()


def available_cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
