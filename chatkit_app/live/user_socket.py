"""``ws/chatkit/``: the socket of a page with a chat.

The page sends ``{"follow": id, "after": version}`` (without a version it is taken to know the newest),
``{"unfollow": id}``, ``{"typing": id}``, and ``{"hidden": true}`` or false, when it goes out of sight or comes back. It
is told ``changed``, ``absent``, ``typing`` and ``ping``; what has changed it reads by ``GET …/threads/<id>/changes``.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import parse_qs

from django.http import HttpRequest

from .. import db
from ..models import Thread
from ..models.querysets import OwnerParameters, owner_values
from ..statements import Select, parameter
from ..storable import is_storable_id
from ..takeover.names import find_staff, shown_name
from . import codes, groups, layer
from .bells import bells
from .seen import note_seen
from .socket import Socket
from .visit import Refused, context_of

MAX_FOLLOWED = 20
"""Threads that a page may follow at once."""
TYPING_INTERVAL = 2.0
"""Seconds within which a page is told once that somebody types."""


def _name(number: int) -> str:
    return f"public_id_{number}"


def _name_of_staff(pk: Any) -> str:
    user = find_staff(pk)
    return "" if user is None else shown_name(user)


def _own_threads(kind: str, number: int) -> Any:
    ids = [parameter(Thread, "public_id", _name(each)) for each in range(number)]
    threads = Thread.objects.owned_by(OwnerParameters.of(kind)).filter(public_id__in=ids)
    return threads.values_list("public_id", "pk", "version")


_OWN = Select(_own_threads, on_writer=True)


@dataclass(kw_only=True, slots=True)
class Followed:
    """A thread that a page follows.

    Attributes:
        pk: its primary key.
        told: the version that the page knows of.
    """

    pk: int
    told: int


class UserSocket(Socket):
    """The socket of a user or a visitor, who hears of their own threads."""

    __slots__ = ("_typed_at", "followed", "is_hidden", "owner", "path")

    owner: tuple[str, dict[str, Any]]

    def __init__(self, scope: Any, receive: Any, send: Any) -> None:
        super().__init__(scope, receive, send)
        query = parse_qs(scope.get("query_string", b"").decode("latin1"))
        self.path = query.get("endpoint", [""])[0]
        self.followed: dict[str, Followed] = {}
        self.is_hidden = False
        self._typed_at = float("-inf")

    def enter(self, request: HttpRequest) -> None:
        self.owner = owner_values(context_of(request))

    def check(self, request: HttpRequest, owners: Mapping[int, Any]) -> set[str]:
        if owner_values(context_of(request)) != self.owner:
            raise Refused(codes.SESSION_OVER)
        followed = list(self.followed.items())
        plain = {thread_id for thread_id, each in followed if owners.get(each.pk) == self.owner}
        # The rest is the database's to say: a context of the site's own may write the same key in another way.
        return (
            plain | self._find([thread_id for thread_id, _each in followed if thread_id not in plain]).keys()
        )

    async def apply_check(self, found: set[str]) -> None:
        for thread_id in list(self.followed):
            if thread_id not in found:
                await self._unfollow(thread_id)
                self.tell(("absent", thread_id), {"type": "absent", "thread": thread_id})

    async def left(self) -> None:
        for thread_id in list(self.followed):
            await self._unfollow(thread_id)

    async def take(self, message: dict[str, Any]) -> None:
        match message:
            case {"follow": str() as thread_id}:
                after = message.get("after")
                if after is not None and type(after) is not int:
                    raise TypeError
                await self._follow(thread_id, after)
            case {"unfollow": str() as thread_id}:
                await self._unfollow(thread_id)
            case {"typing": str() as thread_id}:
                self._type(thread_id)
            case {"hidden": bool() as is_hidden}:
                self.is_hidden = is_hidden
            case _:
                raise ValueError

    def hear(self, message: layer.Message) -> None:
        for thread_id, followed in self.followed.items():
            if followed.pk == message["thread"]:
                if message["type"] == "chatkit.changed":
                    self._tell_version(thread_id, followed, message["version"])
                elif message["type"] == "chatkit.typing" and message.get("staff") is not None:
                    self._tell_typing(thread_id, message["staff"])

    @property
    def thread_pks(self) -> list[int]:
        return [followed.pk for followed in self.followed.values()]

    @property
    def seen_pks(self) -> list[int]:
        return [] if self.is_hidden else self.thread_pks

    def ping(self, versions: Mapping[int, int]) -> None:
        told = {
            thread_id: versions[followed.pk]
            for thread_id, followed in self.followed.items()
            if followed.pk in versions
        }
        for thread_id, version in told.items():
            self.followed[thread_id].told = max(version, self.followed[thread_id].told)
        self.tell("ping", {"type": "ping", "threads": told})

    async def _follow(self, thread_id: str, after: int | None) -> None:
        if thread_id not in self.followed and len(self.followed) >= MAX_FOLLOWED:
            raise ValueError
        found = (await db.run(self._find, [thread_id])).get(thread_id)
        if found is None:
            self.tell(("absent", thread_id), {"type": "absent", "thread": thread_id})
            return
        pk, version = found
        followed = self.followed[thread_id] = Followed(pk=pk, told=version if after is None else after)
        await self.hub.join(groups.of_thread(pk), self)
        # After it was joined: what was committed in between has rung for nobody.
        again = (await db.run(self._find, [thread_id])).get(thread_id)
        if again is not None and not self.is_hidden:
            # What it knows is what it shows.
            await db.run(partial(note_seen, [pk], version=followed.told))
        if again is not None:
            self._tell_version(thread_id, followed, again[1])

    async def _unfollow(self, thread_id: str) -> None:
        followed = self.followed.pop(thread_id, None)
        if followed is not None:
            await self.hub.leave(groups.of_thread(followed.pk), self)

    def _find(self, thread_ids: list[str]) -> dict[str, tuple[int, int]]:
        """Return the keys and versions of those of the threads that are the owner's."""
        known = [thread_id for thread_id in thread_ids if is_storable_id(thread_id)]
        kind, owner = self.owner
        if not known or not kind:
            return {}
        ids = {_name(number): thread_id for number, thread_id in enumerate(known)}
        rows = _OWN(kind, len(known)).rows(**owner, **ids)
        return {public_id: (pk, version) for public_id, pk, version in rows}

    def _tell_version(self, thread_id: str, followed: Followed, version: int) -> None:
        if version > followed.told:
            followed.told = version
            self.tell(("changed", thread_id), {"type": "changed", "thread": thread_id, "version": version})

    def _tell_typing(self, thread_id: str, staff: Any) -> None:
        async def find() -> dict[str, Any]:
            return {"type": "typing", "thread": thread_id, "name": await db.run(_name_of_staff, staff)}

        self.tell(("typing", thread_id), find)

    def _type(self, thread_id: str) -> None:
        followed, now = self.followed.get(thread_id), time.monotonic()
        if followed is not None and now - self._typed_at >= TYPING_INTERVAL:
            self._typed_at = now
            bells.send(
                groups.of_thread(followed.pk),
                {"type": "chatkit.typing", "thread": followed.pk, "staff": None},
            )
