"""The private and undocumented names of other packages that this app relies on.

Read an upgrade of these packages against this list. A test looks for each name where it is said to be, and fails on
a use of such a name that is not listed.
"""

from __future__ import annotations

# Names that are called, read or set, by what has them.
USED: dict[str, tuple[str, ...]] = {
    "agents.Handoff": ("_agent_ref",),
    "agents.OpenAIChatCompletionsModel": ("_get_client",),
    "agents.RunState": ("_context",),
    "agents.exceptions": ("_mark_error_to_drain_stream_events",),
    "agents.models": ("_openai_shared",),
    "asgiref.sync.AsyncToSync": ("executors", "loop_thread_executors"),
    "asgiref.sync.SyncToAsync": ("deadlock_context", "thread_sensitive_context"),
    "chatkit.agents.AgentContext": ("_events",),
    "chatkit.server.ChatKitServer": (
        "_process_new_thread_item_respond",
        "_to_thread_response",
        "_update_pending_items",
    ),
    "concurrent.futures.ThreadPoolExecutor": ("_threads",),
    "django.contrib.sessions.backends.base.SessionBase": ("_session_cache", "_session_key"),
    "django.core.handlers.asgi.ASGIRequest": ("_stream",),
    "django.core.management.base.OutputWrapper": ("_out",),
    "django.db.models.Model": ("_state",),
    "django.db.models.QuerySet": ("_db", "_fields", "_hints", "_iterable_class", "_raw_delete"),
    "django.db.models.sql": ("DeleteQuery", "InsertQuery", "UpdateQuery"),
    "django.db.models.sql.compiler.SQLCompiler": ("as_sql", "get_converters"),
    "django.dispatch.Signal": ("_live_receivers",),
    "django.middleware.csrf.CsrfViewMiddleware": ("_origin_verified",),
    "django.http.StreamingHttpResponse": ("_iterator", "_resource_closers"),
    "threading": ("_register_atexit",),
}

# Methods of base classes that ours override: were one renamed, ours would never be called again.
OVERRIDDEN: dict[str, tuple[str, ...]] = {
    "chatkit.server.ChatKitServer": (
        "_build_user_message_item",
        "_load_full_thread",
        "_process_events",
        "_process_non_streaming",
        "_process_streaming_impl",
        "_serialize",
    ),
    "django.contrib.admin.ModelAdmin": ("_get_obj_does_not_exist_redirect",),
    "django.db.models.QuerySet": ("_raw_delete", "_update"),
    "django.middleware.csrf.CsrfViewMiddleware": ("_reject",),
}
