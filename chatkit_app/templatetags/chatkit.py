"""``{% chatkit %}``: the chat in a Django template. See ``chatkit_app.rendering.element`` for all of it."""

from collections.abc import Mapping
from typing import Any

from django import template
from django.core.exceptions import ImproperlyConfigured
from django.template import Context
from django.utils.safestring import SafeString

from chatkit_app.rendering.client_files import client_url
from chatkit_app.rendering.element import Launcher, Persist, render_chatkit, staff_socket_url

register = template.Library()


@register.simple_tag(takes_context=True)
def chatkit(
    context: Context,
    *,
    id: str = "",
    thread: str | None = None,
    persist: Persist = False,
    url: str = "",
    nonce: str = "",
    options: Mapping[str, Any] | None = None,
    launcher: Launcher = False,
    **attributes: str,
) -> SafeString:
    """Render the chat; ``class`` is an argument too. They are those of ``render_chatkit``."""
    request = context.get("request")
    if request is None:
        raise ImproperlyConfigured(
            "{% chatkit %} needs the request: render the template with it, and have "
            '"django.template.context_processors.request" among the context processors.'
        )
    # "class" is a word of Python's and cannot be a parameter.
    css_class = attributes.pop("class", "")
    if attributes:
        raise TypeError(f"{{% chatkit %}} has no argument {', '.join(sorted(attributes))}.")
    # Django's nonce is false until it is used.
    page_nonce = context.get("csp_nonce")
    return render_chatkit(
        request,
        id=id,
        css_class=css_class,
        thread=thread,
        persist=persist,
        url=url,
        nonce=nonce or ("" if page_nonce is None else str(page_nonce)),
        options=options,
        launcher=launcher,
    )


@register.simple_tag
def chatkit_static(name: str) -> str:
    """Return the URL of a file of the client, as ``{% static %}`` gives that of others; for the admin pages."""
    return client_url(name)


@register.inclusion_tag("admin/chatkit_app/counter.html", takes_context=True)
def chatkit_counter(context: Context) -> dict[str, Any]:
    """Render how much waits for staff, for the header of the admin: once on a page, for those who may see it."""
    request: Any = context.get("request")
    user: Any = getattr(request, "user", None)
    is_wanted = (
        user is not None
        and user.is_active
        and user.is_staff
        and user.has_perm("chatkit_app.view_thread")
        and not getattr(request, "chatkit_counter", False)
    )
    if not is_wanted:
        return {}
    request.chatkit_counter = True
    return {
        "is_wanted": True,
        "user": user,
        "socket": staff_socket_url(),
        "may_review": user.has_perm("chatkit_app.moderate_thread"),
    }
