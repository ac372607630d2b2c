"""The chat on a page: the element, its settings as JSON and the module that joins the two.

In a template::

    {% load chatkit %}
    {% chatkit %}
    {% chatkit id="support" class="wide" thread=thread.id options=chat_options persist="local" %}
    {% chatkit id="support" launcher=True %}

In Jinja or a view, the same with ``render_chatkit(request, id="support", …)``.

Options
    ``CHATKIT["OPTIONS"]`` holds ChatKit options under the client's own names for every chat of the site; the
    ``options`` of one tag are merged over them, dictionaries key by key. They travel as JSON in a data block:
    pages need no inline script, and a Content-Security-Policy without ``unsafe-inline`` is fine. The nonce of
    Django 6 (``csp_nonce``), of django-csp (``request.csp_nonce``) or of the ``nonce`` argument is put on the
    script and the style sheet.

Options that are functions
    They belong into the page's own JavaScript. Push a function into ``window.chatkitConfigure``; it is called
    once for every chat on the page with the options, to change in place, and the element::

        (window.chatkitConfigure ??= []).push((options, element) => {
            options.onClientTool = ({name, params}) => tools[name](params);
            options.widgets = {onAction: (action, item) => …};
            options.entities = {...options.entities, onTagSearch: (query) => …};
            if (element.id === "support") options.header = {leftAction: {icon: "home", onClick: goHome}};
        });

    It does not matter whether this runs before our script, after it, or in a file that comes much later (the
    options are then set again), and it is the same for the official client and for the bundled one. Methods
    and events (``element.sendUserMessage()``, ``chatkit.thread.change``, …) are the element's own, as the
    client's documentation has them; methods exist from the event ``chatkit.ready`` on.

Content-Security-Policy
    The bundled element needs the site itself in ``script-src``, ``style-src`` and ``connect-src``, no more.
    The official one needs ``https://cdn.platform.openai.com`` in ``script-src`` and ``frame-src``, and puts a
    ``<style>`` without a nonce into the page.

Static files
    The scripts are a bundle of ES modules, or with ``DEBUG`` these modules themselves, which import one another by
    relative names, in a folder that is named after their content: see ``rendering.client_files``. Any storage serves
    them; one that keeps *only* hashed names (WhiteNoise's ``WHITENOISE_KEEP_ONLY_HASHED_FILES``) needs Django's
    ``support_js_module_import_aggregation = True`` on its storage class.
"""

import json
import sys
from collections.abc import Mapping
from typing import Any, Literal

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpRequest
from django.middleware.csrf import get_token
from django.urls import NoReverseMatch, get_script_prefix, reverse
from django.utils.html import format_html, format_html_join, json_script
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import (
    get_language,
    get_language_bidi,
    get_supported_language_variant,
    override,
)
from django.utils.translation import gettext as _

from .. import database_context
from ..conf import chatkit_settings
from .client_files import client_url, preload_urls
from .element_strings import element_strings
from .login import has_login, login_url, needs_login, owner_of_drafts
from .unserved import how_to_serve

RUN_PLACEHOLDER = "RUN_ID"
SCRIPT_TIMEOUT = 5.0
"""Seconds that the official script is waited for before ``"auto"`` takes the bundled element."""
LOCAL_DOMAIN_KEY = "local-dev"
"""Sent as the domain key when there is none: the official client does not check it on local addresses."""

Persist = bool | Literal["session", "local"]
Launcher = bool | Literal["start", "end"]


