"""The bodies of every operation beside the HR records. Names are StackOne's where it has the operation."""

from collections.abc import Mapping
from dataclasses import replace

from connectors.contract import (
    ANY,
    BOOLEAN,
    MAP,
    TEXT,
    Integer,
    ListOf,
    MapOf,
    OneOf,
    Resource,
    Spec,
    Text,
    Unsupported,
)

ACCOUNT_TYPES = ("production", "test")
MAX_CACHE_SECONDS = 7 * 24 * 3600
MAX_SETTINGS = 50
MAX_WEBHOOK_EVENTS = 50
CATEGORIES = tuple(
    "ats hris hris-legacy crm iam marketing lms stackone documents ticketing screening messaging accounting "
    "scheduling".split()
)
SESSION_SECONDS = 1800
"""Seconds that a connect session lives unless it is told otherwise."""
MAX_METADATA_BYTES = 8192
PROXY_METHODS = ("get", "post", "put", "patch", "delete")
PROXY_HEADERS = (
    *("accept", "accept-language", "content-type", "idempotency-key", "if-modified-since", "if-none-match", "prefer"),
)
"""The headers of a proxied request that are sent on to the provider."""

_NAME = Text(200)
_ACCOUNT_TYPE = OneOf(ACCOUNT_TYPES)
_SECONDS = Integer(0, MAX_CACHE_SECONDS)

_REPLACE_COMPANY = Spec(
    BOOLEAN,
    description="`true` lets the account be linked to another company at the provider and deletes all that is stored "
    "of the company before. Otherwise a token of another company is refused with 409.",
)
_CREDENTIALS = Spec(
    MAP, description="The new credential, under the name of its field in the connector's form. It is never shown again."
)

UPDATE_ACCOUNT = Resource(
    "update_account",
    {
        "label": Spec(_NAME, description="A name for the account; null removes it."),
        "origin_owner_id": Spec(_NAME, description="Your customer's id; null leaves it as it is."),
        "origin_owner_name": Spec(_NAME, description="Your customer's name; null leaves it as it is."),
        "origin_username": Spec(_NAME, description="The person who linked the account; null removes it."),
        "setup_information": Spec(
            MapOf(Text(2000), MAX_SETTINGS),
            description="Settings to merge into those that the account has; a null setting is deleted.",
        ),
        "type": Spec(_ACCOUNT_TYPE, description="The kind of the account; null leaves it as it is."),
        "cache": Spec(
            Resource(
                "account_cache",
                {
                    "enabled": Spec(
                        BOOLEAN, nullable=False, default=True, description="`false` stores no answers of the account."
                    ),
                    "max_fresh_seconds": Spec(
                        _SECONDS, description="How long an answer may be used as fresh; null sets no limit."
                    ),
                    "max_stale_seconds": Spec(
                        _SECONDS, description="How long an answer may be used when it is stale; null sets no limit."
                    ),
                },
            ),
            description="How answers of the account are cached; null restores the defaults.",
        ),
        "provider": Spec(TEXT, description="Must be the account's provider, which cannot be changed."),
        "credentials": _CREDENTIALS,
        "secrets": Spec(MAP, description="Another name for `credentials`."),
        "replace_company": _REPLACE_COMPANY,
        "metadata": Spec(Unsupported("is not stored here: use label or setup_information")),
        "authentication_config_key": Spec(Unsupported("cannot be chosen: a connector has one way to authenticate")),
        "environment": Spec(Unsupported("cannot be chosen: the operator sets the address of a provider")),
        "integration_id": Spec(Unsupported("cannot be chosen: each provider has one integration")),
    },
)

