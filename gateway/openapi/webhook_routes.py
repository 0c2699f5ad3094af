"""The rows of webhooks: endpoints of a project, their deliveries, and the events that they are sent."""

from collections.abc import Mapping

from connectors.platform import WEBHOOK_OPERATIONS
from gateway.contract.query import PageLimits
from gateway.openapi.parameters import page_parameters, query
from gateway.openapi.responses import CONTRACT
from gateway.openapi.routes import DocumentedRoute
from gateway.openapi.schemas import (
    BOOLEAN,
    INTEGER,
    MOMENT,
    TEXT,
    Schema,
    described,
    list_of,
    object_of,
    or_null,
    reference,
)
from gateway.webhooks.deliveries import State
from gateway.webhooks.event_scopes import EVENT_SCOPES, LISTS, SENDING
from gateway.webhooks.events import EVENTS, FAILURES, PING, RECORDS
from gateway.webhooks.signature import LONGEST_OVERLAP

_JSON = "application/json"
_STATE: Schema = {"type": "string", "enum": list(State)}
_EVENT_NAMES = described(
    list_of(TEXT),
    "Names of events, families such as `account.*`, or `*` for all. The API key also needs the scope that lists such "
    "records: "
    + "; ".join(f"`{operation.scope}` for `hris_{resource}.*`" for resource, operation in LISTS.items())
    + ".",
)
_WEBHOOK: Mapping[str, Schema] = {
    "id": TEXT,
    "url": TEXT,
    "events": _EVENT_NAMES,
    "description": or_null(TEXT),
    "enabled": BOOLEAN,
    "disabled_at": or_null(MOMENT),
    "disabled_reason": described(or_null(TEXT), "One of `disabled`, `failing` or, after an answer of 410, `gone`."),
    "failing_since": or_null(MOMENT),
    "older_secret_until": described(or_null(MOMENT), "When the secret before the present one ends."),
    "created_at": MOMENT,
    "updated_at": MOMENT,
}
_EVENT: Mapping[str, Schema] = {
    "project_id": TEXT,
    "account_id": TEXT,
    "event": TEXT,
    "event_date": described(MOMENT, "When the event happened."),
    "record_type": TEXT,
    "record_id": TEXT,
    "sent_at": described(MOMENT, "When this attempt was made. The signature covers it, so old ones can be refused."),
}
_ACCOUNT_EVENT: Mapping[str, Schema] = {
    **_EVENT,
    "provider": TEXT,
    "origin_owner_id": TEXT,
    "origin_owner_name": TEXT,
    "origin_username": or_null(TEXT),
    "setup_information": {"type": "object", "additionalProperties": TEXT},
}
_FAILURE_EVENT: Mapping[str, Schema] = {
    **_ACCOUNT_EVENT,
    "status": TEXT,
    "status_reasons": list_of(object_of("code description timestamp", code=TEXT, description=TEXT, timestamp=MOMENT)),
}
_RECORD_EVENT: Mapping[str, Schema] = {
    **_EVENT,
    "record_type": {"type": "string", "enum": list(RECORDS)},
    "record_id": described(TEXT, "The `id` of the record in the unified API."),
    "record_remote_id": described(TEXT, "The provider's own id of the record."),
}
_PING_EVENT = {name: schema for name, schema in _EVENT.items() if name != "account_id"}

WEBHOOK_SCHEMAS: Mapping[str, Schema] = {
    "Webhook": object_of("id url events enabled created_at updated_at", **_WEBHOOK),
    "WebhookWithSecret": object_of(
        "id url events enabled secret",
        **_WEBHOOK,
        secret=described(TEXT, "The secret that signs deliveries. It cannot be read again."),
    ),
    "WebhookDelivery": object_of(
        "id webhook_id event_id event state attempts",
        id=TEXT,
        webhook_id=TEXT,
        event_id=described(TEXT, "The same in each attempt, and sent in the header `webhook-id`."),
        event=TEXT,
        account_id=or_null(TEXT),
        state=_STATE,
        reason=described(or_null(TEXT), "Why it is dead: `failed`, `gone`, `disabled` or `unreadable`."),
        replayable=BOOLEAN,
        created_at=MOMENT,
        next_at=or_null(MOMENT),
        ended_at=or_null(MOMENT),
        attempts=list_of(
            object_of(
                "at milliseconds",
                at=MOMENT,
                status=or_null(INTEGER),
                milliseconds=INTEGER,
                error=described(or_null(TEXT), "What went wrong, such as `timeout` or `address_refused`."),
            )
        ),
    ),
    "AccountEvent": object_of(" ".join(_ACCOUNT_EVENT), **_ACCOUNT_EVENT),
    "AccountFailureEvent": object_of(" ".join(_FAILURE_EVENT), **_FAILURE_EVENT),
    "RecordEvent": object_of(" ".join(_RECORD_EVENT), **_RECORD_EVENT),
    "PingEvent": object_of(" ".join(_PING_EVENT), **_PING_EVENT),
}

