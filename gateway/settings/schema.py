"""Every setting of the gateway, by section: type, default, meaning and the reason for the default.

The rest of the gateway gets plain values and never these objects. `gateway.settings.load` fills them; nothing here
reads a file or the environment.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    IPvAnyNetwork,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    SecretStr,
    model_validator,
)

REDIS_SCHEMES = ("redis", "rediss", "unix", "redis+sentinel", "rediss+sentinel", "redis+cluster", "rediss+cluster")
DATABASES = ("sqlite", "sqlite+aiosqlite", "postgresql", "postgresql+asyncpg", "postgres")
FRESH_SECONDS: Mapping[str, float] = {
    "employees": 60,
    "employments": 60,
    "companies": 3600,
    "locations": 3600,
    "groups": 60,
    "custom_fields": 300,
    "bank_details": 60,
}
WEBHOOK_FRESH_SECONDS: Mapping[str, float] = {
    "employees": 900,
    "employments": 900,
    "companies": 3600,
    "locations": 3600,
    "groups": 900,
    "custom_fields": 900,
    "bank_details": 60,
}
STALE_WHILE_REVALIDATE_SECONDS: Mapping[str, float] = {
    "employees": 60,
    "employments": 60,
    "companies": 600,
    "locations": 600,
    "groups": 60,
    "custom_fields": 300,
    "bank_details": 0,
}
STALE_IF_ERROR_SECONDS: Mapping[str, float] = {
    "employees": 3600,
    "employments": 3600,
    "companies": 86400,
    "locations": 86400,
    "groups": 3600,
    "custom_fields": 3600,
    "bank_details": 0,
}
BY_RESOURCE: Mapping[str, Mapping[str, float]] = {
    "fresh_seconds": FRESH_SECONDS,
    "webhook_fresh_seconds": WEBHOOK_FRESH_SECONDS,
    "stale_while_revalidate_seconds": STALE_WHILE_REVALIDATE_SECONDS,
    "stale_if_error_seconds": STALE_IF_ERROR_SECONDS,
}
"""Settings of `cache` that are tables with a row for each resource."""


def _with_defaults(defaults: Mapping[str, float]) -> BeforeValidator:
    return BeforeValidator(lambda rows: {**defaults, **rows})


RETRY_SECONDS = (5.0, 30.0, 120.0, 600.0, 3600.0, 10800.0, 21600.0, 43200.0)


def _one_of_schemes(*schemes: str) -> AfterValidator:
    def check(url: str) -> str:
        if url and not url.startswith(tuple(f"{scheme}://" for scheme in schemes)):
            raise ValueError(f"should be empty or start with one of {', '.join(s + '://' for s in schemes)}")
        return url

    return AfterValidator(check)


def _names_service(url: str) -> str:
    if "+sentinel://" in url and not re.fullmatch(r"[^/?]+/[^/?]+(/[0-9]+)?/?(\?.*)?", url.partition("://")[2]):
        raise ValueError("should name the service after the Sentinels, as in redis+sentinel://host1,host2/service")
    return url


def _split(names: object) -> object:
    """Splits a list from an environment variable at its commas; returns any other value unchanged."""
    return [name.strip() for name in names.split(",") if name.strip()] if isinstance(names, str) else names


def _decode_key(key: SecretStr) -> SecretStr:
    try:
        size = len(base64.b64decode(key.get_secret_value(), validate=True))
    except (binascii.Error, ValueError):
        size = -1
    if size not in (0, 32):
        raise ValueError("should be 32 bytes in base64, such as `openssl rand -base64 32` prints")
    return key


def _decode_keys(keys: SecretStr) -> SecretStr:
    for key in _split_keys(keys):
        _decode_key(SecretStr(key))
    return keys


def _split_keys(keys: SecretStr) -> list[str]:
    return keys.get_secret_value().replace(",", " ").split()


HttpUrl = Annotated[str, _one_of_schemes("http", "https"), AfterValidator(lambda url: url.rstrip("/"))]
Networks = Annotated[tuple[IPvAnyNetwork, ...], BeforeValidator(_split)]
Operations = Annotated[tuple[Annotated[str, Field(pattern=r"^[a-z][a-z_]*$")], ...], BeforeValidator(_split)]
Origins = Annotated[
    tuple[Annotated[str, Field(pattern=r"^https?://[A-Za-z0-9.-]+(:[0-9]+)?$")], ...], BeforeValidator(_split)
]
Fields = Annotated[tuple[Annotated[str, Field(pattern=r"^[a-z][a-z_]*\.[a-z][a-z_]*$")], ...], BeforeValidator(_split)]

Paths = Annotated[tuple[Annotated[str, Field(pattern=r"^/[a-z-]+$")], ...], BeforeValidator(_split)]


class Section(BaseModel):
    """Base of all sections: frozen, and unknown keys are refused."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        use_attribute_docstrings=True,
        hide_input_in_errors=True,
    )


