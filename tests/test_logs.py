"""What others have written begins no line of the log."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import pytest

from chatkit_app.logs import OwnLines, get_logger


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What a handler with a formatter of the site's own writes."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    logging.getLogger().addHandler(handler)
    yield stream
    logging.getLogger().removeHandler(handler)


def test_line_ends_and_commands_in_a_message_are_escaped(written: io.StringIO) -> None:
    get_logger("chatkit_app.tests").warning("A %s came", "x\r\nERROR y\x1b[2J\u2028z\x85")
    assert written.getvalue() == "WARNING A x\\r\\nERROR y\\x1b[2J\\u2028z\\x85 came\n"


def test_message_without_any_keeps_its_arguments(caplog: pytest.LogCaptureFixture) -> None:
    get_logger("chatkit_app.tests").warning("A %s came", "ü \t%d")
    assert caplog.records[0].args == ("ü \t%d",)


def test_lines_of_an_exception_stand_behind_blanks(written: io.StringIO) -> None:
    try:
        raise ValueError("Tool x\nERROR y\rz not found")
    except ValueError as error:
        get_logger("chatkit_app.tests").error("It failed", exc_info=error)
    first, *others = written.getvalue().splitlines()
    assert first == "ERROR It failed"
    assert others[0] == "  Traceback (most recent call last):"
    assert others[-2:] == ["  ValueError: Tool x", "  ERROR y\\rz not found"]
    assert all(line.startswith("  ") for line in others)


@pytest.mark.parametrize("name", ["chatkit", "openai.agents", "chatkit_app.views.endpoint"])
def test_loggers_of_the_app_and_the_sdks_are_watched(name: str) -> None:
    assert [type(each) for each in logging.getLogger(name).filters] == [OwnLines]


def test_logger_that_is_asked_for_twice_has_one_filter() -> None:
    assert get_logger("chatkit_app.views.endpoint") is get_logger("chatkit_app.views.endpoint")
    assert len(logging.getLogger("chatkit_app.views.endpoint").filters) == 1
