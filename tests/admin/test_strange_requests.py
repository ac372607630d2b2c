"""Query strings, forms and cookies that no page of the admin has made: a page or a refusal, and never an error."""

from __future__ import annotations

from itertools import chain
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from tests.extent import IS_WHOLE

from .test_permissions import APP, DOINGS, Doing, everything, files, filled, world  # noqa: F401

pytestmark = pytest.mark.django_db

# One of each page; that none is missing is what test_permissions.py holds.
PAGES = {doing.url: doing for doing in reversed(DOINGS.values()) if doing.needs}

QUERIES = (
    "p=999999999999999999999&o=9.-9..&all=&e=1",
    "_popup=1&_to_field=id&_changelist_filters=%00%FF",
    "q=%FF%FE&q=%ED%A0%80&namespace=%C0%80",
    "q=%00&user=%00&label=%00&staff=%00&thread=%00",
    "user=1&user=2&label=1,2&label__in=1&status__exact=",
    "days=99999999999999999999&namespace=x&from=%E2%80%AE&to=-1",
    "item=99999999999999999999&owner=1&owner=x",
    "next=//evil.example&flag=-1&do=take",
    "%00=%00&%FF=%FF&=&&&=x",
    "a[]=1&a[b]=2&__proto__=x&__class__=x",
    "q=" + "%" * 300,
    ";".join(["x=y"] * 300),
)
HUGE = "9" * 5_000
FIELDS = ("reason", "text", "name", "user", "owner", "note", "labels", "label", "flag")
FORMS: tuple[dict[str, Any], ...] = (
    {},
    dict.fromkeys(FIELDS, HUGE),
    dict.fromkeys(FIELDS, "\x00"),
    {field: ["", "x", HUGE] for field in FIELDS},
    {
        "action": "lock_threads",
        "_selected_action": [HUGE, "-1", "x", ""],
        "post": "yes",
        "select_across": HUGE,
    },
    {"action": ["", "lock_threads"], "index": HUGE, "post": "yes"},
    {
        "reason": "x",
        "format": HUGE,
        "hidden": "x",
        "replace": "x",
        "do": "resolve",
        "flag": HUGE,
        "post": "x",
    },
    {"_save": "x", "_continue": "x", "_saveasnew": "x", "initial-x": "\x00", "form-TOTAL_FORMS": HUGE},
)
BODIES = (
    (b"", "application/x-www-form-urlencoded; charset=no-such"),
    (b"\xff\xfe=%FF&reason=%ED%A0%80", "application/x-www-form-urlencoded"),
    (b"--x\r\n", "multipart/form-data; boundary=x"),
    (b"x", "multipart/form-data"),
    (b"{", "application/json"),
    (b"[" * 5_000, "application/json"),
    (b'{"type": 1, "params": []}', "application/json"),
    (b'{"type": "items.list", "params": {"after": "\\u0000", "limit": 1e99}}', "application/json"),
)


# These are of the reading of a request, which no database is asked about.
if connection.vendor == "postgresql" and not IS_WHOLE:
    QUERIES = tuple(query for query in QUERIES if "%00" in query or "999" in query)
    BODIES = tuple((body, kind) for body, kind in BODIES if b"u0000" in body)


@pytest.fixture
def client() -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(User.objects.create_superuser("boss"))
    return client


def path_of(doing: Doing, world: dict[str, Any]) -> str:  # noqa: F811
    return (APP + filled(doing.path, world)).partition("?")[0]


@pytest.mark.parametrize("doing", PAGES.values(), ids=PAGES.keys())
def test_strange_query_breaks_no_page(client: Client, world: dict[str, Any], doing: Doing) -> None:  # noqa: F811
    before = everything()
    for query in QUERIES:
        response = client.get(path_of(doing, world), QUERY_STRING=query)
        if response.streaming:
            b"".join(response.streaming_content)
        assert response.status_code in (200, 302, 400, 404, 405), query
        assert response.headers.get("Location", "/").startswith("/admin/") or response.status_code != 302
    assert everything() == before


@pytest.mark.parametrize("doing", PAGES.values(), ids=PAGES.keys())
def test_strange_form_breaks_no_page(client: Client, world: dict[str, Any], doing: Doing) -> None:  # noqa: F811
    answers = [client.post(path_of(doing, world), form) for form in FORMS]
    answers += [
        client.generic("POST", path_of(doing, world), body, content_type) for body, content_type in BODIES
    ]
    assert {answer.status_code for answer in answers} <= {200, 302, 400, 403, 404, 405}


@pytest.mark.parametrize("doing", PAGES.values(), ids=PAGES.keys())
def test_foreign_rows_in_a_form_are_not_changed(
    client: Client,
    world: dict[str, Any],  # noqa: F811
    settings: Any,
    doing: Doing,
) -> None:
    settings.CHATKIT = {"ADMIN_SCOPE": f"{__name__}.nothing"}
    before = everything()
    ids = {name: [value, str(value), f"0{value}", f" {value}", f"{value}.0"] for name, value in world.items()}
    for action in ("lock_threads", "delete_selected", "export_threads", "stop_runs", "add_label"):
        form = {
            "action": action,
            "_selected_action": [*chain.from_iterable(ids.values())],
            "post": "yes",
            "reason": "x",
        }
        data = (
            form
            | {name: ids[name] for name in ("label", "flag")}
            | {"do": "resolve", "resolution": "handled"}
        )
        client.post(path_of(doing, world), data)
    after = everything()
    # These are of the whole site.
    shared = {"Label", "CannedReply"}
    assert {name: rows for name, rows in after.items() if name not in shared} == {
        name: rows for name, rows in before.items() if name not in shared
    }


def nothing(user: Any, threads: Any) -> Any:
    """A scope."""
    return threads.none()


COOKIES = {
    "another session": {"sessionid": "x" * 32},
    "a long session": {"sessionid": "x" * 4_000},
    "no session": {"sessionid": ""},
    "a path": {"sessionid": "../../../etc/passwd"},
    "a pickle": {"sessionid": "gASVAAAAAAAAAIwFcG9zaXiUjAZzeXN0ZW2Uk5Qu"},
    "bytes": {"sessionid": "\xff\xfe\x80", "messages": "\xff"},
    "messages": {"messages": '[["__json_message",0,40,"<script>"]]:x:y'},
    "a token": {"csrftoken": "x" * 4_000},
    "a language": {"django_language": "../../x"},
    "seeds": {"chatkit_first": "x" * 4_000, "chatkit_again": "\xff"},
}


@pytest.mark.parametrize("cookies", COOKIES.values(), ids=COOKIES.keys())
@pytest.mark.parametrize("backend", ["db", "file", "signed_cookies"])
def test_made_up_cookies_let_nobody_in_and_break_no_page(
    world: dict[str, Any],  # noqa: F811
    settings: Any,
    tmp_path: Any,
    cookies: dict[str, str],
    backend: str,
) -> None:
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{backend}"
    settings.SESSION_FILE_PATH = str(tmp_path)
    before = everything()
    client = Client(raise_request_exception=False)
    for name, value in cookies.items():
        client.cookies[name] = value
    # Each cookie some of the pages, since it is one check that stands before all of them.
    turn = list(COOKIES.values()).index(cookies)
    for doing in list(PAGES.values())[turn % 4 :: 4]:
        for response in (
            client.get(path_of(doing, world)),
            client.post(path_of(doing, world), {"reason": "x"}),
        ):
            assert response.status_code == 302
            assert response.headers["Location"].startswith("/admin/login/?next=/admin/")
    assert everything() == before
