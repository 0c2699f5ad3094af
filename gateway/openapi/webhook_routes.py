"""The rows of webhooks: where a project hears of events, and what became of each delivery."""

from collections.abc import Mapping

from connectors.platform import WEBHOOK_OPERATIONS
from gateway.contract.query import MOST_PAGES, PageLimits
from gateway.openapi.parameters import path_parameters, query
from gateway.openapi.responses import CONTRACT
from gateway.openapi.routes import Described
from gateway.openapi.schemas import Schema, or_null, reference
from gateway.webhooks.deliveries import State
from gateway.webhooks.endpoints import LONGEST_DESCRIPTION, MOST_EVENTS
from gateway.webhooks.event_scopes import EVENT_SCOPES, LISTS, SENDING
from gateway.webhooks.events import EVENTS, FAILURES, PING, RECORDS
from gateway.webhooks.service import LONGEST_OVERLAP
from gateway.webhooks.targets import LONGEST_URL

_JSON = "application/json"
_TEXT: Schema = {"type": "string"}
_TEXT_OR_NULL = or_null(_TEXT)
_MOMENT_OR_NULL: Schema = {"type": ["string", "null"], "format": "date-time"}
_MOMENT: Schema = {"type": "string", "format": "date-time"}
_STATE: Schema = {"type": "string", "enum": list(State)}
_EVENTS: Schema = {
    "type": "array",
    "items": _TEXT,
    "description": "; ".join(f"`{name}`: {text}" for name, text in EVENTS.items())
    + " `account.*`, `hris_employees.*` and the like stand for all of a kind, `*` for all. "
    "The API key also needs the scope that lists such records: "
    + "; ".join(f"`{operation.scope}` for `hris_{resource}.*`" for resource, operation in LISTS.items())
    + ".",
}


def _object(required: str, **properties: Schema) -> Schema:
    return {"type": "object", "required": required.split(), "properties": properties}


_WEBHOOK: Mapping[str, Schema] = {
    "id": _TEXT,
    "url": _TEXT,
    "events": _EVENTS,
    "description": _TEXT_OR_NULL,
    "enabled": {"type": "boolean"},
    "disabled_at": _MOMENT_OR_NULL,
    "disabled_reason": {**_TEXT_OR_NULL, "description": "`disabled`, `gone` (it answered 410) or `failing`."},
    "failing_since": _MOMENT_OR_NULL,
    "older_secret_until": _MOMENT_OR_NULL,
    "created_at": _MOMENT,
    "updated_at": _MOMENT,
}
_SECRET: Schema = {**_TEXT, "description": "What deliveries are signed with. It is shown this one time."}
_ATTEMPT = _object(
    "at milliseconds",
    at=_MOMENT,
    status={"type": ["integer", "null"]},
    milliseconds={"type": "integer"},
    error={**_TEXT_OR_NULL, "description": "A word for what went wrong, such as `timeout` or `address_refused`."},
)
_DELIVERY = _object(
    "id webhook_id event_id event state attempts",
    id=_TEXT,
    webhook_id=_TEXT,
    event_id={**_TEXT, "description": "The same in each attempt, in the header `webhook-id`."},
    event=_TEXT,
    account_id=_TEXT_OR_NULL,
    state=_STATE,
    reason={**_TEXT_OR_NULL, "description": "Why it is dead: `failed`, `gone`, `disabled` or `unreadable`."},
    replayable={"type": "boolean"},
    created_at=_MOMENT,
    next_at=_MOMENT_OR_NULL,
    ended_at=_MOMENT_OR_NULL,
    attempts={"type": "array", "items": _ATTEMPT},
)
_CHANGES: Mapping[str, Schema] = {
    "url": {**_TEXT, "maxLength": LONGEST_URL, "description": "An https URL with a public address."},
    "events": {**_EVENTS, "type": ["array", "null"], "minItems": 1, "maxItems": MOST_EVENTS},
    "description": {"type": ["string", "null"], "maxLength": LONGEST_DESCRIPTION},
    "enabled": {"type": "boolean"},
}

_EVENT: Mapping[str, Schema] = {
    "project_id": _TEXT,
    "account_id": _TEXT,
    "event": _TEXT,
    "event_date": {**_MOMENT, "description": "When it happened."},
    "record_type": _TEXT,
    "record_id": _TEXT,
    "sent_at": {**_MOMENT, "description": "When this try was made; signed with the rest, so old ones can be refused."},
}
_OF_ACCOUNT: Mapping[str, Schema] = {
    **_EVENT,
    "provider": _TEXT,
    "origin_owner_id": _TEXT,
    "origin_owner_name": _TEXT,
    "origin_username": _TEXT_OR_NULL,
    "setup_information": {"type": "object", "additionalProperties": _TEXT},
}
_REASON = _object("code description timestamp", code=_TEXT, description=_TEXT, timestamp=_MOMENT)
_FAILURE: Mapping[str, Schema] = {
    **_OF_ACCOUNT,
    "status": _TEXT,
    "status_reasons": {"type": "array", "items": _REASON},
}
_OF_RECORD: Mapping[str, Schema] = {
    **_EVENT,
    "record_type": {"type": "string", "enum": list(RECORDS)},
    "record_id": {**_TEXT, "description": "The record's `id`, with which it can be asked for."},
    "record_remote_id": {**_TEXT, "description": "The provider's own id."},
}
_PING = {name: schema for name, schema in _EVENT.items() if name != "account_id"}

