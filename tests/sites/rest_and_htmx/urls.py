from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from tests.sites.urls import urlpatterns as patterns


class Orders(APIView):
    def get(self, request: Request) -> Response:
        return Response([])


urlpatterns = [path("api/orders/", Orders.as_view()), *patterns]
