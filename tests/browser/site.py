"""The site that the browser visits: pages with the tag, and an endpoint that does as the message says."""

import asyncio
import itertools
import json
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.template import RequestContext, Template
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt
from django.views.generic import TemplateView

PAGE = """{% load chatkit %}<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Page</title>
<meta name="viewport" content="width=device-width">
<link rel="icon" href="data:,">
</head><body>
{% for c in chats %}
{% chatkit id=c.id thread=c.thread persist=c.persist options=c.options launcher=c.launcher nonce=nonce %}
{% endfor %}
</body></html>"""


STREAMING = (
    "threads.create",
    "threads.add_user_message",
    "threads.retry_after_item",
    "threads.add_client_tool_output",
    "threads.add_structured_input",
    "threads.custom_action",
)


class Site:
    """What the pages and the endpoint of one test are like, and what they have been asked."""

    def __init__(self) -> None:
        self.chats: list[dict[str, Any]] = [{}]
        self.csp = ""
        self.nonce = ""
        self.page_delay = 0.0
        self.page_size = 2
        self.requests: list[tuple[str, dict[str, Any], dict[str, str]]] = []
        self.threads: dict[str, dict[str, Any]] = {}
        self.scripts: dict[str, list[Any]] = {}
        self.replies: dict[str, Callable[[dict[str, Any]], Any]] = {}
        self.changes: Callable[[int], dict[str, Any]] | None = None
        self.history: Callable[[dict[str, str]], dict[str, Any]] | None = None
        self._ids = itertools.count(1)

    def new_id(self, kind: str) -> str:
        return f"{kind}_{next(self._ids)}"

    def operations(self) -> list[str]:
        return [operation for operation, _, _ in self.requests]

    def script(self, trigger: str, *events: dict[str, Any] | float | threading.Event) -> None:
        """Answer a message of this text, or a streaming operation of this name, with these events.

        An event of ``threading`` among them holds back what follows until the test sets it; a number
        is a pause in seconds. The items of "added", "done" and "replaced" events get what they
        lack of ``id``, ``thread_id`` and ``created_at``, and those that are done are kept in the thread.
        """
        self.scripts[trigger] = list(events)

    def params_of(self, operation: str) -> dict[str, Any]:
        """The parameters of the last request for an operation."""
        return next(params for name, params, _ in reversed(self.requests) if name == operation)

    def add_thread(self, title: str, *items: dict[str, Any]) -> str:
        thread_id = self.new_id("thr")
        self.threads[thread_id] = {
            "id": thread_id,
            "title": title,
            "created_at": "2025-03-01T12:00:00Z",
            "status": {"type": "active"},
            "items": [self.item(thread_id, **item) for item in items],
        }
        return thread_id

    def item(self, thread_id: str, **fields: Any) -> dict[str, Any]:
        return {
            "id": self.new_id("item"),
            "thread_id": thread_id,
            "created_at": "2025-03-01T12:00:00Z",
            **fields,
        }


site = Site()


def user(text: str) -> dict[str, Any]:
    return {
        "type": "user_message",
        "content": [{"type": "input_text", "text": text}],
        "attachments": [],
        "inference_options": {},
    }


def assistant(text: str) -> dict[str, Any]:
    content = [{"type": "output_text", "text": text, "annotations": []}]
    return {"type": "assistant_message", "content": content}


async def page(request: HttpRequest) -> HttpResponse:
    await asyncio.sleep(site.page_delay)
    plain = {"id": "", "thread": None, "persist": False, "options": {}, "launcher": False}
    chats = [plain | chat for chat in site.chats]
    context = RequestContext(request, {"chats": chats, "nonce": site.nonce})
    response = HttpResponse(Template(PAGE).render(context))
    if site.csp:
        response["Content-Security-Policy"] = site.csp
    return response


@csrf_exempt
async def endpoint(request: HttpRequest) -> HttpResponseBase:
    body = json.loads(request.body)
    operation, params = body["type"], body["params"]
    site.requests.append((operation, params, dict(request.headers)))
    if operation in STREAMING:
        return await _stream(operation, params)
    if operation in site.replies:
        reply = site.replies[operation](params)
        return reply if isinstance(reply, HttpResponseBase) else JsonResponse(reply)
    if operation == "threads.list":
        threads = [_metadata(thread) for thread in reversed(site.threads.values())]
        return JsonResponse({"data": threads, "has_more": False})
    thread = site.threads.get(params["thread_id"])
    if thread is None:
        return JsonResponse({"message": "There is no such conversation."}, status=404)
    if operation == "threads.get_by_id":
        items = thread["items"]
        return JsonResponse(_metadata(thread, {"data": items[:3], "has_more": len(items) > 3}))
    if operation == "items.list":
        newest_first = params.get("order") == "desc"
        ordered = thread["items"][::-1] if newest_first else thread["items"]
        ids = [item["id"] for item in ordered]
        start = ids.index(params["after"]) + 1 if params.get("after") else 0
        size = min(params.get("limit") or 20, site.page_size)
        return JsonResponse({"data": ordered[start : start + size], "has_more": start + size < len(ids)})
    return JsonResponse({"message": "Unknown operation."}, status=400)


def _metadata(thread: dict[str, Any], items: dict[str, Any] | None = None) -> dict[str, Any]:
    return thread | {"items": items or {"data": [], "has_more": False}}


async def _stream(operation: str, params: dict[str, Any]) -> HttpResponseBase:
    content = params.get("input", {}).get("content", [])
    text = content[0]["text"] if content else "retried"
    if operation == "threads.add_client_tool_output":
        text = json.dumps(params["result"])
    if text == "late headers":
        await asyncio.sleep(0.6)
    if text == "refused":
        return JsonResponse({"message": "You are not allowed to say that."}, status=403)
    response = StreamingHttpResponse(_frames(operation, params, text), content_type="text/event-stream")
    response["X-ChatKit-Run"] = "run_1"
    return response


