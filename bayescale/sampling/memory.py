"""Memory of large arrays, kept between gradients.

Glibc hands arrays of megabytes back to the system when they are freed.  A gradient of a million
rows frees a dozen of them and asks for them again at the next step; the system then clears every
page anew, which costs about as much as a third of the arithmetic.
"""

import ctypes

#: Rows from which on arrays no longer stay in the allocator by themselves.
LARGE = 100_000

# What glibc's malloc.h calls M_TRIM_THRESHOLD, M_TOP_PAD and M_MMAP_THRESHOLD, and bytes for each.
_KEPT = {-1: 2**31 - 1, -2: 2**26, -3: 2**30}


def keep_freed_memory(rows: int) -> None:
    """Let this process keep what it frees, if arrays are large; other allocators are let alone."""
    if rows < LARGE:
        return
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return
    for option, size in _KEPT.items():
        mallopt(option, size)
