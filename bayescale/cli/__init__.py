"""The command line: a forecast from a table of runs, and the list of laws."""

from bayescale.cli.cli import app

__all__ = ["app"]
