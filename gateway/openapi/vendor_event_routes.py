"""The row of the route for vendors' webhooks."""

from connectors.contract import Operation
from gateway.openapi.parameters import path_parameters
from gateway.openapi.routes import Described
from gateway.vendor_events.registration import PATH

_OPERATION = Operation(id="vendor_webhook", method="POST", path=PATH, resource="gateway", kind="create", scope="")

HOOKS = (
    Described(
        operation=_OPERATION,
        summary="For a provider: what has changed there. The body is signed with the secret of the account's webhook",
        answers={
            200: (
                "It was taken.",
                "application/json",
                {"type": "object", "required": ["received"], "properties": {"received": {"type": "boolean"}}},
            )
        },
        errors=(400, 401, 500),
        parameters=tuple(path_parameters(PATH)),
        body={"type": ["object", "array"], "description": "As the provider writes it."},
    ),
)
