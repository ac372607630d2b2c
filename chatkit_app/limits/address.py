"""The place where a request comes from, as far as the limits need to know it: a keyed hash of the client's network."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING

from django.utils.crypto import salted_hmac

from ..conf import chatkit_settings
from ..logs import get_logger

if TYPE_CHECKING:
    from django.http import HttpRequest

logger = get_logger(__name__)

# "192.0.2.7:5000" and "[2001:db8::7]:5000", as some proxies write them.
_WITH_PORT = re.compile(r"\[(?P<six>[^\]]+)\](:\d+)?|(?P<four>\d+\.\d+\.\d+\.\d+):\d+")

_told: set[str] = set()


def address_key(request: HttpRequest) -> str:
    """Return a keyed hash of the network that the client is in; empty when it cannot be told.

    One address of IPv4, and of IPv6 the 64 bits that one customer has all of.
    """
    address = client_address(request)
    if address is None:
        return ""
    network = str(address) if address.version == 4 else str(ip_network((address, 64), strict=False))
    return salted_hmac("chatkit_app.address", network, algorithm="sha256").hexdigest()


def client_address(request: HttpRequest) -> IPv4Address | IPv6Address | None:
    """Return the client's address: who is connected, or whom the outermost of ``CHATKIT["PROXIES"]`` proxies has named.

    Each proxy adds who has connected to it on the right of ``X-Forwarded-For``. What stands further left is the
    client's own invention, and so is the whole header when it is shorter than there are proxies.
    """
    connected = _parse(request.META.get("REMOTE_ADDR", ""))
    forwarded = request.headers.get("x-forwarded-for", "")
    count = chatkit_settings.proxies
    if count:
        named = forwarded.split(",") if forwarded else []
        return _parse(named[-count]) if len(named) >= count else connected
    if forwarded and connected is not None and (connected.is_private or connected.is_loopback):
        # A proxy that nobody has told us of. All visitors of the site seem to have its address.
        if "proxies" not in _told:
            _told.add("proxies")
            logger.warning(
                'Requests come through a proxy: set CHATKIT["PROXIES"] to how many there are. '
                "Until then no limit per address is in force."
            )
        return None
    return connected


def _parse(text: str) -> IPv4Address | IPv6Address | None:
    text = text.strip()
    found = _WITH_PORT.fullmatch(text)
    if found is not None:
        text = found["six"] or found["four"]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address
