"""What was measured in a soak, and what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean

MOST_GROWTH = 5.0
"""Percent by which the memory may differ between the first and the last tenth after the warm-up."""
WARM_UP = 1 / 6
"""The part of the time in which caches fill and nothing is compared."""
MOST_THREADS = 24
MOST_CONNECTIONS = 20

_COMPLAINT = re.compile(r"\b(ERROR|CRITICAL)\b|Traceback|never retrieved|Exception ignored|ResourceWarning")


@dataclass(frozen=True, kw_only=True)
class Sample:
    """The server process at one moment."""

    second: float
    megabytes: float
    threads: int
    connections: int


def growth(samples: Sequence[Sample]) -> float:
    """Percent by which the memory has grown after the warm-up; ``nan`` for too few samples to say."""
    begin = samples[-1].second * WARM_UP if samples else 0.0
    warm = [sample.megabytes for sample in samples if sample.second >= begin]
    tenth = len(warm) // 10
    if not tenth:
        return float("nan")
    return (mean(warm[-tenth:]) / mean(warm[:tenth]) - 1) * 100


def complaints(log: str) -> list[str]:
    """The lines of a server's log that speak of something wrong."""
    return [line for line in log.splitlines() if _COMPLAINT.search(line)]


def judge(samples: Sequence[Sample], *, visits: int, failures: Sequence[str], log: str) -> list[str]:
    """What is wrong, a sentence each; empty when nothing is.

    Args:
        samples: in the order of time.
        visits: how many were made.
        failures: what each visit that failed said.
        log: what the server has written.
    """
    wrong = []
    grown = growth(samples)
    if not abs(grown) <= MOST_GROWTH:
        wrong.append(f"The memory has grown by {grown:+.1f} %, and {MOST_GROWTH:.0f} % are allowed.")
    if most := [sample.threads for sample in samples if sample.threads > MOST_THREADS]:
        wrong.append(f"There were {max(most)} threads, and {MOST_THREADS} are allowed.")
    if most := [sample.connections for sample in samples if sample.connections > MOST_CONNECTIONS]:
        wrong.append(f"There were {max(most)} database connections, and {MOST_CONNECTIONS} are allowed.")
    if not visits:
        wrong.append("Nobody has visited.")
    if failures:
        wrong.append(f"{len(failures)} of {visits} visits failed, the first with: {failures[0]}")
    if said := complaints(log):
        wrong.append(f"The log complains in {len(said)} lines, the first is: {said[0]}")
    return wrong
