"""``path("", include("chatkit_app.urls"))`` serves ``POST /chatkit``.

A site with several chats includes ``endpoint()`` once for each::

    sales = endpoint(server="sales.chat.SalesServer", namespace="sales")
    urlpatterns += [path("sales/", include((sales, "chatkit"), namespace="sales"))]
"""

from django.urls import URLPattern, path

from .views.chat import ChatKitView
from .views.runs import RunEventsView, RunStopView
from .views.uploads import AttachmentFileView, AttachmentsView, AttachmentView

app_name = "chatkit"


def endpoint(*, server: str | None = None, namespace: str | None = None) -> list[URLPattern]:
    """Return the URLs of one chat.

    Args:
        server: dotted path of its server; ``CHATKIT["SERVER"]`` unless given.
        namespace: namespace of its threads; that of the context unless given.
    """
    options = {"server": server, "namespace": namespace}
    return [
        path("chatkit", ChatKitView.as_view(**options), name="chatkit"),
        path("chatkit/runs/<str:run_id>/events", RunEventsView.as_view(**options), name="run_events"),
        path("chatkit/runs/<str:run_id>/stop", RunStopView.as_view(**options), name="run_stop"),
        path("chatkit/attachments", AttachmentsView.as_view(**options), name="attachments"),
        path("chatkit/attachments/<str:attachment_id>", AttachmentView.as_view(**options), name="attachment"),
        path(
            "chatkit/attachments/<str:attachment_id>/file",
            AttachmentFileView.as_view(**options),
            name="attachment_file",
        ),
    ]


urlpatterns = endpoint()
