import time

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.http import HttpRequest, HttpResponse
from django.urls import include, path


def staff(request: HttpRequest) -> HttpResponse:
    """Whose site this is, as an ordinary view sees it, slowly."""
    time.sleep(0.01)
    return HttpResponse(get_user_model().objects.get().get_username())


urlpatterns = [
    path("", include("chatkit_app.urls")),
    path("admin/", admin.site.urls),
    path("staff", staff),
]
