"""The row of the route that takes the vendors' webhooks."""

from connectors.contract import Operation
from gateway.openapi.routes import DocumentedRoute
from gateway.openapi.schemas import BOOLEAN, object_of
from gateway.vendor_events.registration import PATH

VENDOR_EVENTS = (
    DocumentedRoute(
        operation=Operation(id="vendor_webhook", method="POST", path=PATH, resource="gateway", kind="create", scope=""),
        summary="Receive a webhook from a provider",
        answers={200: ("The webhook was received.", "application/json", object_of("received", received=BOOLEAN))},
        errors=(400, 401, 500),
        body={
            "type": ["object", "array"],
            "description": "The provider's own format, signed with the secret of the account's webhook.",
        },
    ),
)
