from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.admin import ModelAdmin, site
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.test import AsyncClient, Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from chatkit_app.admin import attachments as attachments_module
from chatkit_app.models import Attachment, AuditEntry, Feedback, Run, Thread

from .conftest import make_item, make_run, make_thread

pytestmark = pytest.mark.django_db
APP = "/admin/chatkit_app/"


@pytest.fixture
def thread() -> Thread:
    return make_thread("<i>Lost</i> parcel", public_id="thr_1", user=User.objects.create_user("maria"))


def make_attachment(thread: Thread, **fields: object) -> Attachment:
    values = {"type": "file", "name": "<b>report</b>.pdf", "mime_type": "application/pdf", **fields}
    return Attachment.objects.create(public_id="atc_1", thread=thread, user=thread.user, **values)


def test_runs_list_shows_a_run(staff: Callable[..., Client], thread: Thread) -> None:
    make_run(
        thread, "failed", user=thread.user, model="gpt-x", input_tokens=12, output_tokens=3, total_ms=1234
    )
    html = staff("view_run", "view_content").get(f"{APP}run/").content.decode()
    for text in ("gpt-x", "12 / 3", "1.23 s", "<bdi>maria</bdi>", "&lt;i&gt;Lost&lt;/i&gt; parcel", "failed"):
        assert text in html


def test_runs_list_leads_to_runs_by_their_times(staff: Callable[..., Client], thread: Thread) -> None:
    run = make_run(thread, "completed", started_at=datetime(2026, 3, 4, 15, 30, tzinfo=UTC))
    html = staff("view_run").get(f"{APP}run/").content.decode()
    shown = '<time datetime="2026-03-04T16:30:00+01:00" title="03/04/2026 4:30 p.m.">03/04/2026</time>'
    assert f'<a href="{APP}run/{run.pk}/change/">{shown}</a>' in html


def test_page_of_a_run_writes_its_times_as_other_pages_do(
    staff: Callable[..., Client], thread: Thread
) -> None:
    run = make_run(thread, "running", started_at=datetime(2026, 3, 4, 15, 30, tzinfo=UTC))
    html = staff("view_run").get(f"{APP}run/{run.pk}/change/").content.decode()
    assert '<div class="readonly">03/04/2026 4:30 p.m.</div>' in html
    assert "March 4" not in html


def test_filters_write_their_choices_alike(staff: Callable[..., Client]) -> None:
    html = staff("view_run").get(f"{APP}run/").content.decode()
    assert ">Completed</a>" in html
    assert ">Anonymous visitors</a>" in html


def test_runs_are_found_by_whole_id_and_model(staff: Callable[..., Client], thread: Thread) -> None:
    run = make_run(thread, "completed", model="gpt-x")
    make_run(make_thread("other"), "completed", model="gpt-y")
    client = staff("view_run", "view_content")
    for query in (run.public_id, "thr_1", "gpt-x"):
        assert list(client.get(f"{APP}run/?q={query}").context["cl"].result_list) == [run]


def test_runs_of_a_thread_are_found_by_its_link(staff: Callable[..., Client], thread: Thread) -> None:
    run = make_run(thread, "completed")
    make_run(make_thread("other"), "completed")
    response = staff("view_run", "view_content").get(f"{APP}run/?thread={thread.pk}")
    assert list(response.context["cl"].result_list) == [run]


def test_run_page_shows_its_error(staff: Callable[..., Client], thread: Thread) -> None:
    run = make_run(thread, "failed", error="<script>alert(1)</script>\u202e")
    html = staff("view_run", "view_content").get(f"{APP}run/{run.pk}/change/").content.decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;[U+202E]" in html


@pytest.mark.parametrize("page", ["run/{run.pk}/change/", "thread/{run.thread_id}/change/"])
def test_kind_of_a_failure_is_shown_to_those_who_may_not_read(
    staff: Callable[..., Client], thread: Thread, page: str
) -> None:
    run = make_run(thread, "failed", failure="timeout", error="secret-error")
    html = staff("view_run", "view_thread").get(APP + page.format(run=run)).content.decode()
    assert "took too long" in html.lower()
    assert "secret-error" not in html


def test_feedback_list_leads_to_its_item(staff: Callable[..., Client], thread: Thread) -> None:
    item = make_item(thread, text="answer")
    Feedback.objects.create(item=item, kind="negative", user=thread.user)
    html = staff("view_feedback", "view_content").get(f"{APP}feedback/").content.decode()
    assert f'{APP}thread/{thread.pk}/change/?item={item.pk}"' in html
    assert '<span class="chatkit-badge chatkit-negative">negative</span>' in html


