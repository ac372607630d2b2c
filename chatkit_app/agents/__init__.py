"""The default server: an agent of the Agents SDK answers."""

from .server import (
    AgentChatKitServer,
    DjangoAgentContext,
    DjangoThreadItemConverter,
    stream_agent_response,
)

__all__ = [
    "AgentChatKitServer",
    "DjangoAgentContext",
    "DjangoThreadItemConverter",
    "stream_agent_response",
]
