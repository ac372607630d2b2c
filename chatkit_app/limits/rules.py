"""Rules of what one visitor, one address and one process may cost, and of how long texts may be.

``CHATKIT["LIMITS"]`` is a dictionary over ``LIMIT_DEFAULTS``, or a function of the context that returns one, for plans
and staff. What has been used of them is counted by ``counters``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chatkit.types import (
    InputTranscribeReq,
    ThreadAddUserMessageParams,
    ThreadCreateParams,
    ThreadsCustomActionReq,
    ThreadsSyncCustomActionReq,
    ThreadsUpdateReq,
    UserMessageInput,
    UserMessageTagContent,
)
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext as _

from .. import db
from ..conf import LIMIT_DEFAULTS, chatkit_settings, is_limit
from ..dotted_paths import import_path
from ..errors import InvalidRequest

if TYPE_CHECKING:
    from chatkit.types import NonStreamingReq, StreamingReq

    from ..context import RequestContext

Limits = Mapping[str, int | None]


@dataclass(kw_only=True)
class LimitsState:
    """The limits' state of one request: ``context.state(LimitsState)``.

    Attributes:
        address_key: where the request comes from, as a keyed hash; empty when that is not known.
        limits: what its owner may cost, once somebody has asked.
    """

    address_key: str = ""
    limits: Limits | None = None


def limits_of(context: RequestContext) -> Limits:
    """Return the limits of this context's owner. Asked once for each request, in a thread that may query the database.

    Raises:
        ImproperlyConfigured: when the function of ``CHATKIT["LIMITS"]`` returns something that is no limits.
    """
    state = context.state(LimitsState)
    if state.limits is None:
        state.limits = _find(context)
    return state.limits


async def load_limits(context: RequestContext) -> Limits:
    """Return what ``limits_of()`` does, for code in the event loop."""
    if context.state(LimitsState).limits is None and not isinstance(chatkit_settings.limits, Mapping):
        return await db.run(limits_of, context)
    return limits_of(context)


def _find(context: RequestContext) -> Limits:
    own = chatkit_settings.limits
    if isinstance(own, str):
        own = import_path(own, named_by='CHATKIT["LIMITS"]')
    if callable(own):
        own = own(context)
        if not isinstance(own, Mapping) or not all(is_limit(name, value) for name, value in own.items()):
            raise ImproperlyConfigured(
                f'The function of CHATKIT["LIMITS"] returned {own!r}. Return a dictionary: '
                f"whole numbers, or None, by names of {', '.join(LIMIT_DEFAULTS)}."
            )
    return LIMIT_DEFAULTS | dict(own)


# --- Lengths ------------------------------------------------------------------------------------------------


def check_lengths(request: StreamingReq | NonStreamingReq, limits: Limits) -> None:
    """Refuse a request that has too much text in one of its fields.

    Raises:
        InvalidRequest: which says how much is allowed.
    """
    params = request.params
    payload: list[Any] = [request.metadata]
    if isinstance(params, ThreadCreateParams | ThreadAddUserMessageParams):
        _check_message(params.input, limits)
        tags = [part for part in params.input.content if isinstance(part, UserMessageTagContent)]
        payload += [[tag.id, tag.group, tag.data] for tag in tags]
    elif isinstance(request, ThreadsUpdateReq):
        if _exceeds(request.params.title, limits["TITLE_LENGTH"]):
            raise InvalidRequest(_("A title can have {} characters at most.").format(limits["TITLE_LENGTH"]))
    elif isinstance(request, ThreadsCustomActionReq | ThreadsSyncCustomActionReq):
        _check_name("action.type", request.params.action.type, limits)
        payload.append(request.params.action.payload)
    elif isinstance(request, InputTranscribeReq):
        _check_name("mime_type", request.params.mime_type, limits)
    else:
        payload.append(params.model_dump() if params is not None else None)
    if _exceeds(payload, limits["PAYLOAD_LENGTH"]):
        raise InvalidRequest(
            _("There is too much in this request. It can have {} characters at most.").format(
                limits["PAYLOAD_LENGTH"]
            )
        )


def _check_message(message: UserMessageInput, limits: Limits) -> None:
    length = len(message.quoted_text or "") + sum(len(part.text) for part in message.content)
    if (allowed := limits["MESSAGE_LENGTH"]) is not None and length > allowed:
        raise InvalidRequest(_("The message is too long. It can have {} characters at most.").format(allowed))
    options = message.inference_options
    _check_name("model", options.model, limits)
    _check_name("tool_choice", options.tool_choice.id if options.tool_choice else None, limits)


def _check_name(field: str, value: str | None, limits: Limits) -> None:
    if _exceeds(value, limits["NAME_LENGTH"]):
        raise InvalidRequest(
            _("{field} is too long. It can have {count} characters at most.").format(
                field=field, count=limits["NAME_LENGTH"]
            )
        )


def _exceeds(value: Any, allowed: int | None) -> bool:
    """Return whether there are more characters in a value of JSON, names included; one for all that is no text.

    It stops looking as soon as it knows.
    """
    if allowed is None:
        return False
    found, rest = 0, [value]
    while rest and found <= allowed:
        part = rest.pop()
        match part:
            case str():
                found += len(part)
            case Mapping():
                rest += part.keys()
                rest += part.values()
                found += len(part)
            case list() | tuple():
                rest += part
                found += len(part)
            case None:
                pass
            case _:
                found += 1
    return found > allowed
