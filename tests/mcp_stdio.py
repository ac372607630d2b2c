"""What an MCP server with one tool says over stdio, without the package that takes a second of a processor to load::

    python -m tests.mcp_stdio

``tests.mcp_server`` is the same made of that package, for the tests over HTTP and one of those over stdio. Each start
is noted in the file that ``MCP_LOG`` names, and so is each end.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

TOOL = {
    "name": "in_stock",
    "description": "How many of an article there are.",
    "inputSchema": {
        "type": "object",
        "properties": {"article": {"type": "string"}},
        "required": ["article"],
    },
}
METHOD_NOT_FOUND = -32601


def note(what: str) -> None:
    if log := os.environ.get("MCP_LOG"):
        with open(log, "a") as file:
            file.write(f"{what}\n")


def in_stock(article: str) -> str:
    note(f"asked for {article}")
    return f"7 of {article} in process {os.getpid()}"


def answer(method: str, params: dict[str, Any]) -> dict[str, Any] | None:
    """Return the result of a request; None for one that is not known."""
    match method:
        case "initialize":
            about = {"name": "stock", "version": "1"}
            version = params["protocolVersion"]
            return {"protocolVersion": version, "capabilities": {"tools": {}}, "serverInfo": about}
        case "tools/list":
            return {"tools": [TOOL]}
        case "tools/call":
            return {"content": [{"type": "text", "text": in_stock(**params["arguments"])}]}
        case "ping":
            return {}
    return None


def main() -> None:
    note(f"start {os.getpid()}")
    for line in sys.stdin:
        request = json.loads(line)
        # Notifications have none.
        if "id" not in request:
            continue
        result = answer(request["method"], request.get("params") or {})
        unknown = {"error": {"code": METHOD_NOT_FOUND, "message": "Method not found"}}
        told = unknown if result is None else {"result": result}
        sys.stdout.write(json.dumps({"jsonrpc": "2.0", "id": request["id"], **told}) + "\n")
        sys.stdout.flush()
    note(f"end {os.getpid()}")


if __name__ == "__main__":
    main()
