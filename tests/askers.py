"""People who ask for what is somebody else's: visitors and users, with a session and without."""

from __future__ import annotations

from django.contrib.auth.models import User

from chatkit_app import db
from tests.chat import Chat


async def visitor() -> Chat:
    chat = Chat(frame="frame-2")
    await chat.say("I have a session")
    return chat


async def user() -> Chat:
    chat = Chat(frame="frame-2")
    await chat.log_in(await db.run(User.objects.create_user, "ada"))
    return chat


async def superuser() -> Chat:
    chat = Chat(frame="frame-2")
    await chat.log_in(await db.run(User.objects.create_superuser, "boss"))
    return chat


async def stranger() -> Chat:
    return Chat(frame="frame-2")
