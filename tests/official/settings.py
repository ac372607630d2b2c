"""Settings of the demo project with the official client."""

from project.settings import *  # noqa: F403
from project.settings import CHATKIT

CHATKIT = CHATKIT | {
    "CLIENT": "openai",
    # All tests come from one address.
    "LIMITS": {"ADDRESS_VISITORS_PER_HOUR": None, "ADDRESS_MESSAGES_PER_MINUTE": None},
}