class Server(Section):
    """The address that the gateway listens on."""

    host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    """Address to listen on; only this machine by default, because the reverse proxy does TLS."""
    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    """TCP port to listen on; 0 takes a free one, which is printed."""
    workers: PositiveInt = 1
    """Worker processes; one is the most predictable, use one per core behind a reverse proxy."""
    public_url: HttpUrl = ""
    """URL under which browsers and vendors reach the gateway; empty: from the request, and no vendor webhooks."""
    address_header: Annotated[str, Field(pattern=r"^[a-z0-9-]*$")] = ""
    """Header in which the reverse proxy names the client, such as x-real-ip; empty: there is no proxy."""


class Database(Section):
    """The database of projects, keys and linked accounts."""

    url: Annotated[str, Field(repr=False), _one_of_schemes(*DATABASES)] = ""
    """SQLAlchemy URL; empty means SQLite in var/gateway.db, which needs no installation."""

    @property
    def async_url(self) -> str:
        """The URL with the driver that the gateway uses."""
        scheme, _, rest = (self.url or "sqlite:///var/gateway.db").partition("://")
        if scheme.startswith("sqlite"):
            return f"sqlite+aiosqlite://{rest}"
        # libpq and hosting panels write sslmode; asyncpg calls the same option ssl.
        return f"postgresql+asyncpg://{rest.replace('sslmode=', 'ssl=')}"


class Redis(Section):
    """The shared cache. It may be unreachable at any time; no request waits long for it."""

    url: Annotated[str, Field(repr=False), _one_of_schemes(*REDIS_SCHEMES), AfterValidator(_names_service)] = ""
    """URL of one server (redis://, rediss://, unix://), of Sentinels (redis+sentinel://) or of a cluster
    (redis+cluster://), as `gateway.cache.redis_url` reads it; empty: `serve` starts a private server."""
    timeout_seconds: PositiveFloat = 0.25
    """Longest wait for replies, in seconds; a healthy server takes 1 ms."""
    connect_timeout_seconds: PositiveFloat = 0.25
    """Longest wait for a connection to one server, in seconds; the servers are in the same network."""


class Vault(Section):
    """The key that wraps each account's key. Environment or mounted key file only, never the configuration file."""

    master_key: Annotated[SecretStr, AfterValidator(_decode_key)] = SecretStr("")
    """32 bytes in base64; no default, because a default key protects nothing."""
    master_key_file: str = ""
    """Path of a file with the master key, such as a mounted secret; empty: none."""
    further_master_keys: Annotated[SecretStr, AfterValidator(_decode_keys)] = SecretStr("")
    """Keys that can unwrap but do not wrap, separated by commas: the previous one, or the next one."""
    further_master_keys_file: str = ""
    """Path of a file that holds them, one a line; empty means none."""

    @property
    def key(self) -> bytes:
        """The master key as 32 bytes; no bytes when none is set."""
        return base64.b64decode(self.master_key.get_secret_value())

    @property
    def further_keys(self) -> tuple[bytes, ...]:
        """The further master keys, 32 bytes each."""
        return tuple(base64.b64decode(key) for key in _split_keys(self.further_master_keys))


