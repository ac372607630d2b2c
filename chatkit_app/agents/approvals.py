"""Calls of tools that wait for the user's approval: asked for in the conversation, kept meanwhile, answered once.

A run that meets such calls ends, and its state is kept in the database until each of them is answered, whichever
process then goes on with it. A turn that begins meanwhile ends the waiting: nothing that it asked for is done.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from agents import Agent, HostedMCPTool, RunContextWrapper, RunResultStreaming, RunState, ToolApprovalItem
from chatkit.actions import Action
from chatkit.agents import AgentContext
from chatkit.store import Store
from chatkit.types import StreamingReq, ThreadMetadata, ThreadsCustomActionReq, WidgetItem
from chatkit.widgets import DynamicWidgetRoot
from django.core.exceptions import ImproperlyConfigured
from django.db import router, transaction
from django.utils.translation import gettext as _
from django.utils.translation import override

from .. import db
from ..context import RequestContext
from ..errors import ChatKitError
from ..logs import get_logger
from ..models import Approval, Run
from ..models import Thread as ThreadRow
from ..provider.agent_context import item_fields
from ..store.orm import DjangoStore, NotFoundError
from ..store.state import StoreState

logger = get_logger(__name__)

ACTION = "chatkit_app.approval"
"""Type of the action of the widgets' buttons. The payload is ``{"approve": true}`` or false."""

# Key of the part of a widget that an answer replaces.
_OPEN = "open"


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A run that has all its answers.

    Attributes:
        state: as the Agents SDK wrote it.
        approved: what was decided of each call.
    """

    state: str
    approved: list[bool]

    async def restore(self, agent: Agent[Any], agent_context: AgentContext[Any]) -> RunState[Any, Agent[Any]]:
        """Return the run, ready to go on with this agent, which may be another object, in another process.

        Raises:
            ChatKitError: when it cannot: the agent has lost the tool, or the SDK was changed for another one.
        """
        wrapper = RunContextWrapper(agent_context)
        try:
            state = await RunState.from_string(agent, self.state, context_override=wrapper)
            for call, approved in zip(state.get_interruptions(), self.approved, strict=True):
                if not await _is_known(call, wrapper):
                    raise LookupError(f"Agent {call.agent.name} has no tool {call.name} any more.")
                (state.approve if approved else state.reject)(call)
        except Exception as error:
            logger.warning(
                "A run that waited for an approval cannot go on: its agent has changed, or the Agents SDK has. "
                "The user is asked to ask again.",
                exc_info=error,
            )
            raise ChatKitError(_no_way_on()) from error
        return state


async def _is_known(call: ToolApprovalItem, wrapper: RunContextWrapper[Any]) -> bool:
    """Return whether the call's agent has its tool. The SDK finds out in the middle of the run, or never."""
    server = _field(call.raw_item, "server_label")
    tools = await call.agent.get_all_tools(wrapper)
    if server is None:
        return any(tool.name == call.name for tool in tools)
    return any(
        isinstance(tool, HostedMCPTool) and tool.tool_config["server_label"] == server for tool in tools
    )


# --- Asking -------------------------------------------------------------------------------------------------


async def ask(result: RunResultStreaming, agent_context: AgentContext[RequestContext]) -> list[WidgetItem]:
    """Keep a run that waits. Returns the widgets that ask for its calls, to be sent to the user.

    Raises:
        ImproperlyConfigured: when the conversation is not kept in the database.
        ChatKitError: when something that the model has read was redacted meanwhile.
        NotFoundError: when the thread is gone.
    """
    context, thread = agent_context.request_context, agent_context.thread
    if not isinstance(agent_context.store, DjangoStore):
        raise ImproperlyConfigured(
            "A tool needs approval, and a run can wait for one in a DjangoStore only: use it as your server's store, "
            "or take needs_approval (of MCP: require_approval) off the tool."
        )
    # Our context is made anew by whoever answers; its session is not to be kept.
    state = result.to_state().to_json(context_serializer=lambda _context: {})
    with override(context.locale):
        items = [
            WidgetItem(widget=_widget(call), **item_fields(agent_context, "message"))
            for call in result.interruptions
        ]
    calls = [{"item": item.id, "approved": None} for item in items]
    text = json.dumps(_without_credentials(state))
    await db.run(partial(_keep, thread.id, state=text, calls=calls, context=context))
    return items


def _without_credentials(value: Any) -> Any:
    """Return the state but for the settings of hosted MCP servers, which are taken from the agent that goes on."""
    if isinstance(value, dict):
        return {
            name: {"name": part.get("name")}
            if name == "mcp_tool" and isinstance(part, dict)
            else _without_credentials(part)
            for name, part in value.items()
        }
    return [_without_credentials(part) for part in value] if isinstance(value, list) else value


def _keep(thread_id: str, *, state: str, calls: list[dict[str, Any]], context: RequestContext) -> None:
    pk = context.state(StoreState).thread_pks[thread_id]
    with transaction.atomic(using=router.db_for_write(Approval)):
        # Who redacts has the same lock: either what we write is there to be deleted, or we see the redaction.
        if not ThreadRow.objects.filter(pk=pk).locked().exists():
            raise NotFoundError(f"Thread {thread_id!r} not found")
        run_pk = context.state(StoreState).run_pk
        if run_pk is not None and Run.objects.filter(pk=run_pk, withdrawn=True).exists():
            raise ChatKitError(_("The answer was interrupted. Please try again."), allow_retry=True)
        Approval.objects.update_or_create(thread_id=pk, defaults={"state": state, "calls": calls})