def render_chatkit(
    request: HttpRequest,
    *,
    id: str = "",
    css_class: str = "",
    thread: str | None = None,
    persist: Persist = False,
    url: str = "",
    nonce: str = "",
    options: Mapping[str, Any] | None = None,
    launcher: Launcher = False,
) -> SafeString:
    """Render one ``<openai-chatkit>`` with everything it needs.

    The page's response gets the CSRF cookie; no session is created.

    Args:
        request: the request of the page.
        id: HTML id of the element. Give one to each when a page has several.
        css_class: HTML class of the element. The height comes from your style sheet; ours is 40rem.
        thread: id of the thread to open with; it wins over a remembered one.
        persist: reopen the last thread after a reload. True or ``"session"`` remembers it for the browser
            tab, ``"local"`` for the browser.
        url: another endpoint than the one of ``chatkit_app.urls``, by its name (``"sales:chatkit"``) or path.
        nonce: CSP nonce, where the request does not carry it.
        options: ChatKit options, merged over ``CHATKIT["OPTIONS"]``.
        launcher: render a ``<chatkit-launcher>``: a button in the corner of the page, which opens the chat. It has the
            id and the class, and remembers the thread for the browser tab unless ``persist`` says more. ``"start"``
            puts it at the start of the line.

    Where visitors have to log in (``CHATKIT["LOGIN_REQUIRED"]``), those who have not get a link to the login page
    instead, with the same id and class. The page's response varies with the cookie; a cache of your own, such as
    ``{% cache %}`` around the tag, has to tell users from visitors.

    Returns:
        Safe HTML.

    Raises:
        ImproperlyConfigured: when no URL pattern serves the endpoint.
        TypeError: when an option cannot be written as JSON.
        ValueError: when ``persist`` or ``launcher`` is none of its values.
    """
    if launcher not in (True, False, "start", "end"):
        raise ValueError(f'launcher is True, False, "start" or "end", not {launcher!r}.')
    nonce_attribute = _attribute("nonce", nonce or _request_nonce(request))
    attributes = SafeString("") if launcher else _attribute("id", id) + _attribute("class", css_class)
    if needs_login(request):
        language = chat_language(merge_options(chatkit_settings.options, options or {}))
        chat = _login_prompt(
            request, "" if launcher else id, "" if launcher else css_class, nonce_attribute, language
        )
    else:
        config = page_config(
            request, id=id, thread=thread, persist=persist or bool(launcher), url=url, options=options
        )
        language = config["locale"]
        chat = _chat(config, attributes, nonce_attribute)
    if not launcher:
        return chat
    side = "start" if launcher == "start" else ""
    return _launcher(
        chat, language, _attribute("id", id) + _attribute("class", css_class), side, nonce_attribute
    )


def _chat(config: dict[str, Any], attributes: SafeString, nonce_attribute: SafeString) -> SafeString:
    element = SafeString("")
    if config["client"] == "bundled":
        # Fetched beside the bootstrap module, which would ask for it only once it runs.
        element = format_html(
            '{}<script type="module" async src="{}"{}></script>{}',
            format_html_join(
                "",
                '<link rel="modulepreload" href="{}"{}>',
                ((url, nonce_attribute) for url in _preloads(config["options"])),
            ),
            config["elementUrl"],
            nonce_attribute,
            # What shows answers comes along, but no composer waits for it.
            format_html_join(
                "",
                '<script type="module" async fetchpriority="low" src="{}"{}></script>',
                ((url, nonce_attribute) for url in preload_urls("element/markdown/index.js")),
            ),
        )
    return format_html(
        '<link rel="stylesheet" href="{stylesheet}"{nonce}>'
        '<openai-chatkit data-chatkit lang="{lang}" dir="{direction}"{attributes}>'
        "{unstarted}{config}<noscript>{noscript}</noscript></openai-chatkit>"
        '<script type="module" src="{script}" data-chatkit-bootstrap{nonce}></script>'
        "{element}",
        stylesheet=client_url("chatkit.css"),
        nonce=nonce_attribute,
        lang=config["locale"],
        direction=_direction(config["locale"]),
        attributes=attributes,
        # First, so that the script finds it whenever it finds the rest.
        unstarted=_unstarted(config["strings"]["unavailable"]),
        config=json_script(config, encoder=DjangoJSONEncoder),
        noscript=_("The chat needs JavaScript."),
        script=client_url("bootstrap.js"),
        element=element,
    )


def _launcher(
    chat: SafeString, language: str, attributes: SafeString, side: str, nonce_attribute: SafeString
) -> SafeString:
    """Return the button that opens a chat, with the chat as a template: nothing of it is loaded before."""
    with override(language):
        texts = {
            "open": _("Open the chat"),
            "close": _("Close the chat"),
            "unread": _("New messages: {count}"),
            "label": _("Chat"),
        }
    return format_html(
        '<chatkit-launcher lang="{lang}" dir="{direction}"{attributes}{side}{texts}><template>{chat}</template>'
        '</chatkit-launcher><script type="module" src="{script}"{nonce}></script>',
        lang=language,
        direction=_direction(language),
        attributes=attributes,
        side=_attribute("side", side),
        texts=format_html_join("", ' data-{}="{}"', texts.items()),
        chat=chat,
        script=client_url("launcher.js"),
        nonce=nonce_attribute,
    )