class Upstream(Section):
    """Limits on calls to vendors."""

    deadline_seconds: PositiveFloat = 30.0
    """Longest time for one answer including all its vendor calls, in seconds; proxies cut off at 60."""
    connect_timeout_seconds: PositiveFloat = 3.0
    """Longest wait for a connection to the vendor, in seconds; a lost packet is resent after 1."""
    read_timeout_seconds: PositiveFloat = 15.0
    """Longest silence of the vendor within one call, in seconds; leaves time for one retry."""
    max_connections: PositiveInt = 100
    """Connections of a worker to vendors, and so the most vendor calls in flight."""
    account_share: Annotated[float, Field(gt=0, le=1)] = 0.25
    """Share of them that one credential may use; a slow account leaves three quarters to the others."""
    max_body_bytes: PositiveInt = 33554432
    """Largest vendor response that is read, in bytes; 32 MiB is ten times a full page of people."""
    page_concurrency: PositiveInt = 4
    """Pages of one collection that are requested at a time; more would use the vendor's rate limit in bursts."""
    retries: NonNegativeInt = 2
    """Retries after a transient failure; more than three attempts in all seldom help."""
    retry_wait_max_seconds: NonNegativeFloat = 2.0
    """Longest wait before a retry, in seconds; a longer Retry-After of the vendor is passed to the caller."""


class Cache(Section):
    """How long answers are fresh, by resource, and what is cached."""

    enabled: bool = True
    """Whether answers are cached; false asks the vendor each time, for operators who may store nothing."""
    default_fresh_seconds: NonNegativeFloat = 60
    """Freshness of a resource without a row in fresh_seconds, in seconds; the same as for people."""
    default_stale_while_revalidate_seconds: NonNegativeFloat = 60
    """As default_fresh_seconds, for stale_while_revalidate_seconds."""
    default_stale_if_error_seconds: NonNegativeFloat = 3600
    """As default_fresh_seconds, for stale_if_error_seconds."""
    fresh_seconds: Annotated[Mapping[str, NonNegativeFloat], _with_defaults(FRESH_SECONDS)] = Field(
        default=FRESH_SECONDS
    )
    """Freshness by resource, in seconds; a minute for people and pay, an hour for what seldom changes."""
    default_webhook_fresh_seconds: NonNegativeFloat = 900
    """As default_fresh_seconds, for webhook_fresh_seconds."""
    webhook_fresh_seconds: Annotated[Mapping[str, NonNegativeFloat], _with_defaults(WEBHOOK_FRESH_SECONDS)] = Field(
        default=WEBHOOK_FRESH_SECONDS
    )
    """Freshness while the account's vendor webhook is live; what turns by the day alone is seen that late."""
    stale_while_revalidate_seconds: Annotated[
        Mapping[str, NonNegativeFloat], _with_defaults(STALE_WHILE_REVALIDATE_SECONDS)
    ] = Field(default=STALE_WHILE_REVALIDATE_SECONDS)
    """Seconds after freshness in which an answer is served while it is revalidated; never for bank details."""
    stale_if_error_seconds: Annotated[Mapping[str, NonNegativeFloat], _with_defaults(STALE_IF_ERROR_SECONDS)] = Field(
        default=STALE_IF_ERROR_SECONDS
    )
    """Seconds after freshness in which an answer is served if the vendor fails; an hour of outage for people."""
    whole_read_seconds: NonNegativeFloat = 3600
    """Seconds for which a list is refreshed by its changes alone; 0: always whole. An hour bounds what vendors hide."""
    stale_wait_seconds: PositiveFloat = 3
    """Longest wait for the vendor, in seconds, before a stale answer is served that stale_if_error allows."""
    lease_seconds: PositiveInt = 5
    """Seconds after which the lease of a worker that fetches for all ends, unless that worker renews it."""
    local_bytes: NonNegativeInt = 134217728
    """Size of each worker's local cache, in bytes; 128 MiB holds ten companies of 1,000 people; 0 switches it off."""
    local_seconds: NonNegativeFloat = 10
    """Longest age of a local cache entry, in seconds; invalidations arrive at once by pub/sub."""
    local_unsubscribed_seconds: NonNegativeFloat = 1
    """The same while Redis is unreachable and no invalidation can arrive; a change may be seen that late."""
    cursor_seconds: PositiveFloat = 3600
    """Lifetime of a page cursor and its snapshot, in seconds; an export may pause for an hour."""
    max_value_bytes: PositiveInt = 8388608
    """Largest answer that is cached, in bytes; larger ones would evict all others."""


class Paging(Section):
    """Page sizes that callers may ask for."""

    default_page_size: PositiveInt = 25
    """Records a page when the caller names no number; the default of StackOne, so its clients see no change."""
    max_page_size: PositiveInt = 250
    """Most records a page; the same as the first vendor's."""

    @model_validator(mode="after")
    def _default_within_max(self) -> Self:
        if self.default_page_size > self.max_page_size:
            raise ValueError("default_page_size should not exceed max_page_size")
        return self


