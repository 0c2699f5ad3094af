"""The route for webhooks of vendors. No API key: the signature shows who sent a delivery."""

from starlette.routing import Route

from gateway.http.endpoint import ApiRequest, Endpoint
from gateway.vendor_events.receiver import VendorDelivery, WebhookReceiver
from gateway.vendor_events.registration import PATH

OPERATION = "vendor_webhook"


class VendorEventApi:
    """Receives deliveries; refuses bodies larger than `max_body_bytes`."""

    def __init__(self, receiver: WebhookReceiver, max_body_bytes: int) -> None:
        self._receiver = receiver
        self._max_body_bytes = max_body_bytes

    def routes(self) -> list[Route]:
        return [Endpoint(OPERATION, self._receive, self._max_body_bytes).route("POST", PATH)]

    async def _receive(self, request: ApiRequest) -> tuple[int, dict[str, bool]]:
        delivery = VendorDelivery(
            provider=request.path["provider"],
            account_id=request.path["account_id"],
            # A vendor may send a header twice, so these are not held to our own callers' rules.
            headers={name.decode("latin-1"): value.decode("latin-1") for name, value in request.scope["headers"]},
            body=await request.body(),
            request_id=request.context.request_id,
        )
        await self._receiver.receive(delivery)
        # Logged only now: before the signature was checked it could be any text.
        request.context.account_id = delivery.account_id
        return 200, {"received": True}
