"""``manage.py demo``: what it refuses, and what it prepares. That it serves is in test_site.py."""

import socket
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command

from chatkit_app.models import Thread
from project.management.commands import demo
from project.management.commands.demo import Command


@pytest.fixture(autouse=True)
def debug(settings: Any) -> None:
    settings.DEBUG = True


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """Commands that the demo calls; they are not run."""
    calls: list[tuple[Any, ...]] = []
    monkeypatch.setattr(demo, "call_command", lambda *args, **options: calls.append(args))
    return calls


def run(*args: str) -> str:
    output = StringIO()
    call_command(Command(stdout=output), *args)
    return output.getvalue()


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_demo_refuses_without_debug(settings: Any, called: list[Any]) -> None:
    settings.DEBUG = False
    with pytest.raises(CommandError, match="only with DEBUG = True"):
        run()
    assert called == []


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.20", "demo.example", ""])
def test_demo_refuses_an_address_that_others_can_reach(host: str, called: list[Any]) -> None:
    with pytest.raises(CommandError, match=r"127\.0\.0\.1, ::1 or localhost only"):
        run("--host", host)
    assert called == []


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_loopback_addresses_are_taken(host: str) -> None:
    demo.require_loopback(host)


def test_demo_names_the_option_when_the_port_is_taken(taken_port: int, called: list[Any]) -> None:
    with pytest.raises(CommandError, match=f"--port {taken_port + 1}"):
        run("--port", str(taken_port))
    assert called == []


@pytest.mark.parametrize("port", ["0", "65536", "-1"])
def test_demo_refuses_what_is_no_port(port: str, called: list[Any]) -> None:
    with pytest.raises(CommandError, match="is not a port"):
        run(f"--port={port}")
    assert called == []


@pytest.mark.django_db(transaction=True)
def test_demo_migrates_prints_its_addresses_and_serves(called: list[Any]) -> None:
    port = free_port()
    output = run("--port", str(port))
    assert called == [("migrate",), ("chatkit_statistics",), ("runserver", f"127.0.0.1:{port}")]
    assert "Sample conversations created: 188" in output
    assert f"http://127.0.0.1:{port}/\n" in output
    assert f"http://127.0.0.1:{port}/admin/\n" in output
    assert "admin / admin" in output


@pytest.mark.django_db(transaction=True)
def test_demo_adds_no_conversations_when_told_so(called: list[Any]) -> None:
    assert "Sample conversations created: 0" in run("--port", str(free_port()), "--no-samples")
    assert not Thread.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_demo_creates_the_superuser_once(called: list[Any], django_user_model: Any) -> None:
    run("--port", str(free_port()))
    admin = django_user_model.objects.get(username="admin")
    assert admin.is_superuser
    assert authenticate(username="admin", password="admin") == admin
    admin.set_password("changed")
    admin.save()
    assert "as you left it (admin)" in run("--port", str(free_port()))
    assert authenticate(username="admin", password="changed") == admin
