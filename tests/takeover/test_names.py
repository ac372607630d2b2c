"""The names of people who answer, as users and as their colleagues know them."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.utils import translation

from chatkit_app.models import Run, Thread, ThreadItem
from chatkit_app.moderation.export_formats import Format
from chatkit_app.moderation.exports import Export
from chatkit_app.moderation.takeover import hand_back, reply, take_over
from chatkit_app.takeover.handler import handler_fields
from chatkit_app.takeover.names import name_for_staff, shown_name, team_name


def nameless() -> User:
    return User.objects.create(username="admin2", email="admin2@shop.example")


class WithoutNames:
    """A user of a model that knows no names."""

    def get_username(self) -> str:
        return "maria"


class NamedByAddress(WithoutNames):
    """A user of a model whose names are what one logs in with, as in many."""

    def get_short_name(self) -> str:
        return "maria@shop.example"

    def get_full_name(self) -> str:
        return "maria"


@pytest.mark.parametrize(
    ("first", "last", "shown"),
    [("Maria", "Lopez", "Maria"), ("", "Lopez", "Lopez"), (" ", " ", ""), ("maria@shop.example", "", "")],
)
def test_user_is_shown_the_first_name_or_else_the_whole_one(first, last, shown):
    user = User(username="maria", email="maria@shop.example", first_name=first, last_name=last)
    assert shown_name(user) == shown
    assert name_for_staff(user) == (shown or "maria")


@pytest.mark.parametrize("kind", [WithoutNames, NamedByAddress])
def test_what_one_logs_in_with_is_no_name(kind):
    assert shown_name(kind()) == ""
    assert name_for_staff(kind()) == "maria"


def name_of(user: User) -> str:
    return f"{user.username} of the shop"


def test_setting_decides_which_name_is_shown(settings):
    settings.CHATKIT = {"STAFF": {"NAME": f"{__name__}.name_of"}}
    assert shown_name(User(username="maria", first_name="Maria")) == "maria of the shop"


@pytest.mark.django_db
def test_nothing_that_a_user_can_read_has_the_user_name():
    thread = Thread.objects.create(public_id="thr_1", visitor_id="v" * 32)
    Run.objects.create(thread=thread, public_id="run_1", context={"locale": "fr"})
    staff = nameless()
    take_over(thread, actor=staff)
    item = reply(Thread.objects.get(), "Hello", actor=staff)
    assert handler_fields(Thread.objects.get()).keys() == {"state", "since"}
    hand_back(Thread.objects.get(), actor=staff)
    assert item.author_name == "Notre équipe"
    notes = ThreadItem.objects.filter(type="hidden_context_item").values_list("payload", flat=True)
    assert "a person of the team took over this conversation" in str(notes[0])
    assert "admin2" not in str(list(notes))


@pytest.mark.django_db
@pytest.mark.parametrize("kind", Format)
def test_export_has_the_name_of_the_team_in_place_of_a_user_name(kind):
    thread = Thread.objects.create(public_id="thr_1", visitor_id="v" * 32)
    staff = nameless()
    take_over(thread, actor=staff)
    reply(Thread.objects.get(), "Hello", actor=staff)
    exported = "".join(Export(Thread.objects.all(), format=kind))
    assert "Our team" in exported
    assert "admin2" not in exported


def test_name_of_the_team_is_in_the_active_language():
    with translation.override("fr"):
        assert team_name() == "Notre équipe"
