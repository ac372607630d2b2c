"""Forged and malformed requests, probing filters, hostile content: refused, and nothing is lost."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.contrib.staticfiles import finders
from django.db.models import CharField, JSONField, TextField, Value
from django.db.models.functions import Cast, Concat
from django.test import Client
from playwright.sync_api import Route, sync_playwright
from pydantic import TypeAdapter

from chatkit_app.models import Attachment, AuditEntry, DailyStatistics, Flag, Note, Thread
from chatkit_app.store.codec import storable_json
from chatkit_app.testing.sample_items import sample_items

from ..browser.conftest import ARGUMENTS, chromium_path  # noqa: F401
from .conftest import make_item, make_run, make_thread
from .test_permissions import APP, DOINGS, Doing, everything, files, filled, world  # noqa: F401

pytestmark = pytest.mark.django_db

POSTS = {name: doing for name, doing in DOINGS.items() if doing.needs and doing.data is not None}
PAGES = {name: doing for name, doing in DOINGS.items() if doing.needs and "{" in doing.path}
LISTS = ("thread", "run", "feedback", "attachment", "flag", "label", "cannedreply", "auditentry")


def send(client: Client, doing: Doing, world: dict[str, Any], path: str = "", **data: Any) -> Any:  # noqa: F811
    path = path or APP + filled(doing.path, world)
    if doing.data is None:
        return client.get(path)
    how: dict[str, Any] = {"content_type": "application/json"} if doing.json else {}
    return client.post(path, {**filled(doing.data, world), **data}, **how)


# --- Forged requests ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("doing", POSTS.values(), ids=POSTS.keys())
def test_forged_requests_are_refused(world: dict[str, Any], doing: Doing) -> None:  # noqa: F811
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.create_superuser("superuser"))
    before = everything()
    assert send(client, doing, world).status_code == 403
    assert everything() == before
    assert AuditEntry.objects.latest("pk").action == "refused"


# --- Addresses ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("doing", PAGES.values(), ids=PAGES.keys())
def test_nonsense_in_place_of_an_id_is_not_found(
    admin_client: Client,
    world: dict[str, Any],  # noqa: F811
    doing: Doing,
) -> None:
    before = everything()
    path = doing.path.replace(doing.path[doing.path.index("{") : doing.path.index("}") + 1], "PK", 1)
    for pk in ("x", "-1", "0", "9" * 40, "%00", "1%20OR%201=1", "_2F", "..%2f..%2f"):
        response = send(admin_client, doing, world, APP + filled(path, world).replace("PK", pk))
        assert response.status_code in (302, 404), pk
        assert response.headers.get("Location", "/admin/") == "/admin/"
    assert everything() == before


@pytest.mark.parametrize(
    "path",
    [
        "thread/{other}/items/{item}/",
        "thread/{other}/items/{item}/redact/",
        "thread/{other}/stop/{run}/",
        "thread/{other}/flag/?item={item}",
        "thread/{thread}/items/0/",
        "thread/{thread}/items/" + "9" * 40 + "/",
        "thread/{thread}/items/" + "9" * 40 + "/redact/",
        "thread/{thread}/stop/" + "9" * 40 + "/",
        "thread/{thread}/flag/?item=" + "9" * 40,
        "thread/{thread}/flag/?item=x",
        "thread/{thread}/moderate/burn/",
    ],
)
def test_part_of_another_thread_is_not_found(
    admin_client: Client,
    world: dict[str, Any],  # noqa: F811
    path: str,
) -> None:
    other = make_thread("Another")
    before = everything()
    response = admin_client.post(APP + path.format(**world, other=other.pk), {"reason": "x"})
    assert response.status_code == 404
    assert everything() == before
    assert AuditEntry.objects.latest("pk").action == "refused"


# --- Lists --------------------------------------------------------------------------------------------------

PROBES = (
    "title__startswith=a",
    "title=a",
    "items__text__contains=a",
    "metadata__a=b",
    "user__password__startswith=a",
    "user__email__contains=a",
    "labels__name=a",
    "notes__text__contains=a",
    "thread__title__startswith=a",
    "threads__title__startswith=a",
    "threads=1",
    "item__text__contains=a",
    "reason__startswith=a",
    "reason__contains=a",
    "error__contains=a",
    "payload__a=b",
    "name__startswith=a",
    "pk__in=1,2",
    "id__gt=0",
    "status__exact=active%00",
)


@pytest.mark.parametrize("model", LISTS)
def test_probing_is_refused(admin_client: Client, model: str) -> None:
    answers = {probe: admin_client.get(f"{APP}{model}/?{probe}").status_code for probe in PROBES}
    assert answers == dict.fromkeys(PROBES, 400)
    assert AuditEntry.objects.filter(action="refused").count() == len(PROBES)


HARMLESS = (
    "o=1",
    "o=-99.x.0",
    "o=" + "1." * 500,
    "p=-1",
    "p=" + "9" * 40,
    "p=x",
    "e=1",
    "all=",
    "_popup=1",
    "_facets=True",
    "q=%00",
    "q=" + "a" * 5000,
    "q=%22",
    "q='",
    "q=%25_%5C",
    "q=user:+status:x+before:9999-99-99+label:%00",
    "q=1&q=2&p=0&p=1",
    "user=x",
    "user=" + "9" * 40,
    "user=%F0%9F%98%80",
    "thread=x",
    "thread=" + "9" * 40,
    "status__exact=nothing",
    "owner_kind=nothing",
    "label=x",
    "label=" + "9" * 40,
    "assignee=x",
    "assignee=" + "9" * 40,
    "active_from=x&active_to=0000-00-00",
    "from=x&to=9999-12-31",
    "staff=" + "a" * 5000,
    "namespace=" + "a" * 5000,
    "started_at__gte=x",
    "created_at__gte=9999-99-99",
)


@pytest.mark.parametrize("model", LISTS)
def test_nonsense_in_a_query_breaks_nothing(admin_client: Client, model: str) -> None:
    make_run(make_thread("x"), "completed")
    for query in HARMLESS:
        response = admin_client.get(f"{APP}{model}/?{query}", follow=True)
        assert response.status_code in (200, 400), query


@pytest.mark.parametrize("column", ["title", "public_id", "id%00", "items", "nothing", "user__password"])
def test_other_columns_are_no_keys(admin_client: Client, column: str) -> None:
    make_thread("x")
    assert admin_client.get(f"{APP}thread/?_to_field={column}&_popup=1").status_code == 400
    assert AuditEntry.objects.get().action == "refused"


def test_list_is_not_sorted_by_what_is_not_offered(staff: Callable[..., Client]) -> None:
    client = staff("view_thread")
    make_thread("b", public_id="thr_first")
    make_thread("a", public_id="thr_second")
    orders = {
        tuple(client.get(f"{APP}thread/?o={column}").context["cl"].result_list) for column in range(1, 12)
    }
    # By last activity, either way.
    assert len(orders) <= 2


def test_ten_thousand_parameters_are_refused(admin_client: Client) -> None:
    thread = make_thread("x")
    path = f"{APP}thread/{thread.pk}/moderate/lock/"
    fields = {f"f{number}": "x" for number in range(10_000)}
    assert admin_client.post(path, {**fields, "reason": "x"}).status_code == 400
    assert Thread.objects.get().status == "active"
    assert AuditEntry.objects.get().details["status"] == 400
    query = "&".join(f"f{number}=x" for number in range(10_000))
    assert admin_client.get(f"{APP}thread/?{query}").status_code == 400


# --- Forms and actions --------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", ["moderate/lock", "flag", "export", "erase", "items/{item}/redact"])
def test_bad_reasons_are_asked_again(
    admin_client: Client,
    world: dict[str, Any],  # noqa: F811
    page: str,
) -> None:
    before = everything()
    path = f"{APP}thread/{world['thread']}/{page.format(**world)}/"
    for reason in ("", " ", "a\x00b", "x" * 1001):
        response = admin_client.post(path, {"reason": reason, "format": "jsonl", "owner": "maria"})
        assert response.status_code == 200
        assert response.context["form"].errors["reason"]
    assert everything() == before


@pytest.mark.parametrize("action", ["lock_threads", "delete_selected", "export_threads"])
def test_nonsense_is_not_selected(admin_client: Client, action: str) -> None:
    make_thread("x")
    for key in ("x", "9" * 40, "\x00", "", "1 OR 1=1"):
        data = {"action": action, "_selected_action": key, "post": "yes", "reason": "x", "format": "jsonl"}
        assert admin_client.post(f"{APP}thread/", data).status_code == 400
    assert list(Thread.objects.values_list("status", flat=True)) == ["active"]


@pytest.mark.parametrize("action", ["", "nothing", "__class__", "delete_model", "moderate_view", "\x00"])
def test_action_that_is_none_does_nothing(admin_client: Client, action: str) -> None:
    thread = make_thread("x")
    data = {"action": action, "_selected_action": thread.pk, "post": "yes", "reason": "x"}
    assert admin_client.post(f"{APP}thread/", data).status_code in (200, 302)
    assert Thread.objects.get().status == "active"


def test_selection_is_no_more_than_the_filters_show(admin_client: Client) -> None:
    make_thread("seen", status="closed")
    unseen = make_thread("unseen")
    data = {"action": "lock_threads", "_selected_action": unseen.pk, "select_across": "1", "post": "yes"}
    admin_client.post(f"{APP}thread/?status__exact=closed", {**data, "reason": "x"})
    assert Thread.objects.get(pk=unseen.pk).status == "active"


def test_same_thread_selected_twice_is_changed_once(admin_client: Client) -> None:
    thread = make_thread("x")
    data = {
        "action": "lock_threads",
        "_selected_action": [thread.pk, thread.pk],
        "post": "yes",
        "reason": "x",
    }
    admin_client.post(f"{APP}thread/", data)
    assert AuditEntry.objects.filter(action="lock").count() == 1


@pytest.mark.parametrize("data", [{}, {"do": "x"}, {"do": "resolve"}, {"do": "resolve", "flag": "x"}])
def test_review_does_nothing_that_it_does_not_know(admin_client: Client, data: dict[str, str]) -> None:
    Flag.objects.create(thread=make_thread("x"), source="staff")
    assert admin_client.post(f"{APP}reviewqueue/", data).status_code in (400, 404)
    assert Flag.objects.get().claimed_by is None
    assert AuditEntry.objects.get().action == "refused"


@pytest.mark.parametrize(
    "body", ["", "null", "[]", "{", '{"type": "items.list"}', "[" * 50_000, '{"type": "threads.delete"}']
)
def test_transcript_gives_items_and_nothing_else(admin_client: Client, body: str) -> None:
    thread = make_thread("x")
    make_item(thread, text="word")
    path = f"{APP}thread/{thread.pk}/transcript/"
    response = admin_client.post(path, body, content_type="application/json")
    assert response.status_code == 400
    assert b"word" not in response.content


# --- Hostile content ----------------------------------------------------------------------------------------

HOSTILE = (
    '<script>window.pwned = 1</script><img src="https://evil.example/x.png" onerror="window.pwned = 1">'
    "\"'></td></pre>{{ 7 }}[x](javascript:window.pwned=1)![x](https://evil.example/y.png)\u202e"
)
KEPT = {"type", "id", "status", "created_at", "thread_id", "mime_type", "role", "size", "variant", "color"}
PAGES_TO_SEE = {name: doing for name, doing in DOINGS.items() if doing.needs and doing.data is None}


def poisoned(value: Any) -> Any:
    """The same with hostile text in place of all text."""
    if isinstance(value, dict):
        return {key: entry if key in KEPT else poisoned(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [poisoned(entry) for entry in value]
    return HOSTILE if isinstance(value, str) else value


# What rows are found by, or what is made hostile in a way of its own.
KEYS = ("public_id", "place", "visitor_id", "file", "payload", "request_key")


@pytest.fixture
def hostile_world(world: dict[str, Any]) -> dict[str, Any]:  # noqa: F811
    """One of everything, with hostile text in every column that takes any, and an item of each type."""
    thread = Thread.objects.get(pk=world["thread"])
    samples = TypeAdapter(list[Any]).dump_python(sample_items(thread_id=""), mode="json", exclude_none=True)
    for sample in samples:
        payload = {key: sample[key] for key in sample.keys() - {"id", "thread_id", "created_at", "type"}}
        make_item(thread, sample["type"], payload=storable_json(poisoned(payload)))
    Note.objects.create(thread=thread, author_name="x", text="x")
    for model in apps.get_app_config("chatkit_app").get_models():
        if model in (AuditEntry, DailyStatistics):
            continue
        columns: dict[str, Any] = {}
        for column in model._meta.fields:
            if column.choices or column.name in KEYS:
                continue
            if isinstance(column, JSONField):
                columns[column.name] = {HOSTILE: HOSTILE, "preview_url": "https://evil.example/z.png"}
            elif isinstance(column, (CharField, TextField)):
                text = Value(HOSTILE[: (column.max_length or 999) - 20])
                columns[column.name] = Concat(text, Cast("pk", CharField())) if column.unique else text
        if columns:
            model._default_manager.update(**columns)
    Attachment.objects.update(payload={"preview_url": "https://evil.example/x.png", "name": HOSTILE})
    User.objects.filter(username="maria").update(username=HOSTILE[:150])
    names = ("actor_name", "thread_key", "item_key", "owner", "reason")
    AuditEntry.objects.create(
        action="redact", details={HOSTILE: [HOSTILE]}, **dict.fromkeys(names, HOSTILE[:100])
    )
    AuditEntry.objects.create(
        action="lock", thread_key=thread.public_id, reason=HOSTILE, details={"x": HOSTILE}
    )
    return {**world, "auditentry": AuditEntry.objects.order_by("-pk")[1].pk}


@pytest.mark.parametrize("doing", PAGES_TO_SEE.values(), ids=PAGES_TO_SEE.keys())
def test_hostile_content_is_only_text(
    admin_client: Client, hostile_world: dict[str, Any], doing: Doing
) -> None:
    response = send(admin_client, doing, hostile_world)
    assert response.status_code == 200
    if response["Content-Type"].startswith("text/html"):
        html = response.content.decode()
        # What is edited there is shown as it is, in fields.
        is_form = doing.path.startswith("cannedreply/{")
        for raw in (
            "<script>window",
            '<img src="https',
            "</td></pre>",
            'href="javascript:',
            *([] if is_form else ["\u202e"]),
            'src="https:',
        ):
            assert raw not in html
    elif response["Content-Type"] != "application/json":  # which the page's script makes nodes of
        assert b"".join(response)
        assert response["X-Content-Type-Options"] == "nosniff"
        assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"


@pytest.mark.browser
def test_hostile_content_does_nothing_in_a_browser(
    admin_client: Client,
    hostile_world: dict[str, Any],
    chromium_path: str,  # noqa: F811
) -> None:
    # The pages are asked for before: beside a browser's event loop Django gives none.
    paths = [APP + filled(doing.path, hostile_world) for doing in PAGES_TO_SEE.values()]
    answers = {path: admin_client.get(path) for path in [*paths, "/admin/jsi18n/"]}
    pages = {path: answer.content for path, answer in answers.items() if not answer.streaming}
    list(answers[f"{APP}attachment/{hostile_world['attachment']}/file/"])
    elsewhere: list[str] = []
    told: list[str] = []

    def serve(route: Route) -> None:
        url = urlsplit(route.request.url)
        if url.netloc != "localhost":
            elsewhere.append(route.request.url)
            route.abort()
        elif url.path.startswith("/static/"):
            route.fulfill(path=finders.find(url.path.removeprefix("/static/")))
        else:
            path = f"{url.path}?{url.query}" if url.query else url.path
            kind = answers[path]["Content-Type"] if path in pages else "text/plain"
            route.fulfill(body=pages.get(path, b""), content_type=kind)

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path, args=ARGUMENTS)
        page = browser.new_page()
        page.route("**/*", serve)
        page.on("dialog", lambda dialog: told.append(dialog.message))
        for path in pages:
            # The transcript is drawn when all has been loaded.
            drawn: Any = "networkidle" if "thread/" in path and "/change/" in path else "load"
            page.goto(f"http://localhost{path}", wait_until=drawn)
            page.evaluate("document.querySelectorAll('summary').forEach((summary) => summary.click())")
            if drawn == "networkidle":
                page.locator("openai-chatkit .item").first.wait_for(state="attached", timeout=20_000)
            assert page.evaluate("window.pwned") is None, path
        browser.close()
    assert (elsewhere, told) == ([], [])
