"""The agent that a conversation is with, after one has handed it over to another.

Kept in the thread's metadata, which every store keeps and no browser sees: each change, with the message whose answer
made it. What a retry takes out of the conversation takes its changes along.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from agents import Agent
from chatkit.store import NotFoundError, Store
from chatkit.types import ThreadItem, ThreadMetadata, UserMessageItem

from ..context import RequestContext
from ..provider.agent_graph import reachable

HANDOFFS_KEY = "chatkit_app.agents"
"""In the thread's metadata, pairs of a message's id and the name of the agent that the answer to it ended with."""

# So many changes are known; a retry of what lies before them begins with the first agent.
_LONGEST = 50


@dataclass(frozen=True, kw_only=True)
class Handoffs:
    """The handoffs of earlier answers, as an answer finds them.

    Attributes:
        thread: the thread.
        message_id: the message that is answered; empty when there is none.
        changes: pairs of a message's id and an agent's name, oldest first.
    """

    thread: ThreadMetadata
    message_id: str
    changes: list[list[str]]

    @classmethod
    async def before(
        cls,
        thread: ThreadMetadata,
        history: Sequence[ThreadItem],
        *,
        store: Store[RequestContext],
        context: RequestContext,
        from_the_start: bool,
    ) -> Self:
        """Return the handoffs that count for the answer to come.

        Args:
            thread: the thread.
            history: its newest items.
            store: where it is kept.
            context: who asks.
            from_the_start: whether the newest message is answered from the start, for the first time or again: what
                its earlier answer changed does not count then.
        """
        message_id = next((item.id for item in reversed(history) if isinstance(item, UserMessageItem)), "")
        known = {item.id for item in history} | {""}
        changes = _changes(thread)
        while changes:
            asked, _agent = changes[-1]
            is_again = from_the_start and asked == message_id
            if not is_again and (asked in known or await _exists(asked, thread, store, context)):
                break
            changes.pop()
        return cls(thread=thread, message_id=message_id, changes=changes)

    def last_agent(self, agent: Agent[Any]) -> Agent[Any] | None:
        """Return the agent that the thread is with, if this one leads to it; None if nothing was handed over."""
        if not self.changes:
            return None
        return next((each for each in reachable(agent) if each.name == self.changes[-1][1]), None)

    def add(self, agent: Agent[Any], last: Agent[Any]) -> None:
        """Write down, in the thread's metadata, with which agent the answer has ended.

        Args:
            agent: the one that a thread is with from the beginning.
            last: the one that finished the answer.
        """
        changes = self.changes
        if last.name != (changes[-1][1] if changes else agent.name):
            changes = [*changes, [self.message_id, last.name]][-_LONGEST:]
        if changes != _changes(self.thread):
            self.thread.metadata = self.thread.metadata | {HANDOFFS_KEY: changes}


async def _exists(
    item_id: str, thread: ThreadMetadata, store: Store[RequestContext], context: RequestContext
) -> bool:
    try:
        await store.load_item(thread.id, item_id, context)
    except NotFoundError:
        return False
    return True


def _changes(thread: ThreadMetadata) -> list[list[str]]:
    found = thread.metadata.get(HANDOFFS_KEY)
    return [
        list(change)
        for change in (found if isinstance(found, list) else [])
        if isinstance(change, list) and len(change) == 2 and all(isinstance(part, str) for part in change)
    ]
