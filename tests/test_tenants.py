"""The real django-tenants on a real PostgreSQL: all that a tenant's visitors and staff do stays in its schema.

The shared schema has all tables, too: what goes wrong would end there without a word.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from tests.pictures import PNG
from tests.runs.test_processes import eventually
from tests.sites.processes import Database, Site, Visitor, texts_of, thread_of, visible

NAMES = ("acme", "bolt")


pytestmark = [
    pytest.mark.postgres,
    pytest.mark.processes,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="Only PostgreSQL has this."),
]


@pytest.fixture(scope="module")
def database() -> Iterator[Database]:
    database = Database("chatkit_tenants")
    yield database
    database.drop()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tenants")


@pytest.fixture(scope="module")
def site(database: Database, files: Path) -> Iterator[tuple[Site, int]]:
    """The site, and the port of its server."""
    site = Site("tests.sites.tenants", database, files)
    port = site.serve("tests.sites.tenants.asgi.application")
    try:
        site.run("-m", "tests.sites.tenants.make", *NAMES)
        yield site, port
    finally:
        site.stop()


@pytest.fixture
def visit(site: tuple[Site, int]) -> Iterator[Callable[..., Visitor]]:
    visitors: list[Visitor] = []

    def visit(tenant: str, application: str = "ours") -> Visitor:
        visitors.append(Visitor(site[1], f"{tenant}.localhost", **{"X-Application": application}))
        return visitors[-1]

    yield visit
    for visitor in visitors:
        visitor.close()


@pytest.fixture(autouse=True)
def empty(database: Database, site: tuple[Site, int]) -> Iterator[None]:
    """Each test begins without conversations, and none leaves anything in the shared schema."""
    tables = ("thread", "run", "attachment", "auditentry")
    for schema in NAMES:
        database.empty(*(f"{schema}.chatkit_app_{name}" for name in tables))
    yield
    assert [database.execute(f"SELECT count(*) FROM public.chatkit_app_{name}") for name in tables] == [
        [(0,)]
    ] * len(tables)
    assert database.execute("SELECT count(*) FROM public.django_session") == [(0,)]


def rows(database: Database, schema: str, columns: str, table: str = "thread") -> list[tuple[Any, ...]]:
    return database.execute(f"SELECT {columns} FROM {schema}.chatkit_app_{table} ORDER BY id")


def ended(database: Database, schema: str) -> list[str]:
    """How the runs of this tenant have ended, when all of them have."""
    states = [status for (status,) in rows(database, schema, "status", "run")]
    return states if "running" not in states else []


@pytest.mark.parametrize("application", ["ours", "Django's"])
def test_answers_are_made_of_the_tenants_rows_and_kept_there(visit, database, application):
    """With a synchronous tool, an agent, a title and queries of the server, each of which looks into its tables."""
    for tenant in NAMES:
        visitor = visit(tenant, application)
        first = visitor.say("hi").rest()
        second = visitor.say("again", thread_of(first)).rest()
        expected = [f"{tenant}-staff is here.", f"The tool says {tenant}-staff has 1."]
        assert (texts_of(first), texts_of(second)) == (expected, expected)
        assert rows(database, tenant, "title, item_count") == [(f"With {tenant}-staff", 6)]
        assert eventually(lambda schema=tenant: ended(database, schema)) == ["completed", "completed"]


def test_answers_of_two_tenants_at_once_do_not_mix(visit, database):
    def converse(tenant: str) -> list[str]:
        visitor = visit(tenant)
        first = visitor.say("hi").rest()
        return texts_of(first) + texts_of(visitor.say("again", thread_of(first)).rest())

    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(converse, NAMES * 4))
    for tenant, texts in zip(NAMES * 4, said, strict=True):
        assert texts[0] == texts[2] == f"{tenant}-staff is here."
        assert all(text.startswith(f"The tool says {tenant}-staff has ") for text in texts[1::2])
    assert {schema: len(rows(database, schema, "id")) for schema in NAMES} == {"acme": 4, "bolt": 4}


def test_ordinary_views_at_once_see_their_own_tenant(visit):
    """Under our application, which lets requests share threads where no middleware puts state on connections."""
    with ThreadPoolExecutor(8) as pool:
        seen = list(pool.map(lambda tenant: visit(tenant).get("/staff").body.decode(), NAMES * 20))
    assert seen == ["acme-staff", "bolt-staff"] * 20


def test_stop_and_replay_are_of_the_tenant(visit, database):
    acme, bolt = visit("acme"), visit("bolt")
    bolt.say("hi").rest()
    answer = acme.say("long").until('" 5"')
    assert bolt.get(f"/chatkit/runs/{answer.run_id}/events").status == 404
    assert bolt.ask("POST", f"/chatkit/runs/{answer.run_id}/stop").rest().status == 404
    assert json.loads(acme.ask("POST", f"/chatkit/runs/{answer.run_id}/stop").rest().body) == {
        "stopped": True
    }
    text = texts_of(answer.rest())[-1]
    assert text.startswith("0 1 2 3 4 5")
    assert eventually(lambda: ended(database, "acme")) == ["stopped"]
    again = acme.get(f"/chatkit/runs/{answer.run_id}/events")
    assert texts_of(again) == ["acme-staff is here.", text]


def test_answer_is_saved_while_it_is_written(visit, database):
    answer = visit("acme").say("long").until('" 5"')
    (before,) = rows(database, "acme", "heartbeat_at", "run")
    eventually(lambda: rows(database, "acme", "heartbeat_at", "run") != [before])
    eventually(lambda: any("0 1 2" in text for (text,) in rows(database, "acme", "text", "threaditem")))
    visit("acme").get(f"/chatkit/runs/{answer.run_id}/events")


def test_thread_of_one_tenant_is_none_of_another(visit):
    thread_id = thread_of(visit("acme").say("hi").rest())
    bolt = visit("bolt")
    bolt.say("hi").rest()
    assert bolt.chat("threads.get_by_id", thread_id=thread_id).rest().status == 404
    (refused,) = bolt.say("mine now", thread_id).rest().events()
    assert refused["message"] == "This conversation or part of it no longer exists."


def test_thread_with_the_id_of_another_tenants_is_not_busy_with_it(visit, database):
    """As after one tenant's tables were copied for a new one."""
    acme, bolt = visit("acme"), visit("bolt")
    answer = acme.say("long").until('" 5"')
    bolt.say("hi").rest()
    thread_id = thread_of(answer)
    database.execute(f"UPDATE bolt.chatkit_app_thread SET public_id = '{thread_id}'")
    assert texts_of(bolt.say("again", thread_id).rest())[-1] == "The tool says bolt-staff has 1."
    acme.ask("POST", f"/chatkit/runs/{answer.run_id}/stop").rest()
    assert texts_of(answer.rest())[-1].startswith("0 1 2")


