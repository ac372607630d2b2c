"""What is counted of the limits: exactly, together, and only when nothing of the request is refused."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from chatkit_app import database_context
from chatkit_app.context import RequestContext
from chatkit_app.errors import LimitReached, TooManyAnswers
from chatkit_app.limits import counters
from chatkit_app.limits.counters import (
    MESSAGE_USES,
    VISITOR_USES,
    begin_answer,
    end_answer,
    renew_answers,
    spend,
)
from chatkit_app.limits.rules import LimitsState
from chatkit_app.models import AnswerLease, LimitCounter
from chatkit_app.process.identity import current_process
from chatkit_app.server import DjangoChatKitServer
from chatkit_app.signals import limit_reached
from tests.chat import encode, message

pytestmark = pytest.mark.django_db(transaction=True)

NEW = DjangoChatKitServer.parse(None, encode("threads.create", input=message("hi")))  # type: ignore[arg-type]
MORE = DjangoChatKitServer.parse(  # type: ignore[arg-type]
    None, encode("threads.add_user_message", thread_id="thr_1", input=message("hi"))
)


@pytest.fixture
def limits(settings: Any) -> Any:
    def configure(**limits: Any) -> None:
        settings.CHATKIT = {"LIMITS": limits}

    return configure


def of(visitor: str = "anna", *, address: str = "street", **fields: Any) -> RequestContext:
    context = RequestContext(visitor_id=visitor, **fields)
    context.state(LimitsState).address_key = address
    return context


def passes(context: RequestContext, uses: Any = MESSAGE_USES) -> bool:
    try:
        spend(context, uses)
    except LimitReached:
        return False
    return True


def starts(context: RequestContext, run_id: str, request: Any = MORE) -> bool:
    try:
        begin_answer(request, context, run_id)
    except LimitReached:
        return False
    return True


def test_so_many_pass_as_are_allowed(limits):
    limits(MESSAGES_PER_MINUTE=3)
    assert [passes(of()) for _ in range(5)] == [True, True, True, False, False]


@pytest.mark.parametrize(
    "other",
    [of("bert"), of(namespace="sales"), RequestContext(user_id=7)],
    ids=["owner", "namespace", "user"],
)
def test_others_have_limits_of_their_own(limits, other):
    limits(MESSAGES_PER_MINUTE=1)
    assert [passes(of()), passes(of()), passes(other), passes(other)] == [True, False, True, False]


def test_parts_of_the_database_have_limits_of_their_own(limits):
    class Part(database_context.DatabaseContext):
        partition = "acme"

    limits(MESSAGES_PER_MINUTE=1)
    assert passes(of())
    with database_context.using(Part()):
        assert passes(of())
    assert not passes(of())


def test_counter_starts_again_when_its_time_is_over(limits):
    limits(MESSAGES_PER_MINUTE=1, MESSAGES_PER_DAY=2)
    assert passes(of())
    hour = timedelta(hours=1)
    for counter in LimitCounter.objects.filter(expires_at__lt=timezone.now() + hour):
        LimitCounter.objects.filter(pk=counter.pk).update(expires_at=timezone.now())
    assert [passes(of()), passes(of())] == [True, False]


def test_refused_request_counts_nowhere(limits):
    limits(MESSAGES_PER_MINUTE=5, MESSAGES_PER_DAY=2)
    assert [passes(of()) for _ in range(4)] == [True, True, False, False]
    assert sorted(LimitCounter.objects.values_list("allowed", "count")) == [(2, 2), (5, 2), (300, 2)]


def test_refusal_says_which_limit_it_is_and_until_when(limits):
    limits(MESSAGES_PER_MINUTE=1, MESSAGES_PER_DAY=1)
    spend(of(), MESSAGE_USES)
    with pytest.raises(LimitReached) as refused:
        spend(of(), MESSAGE_USES)
    assert refused.value.limit == "MESSAGES_PER_DAY"
    until = refused.value.until
    assert until is not None
    assert timedelta(hours=23, minutes=58) < until - timezone.now() <= timedelta(days=1)
    assert refused.value.allow_retry
    assert refused.value.message == "You have reached a limit of this chat. Please try again in 1\xa0day."


def test_what_is_more_than_ever_allowed_is_refused_at_once(limits):
    limits(FILE_BYTES_PER_DAY=10)
    with pytest.raises(LimitReached) as refused:
        spend(of(), [counters.file_bytes(11)])
    assert (refused.value.limit, refused.value.until) == ("FILE_BYTES_PER_DAY", None)
    assert not LimitCounter.objects.exists()


def test_limit_that_is_none_is_not_counted(limits):
    limits(MESSAGES_PER_MINUTE=None, MESSAGES_PER_DAY=None, ADDRESS_MESSAGES_PER_MINUTE=None)
    assert all(passes(of()) for _ in range(40))
    assert not LimitCounter.objects.exists()


def test_address_that_is_not_known_has_no_limit(limits):
    limits(ADDRESS_VISITORS_PER_HOUR=1)
    assert [passes(of(address=""), VISITOR_USES) for _ in range(3)] == [True, True, True]
    assert [passes(of(), VISITOR_USES) for _ in range(2)] == [True, False]


def test_rows_tell_neither_names_nor_addresses(limits):
    limits()
    begin_answer(NEW, of("anna", address="street"), "run_1")
    kept = str([*LimitCounter.objects.values(), *AnswerLease.objects.values()])
    assert "anna" not in kept
    assert "street" not in kept


def test_reached_limit_is_told_by_a_signal(limits):
    seen = []

    def listen(limit, until, context, **kwargs):
        seen.append((limit, until is not None, context.visitor_id))

    limits(MESSAGES_PER_MINUTE=1)
    limit_reached.connect(listen)
    try:
        assert [passes(of()), passes(of())] == [True, False]
    finally:
        limit_reached.disconnect(listen)
    assert seen == [("MESSAGES_PER_MINUTE", True, "anna")]


def test_all_counters_of_a_message_are_one_statement(limits):
    limits()
    with CaptureQueriesContext(connection) as queries:
        begin_answer(NEW, of(), "run_1")
    kinds = [query["sql"].split()[0] for query in queries]
    assert [kind for kind in kinds if kind not in ("BEGIN", "COMMIT")] == ["INSERT", "INSERT"]


@pytest.mark.parametrize("waits", [False, True])
def test_of_two_hundred_at_once_exactly_as_many_pass_as_are_allowed(limits, waits):
    limits(MESSAGES_PER_MINUTE=100, ANSWERS_AT_ONCE=None if waits else 100)

    def one(number: int) -> bool:
        try:
            return passes(of()) if waits else starts(of(), f"run_{number}")
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(one, range(200))) == 100


# --- Answers at once ----------------------------------------------------------------------------------------


def test_so_many_answers_at_once_as_are_allowed(limits):
    limits(ANSWERS_AT_ONCE=2)
    assert [starts(of(), f"run_{number}") for number in range(3)] == [True, True, False]
    assert starts(of("bert"), "run_4")
    end_answer("run_0")
    assert [starts(of(), "run_5"), starts(of(), "run_6")] == [True, False]


def test_answers_at_once_are_limited_for_an_address(limits):
    limits(ADDRESS_ANSWERS_AT_ONCE=2, ANSWERS_AT_ONCE=None)
    assert [starts(of(f"visitor {number}"), f"run_{number}") for number in range(3)] == [True, True, False]
    assert starts(of(address="lane"), "run_4")


def test_answers_at_once_are_counted_where_messages_are_not(limits):
    limits(ANSWERS_AT_ONCE=20, MESSAGES_PER_MINUTE=None, MESSAGES_PER_DAY=None)

    def one(number: int) -> bool:
        try:
            return starts(of(), f"run_{number}")
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(one, range(60))) == 20


def test_answer_that_is_refused_for_those_at_once_counts_nowhere(limits):
    limits(ANSWERS_AT_ONCE=1)
    begin_answer(MORE, of(), "run_1")
    with pytest.raises(TooManyAnswers) as refused:
        begin_answer(MORE, of(), "run_2")
    assert (refused.value.limit, refused.value.allow_retry) == ("ANSWERS_AT_ONCE", True)
    assert set(LimitCounter.objects.values_list("count", flat=True)) == {1}


def test_lease_is_taken_once_when_the_work_is_done_again(limits):
    limits(ANSWERS_AT_ONCE=1)
    assert [starts(of(), "run_1"), starts(of(), "run_1")] == [True, True]
    assert AnswerLease.objects.count() == 1


def test_answers_of_a_dead_process_on_this_machine_make_room_at_once(limits):
    limits(ANSWERS_AT_ONCE=2)
    assert [starts(of(), "run_1"), starts(of(), "run_2")] == [True, True]
    machine, pid, _start_time = current_process().rsplit(" ", 2)
    AnswerLease.objects.filter(pk="run_1").update(process=f"{machine} {pid} 1")
    assert [starts(of(), "run_3"), starts(of(), "run_4")] == [True, False]
    assert set(AnswerLease.objects.values_list("pk", flat=True)) == {"run_2", "run_3"}


def test_answers_of_a_process_on_another_machine_are_counted(limits):
    limits(ANSWERS_AT_ONCE=1)
    assert starts(of(), "run_1")
    machine, pid, _start_time = current_process().rsplit(" ", 2)
    AnswerLease.objects.update(process=f"another-{machine} {pid} 1")
    assert not starts(of(), "run_2")


def test_answers_of_a_dead_process_run_out_and_others_are_renewed(limits):
    limits(ANSWERS_AT_ONCE=2)
    assert [starts(of(), "run_1"), starts(of(), "run_2")] == [True, True]
    AnswerLease.objects.update(expires_at=timezone.now())
    renew_answers(["run_2"])
    assert [starts(of(), "run_3"), starts(of(), "run_4")] == [True, False]


def test_what_is_over_is_pruned(limits):
    limits()
    begin_answer(NEW, of(), "run_1")
    begin_answer(NEW, of("bert", address="lane"), "run_2")
    LimitCounter.objects.filter(allowed=30).update(expires_at=timezone.now())
    AnswerLease.objects.filter(pk="run_1").update(expires_at=timezone.now())
    assert counters.count_expired() == 3
    assert counters.prune_expired() == 3
    assert (LimitCounter.objects.count(), AnswerLease.objects.count()) == (6, 1)
