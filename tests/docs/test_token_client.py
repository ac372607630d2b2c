"""The middleware of the page about REST framework, at work."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.authentication import TokenAuthentication
from rest_framework.exceptions import AuthenticationFailed

from chatkit_app.models import Thread
from tests.chat import Chat

from .blocks import blocks_of
from .written_project import WrittenProject


@pytest.fixture
def token_client(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Chat:
    """A client without cookies, of a site that has the page's middleware; tokens are users' names."""

    def authenticate(self: TokenAuthentication, key: str) -> tuple[User, str]:
        user = User.objects.filter(username=key).first()
        if user is None:
            raise AuthenticationFailed
        return user, key

    monkeypatch.setattr(TokenAuthentication, "authenticate_credentials", authenticate)
    project = WrittenProject(settings, monkeypatch)
    for block in blocks_of("docs/guides/rest-framework.md", "python"):
        if block.file == "myapp/middleware.py":
            project.write(block)
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "myapp.middleware.token_middleware"]
    chat = Chat()
    chat.cookies.clear()
    return chat


@pytest.mark.django_db(transaction=True)
async def test_client_with_a_token_is_answered_without_a_csrf_token(token_client: Chat):
    user = await User.objects.acreate(username="maria")
    answer = await token_client.say("Hello", headers={"Authorization": "Token maria", "X-CSRFToken": ""})
    assert answer.text()
    assert (await Thread.objects.aget()).user_id == user.pk


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("token", ["Token nobody", ""])
async def test_client_without_a_good_token_is_refused(token_client: Chat, token: str):
    answer = await token_client.say("Hello", headers={"Authorization": token, "X-CSRFToken": ""})
    assert "session has changed" in answer.error()["message"]
    assert not await Thread.objects.aexists()
