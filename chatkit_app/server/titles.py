"""The title of a new thread, found beside its first answer."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from chatkit.types import ThreadMetadata, UserMessageItem

from ..errors import contained
from ..logs import get_logger
from ..process.threads import on_site_threads

if TYPE_CHECKING:
    from ..context import RequestContext
    from .base import DjangoChatKitServer

logger = get_logger(__name__)

TITLE_TIMEOUT = 10.0


class Title:
    """A call of the server's ``title_for()`` that is under way.

    A title that somebody else gives the thread meanwhile stays.
    """

    def __init__(
        self,
        server: DjangoChatKitServer,
        thread: ThreadMetadata,
        message: UserMessageItem,
        context: RequestContext,
    ) -> None:
        self._task: asyncio.Task[str | None] | None = asyncio.create_task(
            self._find(server, thread, message, context)
        )

    async def _find(
        self,
        server: DjangoChatKitServer,
        thread: ThreadMetadata,
        message: UserMessageItem,
        context: RequestContext,
    ) -> str | None:
        with contained():
            title: str | None = await on_site_threads(server.title_for)(thread, message, context)
            return title

    def is_found(self) -> bool:
        return self._task is not None and self._task.done()

    def apply_to(self, thread: ThreadMetadata) -> None:
        """Set the title if it has been found and not given yet."""
        if self._task is None or not self._task.done():
            return
        task, self._task = self._task, None
        if task.cancelled():
            return
        if task.exception() is not None:
            logger.error("title_for() failed", exc_info=task.exception())
        elif thread.title is None:
            thread.title = task.result()

    async def wait_and_apply_to(self, thread: ThreadMetadata) -> None:
        """Wait for the title, though not for ever, and set it."""
        if self._task is not None:
            await asyncio.wait([self._task], timeout=TITLE_TIMEOUT)
            if not self._task.done():
                logger.warning("title_for() took longer than %s s and was given up", TITLE_TIMEOUT)
            self.apply_to(thread)

    def cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()
