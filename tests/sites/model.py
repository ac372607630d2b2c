"""The model of the sites' agents."""

from __future__ import annotations

from typing import Any

from openai.types.responses import ResponseFunctionToolCall, ResponseOutputMessage

from chatkit_app.offline.local_model import LocalModel, ModelRequest
from chatkit_app.offline.responses import message, tool_call


class LookingModel(LocalModel):
    """Calls the tool and says what it gave. Asked for something long, it counts, and takes its time."""

    name = "looking"

    def output(self, request: ModelRequest) -> list[ResponseOutputMessage | ResponseFunctionToolCall]:
        items: Any = request.input
        if items[-1].get("type") == "function_call_output":
            return [message(f"The tool says {items[-1]['output']}.")]
        if "long" in str([item for item in items if item.get("role") == "user"][-1]):
            self.delay = 0.02
            return [message(" ".join(map(str, range(500))))]
        return [tool_call("look", {})]
