"""Decides which addresses a delivery may go to (server-side request forgery, SSRF).

The caller chooses the URL, and it must not lead into the operator's network. The name in a URL proves nothing, so
`sender.py` checks the address that it resolves to as well, at each connection.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

LONGEST_URL = 2000
WELL_KNOWN_PORTS = frozenset({80, 443})
FIRST_FREE_PORT = 1024

CLOSED: Sequence[Network] = tuple(
    map(
        ip_network,
        (
            # IANA's registry of special IPv4 addresses (RFC 6890 and later), and multicast.
            *"0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24".split(),
            *"192.0.2.0/24 192.31.196.0/24 192.52.193.0/24 192.88.99.0/24 192.168.0.0/16 192.175.48.0/24".split(),
            *"198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4".split(),
            # Azure's metadata and health service, which has a public address.
            "168.63.129.16/32",
            # What is special within IPv6's global unicast: Teredo and other protocols, documentation, 6to4, AS112.
            *"2001::/23 2001:db8::/32 2002::/16 2620:4f:8000::/48 3fff::/20".split(),
        ),
    )
)
GLOBAL_UNICAST = IPv6Network("2000::/3")
NAT64 = IPv6Network("64:ff9b::/96")

_HOST = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*\.?", re.IGNORECASE)
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Targets:
    """The rules: whether plain HTTP is allowed, and which of the operator's own networks are allowed."""

    allow_http: bool = False
    networks: tuple[Network, ...] = ()

    def admits(self, address: str) -> bool:
        """Returns whether a delivery may go to an IP address."""
        try:
            found = _embedded(ip_address(address))
        except ValueError:
            return False
        if any(found in network for network in self.networks):
            return True
        if isinstance(found, IPv6Address) and found not in GLOBAL_UNICAST:
            return False
        return not any(found in network for network in CLOSED)

    def fault(self, url: str) -> str:
        """Returns what is wrong with a URL, "" if nothing is. The text does not repeat it: it may hold a secret."""
        if len(url) > LONGEST_URL or not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
            return f"must be a URL of at most {LONGEST_URL} characters, all of them printable ASCII"
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            return "is not a URL"
        rules = (
            (parts.scheme == "https" or (self.allow_http and parts.scheme == "http"), "must begin with https://"),
            ("@" not in parts.netloc, "must not hold a user name or password"),
            ("#" not in url, "must not have a fragment"),
            (
                port is None or port in WELL_KNOWN_PORTS or port >= FIRST_FREE_PORT,
                f"must have port 443, 80, or one from {FIRST_FREE_PORT}",
            ),
        )
        broken = next((why for followed, why in rules if not followed), "")
        return broken or self._host_fault(parts.hostname or "", bracketed="[" in parts.netloc)

    def _host_fault(self, host: str, *, bracketed: bool) -> str:
        if not bracketed and not _HOST.fullmatch(host):
            return "must name a host"
        # What ends in a number is an address to many programs (127.1, 0x7f000001); it has to be a plain one.
        last = host.removesuffix(".").rpartition(".")[2]
        if not bracketed and not _NUMBER.fullmatch(last):
            return ""
        return "" if self.admits(host) else "must not lead into a private or special network"


def _embedded(address: Address) -> Address:
    """Returns the IPv4 address that an IPv6 address embeds, or else the address itself."""
    if not isinstance(address, IPv6Address):
        return address
    if address.ipv4_mapped:
        return address.ipv4_mapped
    if address in NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address
