"""What is on the axes of a figure, and runs to draw."""

import numpy as np
import pandas as pd

from bayescale import Partial, Runs, laws
from bayescale.fitting import Fit
from bayescale.forecast.prior import coordinates_from_prior
from bayescale.model.arrays import arrays_of
from bayescale.model.structure import structure_of
from bayescale.noise import LogNormal

C = np.geomspace(1e17, 1e21, 7)
GRID = {"C": np.geomspace(1e17, 1e24, 40)}
TRUTH = {
    ("lstm", "web"): (1.9, 0.09),
    ("lstm", "code"): (1.2, 0.11),
    ("mlp", "web"): (2.1, 0.07),
    ("mlp", "code"): (1.4, 0.06),
}


def machines():
    """Runs of two architectures on two corpora, one of them with two rows only."""
    rng = np.random.default_rng(3)
    rows = [
        {"arch": arch, "corpus": corpus, "flops": c, "loss": floor + 60 * c**-slope}
        for (arch, corpus), (floor, slope) in TRUTH.items()
        for c in (C if (arch, corpus) != ("mlp", "code") else C[:2])
    ]
    table = pd.DataFrame(rows)
    table["loss"] *= np.exp(0.005 * rng.standard_normal(len(table)))
    groups = {"family": "arch", "dataset": "corpus"}
    return Runs(table, y="loss", x={"C": "flops"}, groups=groups)


def fit_from_prior(runs):
    """Draws from the prior in the place of a posterior: figures do not mind, and it is quick."""
    structure = structure_of(
        laws.OffsetPowerLaw(), runs, {"E": Partial("family", "dataset")}, LogNormal(), None
    )
    arrays = arrays_of(structure, runs)
    draws = coordinates_from_prior(structure, arrays, 200, 1)
    one_chain = {name: values[None] for name, values in draws.items()}
    return Fit(structure.law, runs, structure, arrays, one_chain, {}, {}, 0)


def drawn(ax, gid):
    return [artist for artist in (*ax.lines, *ax.collections) if artist.get_gid() == gid]


def legend_of(ax):
    legend = ax.figure.legends[0] if ax.figure.legends else ax.get_legend()
    return [text.get_text() for text in legend.get_texts()]


def assert_texts_apart(figure):
    figure.canvas.draw()
    boxes = [(t.get_text(), t.get_window_extent()) for t in texts_of(figure) if t.get_text()]
    assert len(boxes) > 6
    for i, (name, box) in enumerate(boxes):
        assert box.x0 >= -1, name
        assert box.x1 <= figure.bbox.x1 + 1, name
        for other, another in boxes[i + 1 :]:
            assert not box.shrunk(0.95, 0.8).overlaps(another.shrunk(0.95, 0.8)), (name, other)


def texts_of(figure):
    for legend in figure.legends:
        yield from legend.get_texts()
    for ax in figure.axes:
        yield from (ax.title, ax.xaxis.label, ax.yaxis.label, *ax.texts)
        for axis in (ax.xaxis, ax.yaxis):
            low, high = sorted(axis.get_view_interval())
            places, labels = axis.get_majorticklocs(), axis.get_majorticklabels()
            for place, label in zip(places, labels, strict=False):
                if low <= place <= high and label.get_visible():
                    yield label