@pytest.mark.parametrize("page", ["run", "feedback"])
def test_records_cannot_be_changed_or_deleted(admin_client: Client, thread: Thread, page: str) -> None:
    run = make_run(thread, "completed")
    row = run if page == "run" else make_item(thread).feedback.create(kind="positive", visitor_id="v")
    url = f"{APP}{page}/{row.pk}/"
    html = admin_client.get(f"{url}change/").content.decode()
    assert f"{url}delete/" not in html
    assert admin_client.post(f"{url}change/", {}).status_code == 403
    assert admin_client.post(f"{url}delete/", {"post": "yes"}).status_code == 403
    admin_client.post(
        f"{APP}{page}/", {"action": "delete_selected", "_selected_action": row.pk, "post": "yes"}
    )
    assert (Run.objects.count(), Feedback.objects.count()) == (1, 0 if page == "run" else 1)


def test_attachments_list_shows_a_file(staff: Callable[..., Client], thread: Thread) -> None:
    make_attachment(thread)
    html = staff("view_attachment", "view_content").get(f"{APP}attachment/").content.decode()
    assert "<bdi>&lt;b&gt;report&lt;/b&gt;.pdf</bdi>" in html
    assert "application/pdf" in html


def test_attachment_page_loads_no_picture(staff: Callable[..., Client], thread: Thread) -> None:
    attachment = make_attachment(thread, type="image", payload={"preview_url": "https://evil.example/a.svg"})
    html = (
        staff("view_attachment", "view_content")
        .get(f"{APP}attachment/{attachment.pk}/change/")
        .content.decode()
    )
    assert "https://evil.example/a.svg" in html
    assert 'src="https://evil' not in html
    assert 'href="https://evil' not in html


def test_attachment_can_be_deleted(staff: Callable[..., Client], thread: Thread) -> None:
    attachment = make_attachment(thread)
    client = staff("view_attachment", "view_content", "delete_attachment")
    client.post(f"{APP}attachment/{attachment.pk}/delete/", {"post": "yes"})
    assert not Attachment.objects.exists()


@pytest.mark.parametrize("page", ["run", "feedback", "attachment"])
def test_records_need_the_permission_to_read(staff: Callable[..., Client], page: str) -> None:
    assert staff("view_thread", "view_content", "moderate_thread").get(f"{APP}{page}/").status_code == 403


@pytest.mark.parametrize("page", ["run", "feedback", "attachment"])
def test_probing_other_columns_is_refused(admin_client: Client, page: str) -> None:
    assert admin_client.get(f"{APP}{page}/?user__password__startswith=a").status_code == 400


@pytest.mark.parametrize(
    ("page", "column"), [("run", "started_at"), ("feedback", "updated_at"), ("attachment", "created_at")]
)
def test_records_are_found_by_date(
    admin_client: Client, secret: dict[str, int], page: str, column: str
) -> None:
    model: Any = {"run": Run, "feedback": Feedback, "attachment": Attachment}[page]
    model.objects.update(**{column: timezone.make_aware(datetime(2025, 3, 31, 23))})
    numbers = [
        len(admin_client.get(f"{APP}{page}/?from={day}&to={day}").context["cl"].result_list)
        for day in ("2025-03-30", "2025-03-31", "2025-04-01")
    ]
    assert numbers == [0, 1, 0]


# --- Those who may not read ---------------------------------------------------------------------------------

SECRETS = ("secret-title", "secret-error", "secret-name", "secret-context", "secret-payload")


@pytest.fixture
def secret(thread: Thread) -> dict[str, int]:
    thread.title = "secret-title"
    thread.save()
    run = make_run(thread, "failed", error="secret-error", context={"user_agent": "secret-context"})
    payload = {"note": "secret-payload"}
    return {
        "run": run.pk,
        "attachment": make_attachment(thread, name="secret-name.pdf", payload=payload).pk,
        "feedback": make_item(thread).feedback.create(kind="positive", visitor_id="v").pk,
    }


