"""Who looks after a thread."""

import pytest
from django.contrib.auth import get_user_model

from chatkit_app.models import Assignment
from chatkit_app.staff.assignment import assign

from .conftest import audited

pytestmark = pytest.mark.django_db
User = get_user_model()


def test_last_assignment_wins_and_all_are_audited(threads, sam):
    kim = User.objects.create_user("kim", is_staff=True)
    assert assign(threads[:2], kim, actor=sam) == 2
    assert assign(threads[:1], sam, actor=kim) == 1
    assert assign(threads[:1], sam, actor=kim) == 0
    assert dict(Assignment.objects.values_list("thread__public_id", "assignee__username")) == {
        "t0": "sam",
        "t1": "kim",
    }
    kims, sams = ({"assignee": str(user.pk), "assignee_name": user.username} for user in (kim, sam))
    assert audited() == [
        ("assign", "t0", "", kims),
        ("assign", "t1", "", kims),
        ("assign", "t0", "", sams),
    ]


def test_assignment_is_taken_away(threads, sam):
    assign(threads[:1], sam, actor=sam)
    assert assign(threads, None, actor=sam) == 1
    assert not Assignment.objects.exists()
    assert audited()[-1] == ("assign", "t0", "", {"assignee": "", "assignee_name": ""})
