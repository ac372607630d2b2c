"""The names under which users know the people who answer them."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model

from ..conf import chatkit_settings
from ..dotted_paths import import_path
from ..models import NAME_LENGTH


def shown_name(user: Any) -> str:
    """Return the name of a member of the staff as users are shown it.

    ``CHATKIT["STAFF"]["NAME"]`` names a function of the member that returns it. Unless set, it is what the admin calls
    them: the first name, or else the user name.

    Raises:
        PathNotImportable: when the setting names nothing.
        TypeError: when its function returns no text.
    """
    path = chatkit_settings.staff.name
    if path is None:
        return str(user.get_short_name() or user.get_username())[:NAME_LENGTH]
    name = import_path(path, named_by='CHATKIT["STAFF"]["NAME"]')(user)
    if not isinstance(name, str) or not name.strip():
        raise TypeError(
            f'CHATKIT["STAFF"]["NAME"] ({path}) returned {name!r}; return the name that users are shown, as text.'
        )
    return name.strip()[:NAME_LENGTH]


def name_of_key(pk: Any) -> str:
    """Return the name of the member of the staff with this primary key, likewise; empty when they are gone."""
    user = get_user_model()._default_manager.filter(pk=pk).first()
    return "" if user is None else shown_name(user)
