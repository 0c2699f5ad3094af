"""The addresses that may see the dashboard. For any other there is no such path."""

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address

from starlette.types import Scope

from gateway.errors import NotFound
from gateway.http.context import address_of


class AllowList:
    """The operator's networks. An empty list admits every address; the password is asked for in any case."""

    def __init__(self, networks: Sequence[IPv4Network | IPv6Network]) -> None:
        self._networks = tuple(networks)

    def admits(self, address: str) -> bool:
        """Returns whether an address is in one of the networks. A text that is no address is in none."""
        if not self._networks:
            return True
        try:
            found = ip_address(address.partition("%")[0])
        except ValueError:
            return False
        if isinstance(found, IPv6Address) and found.ipv4_mapped:
            found = found.ipv4_mapped
        return any(found in network for network in self._networks)

    def check(self, scope: Scope) -> None:
        """Raises `NotFound` for a request to the dashboard from another address."""
        path = scope["path"]
        if (path == "/dashboard" or path.startswith("/dashboard/")) and not self.admits(address_of(scope)):
            raise NotFound("There is no such path. The unified API is under /unified/hris/.")
