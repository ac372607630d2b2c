"""The default server: an agent of the Agents SDK answers."""

from ..provider.agent_context import DjangoAgentContext
from ..provider.agent_run import stream_agent_response
from ..provider.converter import DjangoThreadItemConverter
from .server import AgentChatKitServer

__all__ = [
    "AgentChatKitServer",
    "DjangoAgentContext",
    "DjangoThreadItemConverter",
    "stream_agent_response",
]
