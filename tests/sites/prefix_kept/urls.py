from django.urls import include, path

urlpatterns = [path("shop/", include("tests.sites.urls"))]
