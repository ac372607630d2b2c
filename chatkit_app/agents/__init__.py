"""The default server: an agent of the Agents SDK answers."""

from ..provider.agent_context import DjangoAgentContext
from ..provider.agent_run import stream_agent_response
from ..provider.converter import DjangoThreadItemConverter
from .server import AgentChatKitServer
from .staff_tool import request_staff

__all__ = [
    "AgentChatKitServer",
    "DjangoAgentContext",
    "DjangoThreadItemConverter",
    "request_staff",
    "stream_agent_response",
]
