"""Loggers whose lines nobody can forge: what others have written cannot begin one, and no terminal obeys it.

A tool's name that a model has made up, an answer to a question that was not asked: such texts stand in messages and in
what exceptions say. Their control characters are escaped, and the lines of a traceback stand behind blanks.
"""

from __future__ import annotations

import logging
import re

# What readers of a log take for the end of a line, or a terminal for a command.
_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]")
_CONTROL_BUT_LINES = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
_OTHERS = ("chatkit", "openai.agents")
_formatter = logging.Formatter()


class OwnLines(logging.Filter):
    """A filter that passes every record, with one line for its message and blanks before each of its traceback."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        if _CONTROL.search(message):
            record.msg, record.args = _CONTROL.sub(_escape, message), ()
        if record.exc_info and record.exc_info[0] is not None and not record.exc_text:
            # What is here already no formatter formats once more.
            traceback = _CONTROL_BUT_LINES.sub(_escape, _formatter.formatException(record.exc_info))
            record.exc_text = "  " + traceback.replace("\n", "\n  ")
        return True


def _escape(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode()


def get_logger(name: str) -> logging.Logger:
    """Return the logger of one of the app's modules."""
    logger = logging.getLogger(name)
    if not any(isinstance(each, OwnLines) for each in logger.filters):
        logger.addFilter(OwnLines())
    return logger


def watch_sdks() -> None:
    """Guard the loggers of the SDKs too, which know what a model and a browser have sent."""
    for name in _OTHERS:
        get_logger(name)
