"""Runs an ASGI app of the bench on a free port, with uvicorn set as fast as it goes, and says where it listens."""

import socket
from typing import Any

import uvicorn


def serve(app: Any) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
        print(f"bench listening on http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
        config = uvicorn.Config(
            app,
            loop="uvloop",
            http="httptools",
            ws="none",
            lifespan="off",
            access_log=False,
            log_level="warning",
            proxy_headers=False,
            server_header=False,
        )
        uvicorn.Server(config).run(sockets=[listener])