WEBHOOKS_NAMED: Mapping[str, Schema] = {
    "Webhook": _object("id url events enabled created_at updated_at", **_WEBHOOK),
    "WebhookWithSecret": _object("id url events enabled secret", **_WEBHOOK, secret=_SECRET),
    "WebhookDelivery": _DELIVERY,
    "AccountEvent": _object(" ".join(_OF_ACCOUNT), **_OF_ACCOUNT),
    "AccountFailureEvent": _object(" ".join(_FAILURE), **_FAILURE),
    "RecordEvent": _object(" ".join(_OF_RECORD), **_OF_RECORD),
    "PingEvent": _object(" ".join(_PING), **_PING),
}
"""The schemas that the rows refer to."""

_ONE = reference("Webhook")
_WITH_SECRET = reference("WebhookWithSecret")
_SAID: Mapping[str, tuple[str, str, Schema]] = {
    "list_webhooks": ("Where the project hears of events", "Webhooks, newest last.", {"type": "array", "items": _ONE}),
    "create_webhook": ("Hear of events at a URL", "The webhook, with its secret this one time.", _WITH_SECRET),
    "get_webhook": ("One webhook", "The webhook.", _ONE),
    "update_webhook": ("Change a webhook, or enable it again", "The webhook as it is now.", _ONE),
    "delete_webhook": ("Remove a webhook and its log", "The webhook as it was.", _ONE),
    "rotate_webhook_secret": (
        "Make a new secret; the one before it lives on for a while",
        "The webhook, with its new secret this one time.",
        _WITH_SECRET,
    ),
    "ping_webhook": (
        "Send the event `webhook.ping`, and see in the log what comes of it",
        "The delivery, on its way.",
        reference("WebhookDelivery"),
    ),
    "list_webhook_deliveries": (
        "What was sent, and what came of each attempt",
        "Deliveries, newest first.",
        {"type": "array", "items": reference("WebhookDelivery")},
    ),
    "replay_webhook_deliveries": (
        "Send all dead deliveries again",
        "How many are on their way again.",
        _object("replayed", replayed={"type": "integer"}),
    ),
    "replay_webhook_delivery": (
        "Send one delivery again, arrived or dead",
        "The delivery, on its way again.",
        reference("WebhookDelivery"),
    ),
}
_BODIES: Mapping[str, Schema] = {
    "create_webhook": _object("url", **_CHANGES),
    "update_webhook": {"type": "object", "properties": dict(_CHANGES)},
}
_ERRORS = tuple(status for status in CONTRACT if status not in {408, 412})


_SIGNED: Mapping[str, str] = {
    "x-stackone-signature": "base64url without padding of HMAC-SHA256 over the body, keyed with the secret as shown. "
    "While two secrets live, the first try has that of the older, the next that of the newer, and so on.",
    "webhook-id": "The same in each try: an event that was heard already can be passed over.",
    "webhook-timestamp": "When this try was made, in seconds since 1970.",
    "webhook-signature": "As Standard Webhooks has it, over `id.timestamp.body`; one for each secret that lives.",
}


def event_items() -> Mapping[str, Schema]:
    """Give what an endpoint is sent, a Path Item Object for each event."""
    named = {
        **{name: "AccountEvent" if name.startswith("account.") else "RecordEvent" for name in EVENTS},
        **dict.fromkeys(FAILURES, "AccountFailureEvent"),
    }
    texts = {**EVENTS, PING: "Somebody has asked whether the endpoint can be reached."}
    return {name: {"post": _told(name, text, named.get(name, "PingEvent"))} for name, text in texts.items()}


def _told(name: str, text: str, schema: str) -> Schema:
    headers = [
        {"name": header, "in": "header", "required": True, "description": what, "schema": _TEXT}
        for header, what in _SIGNED.items()
    ]
    return {
        "operationId": name.replace(".", "_"),
        "summary": text,
        "tags": ["webhooks"],
        "security": [],
        "parameters": headers,
        "requestBody": {"required": True, "content": {_JSON: {"schema": reference(schema)}}},
        "responses": {
            "2XX": {"description": "It was heard. Any other answer has it sent again; 410 ends the webhook."},
        },
    }


def webhook_routes(limits: PageLimits) -> list[Described]:
    options: Mapping[str, Schema] = {
        "overlap_seconds": query(
            "overlap_seconds",
            "How long the present secret lives on; 0 for one that others know.",
            {"type": "integer", "minimum": 0, "maximum": LONGEST_OVERLAP},
        ),
        "state": query("state", "Deliveries in this state.", _STATE),
        "page": query("page", "The page, from 1.", {"type": "integer", "minimum": 1, "maximum": MOST_PAGES}),
        "page_size": query(
            "page_size",
            "Deliveries on a page.",
            {"type": "integer", "minimum": 1, "maximum": limits.most, "default": limits.default},
        ),
    }
    found = []
    for operation in WEBHOOK_OPERATIONS:
        summary, answer, schema = _SAID[operation.id]
        found.append(
            Described(
                operation=operation,
                summary=summary,
                answers={operation.status: (answer, _JSON, schema)},
                errors=_ERRORS,
                parameters=(*path_parameters(operation.path), *(options[each] for each in operation.parameters)),
                body=_BODIES.get(operation.id, {}),
                event_scopes=EVENT_SCOPES if operation.id in SENDING else {},
            )
        )
    return found
