from django.contrib import admin
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import include, path

from .views import chat_page, launcher_page

urlpatterns = [
    path("", chat_page, name="chat"),
    path("launcher/", launcher_page, name="launcher"),
    path("", include("chatkit_app.urls")),
    path("login/", LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("i18n/", include("django.conf.urls.i18n")),
    path("admin/", admin.site.urls),
]
