"""Files in the composer: which are taken, how they get to the server, and what is told of them."""

import asyncio
import base64
from collections.abc import Callable
from typing import Any

import pytest
from django.http import JsonResponse
from playwright.async_api import FilePayload, Locator, Page, Route, expect

from .site import Site
from .test_composer import CHAT, box, button, configure, sent, set_value
from .waiting import eventually

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="package")]

DIRECT = """(options) => {
    options.api.uploadStrategy = {type: "direct", uploadUrl: "/upload"};
    options.composer ??= {attachments: {enabled: true}};
}"""
TWO_PHASE = DIRECT.replace('"direct", uploadUrl: "/upload"', '"two_phase"')
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
)


def file(name: str = "notes.txt", mime_type: str = "text/plain", content: bytes = b"hello") -> FilePayload:
    return {"name": name, "mimeType": mime_type, "buffer": content}


def files(page: Page) -> Locator:
    return page.get_by_role("list", name="Attached files").get_by_role("listitem")


async def choose(page: Page, *payloads: FilePayload) -> None:
    await page.locator("openai-chatkit input[type=file]").set_input_files(list(payloads))


def attachment(params: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"id": "att_1", "type": "file", "name": params["name"], "mime_type": params["mime_type"]} | fields


async def take_uploads(page: Page, url: str = "**/upload") -> list[Any]:
    """Answer uploads to a URL, and keep their requests."""
    requests: list[Any] = []

    async def fulfill(route: Route) -> None:
        requests.append(route.request)
        name = f"att_{len(requests)}"
        await route.fulfill(json={"id": name, "name": "a", "mime_type": "text/plain", "type": "file"})

    await page.route(url, fulfill)
    return requests


# Strategies


async def test_direct_upload_is_one_form_and_its_answer_goes_with_the_message(page: Page, pages: Site):
    requests = await take_uploads(page)
    await configure(page, DIRECT)
    await page.goto("/")
    async with page.expect_file_chooser() as chooser:
        await button(page, "Attach files").click()
    assert (await chooser.value).is_multiple()
    await (await chooser.value).set_files([file()])
    await expect(files(page)).to_have_text(["notes.txt5 bytes"])
    [request] = requests
    assert request.method == "POST"
    assert 'name="file"; filename="notes.txt"' in request.post_data
    assert "Content-Type: text/plain" in request.post_data
    assert "hello" in request.post_data
    await box(page).fill("read this")
    await box(page).press("Enter")
    assert (await sent(pages))["attachments"] == ["att_1"]
    await expect(files(page)).to_have_count(0)


@pytest.mark.parametrize("method", ["PUT", "POST"])
async def test_two_phase_upload_sends_the_bytes_where_it_is_told_to(page: Page, pages: Site, method: str):
    requests = await take_uploads(page, "**/bucket/1")
    descriptor = {"url": "/bucket/1", "method": method, "headers": {"X-Bucket": "key"}}
    pages.replies["attachments.create"] = lambda params: attachment(params, upload_descriptor=descriptor)
    await configure(page, TWO_PHASE)
    await page.goto("/")
    await choose(page, file())
    await expect(files(page)).to_have_text(["notes.txt5 bytes"])
    assert pages.params_of("attachments.create") == {
        "name": "notes.txt",
        "size": 5,
        "mime_type": "text/plain",
    }
    [request] = requests
    assert request.method == method
    assert request.headers["x-bucket"] == "key"
    if method == "PUT":
        assert request.post_data == "hello"
        assert request.headers["content-type"] == "text/plain"
    else:
        assert 'name="file"; filename="notes.txt"' in request.post_data
        assert request.headers["content-type"].startswith("multipart/form-data; boundary=")


