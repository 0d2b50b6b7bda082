"""Law + pooling + noise + runs: what a model is made of, up to a plain ``pm.Model``."""

from bayescale.model.model import build_model

__all__ = ["build_model"]
