"""The base of the endpoint's views that read and write rows of threads themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpResponseBase
from django.utils.translation import gettext as _

from .. import db
from ..errors import NotSupported
from ..store.orm import DjangoStore
from .endpoint import EndpointView, json_response
from .refusals import refusal


class DatabaseView(EndpointView):
    """A view of the owner's rows, which there are only where a ``DjangoStore`` keeps them."""

    async def expect_rows(self) -> None:
        if not isinstance((await self.get_server()).store, DjangoStore):
            raise NotSupported(_("This chat does not support that."))

    async def answer(self, load: Callable[..., bytes], *args: Any) -> HttpResponseBase:
        """Return the JSON that ``load`` makes of these arguments in a worker, or why there is none."""
        try:
            await self.expect_rows()
            return json_response(await db.run(load, *args))
        except Exception as error:
            return refusal(error, streaming=False)