class Policy(Section):
    """What the operator forbids for all keys and accounts."""

    forbidden_operations: Operations = ()
    """Operations that nobody may call, such as get_employee; empty, because keys and tokens decide."""
    forbidden_fields: Fields = ()
    """Fields that nobody may see, such as employees.date_of_birth; closes all fields made from the same column."""
    open_managed_paths: Paths = ()
    """Provider paths that the gateway manages, such as /webhooks, to open to the passthrough."""


class Accounts(Section):
    """Linked accounts and API keys."""

    cache_seconds: NonNegativeFloat = 2.0
    """Seconds that a worker remembers a key or account; a revocation takes effect that late."""
    unlink_poll_seconds: PositiveFloat = 0.5
    """Seconds between polls for accounts unlinked by other processes; unlinking must reach all within a second."""
    usage_flush_seconds: PositiveFloat = 5
    """Seconds between writes of the usage counters to the database; a crash loses that much at most."""


class Verification(Section):
    """Background verification of the tokens of linked accounts."""

    idle_seconds: NonNegativeFloat = 21600
    """Seconds after which an unused token is verified again; 6 hours is a few calls a day; 0 switches it off."""
    used_seconds: PositiveFloat = 86400
    """Seconds after which a token in use is verified; daily, because its scopes may have changed."""
    failed_seconds: PositiveFloat = 43200
    """Longest wait before a token that failed is verified again, in seconds; few of them recover."""
    per_minute: Annotated[float, Field(gt=0, le=6000)] = 60
    """Most accounts that a worker verifies a minute; far below the rate limit of any vendor."""


class Audit(Section):
    """The audit log: who changed what."""

    address_days: Annotated[int, Field(ge=30)] = 365
    """Days after which client addresses are removed from the audit log, at least 30; abuse is often found late."""


class Hub(Section):
    """The pages on which customers link their accounts."""

    allowed_origins: Origins = ()
    """Origins of pages that may embed the Hub, such as https://app.example.com; empty: only the gateway's own."""
    operations: Operations = ()
    """Operations that the product uses, such as list_employees; customers are asked for their scopes; empty: all."""
    product_name: Annotated[str, Field(max_length=60)] = ""
    """Name of the product, shown on the Hub's page; empty: no name."""


class Dashboard(Section):
    """The operator's pages under /dashboard. Without a password they do not exist."""

    password: Annotated[SecretStr, Field(repr=False)] = SecretStr("")
    """At least 12 characters, or the hash that `gateway dashboard password` prints; empty: no dashboard."""
    session_seconds: PositiveInt = 43200
    """Absolute lifetime of a dashboard session, in seconds; 12 hours is a working day."""
    idle_seconds: PositiveInt = 3600
    """Idle lifetime of a dashboard session, in seconds; an hour, for a browser that was left open."""
    allowed_networks: Networks = ()
    """Networks of clients that may reach the dashboard, such as 10.8.0.0/16; empty: all networks."""


class Webhooks(Section):
    """Webhooks to the products that use the gateway."""

    allow_http: bool = False
    """Whether endpoints may use http; for development only, because events can be read on the way."""
    allowed_networks: Networks = ()
    """Private networks in which endpoints may be, such as 10.1.0.0/16; empty: public addresses only."""
    connect_timeout_seconds: PositiveFloat = 3.0
    """Longest wait for a connection, in seconds; the same as for vendors."""
    timeout_seconds: Annotated[float, Field(gt=0, le=30)] = 10.0
    """Longest wait for an answer, in seconds; an endpoint should store the event, answer, then process it."""
    concurrency: PositiveInt = 64
    """Concurrent deliveries of a worker; each mostly waits for a socket, so many cost little."""
    endpoint_concurrency: PositiveInt = 8
    """Concurrent deliveries to one endpoint; a failing endpoint gets one, so that it cannot delay the others."""
    poll_seconds: Annotated[float, Field(ge=0.05, le=60)] = 1.0
    """Seconds between polls of the outbox; a poll is one indexed read."""
    lease_seconds: PositiveFloat = 30
    """Lease of a claimed delivery, in seconds: later another worker sends it; longer than timeout_seconds."""
    retry_seconds: Annotated[tuple[PositiveFloat, ...], BeforeValidator(_split)] = RETRY_SECONDS
    """Waits before each retry, in seconds, with jitter of up to a half; covers an outage of a night."""
    secret_overlap_hours: NonNegativeFloat = 24
    """Hours that the old secret still signs after a rotation; a day to change it by hand."""
    disable_after_days: PositiveFloat = 5
    """Days of failures only after which an endpoint is disabled; it is probably abandoned."""
    replay_days: PositiveFloat = 3
    """Days that a sent payload is stored, encrypted, for replay; long enough to notice and fix a fault."""
    log_days: PositiveFloat = 30
    """Days that the delivery log keeps a delivery, without its payload."""

    @model_validator(mode="after")
    def _lease_beyond_timeout(self) -> Self:
        if self.lease_seconds <= self.timeout_seconds:
            raise ValueError("lease_seconds should exceed timeout_seconds, or each delivery is sent twice")
        return self


