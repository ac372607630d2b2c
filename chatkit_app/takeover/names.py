"""The names of the people who answer: as users know them, and as their colleagues do."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.utils.translation import gettext as _

from ..conf import chatkit_settings
from ..dotted_paths import import_path
from ..models import NAME_LENGTH


def shown_name(user: Any) -> str:
    """Return the name of a member of the staff as users are shown it; empty for one who has none for them.

    ``CHATKIT["STAFF"]["NAME"]`` names a function of the member that returns it. Unless set, it is the first name, or
    else the whole one. What one logs in with is never shown: a user name is often a mail address.

    Raises:
        PathNotImportable: when the setting names nothing.
        TypeError: when its function returns no text.
    """
    path = chatkit_settings.staff.name
    if path is None:
        return _given_name(user)[:NAME_LENGTH]
    name = import_path(path, named_by='CHATKIT["STAFF"]["NAME"]')(user)
    if not isinstance(name, str) or not name.strip():
        raise TypeError(
            f'CHATKIT["STAFF"]["NAME"] ({path}) returned {name!r}; return the name that users are shown, as text.'
        )
    return name.strip()[:NAME_LENGTH]


def team_name() -> str:
    """Return what stands for the name of those who have none, in the active language."""
    return _("Our team")


def name_for_staff(user: Any) -> str:
    """Return the name of a member of the staff as their colleagues are shown it: the user name if there is none."""
    return shown_name(user) or str(user.get_username())[:NAME_LENGTH]


def find_staff(pk: Any) -> Any:
    """Return the member of the staff with this primary key; None when they are gone."""
    return get_user_model()._default_manager.filter(pk=pk).first()


def _given_name(user: Any) -> str:
    # Not every model of users has these methods, and some return the address.
    for method in ("get_short_name", "get_full_name"):
        name = str(getattr(user, method)() or "").strip() if hasattr(user, method) else ""
        if name and "@" not in name and name != str(user.get_username()):
            return name
    return ""
