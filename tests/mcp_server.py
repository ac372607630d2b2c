"""A real MCP server with one tool: over stdio, or over HTTP on a port::

    python -m tests.mcp_server [PORT]

Each start is noted in the file that ``MCP_LOG`` names, and so is each end.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress

from tests import mcp_stdio
from tests.mcp_stdio import note

with suppress(ModuleNotFoundError):
    from mcp.server.mcpserver import MCPServer
with suppress(ModuleNotFoundError):
    from mcp.server.fastmcp import FastMCP as MCPServer  # mcp 1


server = MCPServer("stock")


@server.tool()
def in_stock(article: str) -> str:
    """How many of an article there are."""
    return mcp_stdio.in_stock(article)


def main(port: int | None) -> None:
    note(f"start {os.getpid()}")
    if port is None:
        server.run("stdio")
    else:
        server.run("streamable-http", host="127.0.0.1", port=port)
    note(f"end {os.getpid()}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else None)
