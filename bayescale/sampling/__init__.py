"""Compile once per structure, start at modes, sample, and gate on convergence."""

from bayescale.sampling.gate import ConvergenceWarning

__all__ = ["ConvergenceWarning"]
