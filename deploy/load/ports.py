"""Port numbers for servers that cannot be told to take a free one: nobody else takes them until they are given back."""

import secrets
import socket

# Below the ports that the kernel uses for outgoing connections and for port 0 (ip_local_port_range of Linux).
LOWEST, HIGHEST = 10_000, 32_767


class Ports:
    """Each number is marked by a UDP socket: who looks for one in this way, in whatever process, sees the marks."""

    def __init__(self) -> None:
        self._marks: list[socket.socket] = []

    def take(self) -> int:
        while True:
            port = LOWEST + secrets.randbelow(HIGHEST - LOWEST + 1)
            mark = socket.socket(type=socket.SOCK_DGRAM)
            try:
                mark.bind(("127.0.0.1", port))
                socket.create_server(("127.0.0.1", port)).close()
            except OSError:
                mark.close()
                continue
            self._marks.append(mark)
            return port

    def close(self) -> None:
        for mark in self._marks:
            mark.close()
        self._marks.clear()