async def test_files_stand_in_one_row_where_there_is_little_room(page: Page, pages: Site):
    await take_uploads(page)
    await configure(page, DIRECT)
    await page.set_viewport_size({"width": 390, "height": 844})
    await page.goto("/")
    await choose(page, file("a.txt"), file("b.txt"), file("c.txt"))
    await expect(files(page)).to_have_text(["a.txt5 bytes", "b.txt5 bytes", "c.txt5 bytes"])
    tops = await files(page).evaluate_all("(nodes) => nodes.map((node) => node.getBoundingClientRect().top)")
    assert len(set(tops)) == 1
    # What does not fit is scrolled to by whoever comes to it.
    await button(page, "Remove c.txt").focus()
    await expect(files(page).last).to_be_in_viewport()


async def test_message_may_be_nothing_but_files(page: Page, pages: Site):
    await take_uploads(page)
    await configure(page, DIRECT)
    await page.goto("/")
    await expect(button(page, "Send message")).to_have_attribute("aria-disabled", "true")
    await choose(page, file(), file("b.txt"))
    await expect(button(page, "Send message")).to_have_attribute("aria-disabled", "false")
    await button(page, "Send message").click()
    message = await sent(pages)
    assert message["content"] == []
    assert sorted(message["attachments"]) == ["att_1", "att_2"]


async def test_attachments_need_a_strategy(page: Page, pages: Site):
    warnings: list[str] = []
    page.on("console", lambda message: warnings.append(message.text) if message.type == "warning" else None)
    pages.chats = [{"options": {"composer": {"attachments": {"enabled": True}}}}]
    await page.goto("/")
    await expect(box(page)).to_be_visible()
    await expect(button(page, "Attach files")).to_be_hidden()
    assert warnings == ["Attachments need api.uploadStrategy, and are not offered without."]


# What is not taken


@pytest.mark.parametrize(
    ("option", "payload", "text"),
    [
        ({"maxSize": 4}, file(), "notes.txt is larger than 4 bytes."),
        ({"maxSize": {"text/*": 4}}, file(), "notes.txt is larger than 4 bytes."),
        ({"maxSize": {"*": 4, "image/*": 9000}}, file(), "notes.txt is larger than 4 bytes."),
        ({"maxSize": {"": 4}}, file(), "notes.txt is larger than 4 bytes."),
        ({"maxSize": {"text/*": 9000, "text/plain": 4}}, file(), "notes.txt is larger than 4 bytes."),
        ({"accept": {"image/*": [".png"]}}, file(), "notes.txt is of a type that is not accepted here."),
        ({"accept": {}}, file(), "notes.txt is of a type that is not accepted here."),
        ({}, file(content=b""), "notes.txt is empty."),
        ({"maxCount": 0}, file(), "No more than 0 files can be attached."),
        (
            {"maxSize": 4},
            file("a\u202efdp.exe" + "n" * 200 + ".txt"),
            "afdp.exe" + "n" * 32 + "…" + "n" * 12 + ".txt is larger than 4 bytes.",
        ),
    ],
)
async def test_file_that_is_not_taken_is_told_before_anything_is_sent(
    page: Page, pages: Site, option: dict[str, Any], payload: FilePayload, text: str
):
    requests = await take_uploads(page)
    pages.chats = [{"options": {"composer": {"attachments": {"enabled": True} | option}}}]
    await configure(page, DIRECT)
    await page.goto("/")
    await choose(page, payload)
    await expect(page.get_by_role("alert")).to_have_text(text)
    await expect(files(page)).to_have_count(0)
    assert requests == []
    await box(page).press_sequentially("x")
    await expect(page.get_by_role("alert")).to_be_hidden()


@pytest.mark.parametrize(
    ("option", "payload"),
    [
        ({"maxSize": 5}, file()),
        ({"maxSize": {"*": 4, "text/*": 5}}, file()),
        ({"maxSize": {"image/*": 4}}, file()),
        ({"accept": {"text/*": []}}, file()),
        ({"accept": {"*/*": []}}, file()),
        ({"accept": {"application/x-notes": [".TXT"]}}, file()),
        ({"accept": {"image/*": [".png"], "text/plain": [".txt"]}}, file()),
    ],
)
async def test_file_within_the_limits_is_taken(
    page: Page, pages: Site, option: dict[str, Any], payload: FilePayload
):
    await take_uploads(page)
    pages.chats = [{"options": {"composer": {"attachments": {"enabled": True} | option}}}]
    await configure(page, DIRECT)
    await page.goto("/")
    await choose(page, payload)
    await expect(files(page)).to_have_text(["notes.txt5 bytes"])


