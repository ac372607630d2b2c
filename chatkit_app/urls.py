"""``path("", include("chatkit_app.urls"))`` serves ``POST /chatkit``.

A site with several chats includes ``endpoint()`` once for each::

    sales = endpoint(server="sales.chat.SalesServer", namespace="sales")
    urlpatterns += [path("sales/", include((sales, "chatkit"), namespace="sales"))]
"""

from django.urls import URLPattern, path

from .process.loading import View, loaded_late
from .views.health import HealthView

app_name = "chatkit"


def endpoint(*, server: str | None = None, namespace: str | None = None) -> list[URLPattern]:
    """Return the URLs of one chat.

    Args:
        server: dotted path of its server; ``CHATKIT["SERVER"]`` unless given.
        namespace: namespace of its threads; that of the context unless given.
    """

    def view(name: str) -> View:
        return loaded_late(f"chatkit_app.views.{name}", server=server, namespace=namespace)

    return [
        path("chatkit", view("chat.ChatKitView"), name="chatkit"),
        path("chatkit/health", HealthView.as_view(), name="health"),
        path("chatkit/history", view("history.HistoryView"), name="history"),
        path("chatkit/threads/<str:thread_id>", view("history.ThreadView"), name="thread"),
        path("chatkit/threads/<str:thread_id>/changes", view("changes.ChangesView"), name="changes"),
        path("chatkit/threads/<str:thread_id>/earlier", view("earlier.EarlierView"), name="earlier"),
        path("chatkit/runs/<str:run_id>/events", view("runs.RunEventsView"), name="run_events"),
        path("chatkit/runs/<str:run_id>/stop", view("runs.RunStopView"), name="run_stop"),
        path("chatkit/attachments", view("uploads.AttachmentsView"), name="attachments"),
        path("chatkit/attachments/<str:attachment_id>", view("uploads.AttachmentView"), name="attachment"),
        path(
            "chatkit/attachments/<str:attachment_id>/file",
            view("uploads.AttachmentFileView"),
            name="attachment_file",
        ),
    ]


urlpatterns = endpoint()