class VendorEvents(Section):
    """Webhooks at vendors, which invalidate cached answers when data changes there."""

    enabled: bool = True
    """Whether accounts get a vendor webhook if their token allows it; needs server.public_url."""
    check_seconds: Annotated[float, Field(ge=60)] = 21600
    """Seconds between checks of a registered vendor webhook; each check is one call to the vendor."""
    silence_seconds: PositiveFloat = 86400
    """Seconds without an event after which a vendor webhook is not taken for live; a day, as most companies change."""


class RecordEvents(Section):
    """Webhook events about records, found by reading lists again and comparing hashes."""

    enabled: bool = True
    """Whether lists are watched; only lists of projects with an endpoint for such events ever are."""
    poll_seconds: Annotated[float, Field(ge=300)] = 3600
    """Seconds between readings of a list; hourly is a dozen calls an hour for a company of up to 250 people."""
    settle_seconds: Annotated[float, Field(ge=0, le=60)] = 5
    """Wait after a vendor event or a write before a list is read, in seconds; one edit is often several changes."""
    scan_seconds: Annotated[float, Field(ge=0.05, le=60)] = 2.0
    """Seconds between polls for lists that are due; a poll is two small database reads."""
    concurrency: PositiveInt = 2
    """Lists that a worker reads at once; few, because requests come first and a list of 10,000 people needs memory."""


class Log(Section):
    """The log: one JSON line an event on standard error."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """Least severe level that is written; info includes one line a request."""
    requests: bool = True
    """Whether each request is logged; false where the reverse proxy already does so."""


class Limits(Section):
    """Largest request that is accepted."""

    max_query_bytes: PositiveInt = 16384
    """Longest query string, in bytes; all fields and filters of a resource fit easily."""
    max_header_bytes: PositiveInt = 32768
    """Total size of all headers, in bytes; common proxies allow as much."""
    max_body_bytes: PositiveInt = 1048576
    """Largest request body, in bytes; 1 MiB, a hundred times the longest employee."""
    head_seconds: PositiveFloat = 10
    """Time for the request line and headers to arrive, in seconds; clients send them in one packet."""
    body_seconds: PositiveFloat = 60
    """Time for a request body to arrive, in seconds; the largest takes it at 18 kB/s."""


class ConnectorSettings(Section):
    """Settings of one provider."""

    base_url: HttpUrl = ""
    """URL of the vendor's API, for a sandbox or a region; empty: the connector's default."""
    client_id: str = ""
    """OAuth 2.0 client id, as registered at the provider; empty for providers that take tokens."""
    client_secret: SecretStr = SecretStr("")
    """OAuth 2.0 client secret. Environment only, never the configuration file."""


class Settings(Section):
    """All sections. `read_settings` fills it from outside; made directly it holds the defaults."""

    server: Server = Server()
    database: Database = Database()
    redis: Redis = Redis()
    vault: Vault = Vault()
    upstream: Upstream = Upstream()
    cache: Cache = Cache()
    paging: Paging = Paging()
    policy: Policy = Policy()
    accounts: Accounts = Accounts()
    verification: Verification = Verification()
    audit: Audit = Audit()
    hub: Hub = Hub()
    dashboard: Dashboard = Dashboard()
    webhooks: Webhooks = Webhooks()
    vendor_events: VendorEvents = VendorEvents()
    record_events: RecordEvents = RecordEvents()
    log: Log = Log()
    limits: Limits = Limits()
    connectors: Mapping[str, ConnectorSettings] = Field(default_factory=dict)