async def test_files_beyond_the_number_allowed_are_left_out(page: Page, pages: Site):
    await take_uploads(page)
    pages.chats = [{"options": {"composer": {"attachments": {"enabled": True, "maxCount": 2}}}}]
    await configure(page, DIRECT)
    await page.goto("/")
    await choose(page, file("a.txt"), file("b.txt"), file("c.txt"), file("d.txt"))
    await expect(files(page)).to_have_text(["a.txt5 bytes", "b.txt5 bytes"])
    await expect(page.get_by_role("alert")).to_have_text("No more than 2 files can be attached.")


async def test_file_without_a_type_gets_that_of_its_extension(page: Page, pages: Site):
    pages.replies["attachments.create"] = attachment
    accept = {"application/x-notes": [".nts"]}
    pages.chats = [{"options": {"composer": {"attachments": {"enabled": True, "accept": accept}}}}]
    await configure(page, TWO_PHASE)
    await page.goto("/")
    picker = page.locator("openai-chatkit input[type=file]")
    await expect(picker).to_have_attribute("accept", "application/x-notes,.nts")
    await page.evaluate(f"{CHAT}.setComposerValue({{files: [new File(['x'], 'a.nts')]}})")
    await eventually(lambda: "attachments.create" in pages.operations())
    assert pages.params_of("attachments.create")["mime_type"] == "application/x-notes"


# While it is under way, and when it fails


async def test_message_waits_for_the_upload_and_says_so(page: Page, pages: Site):
    arrived = asyncio.Event()

    async def later(route: Route) -> None:
        await arrived.wait()
        await route.fulfill(json={"id": "att_1"})

    await page.route("**/upload", later)
    await configure(page, DIRECT)
    await page.goto("/")
    await choose(page, file())
    await expect(files(page)).to_have_text(["notes.txtUploading…"])
    await box(page).fill("read this")
    await expect(button(page, "Send message")).to_have_attribute("aria-disabled", "true")
    await box(page).press("Enter")
    await expect(page.get_by_role("alert")).to_have_text("The files are still being uploaded.")
    await expect(box(page)).to_have_value("read this")
    arrived.set()
    await expect(button(page, "Send message")).to_have_attribute("aria-disabled", "false")
    await expect(page.get_by_role("alert")).to_be_hidden()
    await box(page).press("Enter")
    assert (await sent(pages))["attachments"] == ["att_1"]


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 500, "body": "<h1>Error</h1>"},
        {"json": {}},
        {"json": {"id": {"a": 1}}},
        {"json": [None]},
        {"body": "no JSON"},
    ],
)
async def test_upload_that_fails_can_be_tried_again(page: Page, pages: Site, answer: dict[str, Any]):
    await page.route("**/upload", lambda route: route.fulfill(**answer))
    await configure(page, DIRECT)
    await page.goto("/")
    await choose(page, file())
    await expect(page.get_by_role("alert")).to_have_text("notes.txt could not be uploaded.")
    await expect(files(page)).to_have_text(["notes.txtNot uploaded"])
    await box(page).fill("read this")
    await box(page).press("Enter")
    await expect(page.get_by_role("alert")).to_have_text(
        "Remove the file that was not uploaded, or upload it again."
    )
    assert pages.requests == []
    await page.unroute("**/upload")
    await take_uploads(page)
    await button(page, "Upload notes.txt again").click()
    await expect(files(page)).to_have_text(["notes.txt5 bytes"])
    await expect(page.get_by_role("alert")).to_be_hidden()
    assert await page.evaluate("events.map(({name}) => name)") == ["composer.attachment.upload.failed"]