def _preloads(options: Mapping[str, Any]) -> list[str]:
    """Return the URLs of the files that the element needs to begin with, given its options."""
    composer = _mapping(options.get("composer"))
    header = _mapping(options.get("header"))
    theme = _mapping(options.get("theme"))
    parts = {
        "element/composer/attachments.js": _mapping(composer.get("attachments")).get("enabled"),
        "element/composer/choices.js": composer.get("tools") or composer.get("models"),
        "element/composer/completion.js": _mapping(options.get("commands")).get("enabled"),
        "element/views/header-actions.js": header.get("leftAction") or header.get("rightAction"),
        "element/theme.js": theme.get("color") or theme.get("typography"),
    }
    wanted = ["element/index.js", *(part for part, is_wanted in parts.items() if is_wanted)]
    return [url for name in wanted for url in preload_urls(name)]


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _login_prompt(
    request: HttpRequest, id: str, css_class: str, nonce_attribute: SafeString, language: str
) -> SafeString:
    """Return what stands in the chat's place for a visitor who has to log in."""
    # Its address before its language: a page's own may be part of it.
    url = login_url(request)
    with override(language):
        text, link = _("Please log in to go on."), _("Log in")
    return format_html(
        '<link rel="stylesheet" href="{stylesheet}"{nonce}>'
        '<div lang="{lang}" dir="{direction}"{id}{css_class}><p>{text}</p><p><a href="{url}">{link}</a></p></div>',
        stylesheet=client_url("chatkit.css"),
        nonce=nonce_attribute,
        lang=language,
        direction=_direction(language),
        id=_attribute("id", id),
        css_class=_attribute("class", f"chatkit-login {css_class}".strip()),
        text=text,
        url=url,
        link=link,
    )


def _direction(language: str) -> str:
    with override(language):
        return "rtl" if get_language_bidi() else "ltr"


def _unstarted(unavailable: str) -> SafeString:
    """Return what can be read when no script runs. The style sheet hides it for a while; the script removes it."""
    hint = SafeString("")
    if settings.DEBUG:
        hint = format_html(
            '<p lang="en" dir="ltr">DEBUG is on, so here is more. The page’s scripts have not run. If '
            '<a href="{script}">{script}</a> is not found, static files are not served: {how} '
            "If it is there, the browser’s console says what is wrong.</p>",
            how=how_to_serve(),
            script=client_url("bootstrap.js"),
        )
    return format_html('<div class="chatkit-unavailable" role="alert"><p>{}</p>{}</div>', unavailable, hint)