@pytest.mark.parametrize(
    ("page", "shown"),
    [
        ("run/", ["secret-title"]),
        ("run/{run}/change/", ["secret-title", "secret-error", "secret-context"]),
        ("feedback/", ["secret-title"]),
        ("feedback/{feedback}/change/", ["secret-title"]),
        ("attachment/", ["secret-title", "secret-name"]),
        ("attachment/{attachment}/change/", ["secret-title", "secret-name", "secret-payload"]),
        ("attachment/{attachment}/delete/", []),
    ],
)
def test_content_is_shown_to_those_who_may_read(
    staff: Callable[..., Client], secret: dict[str, int], page: str, shown: list[str]
) -> None:
    lists = ("view_run", "view_feedback", "view_attachment", "delete_attachment")
    for permissions, expected in (((*lists, "view_content"), shown), (lists, [])):
        html = staff(*permissions).get(APP + page.format(**secret)).content.decode()
        assert [text for text in SECRETS if text in html] == expected


def test_file_names_are_not_searched_by_those_who_may_not_read(
    staff: Callable[..., Client], secret: dict[str, int]
) -> None:
    for permissions, number in ((("view_content",), 1), ((), 0)):
        client = staff("view_attachment", *permissions)
        assert len(client.get(f"{APP}attachment/?q=secret-name").context["cl"].result_list) == number
        assert len(client.get(f"{APP}attachment/?q=atc_1").context["cl"].result_list) == 1


@pytest.mark.parametrize("page", ["run", "attachment"])
def test_reading_is_in_the_audit(staff: Callable[..., Client], secret: dict[str, int], page: str) -> None:
    path = f"{APP}{page}/{secret[page]}/change/"
    staff(f"view_{page}").get(path)
    assert not AuditEntry.objects.exists()
    staff(f"view_{page}", "view_content").get(path)
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.thread_key, page in entry.details) == ("read", "thr_1", True)


def test_search_for_a_files_name_is_in_the_audit(
    staff: Callable[..., Client], secret: dict[str, int]
) -> None:
    client = staff("view_attachment", "view_content")
    client.get(f"{APP}attachment/")
    client.get(f"{APP}attachment/?q=secret-name")
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.reason) == ("search", "secret-name")
    assert entry.details == {"found": 1, "list": "attachments"}


@pytest.mark.parametrize("page", ["run", "feedback", "attachment"])
def test_filters_and_searches_take_eight_queries_at_most(
    admin_client: Client, secret: dict[str, int], page: str
) -> None:
    with CaptureQueriesContext(connection) as queries:
        response = admin_client.get(f"{APP}{page}/?q=thr_1&owner_kind=visitor")
    assert response.status_code == 200
    assert len(queries) <= 8


# --- Files --------------------------------------------------------------------------------------------------

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 20
HTML = b"<script>alert(1)</script>"


@pytest.fixture
def stored(thread: Thread, settings: Any, tmp_path: Any) -> Callable[..., Attachment]:
    settings.MEDIA_ROOT = tmp_path

    def store(content: bytes, name: str, mime_type: str) -> Attachment:
        file = default_storage.save("chatkit/token", ContentFile(content))
        return make_attachment(thread, name=name, mime_type=mime_type, file=file, size=len(content))

    return store


@pytest.fixture
def reader(staff: Callable[..., Client]) -> Client:
    return staff("view_attachment", "view_content")


@pytest.mark.parametrize(
    ("content", "name", "mime_type", "content_type", "disposition"),
    [
        (PNG, "a.png", "image/png", "image/png", 'inline; filename="a.png"'),
        (b"x", "a.svg", "image/svg+xml", "application/octet-stream", 'attachment; filename="a.svg"'),
        (HTML, "a.html", "text/html", "application/octet-stream", 'attachment; filename="a.html"'),
        (b"%PDF-", "a.pdf", "application/pdf", "application/octet-stream", 'attachment; filename="a.pdf"'),
        (HTML, "a\r\nX: y\u202e.png", "image/png", "image/png", 'inline; filename="aX: y.png"'),
        (b"", "", "", "application/octet-stream", 'attachment; filename="file"'),
    ],
)
def test_file_is_served_so_that_nothing_runs(
    reader: Client,
    stored: Callable[..., Attachment],
    content: bytes,
    name: str,
    mime_type: str,
    content_type: str,
    disposition: str,
) -> None:
    response: Any = reader.get(f"{APP}attachment/{stored(content, name, mime_type).pk}/file/")
    assert b"".join(response.streaming_content) == content
    assert response["Content-Type"] == content_type
    assert response["Content-Disposition"] == disposition
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert "no-store" in response["Cache-Control"]