async def test_file_that_is_refused_says_why_and_is_not_offered_again(page: Page, pages: Site):
    answer: dict[str, Any] = {"status": 400, "json": {"message": "The file is not a picture."}}
    await page.route("**/upload", lambda route: route.fulfill(**answer))
    await configure(page, DIRECT)
    await page.goto("/")
    await choose(page, file())
    await expect(page.get_by_role("alert")).to_have_text(
        "notes.txt could not be uploaded. The file is not a picture."
    )
    await expect(files(page)).to_have_text(["notes.txtNot uploaded"])
    await expect(button(page, "Remove notes.txt")).to_be_visible()
    await expect(button(page, "Upload notes.txt again")).to_be_hidden()
    await box(page).fill("look")
    await box(page).press("Enter")
    await expect(page.get_by_role("alert")).to_have_text("Remove the file that cannot be uploaded.")


@pytest.mark.parametrize(
    "reply",
    [
        lambda params: JsonResponse({"message": "No."}, status=403),
        lambda params: JsonResponse([], safe=False),
        lambda params: {"id": 5},
        lambda params: attachment(params, upload_descriptor=[1]),
        lambda params: attachment(params, upload_descriptor={"url": "javascript:alert(1)", "method": "PUT"}),
        lambda params: attachment(params, upload_descriptor={"url": "/x", "method": "DELETE"}),
        lambda params: attachment(params, upload_descriptor={"url": "http://[", "method": "PUT"}),
        lambda params: attachment(
            params, upload_descriptor={"url": "/x", "method": "PUT", "headers": {"bad\n": "x"}}
        ),
    ],
)
async def test_place_to_upload_to_that_makes_no_sense_is_a_failure(
    page: Page, pages: Site, reply: Callable[[dict[str, Any]], Any]
):
    pages.replies["attachments.create"] = reply
    pages.replies["attachments.delete"] = lambda params: {}
    await configure(page, TWO_PHASE)
    await page.goto("/")
    await choose(page, file())
    await expect(files(page)).to_have_text(["notes.txtNot uploaded"])
    assert set(pages.operations()) <= {"attachments.create", "attachments.delete"}


async def test_focus_stays_on_a_file_whose_upload_ends(page: Page):
    may_end = asyncio.Event()

    async def fulfill(route: Route) -> None:
        await may_end.wait()
        await route.fulfill(json={"id": "att_1", "name": "a", "mime_type": "text/plain", "type": "file"})

    await page.route("**/upload", fulfill)
    await configure(page, DIRECT)
    await page.goto("/")
    await choose(page, file())
    remove = button(page, "Remove notes.txt")
    await remove.focus()
    may_end.set()
    await expect(files(page)).to_have_text(["notes.txt5 bytes"])
    await expect(remove).to_be_focused()


async def test_file_that_is_removed_is_deleted_on_the_server(page: Page, pages: Site):
    await take_uploads(page)
    pages.replies["attachments.delete"] = lambda params: {}
    await configure(page, DIRECT)
    await page.goto("/")
    await choose(page, file())
    await expect(files(page)).to_have_text(["notes.txt5 bytes"])
    await button(page, "Remove notes.txt").click()
    await expect(files(page)).to_have_count(0)
    await expect(box(page)).to_be_focused()
    await eventually(lambda: "attachments.delete" in pages.operations())
    assert pages.params_of("attachments.delete") == {"attachment_id": "att_1"}


async def test_file_that_is_removed_in_mid_upload_is_deleted_too(page: Page, pages: Site):
    uploading = asyncio.Event()

    async def never(route: Route) -> None:
        uploading.set()

    await page.route("**/bucket", never)
    descriptor = {"url": "/bucket", "method": "PUT", "headers": {}}
    pages.replies["attachments.create"] = lambda params: attachment(params, upload_descriptor=descriptor)
    pages.replies["attachments.delete"] = lambda params: {}
    await configure(page, TWO_PHASE)
    await page.goto("/")
    await choose(page, file())
    await uploading.wait()
    await button(page, "Remove notes.txt").click()
    await expect(files(page)).to_have_count(0)
    await eventually(lambda: "attachments.delete" in pages.operations())
    assert pages.params_of("attachments.delete") == {"attachment_id": "att_1"}
    await expect(page.get_by_role("alert")).to_be_hidden()


