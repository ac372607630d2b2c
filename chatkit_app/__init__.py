"""OpenAI ChatKit as a Django app.

Add three lines::

    INSTALLED_APPS = ["daphne", ..., "chatkit_app"]
    urlpatterns = [path("", include("chatkit_app.urls")), ...]   # serves POST /chatkit
    CHATKIT = {"SERVER": "myapp.chat.SupportServer"}             # optional

run ``migrate``, and put the chat on a page (or show the ready one, ``chatkit_app/page.html``)::

    {% load chatkit %} {% chatkit %}

Your own server is one method::

    from chatkit_app.server import DjangoChatKitServer

    class SupportServer(DjangoChatKitServer):
        async def respond(self, thread, input_user_message, context):
            yield self.text_event("Hello!")
"""

__version__ = "0.1.0"
