"""The thresholds of Python's garbage collector, in a process that serves."""

from __future__ import annotations

import gc

MIN_THRESHOLD = 10_000
"""Objects that are made before the next look, at least: about what ten requests at once hold."""


def collect_less_often() -> None:
    """Raise the first threshold of Python's garbage collector to ``MIN_THRESHOLD``, for the whole process.

    Python's own is made for scripts: 700 objects (2,000 since 3.13), which a single request exceeds. Each look finds
    the requests and streams that are open still alive, and promotes them until all of them are walked through, again
    and again: with 1,000 answers at once that was a quarter of the CPU. The look that comes later takes no longer, and
    what it frees has held a few megabytes at most. A threshold that is higher stays as it is, and so does 0, with which
    a site has turned the collector off.
    """
    first, *others = gc.get_threshold()
    if 0 < first < MIN_THRESHOLD:
        gc.set_threshold(MIN_THRESHOLD, *others)