_PROVIDER = Spec(TEXT, description="The provider to link; the page then opens its form at once.")
CREATE_CONNECT_SESSION = Resource(
    "create_connect_session",
    {
        "origin_owner_id": Spec(_NAME, required=True, description="Your customer's id."),
        "origin_owner_name": Spec(_NAME, required=True, description="Your customer's name, shown on the page."),
        "origin_username": Spec(_NAME, description="The person who links the account."),
        "account_id": Spec(_NAME, description="An account of this owner that gets a new credential."),
        "label": Spec(_NAME, description="A name for the account."),
        "provider": _PROVIDER,
        # Each provider has one integration, so its key names both.
        "integration_id": replace(_PROVIDER, description="Another name for `provider`."),
        "connector_profile_id": replace(_PROVIDER, description="Another name for `provider`."),
        "categories": Spec(
            ListOf(OneOf(CATEGORIES)), description="The categories of providers to offer; null offers all."
        ),
        "expires_in": Spec(
            Integer(60, 30 * 24 * 3600), default=SESSION_SECONDS, description="Seconds until the session ends."
        ),
        "multiple": Spec(BOOLEAN, description="`true` creates another account where the owner already has one."),
        "replace_company": _REPLACE_COMPANY,
        "metadata": Spec(MAP, description=f"Any object of at most {MAX_METADATA_BYTES} bytes, returned unchanged."),
        "type": Spec(_ACCOUNT_TYPE, description="The kind of the account."),
        "provider_version": Spec(Unsupported("cannot be chosen: a provider has one version")),
        "shared": Spec(Unsupported("is not possible here: an account belongs to one project")),
        "relink": Spec(Unsupported("cannot be chosen: an owner's account is linked again unless multiple is true")),
        "scopes": Spec(Unsupported("cannot be chosen: the Hub asks for what the gateway's settings need")),
    },
)

AUTHENTICATE_CONNECT_SESSION = Resource(
    "authenticate_connect_session",
    {"token": Spec(_NAME, required=True, description="The token of the connect session.")},
)

HUB_RELINK = Resource(
    "hub_relink",
    {
        "integration_id": Spec(_NAME, description="The provider, as the list of connectors names it."),
        "credentials": _CREDENTIALS,
    },
)
HUB_LINK = Resource(
    "hub_link", {**HUB_RELINK.fields, "integration_id": replace(HUB_RELINK.fields["integration_id"], required=True)}
)

_WEBHOOK: Mapping[str, Spec] = {
    "url": Spec(TEXT, nullable=False, description="The https URL, with a public address, that events are sent to."),
    "events": Spec(
        ListOf(TEXT, MAX_WEBHOOK_EVENTS, 1),
        description="The names of the events to send, families such as `account.*`, or `*`; null means all events.",
    ),
    "description": Spec(Text(200, 0), description="A note on what the webhook is for; null removes it."),
    "enabled": Spec(BOOLEAN, nullable=False, description="`false` stops sending events, `true` starts again."),
}
UPDATE_WEBHOOK = Resource("update_webhook", _WEBHOOK)
CREATE_WEBHOOK = Resource("create_webhook", {**_WEBHOOK, "url": replace(_WEBHOOK["url"], required=True)})

PROXY_REQUEST = Resource(
    "proxy_request",
    {
        "method": Spec(OneOf(PROXY_METHODS), default="get", description="The HTTP method of the provider's call."),
        "path": Spec(
            TEXT,
            required=True,
            description="A path of the provider's API that the rules list, with a query if wanted. The API key needs "
            "every client scope that the same records take through the unified API.",
        ),
        "url": Spec(TEXT, description="Must be the provider's own address."),
        "headers": Spec(
            Resource("proxy_headers", {name: Spec(Text(2000), nullable=False) for name in PROXY_HEADERS}),
            description="Headers to send to the provider.",
        ),
        "body": Spec(ANY, description="The JSON body to send to the provider."),
    },
)

BODIES: Mapping[str, Resource] = {
    body.name: body
    for body in (
        UPDATE_ACCOUNT,
        CREATE_CONNECT_SESSION,
        AUTHENTICATE_CONNECT_SESSION,
        CREATE_WEBHOOK,
        UPDATE_WEBHOOK,
        PROXY_REQUEST,
    )
}
"""The bodies by the ids of their operations."""