def _widget(call: ToolApprovalItem) -> DynamicWidgetRoot:
    """Return the widget by which the user decides. It shows the arguments whole, and as plain text."""
    name = call.qualified_name or call.name or "?"
    server = _field(call.raw_item, "server_label")
    return DynamicWidgetRoot.model_validate(
        {
            "type": "Card",
            "size": "md",
            "children": [
                {"type": "Caption", "value": _("The assistant asks for your approval")},
                {"type": "Title", "value": f"{name} ({server})" if server else name, "size": "sm"},
                *(
                    {
                        "type": "Col",
                        "children": [
                            {"type": "Caption", "value": label},
                            {"type": "Text", "value": value},
                        ],
                    }
                    for label, value in arguments_of(call.arguments)
                ),
                {
                    "type": "Row",
                    "key": _OPEN,
                    "gap": 2,
                    "children": [
                        _button(_("Approve"), approve=True, style="primary"),
                        _button(_("Reject"), approve=False, style="secondary", variant="outline"),
                    ],
                },
            ],
        }
    )


def _field(raw_item: Any, name: str) -> Any:
    return raw_item.get(name) if isinstance(raw_item, Mapping) else getattr(raw_item, name, None)


def arguments_of(text: str | None) -> list[tuple[str, str]]:
    """Return names and values; one without a name where the model has written something else than an object."""
    try:
        found = json.loads(text or "{}")
    except (ValueError, RecursionError):
        found = text
    if not isinstance(found, dict):
        return [("", str(text))]
    return [
        (name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2))
        for name, value in found.items()
    ]


def _button(label: str, *, approve: bool, **look: str) -> dict[str, Any]:
    action = {"type": ACTION, "payload": {"approve": approve}, "loadingBehavior": "container"}
    return {"type": "Button", "label": label, "onClickAction": action, **look}


# --- Answering ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Answered:
    """The outcome of the user's answer to a widget.

    Attributes:
        item: the widget as it is now.
        waiting: the run, when this was the last of its calls that was open.
        late: what the user is told when the call was no longer open.
    """

    item: WidgetItem
    waiting: Waiting | None = None
    late: str = ""


def is_answer(request: StreamingReq) -> bool:
    """Return whether the request comes from one of the widgets' buttons."""
    return (
        isinstance(request, ThreadsCustomActionReq)
        and request.params.action.type == ACTION
        and request.params.item_id is not None
    )


def approves(action: Action[str, Any]) -> bool:
    """Return whether the action of a button approves; anything that is not clear does not."""
    return isinstance(action.payload, dict) and action.payload.get("approve") is True


async def answer(
    thread: ThreadMetadata, item: WidgetItem, *, approve: bool, context: RequestContext
) -> Answered:
    """Take an answer that came from a widget. The first one counts."""
    row = await db.run(_decide, context.state(StoreState).thread_pks[thread.id], item.id, approve)
    if row is None:
        if not _is_open(item):
            return Answered(item=item, late=_("This has been answered already."))
        return Answered(item=_closed(item, _("Not approved"), "secondary"), late=_no_way_on())
    approved = [call["approved"] for call in row.calls]
    label, color = (_("Approved"), "success") if approve else (_("Rejected"), "danger")
    waiting = None if None in approved else Waiting(state=row.state, approved=approved)
    return Answered(item=_closed(item, label, color), waiting=waiting)


def _decide(thread_pk: int, item_id: str, approve: bool) -> Approval | None:
    """Write an answer down. Returns the row as it is then, or was; None when the call is not open."""
    with transaction.atomic(using=router.db_for_write(Approval)):
        row: Approval | None = Approval.objects.select_for_update().filter(thread=thread_pk).first()
        call = (
            next((call for call in row.calls if call["item"] == item_id), None) if row is not None else None
        )
        if row is None or call is None or call["approved"] is not None:
            return None
        call["approved"] = approve
        if any(call["approved"] is None for call in row.calls):
            row.save(update_fields=["calls"])
        else:
            row.delete()
    return row


async def close(thread_id: str, store: Store[RequestContext], context: RequestContext) -> list[WidgetItem]:
    """Give up what waits in a thread. Returns the widgets that were open, as they are now and are stored."""
    items: list[WidgetItem] = []
    if not isinstance(store, DjangoStore):
        return items
    for item_id in await db.run(_give_up, context.state(StoreState).thread_pks[thread_id]):
        try:
            item = await store.load_item(thread_id, item_id, context)
        except NotFoundError:
            continue  # the process ended before the widget was stored
        if isinstance(item, WidgetItem):
            items.append(_closed(item, _("Not approved"), "secondary"))
            await store.save_item(thread_id, items[-1], context)
    return items


def _give_up(thread_pk: int) -> list[str]:
    row = Approval.objects.on_writer().filter(thread=thread_pk).only("calls").first()
    if row is None or not Approval.objects.filter(pk=row.pk).delete()[0]:
        return []
    return [call["item"] for call in row.calls if call["approved"] is None]


def _children(item: WidgetItem) -> list[dict[str, Any]]:
    children = item.widget.model_dump(mode="json", exclude_none=True).get("children")
    return children if isinstance(children, list) else []


def _is_open(item: WidgetItem) -> bool:
    return any(child.get("key") == _OPEN for child in _children(item))


def _closed(item: WidgetItem, label: str, color: str) -> WidgetItem:
    """Return the widget, saying what was decided in place of its buttons."""
    decision = {"type": "Badge", "label": label, "color": color}
    children = [decision if child.get("key") == _OPEN else child for child in _children(item)]
    widget = item.widget.model_dump(mode="json", exclude_none=True) | {"children": children}
    return item.model_copy(update={"widget": DynamicWidgetRoot.model_validate(widget)})


def _no_way_on() -> str:
    return _("The assistant can no longer go on from here. Please ask again.")