def test_opening_a_file_is_in_the_audit(reader: Client, stored: Callable[..., Attachment]) -> None:
    attachment = stored(PNG, "secret.png", "image/png")
    list(reader.get(f"{APP}attachment/{attachment.pk}/file/").streaming_content)  # type: ignore[call-overload]
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.thread_key, entry.owner) == ("read", "thr_1", attachment.owner)
    assert entry.details == {"attachment": "atc_1", "opened": True}


@pytest.mark.parametrize("file", ["", "chatkit/gone"])
def test_file_that_is_gone_is_not_opened(
    reader: Client, stored: Callable[..., Attachment], thread: Thread, file: str
) -> None:
    attachment = make_attachment(thread, file=file)
    path = f"{APP}attachment/{attachment.pk}/"
    response = reader.get(f"{path}file/", follow=True)
    assert response.redirect_chain == [(f"{path}change/", 302)]
    assert "The file is no longer there." in response.content.decode()
    assert not AuditEntry.objects.filter(details__has_key="opened").exists()


def test_file_page_leads_to_the_file(reader: Client, stored: Callable[..., Attachment]) -> None:
    attachment = stored(PNG, "a.png", "image/png")
    html = reader.get(f"{APP}attachment/{attachment.pk}/change/").content.decode()
    assert (
        f'<a href="{APP}attachment/{attachment.pk}/file/" target="_blank" rel="noopener">Open the file</a>'
        in html
    )
    assert "<img" not in html.partition('id="content"')[2].partition("</main>")[0]


def test_file_page_gives_no_signed_address(reader: Client, thread: Thread) -> None:
    url = "https://site.example/chatkit/attachments/atc_1/file?signature=signed-by-us%3Axyz-_"
    attachment = make_attachment(thread, payload={"preview_url": url})
    html = reader.get(f"{APP}attachment/{attachment.pk}/change/").content.decode()
    assert "file?signature=…&quot;" in html
    assert "signed-by-us" not in html


@pytest.mark.django_db(transaction=True)
async def test_file_is_streamed_under_asgi(stored: Callable[..., Attachment]) -> None:
    attachment = await sync_to_async(stored)(b"word" * 100_000, "a.txt", "text/plain")
    user = await sync_to_async(User.objects.create_superuser)("superuser")
    client = AsyncClient()
    await client.aforce_login(user)
    response: Any = await client.get(f"{APP}attachment/{attachment.pk}/file/")
    assert response.is_async
    assert b"".join([chunk async for chunk in response.streaming_content]) == b"word" * 100_000


@pytest.mark.parametrize("way", ["page", "action"])
def test_deleted_file_is_in_the_audit(admin_client: Client, thread: Thread, way: str) -> None:
    attachment = make_attachment(thread)
    if way == "page":
        admin_client.post(f"{APP}attachment/{attachment.pk}/delete/", {"post": "yes"})
    else:
        data = {"action": "delete_selected", "_selected_action": attachment.pk, "post": "yes"}
        admin_client.post(f"{APP}attachment/", data)
    assert not Attachment.objects.exists()
    entry = AuditEntry.objects.get(action="delete")
    assert (entry.thread_key, entry.details) == ("thr_1", {"attachment": "atc_1"})


def test_too_many_files_at_once_are_refused(
    admin_client: Client, thread: Thread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attachments_module, "MAX_AT_ONCE", 1)
    first = make_attachment(thread)
    Attachment.objects.create(public_id="atc_2", thread=thread, type="file")
    data = {"action": "delete_selected", "_selected_action": first.pk, "select_across": "1", "post": "yes"}
    response = admin_client.post(f"{APP}attachment/", data, follow=True)
    assert "Please select at most 1 attachments at a time." in response.content.decode()
    assert Attachment.objects.count() == 2


def test_location_of_actions_is_passed_on_where_django_gives_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def of_django_6_1(self: Any, request: Any, action_location: Any = "list") -> dict[str, Any]:
        return {"delete_selected": None, action_location: None}

    monkeypatch.setattr(ModelAdmin, "get_actions", of_django_6_1)
    runs = site.get_model_admin(Run)
    request = RequestFactory().get("/")
    assert list(runs.get_actions(request, action_location="form")) == ["form"]  # type: ignore[call-arg]
    assert list(runs.get_actions(request)) == ["list"]
