"""The page that ``loading`` loads: the ready one of the app."""

from django.urls import include, path
from django.views.generic import TemplateView

urlpatterns = [
    path("", TemplateView.as_view(template_name="chatkit_app/page.html")),
    path("", include("chatkit_app.urls")),
]