def test_file_is_the_tenants(visit, database, files):
    acme, bolt = visit("acme"), visit("bolt")
    sent = json.loads(acme.upload("cat.png", "image/png", PNG).body)
    acme.say("look", attachments=[sent["id"]]).rest()
    path = sent["preview_url"].partition("acme.localhost")[2]
    assert sent["preview_url"].startswith("http://acme.localhost/chatkit/attachments/")
    seen = acme.get(path)
    assert (seen.status, seen.body) == (200, PNG)
    assert bolt.get(path).status == 404
    (stored,) = [name for (name,) in rows(database, "acme", "file", "attachment")]
    assert (files / "acme" / stored).read_bytes() == PNG
    assert rows(database, "bolt", "file", "attachment") == []


def test_staff_of_a_tenant_are_its_users_and_no_visitors(visit, database):
    """The first message is a visitor's, who then logs in."""
    acme = visit("acme")
    thread_id = thread_of(acme.say("hi").rest())
    acme.log_in("acme-staff", "acme")
    acme.say("as staff", thread_id).rest()
    acme.say("a new one").rest()
    (user,) = database.execute("SELECT id FROM acme.auth_user")
    assert rows(database, "acme", "user_id, visitor_id") == [(user[0], "")] * 2
    assert visit("bolt").send("/admin/login/", username="acme-staff", password="acme").status == 200


def test_staff_see_and_export_the_conversations_of_their_tenant(visit):
    for tenant in NAMES:
        visit(tenant).say("hi").rest()
    for tenant in NAMES:
        staff = visit(tenant)
        staff.log_in(f"{tenant}-staff", tenant)
        listed = staff.get("/admin/chatkit_app/thread/")
        assert re.findall(r"With \w+-staff", visible(listed)) == [f"With {tenant}-staff"]
        (key,) = set(re.findall(rb"/admin/chatkit_app/thread/(\d+)/change/", listed.body))
        transcript = staff.get(f"/admin/chatkit_app/thread/{key.decode()}/change/")
        assert f"The tool says {tenant}-staff has 1." in transcript.body.decode()
        exported = staff.send(
            f"/admin/chatkit_app/thread/{key.decode()}/export/", format="markdown", reason="They asked."
        )
        assert f"The tool says {tenant}-staff has 1." in exported.body.decode()


def test_each_tenant_has_its_search_index_and_none_the_extension(database):
    """Without the extension's schema, a tenant can go and the others' indexes stay."""
    if not database.execute("SELECT 1 FROM pg_available_extensions WHERE name = 'pg_trgm'"):
        pytest.skip("This PostgreSQL has no pg_trgm.")
    found = database.execute(
        "SELECT schemaname, indexname FROM pg_indexes WHERE indexname LIKE '%trigrams' ORDER BY 1, 2"
    )
    expected = ("chatkit_item_trigrams", "chatkit_thread_trigrams")
    assert found == [(schema, name) for schema in (*NAMES, "public") for name in expected]
    extension = "SELECT extnamespace::regnamespace::text FROM pg_extension WHERE extname = 'pg_trgm'"
    assert database.execute(extension) == [("public",)]


def test_commands_are_for_one_tenant_or_for_all(visit, site, database):
    for tenant in NAMES:
        visit(tenant).say("hi").rest()
    exported = site[0].run("manage.py", "tenant_command", "chatkit_export", "--schema=acme", "--all")
    assert "acme-staff has 1" in exported
    assert "bolt-staff" not in exported
