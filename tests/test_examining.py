"""Laws in processes of their own."""

import os

import numpy as np
import pytest

import bayescale as bs
from bayescale.comparison.examining import examine_all


class Deadly(bs.laws.PowerLaw):
    """A law that ends the process that reads it, as the system does when memory runs out."""

    def __reduce__(self):
        return os._exit, (1,)


def test_a_process_that_dies_is_said_in_one_line():
    x = np.geomspace(1e3, 1e6, 6)
    runs = bs.Runs({"x": x, "y": x**-0.1}, y="y", x="x")
    options = {"deadly": {"draws": 10}}
    with pytest.raises(ChildProcessError, match=r"ended from outside.*memory"):
        examine_all({"deadly": Deadly()}, runs, options, random_seed=0, max_refits=0)
