"""``ws/chatkit/staff/``: the socket of a page of the admin.

The page sends ``{"open": pk}`` and ``{"leave": pk}`` of the threads whose page it is, and ``{"typing": pk}``. It is
told ``changed`` (keys of threads, of all that the member of the staff may know of), ``people``, ``typing``,
``absent`` and ``ping``. What has changed it reads from the admin's own pages, as they are allowed to whoever asks.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest

from .. import db
from ..conf import chatkit_settings
from ..models import Assignment, Thread
from ..staff.scope import threads_of
from ..takeover.names import find_staff, name_for_staff
from . import codes, groups, layer, presence
from .bells import bells
from .socket import Socket
from .visit import Refused, staff_of

MAX_OPEN = 20
"""Pages of threads that a socket may be of at once."""
TYPING_INTERVAL = 2.0
"""Seconds within which others are told once that somebody types."""


class StaffSocket(Socket):
    """The socket of a member of the staff, who hears of the threads in their scope."""

    __slots__ = ("_changed", "_people", "_typed_at", "opened", "page", "user")

    user: Any

    def __init__(self, scope: Any, receive: Any, send: Any) -> None:
        super().__init__(scope, receive, send)
        self.page = secrets.token_hex(16)
        self.opened: set[int] = set()
        self._changed: set[int] = set()
        self._people: dict[int, list[dict[str, Any]]] = {}
        self._typed_at = float("-inf")

    def enter(self, request: HttpRequest) -> None:
        self.user = staff_of(request)

    def check(self, request: HttpRequest, owners: Mapping[int, Any]) -> set[int]:
        user = staff_of(request)
        if user.pk != self.user.pk:
            raise Refused(codes.SESSION_OVER)
        self.user = user
        return self._within_scope(self.opened)

    async def apply_check(self, found: set[int]) -> None:
        for pk in self.opened - found:
            await self._leave(pk)
            self.tell(("absent", pk), {"type": "absent", "thread": pk})

    async def entered(self) -> None:
        await self.hub.join(groups.STAFF, self)

    async def left(self) -> None:
        await self.hub.leave(groups.STAFF, self)
        opened, self.opened = self.opened, set()
        for pk in opened:
            await self.hub.leave(groups.of_thread(pk), self)
        if opened:
            await db.run(presence.leave, self.page)
        for pk in opened:
            _ring_people(pk)

    async def take(self, message: dict[str, Any]) -> None:
        if any(isinstance(value, bool) for value in message.values()):
            raise TypeError  # which Python takes for an int
        match message:
            case {"open": int() as pk}:
                await self._open(pk)
            case {"leave": int() as pk}:
                await self._leave(pk)
            case {"typing": int() as pk}:
                await self._type(pk)
            case _:
                raise ValueError

    def hear(self, message: layer.Message) -> None:
        match message["type"]:
            case "chatkit.changed" if "threads" in message:
                self._changed.update(message["threads"])
                self.tell("changed", self._take_changed)
            case "chatkit.people":
                self._tell_people(message["thread"])
            case "chatkit.typing" if message.get("staff") != self.user.pk:
                self._tell_typing(message["thread"], message.get("staff"))

    @property
    def thread_pks(self) -> list[int]:
        return list(self.opened)

    def ping(self, versions: Mapping[int, int]) -> None:
        async def tell() -> dict[str, Any]:
            if self.opened:
                await db.run(presence.touch, [self.page])
            return {
                "type": "ping",
                "threads": {str(pk): versions[pk] for pk in self.opened if pk in versions},
            }

        self.tell("ping", tell)
        for pk in self.opened:
            self._tell_people(pk)

    async def _open(self, pk: int) -> None:
        if pk not in self.opened and len(self.opened) >= MAX_OPEN:
            raise ValueError
        if not await db.run(self._within_scope, {pk}):
            self.tell(("absent", pk), {"type": "absent", "thread": pk})
            return
        self.opened.add(pk)
        # Before anything is heard of the thread, or a bell of another's coming would tell of people without oneself.
        await db.run(lambda: presence.arrive(pk, user=self.user, page=self.page))
        await self.hub.join(groups.of_thread(pk), self)
        self._tell_people(pk)
        _ring_people(pk)

    async def _leave(self, pk: int) -> None:
        if pk in self.opened:
            self.opened.discard(pk)
            self._people.pop(pk, None)
            await self.hub.leave(groups.of_thread(pk), self)
            await db.run(lambda: presence.leave(self.page, thread_pk=pk))
            _ring_people(pk)

    async def _type(self, pk: int) -> None:
        now = time.monotonic()
        if pk not in self.opened or now - self._typed_at < TYPING_INTERVAL:
            return
        self._typed_at = now
        # A user is not told that somebody types who has not taken the thread.
        if await db.run(self._has, pk):
            bells.send(groups.of_thread(pk), {"type": "chatkit.typing", "thread": pk, "staff": self.user.pk})

    def _has(self, pk: int) -> bool:
        mine = Assignment.objects.filter(thread_id=pk, assignee_id=self.user.pk)
        return mine.filter(thread__handler=Thread.Handler.STAFF).exists()

    def _within_scope(self, pks: set[int]) -> set[int]:
        # No key of the database is larger.
        known = [pk for pk in pks if 0 < pk < 2**63]
        return (
            set(threads_of(self.user).filter(pk__in=known).values_list("pk", flat=True)) if known else set()
        )

    async def _take_changed(self) -> dict[str, Any] | None:
        changed, self._changed = self._changed, set()
        if chatkit_settings.admin_scope is not None:
            changed = await db.run(self._within_scope, changed)
        return {"type": "changed", "threads": sorted(changed)} if changed else None

    def _tell_people(self, pk: int) -> None:
        async def find() -> dict[str, Any] | None:
            if pk not in self.opened:
                return None
            people = await db.run(presence.people_at, pk)
            if people == self._people.get(pk):
                return None
            self._people[pk] = people
            return {"type": "people", "thread": pk, "people": people}

        self.tell(("people", pk), find)

    def _tell_typing(self, pk: int, staff: Any) -> None:
        async def find() -> dict[str, Any]:
            name = "" if staff is None else await db.run(_name_of_staff, staff)
            return {"type": "typing", "thread": pk, "name": name}

        self.tell(("typing", pk), find)


def _name_of_staff(pk: Any) -> str:
    user = find_staff(pk)
    return "" if user is None else name_for_staff(user)


def _ring_people(pk: int) -> None:
    bells.send(groups.of_thread(pk), {"type": "chatkit.people", "thread": pk})
