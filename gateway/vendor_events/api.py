"""Where vendors send their webhooks. No API key: the signature says whose a delivery is."""

from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from gateway.http.middleware import exchange_of
from gateway.http.request import read_body
from gateway.vendor_events.receiver import Delivery, Signals
from gateway.vendor_events.registration import PATH

HEADERS = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
OPERATION = "vendor_webhook"


class HooksApi:
    """Takes deliveries. Bodies larger than `most` bytes are refused."""

    def __init__(self, signals: Signals, most: int) -> None:
        self._signals = signals
        self._most = most

    def routes(self) -> list[Route]:
        return [Route(PATH, self, methods=["POST"], name=OPERATION)]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange = exchange_of(scope)
        exchange.operation = OPERATION
        named = scope["path_params"]
        delivery = Delivery(
            provider=named["provider"],
            account_id=named["account_id"],
            headers={name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]},
            body=await read_body(scope, receive, self._most),
            request_id=exchange.request_id,
        )
        await self._signals.receive(delivery)
        # Only now it is known to be an account's id and not any text.
        exchange.account_id = delivery.account_id
        await exchange.respond(send, 200, HEADERS, b'{"received":true}')
