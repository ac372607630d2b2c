"""Strange bodies, the same in every run; ``python -m tests.attack.fuzz`` sends more."""

import json
from collections.abc import Iterator

import pytest
from chatkit.types import NonStreamingReq, StreamingReq

from tests.extent import IS_WHOLE

from .fuzz import ROUND, Fuzz, serve
from .strange_bodies import SCHEMA

BODIES = ROUND if IS_WHOLE else ROUND // 4

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]


@pytest.fixture
def fuzz() -> Iterator[Fuzz]:
    served = serve()
    fuzz = Fuzz(served.port, served.log.fileno())
    yield fuzz
    fuzz.end()
    served.kill()


def test_strange_bodies_break_nothing(fuzz: Fuzz) -> None:
    fuzz.run(BODIES, seed=0)
    assert fuzz.found == []
    # Many of them got as far as an answer, and many named what there is not.
    assert fuzz.sent == BODIES
    assert fuzz.statuses["200 text/event-stream"] > BODIES / 10
    assert fuzz.statuses["200 application/json"] > BODIES / 50
    assert fuzz.statuses["404 application/json"] > BODIES / 50


def test_what_is_wrong_is_found(fuzz: Fuzz) -> None:
    """A fuzzer that complains of nothing says nothing."""
    fuzz.send(json.dumps({"type": "threads.list", "params": {}}).encode())
    assert fuzz.found == []
    from chatkit_app.models import Thread

    Thread.objects.update(title="changed")
    fuzz.run(1, seed=0)
    assert ["rows have changed" in text for text in fuzz.found] == [True]


def test_every_operation_is_in_the_schema() -> None:
    kinds = [*StreamingReq.__args__, *NonStreamingReq.__args__]
    assert {kind.__name__ for kind in kinds} == {part["$ref"].rpartition("/")[2] for part in SCHEMA["oneOf"]}