def page_config(
    request: HttpRequest,
    *,
    id: str = "",
    thread: str | None = None,
    persist: Persist = False,
    url: str = "",
    options: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return what ``bootstrap.js`` has to know, as one JSON-ready dictionary. Arguments as of ``render_chatkit``."""
    endpoint, run_events, run_stop = endpoint_urls(request, url)
    merged = merge_options(chatkit_settings.options, options or {})
    if thread is not None:
        merged["initialThread"] = str(thread)
    _add_attachments(merged, endpoint)
    _require_json(merged)
    language = chat_language(merged)
    with override(language):
        strings = element_strings()
    return {
        "client": chatkit_settings.client,
        "scriptUrl": chatkit_settings.script_url,
        "scriptTimeout": SCRIPT_TIMEOUT,
        "elementUrl": client_url("element/index.js"),
        "endpoint": endpoint,
        "runEventsUrl": run_events,
        "runStopUrl": run_stop,
        "runPlaceholder": RUN_PLACEHOLDER,
        "changesUrl": f"{endpoint.rstrip('/')}/threads/{RUN_PLACEHOLDER}/changes",
        "socketUrl": _socket_url(endpoint),
        "csrf": csrf_config(request),
        # So that the endpoint can tell a session that has ended from one that never was.
        "hadLogin": has_login(request),
        "locale": language,
        "domainKey": chatkit_settings.domain_key or LOCAL_DOMAIN_KEY,
        "persist": _persist_config(persist, _storage_key(endpoint, id)),
        "draft": {"key": _storage_key(endpoint, id), "owner": owner_of_drafts(request)},
        "options": merged,
        "offersStaff": chatkit_settings.staff.button,
        "strings": strings,
        "debug": settings.DEBUG,
    }


def _socket_url(endpoint: str) -> str | None:
    """Return where a page hears of changes; None where the site has no sockets, or they could not know who asks."""
    if not _are_sockets_served() or endpoint[:1] != "/":
        return None
    return f"{get_script_prefix()}ws/chatkit/?{urlencode({'endpoint': endpoint})}"


def staff_socket_url() -> str | None:
    """Return where a page of the admin hears of changes; None where the site has no sockets."""
    return f"{get_script_prefix()}ws/chatkit/staff/" if _are_sockets_served() else None


def _are_sockets_served() -> bool:
    # Whoever serves them has loaded their addresses. Under Django's own application each would be an error in the log.
    return "chatkit_app.routing" in sys.modules and not database_context.is_used()


def chat_language(options: Mapping[str, Any]) -> str:
    """Return the language of a chat: that of its option ``locale``, where Django has it, else that of the page."""
    try:
        return get_supported_language_variant(options["locale"])
    except (KeyError, LookupError, TypeError):
        return get_language() or settings.LANGUAGE_CODE


def endpoint_urls(request: HttpRequest, url: str = "") -> tuple[str, str, str]:
    """Return the URLs of the endpoint, of a run's events and of a run's stop (with ``RUN_PLACEHOLDER`` for the run).

    A path of your own has its runs beside it, as ``chatkit_app.urls`` has them.
    """
    if "/" in url:
        runs = f"{url.rstrip('/')}/runs/{RUN_PLACEHOLDER}"
        return url, f"{runs}/events", f"{runs}/stop"
    namespace = url.rpartition(":")[0] or "chatkit"
    # The same choice as Django's {% url %}, for an endpoint that is mounted twice.
    match = getattr(request, "resolver_match", None)
    current_app = getattr(request, "current_app", match.namespace if match is not None else None)
    try:
        return (
            reverse(f"{namespace}:chatkit", current_app=current_app),
            reverse(f"{namespace}:run_events", args=[RUN_PLACEHOLDER], current_app=current_app),
            reverse(f"{namespace}:run_stop", args=[RUN_PLACEHOLDER], current_app=current_app),
        )
    except NoReverseMatch as error:
        raise ImproperlyConfigured(
            f'There are no URLs of the namespace "{namespace}" for the chat: add '
            'path("", include("chatkit_app.urls")) to your urlpatterns, or name another endpoint with url.'
        ) from error


def csrf_config(request: HttpRequest) -> dict[str, str | None]:
    """Return how a request proves that it comes from our page: header, readable cookie, and a token for the rest.

    The cookie is preferred, because it is fresh after a login in another tab. Where no script may read it
    (``CSRF_COOKIE_HTTPONLY``, ``CSRF_USE_SESSIONS``), the page's own token is used.
    """
    token = get_token(request)
    readable = not (settings.CSRF_USE_SESSIONS or settings.CSRF_COOKIE_HTTPONLY)
    return {
        "header": settings.CSRF_HEADER_NAME.removeprefix("HTTP_").replace("_", "-"),
        "cookie": settings.CSRF_COOKIE_NAME if readable else None,
        "token": token,
    }


def merge_options(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Merge two levels of options: dictionaries key by key, everything else (lists too) replaced."""
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        if isinstance(below, Mapping) and isinstance(value, Mapping):
            merged[key] = merge_options(below, value)
        else:
            merged[key] = value
    return merged


def _add_attachments(options: dict[str, Any], endpoint: str) -> None:
    """Tell the client what ``CHATKIT["ATTACHMENTS"]`` takes, where the options do not say something else."""
    settings = chatkit_settings.attachments
    if settings is None:
        return
    composer = options.get("composer") or {}
    taken = {
        "enabled": True,
        "maxSize": settings.max_size,
        "maxCount": settings.max_count,
        "accept": settings.accept,
    }
    options["composer"] = {**composer, "attachments": taken | (composer.get("attachments") or {})}
    upload = {"type": "direct", "uploadUrl": f"{endpoint.rstrip('/')}/attachments"}
    options["api"] = {"uploadStrategy": upload} | (options.get("api") or {})


def _request_nonce(request: HttpRequest) -> str:
    """Return the nonce of django-csp (``csp_nonce``) or of Django's own middleware (``_csp_nonce``)."""
    for name in ("csp_nonce", "_csp_nonce"):
        # Both are lazy, and Django's is false until it is used.
        nonce = getattr(request, name, None)
        if nonce is not None:
            return str(nonce)
    return ""


def _attribute(name: str, value: str) -> SafeString:
    return format_html(' {}="{}"', name, value) if value else SafeString("")


def _storage_key(endpoint: str, id: str) -> str:
    return ":".join(filter(None, ("chatkit", endpoint, id)))


def _persist_config(persist: Persist, key: str) -> dict[str, str] | None:
    if not persist:
        return None
    storage = "session" if persist is True else persist
    if storage not in ("session", "local"):
        raise ValueError(f'persist is True, False, "session" or "local", not {persist!r}.')
    return {"storage": storage, "key": key}


def _require_json(options: Mapping[str, Any], path: str = "options") -> None:
    """Raise a TypeError that names the option which cannot be written as JSON."""
    for key, value in options.items():
        if isinstance(value, Mapping):
            _require_json(value, f"{path}.{key}")
            continue
        try:
            json.dumps({key: value}, cls=DjangoJSONEncoder, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise TypeError(
                f"The ChatKit option {path}.{key} cannot be written as JSON ({error}). "
                "Options that are functions belong into the page's JavaScript: "
                "(window.chatkitConfigure ??= []).push((options) => { … })."
            ) from error
