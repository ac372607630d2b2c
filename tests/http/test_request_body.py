"""What a body may cost before anybody knows whether it makes sense."""

import pytest

from chatkit_app.errors import InvalidRequest, RequestTooLarge
from chatkit_app.http.request_body import require_bounded, sniff_operation


@pytest.mark.parametrize(
    "body",
    [
        b"[" + b"0," * 4_998 + b"0]",
        b'["' + b",[{}]" * 100_000 + b'"]',
        b'["' + b'\\",' * 100_000 + b'"]',
        b'["\\\\", "' + b"," * 10_000 + b'"]',
        b"[" * 60 + b"]" * 60,
        b'["' + b"[" * 4_000 + b'"]',
        b"",
        b'{"a',
    ],
    ids=["values", "text", "quotes in text", "backslash at an end", "depth", "brackets", "empty", "cut off"],
)
def test_body_within_the_limits_is_let_through(body):
    require_bounded(body)


@pytest.mark.parametrize(
    "body",
    [
        b"[" + b"0," * 5_000 + b"0]",
        b"[" + b"[]," * 5_000 + b"0]",
        b"[" + b'"\\"",' * 10_000 + b"0]",
        b'["\\\\",' + b"0," * 5_000 + b'"\\\\"]',
        b"{" + b'"a":0,' * 5_000 + b'"b":0}',
        b'"' * 30_000 + b"," * 5_001,
        b"]" * 2_000_000,
    ],
    ids=["values", "lists", "strings", "backslash at an end", "names", "quotes", "closing"],
)
def test_body_of_too_many_values_is_too_large(body):
    with pytest.raises(RequestTooLarge, match=r"^The message is too large\.$"):
        require_bounded(body)


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_body_that_is_too_deep_is_not_valid(opening):
    with pytest.raises(InvalidRequest, match="It is nested too deeply"):
        require_bounded(opening * 61)


@pytest.mark.parametrize(
    ("body", "operation"),
    [
        (b'{"type": "threads.create"}', "threads.create"),
        (b'{"type": "threads.create", "params": {"in', "threads.create"),
        (b'{"params": {"type": "threads.list"}, "type": "threads.create"}', "threads.create"),
        (b'{"type": "threads.create", "params": [' + b"0," * 10_000, "threads.create"),
        (b'{"type": 7}', ""),
        (b"\xff", ""),
        (b"[]", ""),
    ],
)
def test_operation_is_found_also_in_a_broken_body(body, operation):
    assert sniff_operation(body) == operation
