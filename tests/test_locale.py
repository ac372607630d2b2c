"""Everybody is addressed in their language, under regional codes too."""

import pytest
from django.utils.translation import ngettext, override

from chatkit_app.errors import DatabaseUnavailable
from chatkit_app.models import Thread
from chatkit_app.rendering.element_strings import element_strings


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("en", "Send message"),
        ("ar", "إرسال الرسالة"),
        ("de", "Nachricht senden"),
        ("es", "Enviar mensaje"),
        ("fr", "Envoyer le message"),
        ("ja", "メッセージを送信"),
        ("pt", "Enviar mensagem"),
        ("zh-hans", "发送消息"),
        ("ar-dz", "إرسال الرسالة"),
        ("de-at", "Nachricht senden"),
        ("en-gb", "Send message"),
        ("es-mx", "Enviar mensaje"),
        ("fr-ca", "Envoyer le message"),
        ("pt-br", "Enviar mensagem"),
        ("nl", "Send message"),
    ],
)
def test_element_speaks_the_active_language(code: str, text: str):
    with override(code):
        assert element_strings()["send"] == text


def test_staff_and_users_are_addressed_in_their_language():
    with override("de"):
        assert Thread._meta.verbose_name == "Unterhaltung"
        assert Thread.Status.CLOSED.label == "Geschlossen"
        told = DatabaseUnavailable().message
        assert told.startswith("Die Unterhaltung konnte gerade nicht gespeichert werden.")


@pytest.mark.parametrize(
    ("code", "count", "text"),
    [
        ("ar", 1, "قُفلت محادثة واحدة."),
        ("ar", 2, "قُفلت محادثتان."),
        ("ar", 3, "قُفلت 3 محادثات."),
        ("ar", 11, "قُفلت 11 محادثة."),
        ("es", 1, "Se bloqueó 1 conversación."),
        ("es", 5, "Se bloquearon 5 conversaciones."),
        ("pt-br", 0, "0 conversa foi bloqueada."),
        ("ja", 1, "1件の会話をロックしました。"),
    ],
)
def test_numbers_take_the_plural_of_the_language(code: str, count: int, text: str):
    with override(code):
        told = ngettext("%(count)d thread was locked.", "%(count)d threads were locked.", count)
    assert told % {"count": count} == text