_ONE, _WITH_SECRET, _DELIVERY = (reference(name) for name in ("Webhook", "WebhookWithSecret", "WebhookDelivery"))
_ROWS: Mapping[str, tuple[str, str, Schema]] = {
    "list_webhooks": ("List the webhooks of the project", "The webhooks, newest last.", list_of(_ONE)),
    "create_webhook": ("Create a webhook", "The webhook with its secret, which cannot be read again.", _WITH_SECRET),
    "get_webhook": ("Get a webhook", "The webhook without its secret.", _ONE),
    "update_webhook": ("Change a webhook, or enable it again", "The webhook after the change.", _ONE),
    "delete_webhook": ("Delete a webhook and its deliveries", "The webhook as it was.", _ONE),
    "rotate_webhook_secret": (
        "Replace the secret of a webhook; the present one stays valid for a while",
        "The webhook with its new secret, which cannot be read again.",
        _WITH_SECRET,
    ),
    "ping_webhook": ("Send the event `webhook.ping` to a webhook", "The delivery, which is pending.", _DELIVERY),
    "list_webhook_deliveries": (
        "List the deliveries of a webhook, each with its attempts",
        "The deliveries, newest first.",
        list_of(_DELIVERY),
    ),
    "replay_webhook_deliveries": (
        "Send all dead deliveries of a webhook again",
        "The number of deliveries that are sent again.",
        object_of("replayed", replayed=INTEGER),
    ),
    "replay_webhook_delivery": (
        "Send a delivery again, whether it arrived or is dead",
        "The delivery, which is pending again.",
        _DELIVERY,
    ),
}
_ERRORS = tuple(status for status in CONTRACT if status not in {408, 412})

_HEADERS: Mapping[str, str] = {
    "x-stackone-signature": "The HMAC-SHA256 of the body, keyed with the secret as shown, in base64url without "
    "padding. While two secrets are valid, the attempts use the older and the newer one in turn.",
    "webhook-id": "The same in each attempt, so that an event can be recognised when it arrives twice.",
    "webhook-timestamp": "When this attempt was made, in seconds since 1970.",
    "webhook-signature": "The signature of Standard Webhooks over `id.timestamp.body`, one for each valid secret.",
}


def event_items() -> Mapping[str, Schema]:
    """Returns a Path Item Object for each event that an endpoint may be sent, by the event's name."""
    schemas = {
        **{name: "AccountEvent" if name.startswith("account.") else "RecordEvent" for name in EVENTS},
        **dict.fromkeys(FAILURES, "AccountFailureEvent"),
        PING: "PingEvent",
    }
    texts = {**EVENTS, PING: "A caller asked whether the endpoint can be reached."}
    return {name: {"post": _event(name, text, schemas[name])} for name, text in texts.items()}


def _event(name: str, text: str, schema: str) -> Schema:
    return {
        "operationId": name.replace(".", "_"),
        "summary": f"Event {name}",
        "description": text,
        "tags": ["webhooks"],
        "security": [],
        "parameters": [
            {"name": header, "in": "header", "required": True, "description": what, "schema": TEXT}
            for header, what in _HEADERS.items()
        ],
        "requestBody": {"required": True, "content": {_JSON: {"schema": reference(schema)}}},
        "responses": {
            "2XX": {
                "description": "The event was received. After any other answer it is sent again, but 410 disables the "
                "webhook."
            },
        },
    }


def webhook_routes(limits: PageLimits) -> list[DocumentedRoute]:
    overlap: Schema = {"type": "integer", "minimum": 0, "maximum": LONGEST_OVERLAP}
    options: Mapping[str, Schema] = {
        **page_parameters("Deliveries on a page.", limits),
        "overlap_seconds": query(
            "overlap_seconds",
            "How many seconds the present secret stays valid; 0 ends it at once.",
            overlap,
        ),
        "state": query("state", "List deliveries in this state.", _STATE),
    }
    found = []
    for operation in WEBHOOK_OPERATIONS:
        summary, description, schema = _ROWS[operation.id]
        found.append(
            DocumentedRoute(
                operation=operation,
                summary=summary,
                answers={operation.status: (description, _JSON, schema)},
                errors=_ERRORS,
                parameters=tuple(options[each] for each in operation.parameters),
                event_scopes=EVENT_SCOPES if operation.id in SENDING else {},
            )
        )
    return found
