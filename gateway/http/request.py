"""Reading a request's body, up to a limit."""

from starlette.types import Receive, Scope

from gateway.errors import BadRequest

TOO_LARGE = "The body is larger than {most} bytes."


async def read_body(scope: Scope, receive: Receive, most: int) -> bytes:
    """Give the whole body. Raises `BadRequest` as soon as it is known to be too large, or if the caller hangs up."""
    declared = dict(scope["headers"]).get(b"content-length", b"0")
    if declared.isdigit() and int(declared) > most:
        raise BadRequest(TOO_LARGE.format(most=most))
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise BadRequest("The connection was closed before the whole body had come.")
        body += message.get("body", b"")
        if len(body) > most:
            raise BadRequest(TOO_LARGE.format(most=most))
        if not message.get("more_body", False):
            return bytes(body)
