"""The numbers of a model: what goes into its ``pm.Data``.

Arrays come in two kinds: one value a row of the table, and one value a unit of a parameter (where
its prior is anchored in the data).  A refit without some rows keeps the second kind.
"""

from bayescale.model.anchors import unit_arrays
from bayescale.model.rows import Arrays, row_arrays
from bayescale.model.structure import Structure
from bayescale.runs import Runs


def arrays_of(structure: Structure, runs: Runs) -> Arrays:
    """Every array of a model of one table."""
    rows = row_arrays(structure, runs)
    return {**rows, **unit_arrays(structure, rows)}
