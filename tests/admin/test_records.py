from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client

from chatkit_app.models import Attachment, Feedback, Run, Thread

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
    for text in ("gpt-x", "12 / 3", "1234", "<bdi>maria</bdi>", "&lt;i&gt;Lost&lt;/i&gt; parcel", "failed"):
        assert text in html


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


def test_feedback_list_leads_to_its_item(staff: Callable[..., Client], thread: Thread) -> None:
    item = make_item(thread, text="answer")
    Feedback.objects.create(item=item, kind="negative", user=thread.user)
    html = staff("view_feedback", "view_content").get(f"{APP}feedback/").content.decode()
    assert f'{APP}thread/{thread.pk}/change/?after={item.pk - 1}#item-{item.pk}"' in html
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
