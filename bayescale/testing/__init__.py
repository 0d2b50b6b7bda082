"""Checks that any law must pass, for the laws of this package and for those of its users."""

from bayescale.testing.recovery import simulate
from bayescale.testing.testing import check_law

__all__ = ["check_law", "simulate"]
