"""Connections to the MCP servers of agents: made before a run, and closed when nobody needs them any more.

``MCPServerManager`` of the Agents SDK connects a list of servers for the length of a block. Here answers come and go at
the same time, some with servers of their own, some with those of the whole process; and what is open when the event
loop ends is closed by then, whether or not anybody has announced it.
"""

from __future__ import annotations

import asyncio
import contextlib
import weakref
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from agents import Agent, AgentsException
from agents.mcp import MCPServer

from ..logs import get_logger
from ..process.threads import context_beyond_request
from ..provider.agent_graph import reachable
from .setting import named_agent

logger = get_logger(__name__)

# Seconds, each.
CONNECT_TIMEOUT = 15.0
CHECK_TIMEOUT = 5.0
CLOSE_TIMEOUT = 5.0


class MCPServerUnreachable(AgentsException):
    """No connection to an MCP server that an agent needs. The next answer tries again."""


class Connection:
    """A server's connection, held by a task of its own: it must be closed by the task that has opened it.

    Attributes:
        users: how many answers use it now.
        is_kept: whether it stays open when no answer uses it.
    """

    def __init__(self, server: MCPServer) -> None:
        self.server = server
        self.users = 0
        self.is_kept = False
        self._changing = asyncio.Lock()
        self._closing = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        # What has come of the attempt: None when it is connected.
        self._opened: asyncio.Future[BaseException | None] | None = None

    async def open(self) -> None:
        """Connect, unless the server is connected and answers.

        Raises:
            MCPServerUnreachable: when it cannot be done.
        """
        async with self._changing:
            if self._task is None or self._task.done() or not await self._answers():
                await self._end()
                self._closing = asyncio.Event()
                self._opened = asyncio.get_running_loop().create_future()
                # Whose request it is that happens to come first is nothing to those that come later.
                self._task = asyncio.create_task(self._hold(self._opened), context=context_beyond_request())
            assert self._opened is not None
            await asyncio.wait([self._opened])
            problem = self._opened.result()
            if problem is not None:
                raise MCPServerUnreachable(
                    f"The MCP server {self.server.name!r} cannot be reached ({type(problem).__name__}: {problem}). See "
                    "whether it runs, and look at its command or URL, its environment and credentials; the next "
                    "message tries again."
                ) from problem

    async def close_unless_needed(self) -> None:
        """Close it, if no answer uses it and it is not to be kept. Waits for nobody's connecting otherwise."""
        if self.is_needed:
            return
        async with self._changing:
            if not self.is_needed:
                await self._end()

    async def close(self) -> None:
        """Close it, in a bounded time."""
        async with self._changing:
            await self._end()

    @property
    def is_needed(self) -> bool:
        return self.users > 0 or self.is_kept

    async def _answers(self) -> bool:
        session = getattr(self.server, "session", None)
        if session is None:
            return True  # still connecting, or of a class that has no session and sees to it itself
        try:
            async with asyncio.timeout(CHECK_TIMEOUT):
                # Not a ping, which newer versions of the protocol do not have.
                await session.list_tools()
        except Exception as error:
            logger.info(
                "The MCP server %r does not answer (%s) and is connected again",
                self.server.name,
                type(error).__name__,
            )
            return False
        return True

    async def _hold(self, opened: asyncio.Future[BaseException | None]) -> None:
        try:
            try:
                async with asyncio.timeout(CONNECT_TIMEOUT):
                    await self.server.connect()  # type: ignore[no-untyped-call]
            except BaseException as error:
                opened.set_result(error)
                return
            opened.set_result(None)
            await self._closing.wait()
        finally:
            # Also when the event loop ends, or the connection itself cancels the task that has opened it.
            try:
                async with asyncio.timeout(CLOSE_TIMEOUT):
                    await self.server.cleanup()  # type: ignore[no-untyped-call]
            except Exception as error:
                logger.warning("The MCP server %r was not closed properly", self.server.name, exc_info=error)

    async def _end(self) -> None:
        self._closing.set()
        task, self._task = self._task, None
        if task is not None:
            if self._opened is not None and not self._opened.done():
                task.cancel()  # nobody waits for it any more
            _done, hanging = await asyncio.wait([task], timeout=CLOSE_TIMEOUT + 1)
            for each in hanging:
                each.cancel()


_connections: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, dict[MCPServer, Connection]] = (
    weakref.WeakKeyDictionary()
)
# Those that an earlier answer has used: they belong to the process and not to an answer.
_seen: weakref.WeakSet[MCPServer] = weakref.WeakSet()


@asynccontextmanager
async def connected(agent: Agent[Any]) -> AsyncIterator[None]:
    """Keep the MCP servers of the agent connected within the block, and those of all that it may hand over to.

    One that an agent in ``CHATKIT["AGENT"]`` has, or that comes a second time, is connected once in a process, and
    again if it has died meanwhile; one that is made for an answer is closed with it. One that you have connected
    yourself is yours.

    Raises:
        MCPServerUnreachable: when one of them is.
    """
    servers = dict.fromkeys(server for each in reachable(agent) for server in each.mcp_servers)
    taken: list[Connection] = []
    try:
        # Each is opened to its end, also when another fails, so that it is known what there is to be closed.
        opened = await asyncio.gather(*(_take(server, taken) for server in servers), return_exceptions=True)
        for problem in filter(None, opened):
            raise problem
        yield
    finally:
        for connection in taken:
            connection.users -= 1
        for connection in taken:
            await _leave(connection)


async def _take(server: MCPServer, taken: list[Connection]) -> None:
    known = _connections.setdefault(asyncio.get_running_loop(), {})
    connection = known.get(server)
    if connection is None:
        if getattr(server, "session", None) is not None:
            return  # the site has connected it
        connection = known[server] = Connection(server)
    connection.users += 1
    taken.append(connection)
    connection.is_kept |= server in _seen or server in _of_the_setting()
    _seen.add(server)
    await connection.open()


async def _leave(connection: Connection) -> None:
    await connection.close_unless_needed()
    known = _connections.get(asyncio.get_running_loop(), {})
    if not connection.is_needed and known.get(connection.server) is connection:
        del known[connection.server]


def _of_the_setting() -> set[MCPServer]:
    """Return the servers of an agent that the setting names itself, not of one that a function may make anew."""
    found = named_agent()
    if not isinstance(found, Agent):
        return set()
    return {server for each in reachable(found) for server in each.mcp_servers}


async def close_all() -> None:
    """Close the connections of this event loop, because the process is going down."""
    known = _connections.pop(asyncio.get_running_loop(), {})
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.gather(*(connection.close() for connection in known.values()))
