"""Whose address counts: who is connected, or whom our own proxies have named."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from chatkit_app.limits import address
from chatkit_app.limits.address import address_key, client_address


@pytest.fixture
def seen(rf: Any, settings: Any) -> Any:
    def make(connected: str, forwarded: str = "", *, proxies: int = 0) -> str:
        settings.CHATKIT = {"PROXIES": proxies}
        headers = {"HTTP_X_FORWARDED_FOR": forwarded} if forwarded else {}
        return str(client_address(rf.post("/chatkit", REMOTE_ADDR=connected, **headers)))

    return make


@pytest.mark.parametrize(
    ("connected", "forwarded", "proxies", "expected"),
    [
        ("203.0.113.7", "", 0, "203.0.113.7"),
        ("93.184.216.34", "198.51.100.1", 0, "93.184.216.34"),
        ("10.0.0.1", "198.51.100.1", 1, "198.51.100.1"),
        ("10.0.0.1", "1.1.1.1, 198.51.100.1", 1, "198.51.100.1"),
        ("10.0.0.1", "1.1.1.1, 198.51.100.1, 10.0.0.2", 2, "198.51.100.1"),
        ("203.0.113.7", "198.51.100.1", 2, "203.0.113.7"),
        ("203.0.113.7", "", 1, "203.0.113.7"),
        ("10.0.0.1", "198.51.100.1:4711", 1, "198.51.100.1"),
        ("10.0.0.1", "[2001:db8::7]:4711", 1, "2001:db8::7"),
        ("10.0.0.1", "nonsense", 1, "None"),
        ("::ffff:203.0.113.7", "", 0, "203.0.113.7"),
        ("fe80::1%eth0", "", 0, "fe80::1"),
        ("", "", 0, "None"),
    ],
)
def test_address_is_that_of_the_client(seen, connected, forwarded, proxies, expected):
    assert seen(connected, forwarded, proxies=proxies) == expected


@pytest.mark.parametrize("connected", ["127.0.0.1", "10.0.0.1", "::1"])
def test_proxy_that_is_not_set_is_told_of_once_and_limits_nobody(seen, connected, monkeypatch, caplog):
    monkeypatch.setattr(address, "_told", set())
    with caplog.at_level(logging.WARNING):
        assert [seen(connected, "198.51.100.1"), seen(connected, "198.51.100.1")] == ["None", "None"]
    assert [record.message for record in caplog.records] == [
        'Requests come through a proxy: set CHATKIT["PROXIES"] to how many there are. '
        "Until then no limit per address is in force."
    ]


def test_key_is_that_of_the_network_and_tells_nothing(rf):
    def key(connected: str) -> str:
        return address_key(rf.post("/chatkit", REMOTE_ADDR=connected))

    assert key("2001:db8:0:1::7") == key("2001:db8:0:1:ffff::8") != key("2001:db8:0:2::7")
    assert key("203.0.113.7") != key("203.0.113.8")
    assert len(key("203.0.113.7")) == 64
    assert key("nobody") == ""