async def _frames(operation: str, params: dict[str, Any], text: str) -> AsyncIterator[bytes]:
    async for event in _events(operation, params, text):
        yield b"data: " + json.dumps(event).encode() + b"\n\n"
        yield b": ping\n\n"


async def _events(operation: str, params: dict[str, Any], text: str) -> AsyncIterator[dict[str, Any]]:
    if operation == "threads.create":
        thread = site.threads[site.add_thread("")]
        yield {"type": "thread.created", "thread": _metadata(thread)}
    else:
        thread = site.threads[params["thread_id"]]
    if params.get("input", {}).get("content"):
        sent = params["input"] | {"attachments": []}
        question = site.item(thread["id"], **{"type": "user_message"} | sent)
        thread["items"].append(question)
        yield {"type": "thread.item.done", "item": question}
    yield {"type": "stream_options", "stream_options": {"allow_cancel": True}}
    script = site.scripts.get(operation, site.scripts.get(text))
    if script is not None:
        for event in script:
            if isinstance(event, threading.Event):
                while not event.is_set():
                    await asyncio.sleep(0.01)
            elif isinstance(event, int | float):
                await asyncio.sleep(event)
            else:
                yield _scripted(thread, event)
        return
    if text == "progress":
        yield {"type": "progress_update", "text": "Looking it up"}
        await asyncio.sleep(30)
    if text == "tool":
        call = {"type": "client_tool_call", "status": "pending", "call_id": "call_1"}
        item = site.item(thread["id"], **call, name="where", arguments={"exact": True})
        yield {"type": "thread.item.done", "item": item}
        return
    if text == "fail":
        yield {"type": "error", "code": "custom", "message": "The model is tired.", "allow_retry": True}
        return
    if text == "break":
        yield {"type": "notice", "level": "info", "message": "So far."}
        await asyncio.sleep(0.3)  # a connection that breaks takes what was not read yet with it
        raise asyncio.CancelledError
    answer = site.item(thread["id"], **assistant(""))
    thread["items"].append(answer)
    yield {"type": "thread.item.added", "item": json.loads(json.dumps(answer))}
    words = ["word "] * 200 if text == "slow" else ["You ", "said: ", text]
    for word in words:
        answer["content"][0]["text"] += word
        update = {
            "type": "assistant_message.content_part.text_delta",
            "content_index": 0,
            "delta": word,
        }
        yield {"type": "thread.item.updated", "item_id": answer["id"], "update": update}
        if text == "slow":
            await asyncio.sleep(0.05)
    yield {"type": "thread.item.done", "item": answer}
    if not thread["title"]:
        thread["title"] = f"About {text}"
        yield {"type": "thread.updated", "thread": _metadata(thread)}


def _scripted(thread: dict[str, Any], event: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(event.get("item"), dict):
        return event
    item = site.item(thread["id"], **event["item"])
    if event["type"] in ("thread.item.done", "thread.item.replaced"):
        others = [other for other in thread["items"] if other["id"] != item["id"]]
        thread["items"] = [*others, item]
    return event | {"item": item}


@csrf_exempt
async def run_stop(request: HttpRequest, run_id: str) -> HttpResponse:
    site.requests.append(("stop", {"run": run_id}, dict(request.headers)))
    return HttpResponse(status=204)


async def run_events(request: HttpRequest, run_id: str) -> HttpResponse:
    site.requests.append(("events", {"run": run_id}, dict(request.headers)))
    return HttpResponse("", content_type="text/event-stream")


async def history(request: HttpRequest) -> HttpResponse:
    if site.history is None:
        return JsonResponse({"message": "Unknown operation."}, status=404)
    query = request.GET.dict()
    site.requests.append(("history", query, dict(request.headers)))
    return JsonResponse(site.history(query))


@csrf_exempt
async def order(request: HttpRequest, thread_id: str) -> HttpResponse:
    site.requests.append(("order", {"thread": thread_id} | json.loads(request.body), dict(request.headers)))
    return HttpResponse(status=204)


async def changes(request: HttpRequest, thread_id: str) -> HttpResponse:
    after = int(request.GET["after"])
    site.requests.append(("changes", {"thread": thread_id, "after": after}, dict(request.headers)))
    if site.changes is None:
        return JsonResponse({"message": "Unknown operation."}, status=404)
    return JsonResponse(site.changes(after))


@csrf_exempt
async def upload(request: HttpRequest) -> HttpResponse:
    site.requests.append(("upload", {}, dict(request.headers)))
    return JsonResponse({})


def missing(request: HttpRequest) -> HttpResponse:
    raise Http404


async def hanging(request: HttpRequest) -> HttpResponse:
    await asyncio.sleep(3)
    script = "customElements.define('openai-chatkit', class extends HTMLElement {});"
    return HttpResponse(script, content_type="text/javascript")


chatkit_urls = (
    [
        path("chatkit", endpoint, name="chatkit"),
        path("chatkit/history", history, name="history"),
        path("chatkit/threads/<str:thread_id>", order, name="thread"),
        path("chatkit/threads/<str:thread_id>/changes", changes, name="changes"),
        path("chatkit/runs/<str:run_id>/events", run_events, name="run_events"),
        path("chatkit/runs/<str:run_id>/stop", run_stop, name="run_stop"),
    ],
    "chatkit",
)
urlpatterns = [
    path("", page),
    path("ready", TemplateView.as_view(template_name="chatkit_app/page.html")),
    path("upload", upload),
    path("missing.js", missing),
    path("hanging.js", hanging),
    path("", include(chatkit_urls)),
]
