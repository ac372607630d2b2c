"""The two URLs of a run."""

from __future__ import annotations

from chatkit.store import NotFoundError
from django.http import HttpRequest, HttpResponseBase, JsonResponse

from .. import db
from ..conf import chatkit_settings
from ..http.sse import EventStreamResponse
from ..models import Run as RunRow
from ..runs import stopping
from ..runs.opening import Run, reopen_run
from ..runs.registry import live_runs
from ..storable import is_storable_id
from .endpoint import EndpointView, in_page_language
from .refusals import refusal

RUN_HEADER = "X-ChatKit-Run"


class RunView(EndpointView):
    """The base of the two URLs of a run."""

    depth = 3

    async def load_run(self, request: HttpRequest, public_id: str) -> RunRow:
        live = live_runs.get(public_id)
        if live is not None:
            # Its id was told to the client before its thread was made.
            await live.recorded()
        return await db.run(self._load_run, request, public_id)

    def _load_run(self, request: HttpRequest, public_id: str) -> RunRow:
        context = self.enter_in_worker(request, None)
        row = None
        if is_storable_id(public_id):
            row = RunRow.objects.owned_by(context).filter(public_id=public_id).first()
        if row is None:
            raise NotFoundError(f"Run {public_id!r} not found")
        return row


class RunEventsView(RunView):
    """``GET /chatkit/runs/<id>/events``: the answer from its first event, followed to its end."""

    http_method_names = ["get"]

    @in_page_language
    async def get(self, request: HttpRequest, run_id: str) -> HttpResponseBase:
        try:
            row = await self.load_run(request, run_id)
        except Exception as error:
            return refusal(error, streaming=False)
        return run_response(reopen_run(row, endpoint_url=self.endpoint_url(request)))


class RunStopView(RunView):
    """``POST /chatkit/runs/<id>/stop``: end the answer, keeping what there is of it."""

    http_method_names = ["post"]

    @in_page_language
    async def post(self, request: HttpRequest, run_id: str) -> HttpResponseBase:
        try:
            row = await self.load_run(request, run_id)
            stopped = await stopping.stop(row)
        except Exception as error:
            return refusal(error, streaming=False)
        return JsonResponse({"stopped": stopped})


def run_response(run: Run) -> EventStreamResponse:
    """Return an answer from its first event, followed to its end."""
    response = EventStreamResponse(run, keep_alive=chatkit_settings.keep_alive)
    response[RUN_HEADER] = run.public_id
    return response
