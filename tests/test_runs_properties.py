"""Runs keep their meaning whatever table they are made of."""

import warnings

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from bayescale.runs import Runs, RunsWarning

positive = st.floats(1e-30, 1e30)


row = st.tuples(st.floats(-1e6, 1e6), positive, st.sampled_from("abcde"), st.sampled_from("pq"))


tables = st.lists(row, min_size=1, max_size=12)


def made(rows):
    y, x, a, b = zip(*rows, strict=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RunsWarning)
        return Runs({"y": y, "c": x, "a": a, "b": b}, y="y", x={"C": "c"}, groups=["a", "b"])


@given(tables)
@settings(max_examples=50, deadline=None)
def test_a_frame_makes_the_same_runs(rows):
    runs = made(rows)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RunsWarning)
        assert Runs(runs.to_frame(), y="y", x={"C": "c"}, groups=["a", "b"]) == runs


@given(tables, st.data())
@settings(max_examples=50, deadline=None)
def test_selecting_keeps_labels_and_meaning(rows, data):
    runs = made(rows)
    which = data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=8))
    part = runs.select(which)
    assert part.groups == runs.groups
    chosen = [rows[i] for i in which]
    assert part.y.tolist() == [r[0] for r in chosen]
    assert [part.labels("a")[code] for code in part.codes["a"]] == [r[2] for r in chosen]


@given(tables, st.randoms(use_true_random=False))
@settings(max_examples=50, deadline=None)
def test_the_order_of_rows_does_not_matter_for_ranges(rows, random):
    shuffled = list(rows)
    random.shuffle(shuffled)
    one, other = made(rows), made(shuffled)
    assert set(one.labels("a")) == set(other.labels("a"))
    assert repr(one).splitlines()[:3] == repr(other).splitlines()[:3]
    lines = [line.strip() for line in repr(one).splitlines() if not line.strip().startswith("...")]
    if len(one.labels("a")) < 5:
        assert sorted(lines) == sorted(line.strip() for line in repr(other).splitlines())


@given(tables, tables)
@settings(max_examples=50, deadline=None)
def test_concat_puts_rows_below_rows(first, second):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RunsWarning)
        both = made(first).concat(made(second))
    assert both == made(first + second)


def test_a_million_rows_are_read():
    rng = np.random.default_rng(1)
    n = 1_000_000
    table = {"y": rng.normal(size=n), "c": rng.uniform(1, 1e9, n), "g": rng.integers(0, 500, n)}
    runs = Runs(table, y="y", x="c", groups="g")
    assert len(runs.where(g=3)) > 1000
