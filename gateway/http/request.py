"""Reading a request's body, up to a limit."""

from urllib.parse import parse_qsl

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


_MOST_PARAMETERS = 100


_SINGLE = frozenset({b"authorization", b"x-account-id", b"idempotency-key", b"content-type", b"content-encoding"})


def read_headers(scope: Scope) -> dict[bytes, bytes]:
    """Give the headers by name; one that decides who asks for whom must not be given twice."""
    headers: dict[bytes, bytes] = {}
    for name, value in scope["headers"]:
        if name in _SINGLE and name in headers:
            raise BadRequest(f"The header {name.decode()} is given twice.")
        headers[name] = value
    return headers


def read_query(query: bytes) -> tuple[tuple[str, str], ...]:
    if not query:
        return ()
    try:
        pairs = parse_qsl(
            query.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MOST_PARAMETERS
        )
    except ValueError as error:
        raise BadRequest(
            f"The query cannot be read: it must be percent-encoded UTF-8 with at most {_MOST_PARAMETERS} parameters."
        ) from error
    return tuple(pairs)
