"""Texts that users are shown when the run of an agent fails."""

from __future__ import annotations

import openai
from agents import (
    AgentsException,
    InputGuardrailTripwireTriggered,
    MaxTurnsExceeded,
    ModelRefusalError,
    ModelTimeoutError,
    OutputGuardrailTripwireTriggered,
    ToolInputGuardrailTripwireTriggered,
    ToolOutputGuardrailTripwireTriggered,
    ToolTimeoutError,
    UserError,
)
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext as _

from ..errors import ChatKitError
from .mcp_servers import MCPServerUnreachable

# Not failures: somebody meant it.
REFUSAL_ERRORS = (
    InputGuardrailTripwireTriggered,
    ModelRefusalError,
    OutputGuardrailTripwireTriggered,
    ToolInputGuardrailTripwireTriggered,
    ToolOutputGuardrailTripwireTriggered,
)


def describe(error: Exception) -> ChatKitError | None:
    """Return the error as the user is told of it, in the active language; ``None`` for one that is none of these."""
    match error:
        case (
            InputGuardrailTripwireTriggered()
            | ToolInputGuardrailTripwireTriggered()
            | ModelRefusalError()  # one without words; with words it is an answer
        ):
            return ChatKitError(_("This message cannot be answered here. Please ask something else."))
        case OutputGuardrailTripwireTriggered() | ToolOutputGuardrailTripwireTriggered():
            return ChatKitError(_("The answer was withheld because it broke a rule of this chat."))
        case MaxTurnsExceeded():
            return ChatKitError(_("The answer took too many steps and was given up."), allow_retry=True)
        case MCPServerUnreachable():
            return ChatKitError(_("The assistant is not available at the moment."), allow_retry=True)
        case openai.RateLimitError(code="insufficient_quota"):
            return ChatKitError(_("The assistant is not available at the moment."))
        case openai.RateLimitError():
            return ChatKitError(
                _("The assistant is very busy. Please try again in a moment."), allow_retry=True
            )
        case openai.APITimeoutError() | ModelTimeoutError() | ToolTimeoutError():
            return ChatKitError(_("The assistant took too long to answer."), allow_retry=True)
        case openai.APIConnectionError():
            return ChatKitError(_("The connection to the assistant failed."), allow_retry=True)
        case openai.BadRequestError(code="context_length_exceeded"):
            return ChatKitError(_("This conversation has become too long. Please start a new one."))
        case openai.APIStatusError() if error.status_code < 500 and error.status_code not in (408, 409):
            return ChatKitError(_("The assistant is not set up correctly. Please tell the site's staff."))
        case openai.APIError() | AgentsException() if not isinstance(error, UserError):
            # A model or an MCP server that misbehaves, and whatever the Agents SDK may raise one day.
            return ChatKitError(_("The assistant failed to finish its answer."), allow_retry=True)
        case openai.OpenAIError() | UserError() | ImproperlyConfigured() | ImportError():
            return ChatKitError(_("The assistant is not set up correctly. Please tell the site's staff."))
    return None
