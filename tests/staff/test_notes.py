"""What staff write one another about a thread."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model

from chatkit_app.models import Note, Thread
from chatkit_app.staff.notes import add_note

from .conftest import audited

pytestmark = pytest.mark.django_db
User = get_user_model()


def test_note_keeps_its_authors_name(threads, sam):
    add_note(threads[0], actor=sam, text="Called back.")
    LogEntry.objects.all().delete()
    sam.delete()
    note = Note.objects.get()
    assert (note.thread, note.author, note.author_name, note.text) == (
        threads[0],
        None,
        "sam",
        "Called back.",
    )


def test_note_is_audited_without_its_text(threads, sam):
    note = add_note(threads[0], actor=sam, text="secret")
    assert audited() == [("note", "t0", "", {"note": note.pk})]
    assert LogEntry.objects.get().change_message == "Wrote a note"


def test_note_on_a_deleted_thread_is_refused(threads, sam):
    Thread.objects.all().delete()
    with pytest.raises(Thread.DoesNotExist):
        add_note(threads[0], actor=sam, text="x")
    assert audited() == []
