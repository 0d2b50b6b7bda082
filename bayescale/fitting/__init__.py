"""One posterior of one law on one table: fit it, save it, learn from it, build on it."""

from bayescale.fitting.fitting import fit
from bayescale.fitting.known import known_fit
from bayescale.fitting.learning import learned
from bayescale.fitting.result import Fit
from bayescale.fitting.storage import load
from bayescale.fitting.updating import as_prior

__all__ = ["Fit", "as_prior", "fit", "known_fit", "learned", "load"]
