"""The answers that this process is making, or has made a moment ago."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from .. import database_context

if TYPE_CHECKING:
    from .live import LiveRun


class RunRegistry:
    """The live runs of one process, found by their id, by their thread, and by the request that began them.

    Iterating gives all of them, as they were when that began.
    """

    def __init__(self) -> None:
        self._by_id: dict[str, LiveRun] = {}
        self._active: set[LiveRun] = set()
        # Of two schemas, each may have a thread of the same id.
        self._by_thread: dict[tuple[str, str], LiveRun] = {}
        self._by_request: dict[str, LiveRun] = {}

    def __iter__(self) -> Iterator[LiveRun]:
        return iter(list(self._by_id.values()))

    def add(self, run: LiveRun) -> None:
        """Take up a run. One that has no thread yet is added to it by ``add_to_thread()``."""
        self._by_id[run.public_id] = run
        self._active.add(run)
        if run.request_key:
            self._by_request[run.request_key] = run

    def add_to_thread(self, run: LiveRun) -> None:
        """Let the run be the one that writes into its thread."""
        if run.thread_id is not None:
            self._by_thread[run.partition, run.thread_id] = run

    def remove(self, run: LiveRun) -> None:
        self._by_id.pop(run.public_id, None)
        self._active.discard(run)
        if run.thread_id is not None and self._by_thread.get((run.partition, run.thread_id)) is run:
            del self._by_thread[run.partition, run.thread_id]
        if self._by_request.get(run.request_key) is run:
            del self._by_request[run.request_key]

    def discard_active(self, run: LiveRun) -> None:
        """Count the run no longer among those that are being made. It stays for late readers."""
        self._active.discard(run)

    @property
    def active_count(self) -> int:
        """How many answers are being made."""
        return len(self._active)

    def clear(self) -> None:
        """Forget all runs, as a process that has just started."""
        for index in (self._by_id, self._by_thread, self._by_request, self._active):
            index.clear()

    def get(self, public_id: str) -> LiveRun | None:
        """Return the run with this id, if it belongs to the current part of the database."""
        run = self._by_id.get(public_id)
        return run if run is not None and run.partition == database_context.partition() else None

    def get_anywhere(self, public_id: str) -> LiveRun | None:
        """Return the run with this id in any part of the database, for callers who have found its row."""
        return self._by_id.get(public_id)

    def of_thread(self, thread_id: str) -> LiveRun | None:
        """Return the run that is writing into the thread with this SDK id, in the current part of the database."""
        run = self._by_thread.get((database_context.partition(), thread_id))
        return run if run is not None and not run.done else None

    def of_request(self, request_key: str) -> LiveRun | None:
        """Return the run that the same request has begun, if it has not reached anybody yet."""
        run = self._by_request.get(request_key)
        return run if run is not None and run.may_be_repeated else None


live_runs = RunRegistry()
"""Those of this process."""