# Other ways in, and how they look


async def test_files_can_be_pasted_but_text_stays_text(page: Page):
    await take_uploads(page)
    await configure(page, DIRECT)
    await page.goto("/")
    paste = """(node, text) => {
        const clipboardData = new DataTransfer();
        clipboardData.items.add(new File(["x"], "pasted.txt", {type: "text/plain"}));
        if (text) clipboardData.setData("text/plain", text);
        const event = new ClipboardEvent("paste", {clipboardData, cancelable: true, bubbles: true});
        return node.dispatchEvent(event);
    }"""
    assert await box(page).evaluate(paste, "a cell of a table") is True
    await expect(files(page)).to_have_count(0)
    assert await box(page).evaluate(paste, "") is False
    await expect(files(page)).to_have_text(["pasted.txt1 byte"])


async def test_files_can_be_dropped_anywhere_on_the_chat(page: Page):
    await take_uploads(page)
    await configure(page, DIRECT)
    await page.goto("/")
    await expect(box(page)).to_be_visible()
    transfer = await page.evaluate_handle("new DataTransfer()")
    greeting = page.get_by_text("What can I help with today?")
    await greeting.dispatch_event("dragenter", {"dataTransfer": transfer})
    zone = page.get_by_text("Drop files here")
    await expect(zone).to_be_hidden()
    await transfer.evaluate("(transfer) => transfer.items.add(new File(['x'], 'dropped.txt'))")
    await greeting.dispatch_event("dragenter", {"dataTransfer": transfer})
    await expect(zone).to_be_visible()
    await zone.dispatch_event("dragleave", {"dataTransfer": transfer})
    await expect(zone).to_be_hidden()
    await greeting.dispatch_event("dragenter", {"dataTransfer": transfer})
    await zone.dispatch_event("drop", {"dataTransfer": transfer})
    await expect(zone).to_be_hidden()
    await expect(files(page)).to_have_text(["dropped.txt1 byte"])


async def test_image_is_shown_small_without_a_url(page: Page, pages: Site):
    violations: list[str] = []
    page.on("console", lambda message: violations.append(message.text) if message.type == "error" else None)
    pages.csp = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'"
    await take_uploads(page)
    await page.goto("/")
    await page.evaluate(
        f"""{CHAT}.setOptions({{
            api: {{url: "/chatkit", domainKey: "x", uploadStrategy: {{type: "direct", uploadUrl: "/upload"}}}},
            composer: {{attachments: {{enabled: true}}}},
        }})"""
    )
    await choose(page, file("dot.png", "image/png", PIXEL), file("broken.png", "image/png", b"no image"))
    await expect(files(page).nth(0).locator("canvas")).to_be_visible()
    await expect(files(page).nth(1).locator("svg").first).to_be_visible()
    assert [text for text in violations if "data:," not in text] == []


async def test_attachments_of_the_page_are_shown_and_sent(page: Page, pages: Site):
    await page.goto("/")
    pixel = "data:image/png;base64," + base64.b64encode(PIXEL).decode()
    attachments = [
        {"type": "file", "id": "att_a", "name": "a\u202etxt.exe", "mime_type": "text/plain"},
        {"type": "image", "id": "att_b", "name": "b", "mime_type": "image/png", "preview_url": pixel},
        {
            "type": "image",
            "id": "att_c",
            "name": "c",
            "mime_type": "image/png",
            "preview_url": "https://x.example/",
        },
        None,
        {"name": "no id"},
    ]
    await set_value(page, {"attachments": attachments})
    await expect(files(page)).to_have_text(["atxt.exe", "b", "c"])
    await expect(files(page).locator("img")).to_have_count(1)
    await button(page, "Send message").click()
    assert (await sent(pages))["attachments"] == ["att_a", "att_b", "att_c"]
