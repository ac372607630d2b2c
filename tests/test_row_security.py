"""Row-level security on a real PostgreSQL, in a site that does what the guide says.

The site's role owns the tables and is bound by their policies all the same (``FORCE``). Whoever does not say who asks
sees nothing and may write nothing, so that each forgotten piece of work is an error here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from tests.runs.test_processes import eventually
from tests.sites.processes import Database, Site, Visitor, texts_of, thread_of

MINE = "user_id::text = NULLIF(current_setting('app.user_id', true), '')"
OF_MINE = "EXISTS (SELECT 1 FROM chatkit_app_thread t WHERE t.id = thread_id)"
POLICIES = {"thread": MINE, "run": MINE, "attachment": MINE, "threaditem": OF_MINE}
NAMES = ("maria", "omar")


pytestmark = [
    pytest.mark.postgres,
    pytest.mark.processes,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="Only PostgreSQL has this."),
]


# The variable is set for the session, as in the guide, or for a transaction (SET LOCAL) around each piece of work.
SITES = ("row_security", "row_security_local")


@pytest.fixture(scope="module", params=SITES)
def site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Database, int]]:
    database = Database(f"chatkit_{request.param}")
    folder = f"tests.sites.{request.param}"
    site = Site(folder, database, tmp_path_factory.mktemp("rows"))
    port = site.serve(f"{folder}.asgi.application")
    try:
        site.run("-m", "tests.sites.row_security.make", *NAMES)
        for table, condition in POLICIES.items():
            database.execute(
                f"ALTER TABLE chatkit_app_{table} ENABLE ROW LEVEL SECURITY",
                f"ALTER TABLE chatkit_app_{table} FORCE ROW LEVEL SECURITY",
                f"CREATE POLICY mine ON chatkit_app_{table} USING ({condition})",
            )
        yield database, port
    finally:
        site.stop()
        database.drop()


@pytest.fixture
def database(site: tuple[Database, int]) -> Database:
    return site[0]


@pytest.fixture
def visit(site: tuple[Database, int]) -> Iterator[Callable[..., Visitor]]:
    database, port = site
    database.empty("chatkit_app_thread", "chatkit_app_run")
    visitors: list[Visitor] = []

    def visit(name: str) -> Visitor:
        visitors.append(visitor := Visitor(port))
        if name:
            visitor.log_in(name, name)
        return visitor

    yield visit
    for visitor in visitors:
        visitor.close()


def owners(database: Database, table: str) -> list[tuple[Any, ...]]:
    """How many rows each user has, whatever the policies say."""
    return database.execute(
        f"SELECT username, count(*) FROM chatkit_app_{table} JOIN auth_user u ON u.id = user_id "
        "GROUP BY username ORDER BY username"
    )


def test_answers_of_users_at_once_are_made_of_their_own_rows(visit, database):
    def converse(name: str) -> list[str]:
        visitor = visit(name)
        first = visitor.say("hi").rest()
        return texts_of(first) + texts_of(visitor.say("again", thread_of(first)).rest())

    with ThreadPoolExecutor(2) as pool:
        said = list(pool.map(converse, NAMES))
    assert said == [["The tool says you have 1."] * 2] * 2
    eventually(lambda: database.execute("SELECT DISTINCT status FROM chatkit_app_run") == [("completed",)])
    assert (owners(database, "thread"), owners(database, "run")) == (
        [("maria", 1), ("omar", 1)],
        [("maria", 2), ("omar", 2)],
    )


def test_answer_is_saved_stopped_and_read_again_as_its_user(visit, database):
    maria = visit("maria")
    answer = maria.say("long").until('" 5"')
    path = f"/chatkit/runs/{answer.run_id}"
    saved = "SELECT 1 FROM chatkit_app_threaditem WHERE text LIKE '0 1 2%'"
    eventually(lambda: database.execute(saved))
    assert visit("omar").get(f"{path}/events").status == 404
    assert json.loads(maria.ask("POST", f"{path}/stop").rest().body) == {"stopped": True}
    text = texts_of(answer.rest())[-1]
    eventually(lambda: database.execute("SELECT status FROM chatkit_app_run") == [("stopped",)])
    assert texts_of(maria.get(f"{path}/events")) == [text]
    listed = json.loads(maria.chat("threads.list").rest().body)
    assert [thread["id"] for thread in listed["data"]] == [thread_of(answer)]
    assert json.loads(visit("omar").chat("threads.list").rest().body)["data"] == []


def test_visitor_whom_no_policy_knows_is_refused_and_writes_nothing(visit, database):
    events = visit("").say("hi").rest().events()
    assert {(event["type"], event["code"]) for event in events} == {("error", "stream.error")}
    assert database.execute("SELECT count(*) FROM chatkit_app_thread") == [(0,)]
