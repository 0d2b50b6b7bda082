"""The validated table of runs: what was measured, at which inputs, in which groups."""

from bayescale.runs.runs import Runs, RunsError, RunsWarning
from bayescale.runs.trackers import read_tracker

__all__ = ["Runs", "RunsError", "RunsWarning", "read_tracker"]
