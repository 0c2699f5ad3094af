"""Where vendors send their webhooks. No API key: the signature says whose a delivery is."""

from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from gateway.http.middleware import context_of
from gateway.http.request import read_body
from gateway.vendor_events.receiver import VendorDelivery, WebhookReceiver
from gateway.vendor_events.registration import PATH

HEADERS = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
OPERATION = "vendor_webhook"


class VendorEventApi:
    """Takes deliveries. Bodies larger than `most` bytes are refused."""

    def __init__(self, signals: WebhookReceiver, most: int) -> None:
        self._signals = signals
        self._most = most

    def routes(self) -> list[Route]:
        return [Route(PATH, self, methods=["POST"], name=OPERATION)]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        context = context_of(scope)
        context.operation = OPERATION
        named = scope["path_params"]
        delivery = VendorDelivery(
            provider=named["provider"],
            account_id=named["account_id"],
            headers={name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]},
            body=await read_body(scope, receive, self._most),
            request_id=context.request_id,
        )
        await self._signals.receive(delivery)
        # Only now it is known to be an account's id and not any text.
        context.account_id = delivery.account_id
        await context.respond(send, 200, HEADERS, b'{"received":true}')
