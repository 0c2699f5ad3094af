"""Python's cyclic garbage collector, set for a worker."""

import gc

YOUNG = 50_000
"""Objects that may be made and kept before the youngest are searched. 250 rows of a vendor make a few thousand."""


def tune_garbage_collection() -> None:
    """Sets the collector for a process that is completely built. Called once, before the first request.

    Most of what a worker allocates are decoded rows: trees, which are freed by counting references, and never cycles.
    With Python's threshold of 700 each page of rows starts dozens of searches for cycles, which took more than half of
    the time of decoding. Frozen objects (modules, tables, the application) live as long as the process and are not
    searched at all. Cycles are still collected, only later: they take up to some megabytes meanwhile.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, *gc.get_threshold()[1:])
