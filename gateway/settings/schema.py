"""Every setting of the gateway, by section: its type, its default, what it means and why the default is so.

Parts of the gateway are handed plain values from here and never see these objects. `gateway.settings.load` fills
them; nothing here reads a file or the environment.
"""

import base64
import binascii
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
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

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
REVALIDATE_SECONDS: Mapping[str, float] = {
    "employees": 60,
    "employments": 60,
    "companies": 600,
    "locations": 600,
    "groups": 60,
    "custom_fields": 300,
    "bank_details": 0,
}
ON_ERROR_SECONDS: Mapping[str, float] = {
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
    "stale_while_revalidate_seconds": REVALIDATE_SECONDS,
    "stale_if_error_seconds": ON_ERROR_SECONDS,
}
"""Settings of `cache` that are a table with a row for each resource."""


def _rows(defaults: Mapping[str, float]) -> BeforeValidator:
    return BeforeValidator(lambda rows: {**defaults, **rows})


RETRY_SECONDS = (5.0, 30.0, 120.0, 600.0, 3600.0, 10800.0, 21600.0, 43200.0)


def _one_of_schemes(*schemes: str) -> AfterValidator:
    def check(url: str) -> str:
        if url and not url.startswith(tuple(f"{scheme}://" for scheme in schemes)):
            raise ValueError(f"should be empty or start with one of {', '.join(s + '://' for s in schemes)}")
        return url

    return AfterValidator(check)


def _split(names: object) -> object:
    """An environment variable holds a list as words with commas between them."""
    return [word.strip() for word in names.split(",") if word.strip()] if isinstance(names, str) else names


def _decode_key(key: SecretStr) -> SecretStr:
    try:
        size = len(base64.b64decode(key.get_secret_value(), validate=True))
    except (binascii.Error, ValueError):
        size = -1
    if size not in (0, 32):
        raise ValueError("should be 32 bytes in base64, such as `openssl rand -base64 32` prints")
    return key


def _decode_keys(keys: SecretStr) -> SecretStr:
    for key in _words(keys):
        _decode_key(SecretStr(key))
    return keys


def _words(keys: SecretStr) -> list[str]:
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
    """What all sections share: nothing changes after start, nothing unknown is let in."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        use_attribute_docstrings=True,
        hide_input_in_errors=True,
    )


class Server(Section):
    """The address that we answer on."""

    host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    """Address to listen on; only this machine by default, because TLS is the reverse proxy's work."""
    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    """TCP port to listen on; 0 takes a free one, which is printed."""
    workers: PositiveInt = 1
    """Worker processes; one is the most predictable, use one per core behind a reverse proxy."""
    public_url: HttpUrl = ""
    """Address under which browsers and vendors' webhooks reach us; empty: as the request says, and no webhooks."""
    address_header: Annotated[str, Field(pattern=r"^[a-z0-9-]*$")] = ""
    """Header in which the reverse proxy names the client, such as x-real-ip; empty: there is no proxy."""


class Database(Section):
    """Where projects, keys and linked accounts are kept."""

    url: Annotated[str, Field(repr=False), _one_of_schemes(*DATABASES)] = ""
    """SQLAlchemy URL; empty means SQLite in var/gateway.db, which needs no installation."""

    @property
    def async_url(self) -> str:
        """The URL with the driver that we use, whichever way the operator wrote it."""
        scheme, _, rest = (self.url or "sqlite:///var/gateway.db").partition("://")
        if scheme.startswith("sqlite"):
            return f"sqlite+aiosqlite://{rest}"
        # libpq, and so every hosting panel, says sslmode; asyncpg takes the same words under the name ssl.
        return f"postgresql+asyncpg://{rest.replace('sslmode=', 'ssl=')}"


class Redis(Section):
    """The shared cache. It may be gone at any time: no request waits long for it."""

    url: Annotated[str, Field(repr=False), _one_of_schemes("redis", "rediss", "unix")] = ""
    """redis://, rediss:// or unix:// URL; empty means that `serve` starts a private server for itself."""
    timeout_seconds: PositiveFloat = 0.25
    """Longest wait for one command, in seconds; far above a healthy 1 ms, below what a caller notices."""
    connect_timeout_seconds: PositiveFloat = 0.25
    """Longest wait for a connection, in seconds; the server stands in the same network."""


class Vault(Section):
    """The key that wraps the key of each account. Never in the file: environment or mounted file only."""

    master_key: Annotated[SecretStr, AfterValidator(_decode_key)] = SecretStr("")
    """32 bytes in base64; no default, because a default key protects nothing."""
    master_key_file: str = ""
    """Path of a file that holds the master key, as container platforms mount secrets; empty means none."""
    further_master_keys: Annotated[SecretStr, AfterValidator(_decode_keys)] = SecretStr("")
    """Keys that open but do not wrap, with commas between: the one before, or the one to come."""
    further_master_keys_file: str = ""
    """Path of a file that holds them, one a line; empty means none."""

    @property
    def key(self) -> bytes:
        """The master key as 32 bytes; no bytes when none is set."""
        return base64.b64decode(self.master_key.get_secret_value())

    @property
    def further_keys(self) -> tuple[bytes, ...]:
        """The further master keys, 32 bytes each."""
        return tuple(base64.b64decode(key) for key in _words(self.further_master_keys))


class Upstream(Section):
    """Limits on what we ask of a vendor."""

    deadline_seconds: PositiveFloat = 30.0
    """Longest that a caller waits for an answer, all vendor calls in it, in seconds; proxies cut at 60."""
    connect_timeout_seconds: PositiveFloat = 3.0
    """Longest wait for a connection to the vendor, in seconds; one lost packet is sent again after 1."""
    read_timeout_seconds: PositiveFloat = 15.0
    """Longest silence of the vendor in one call, in seconds; leaves room for one more try."""
    max_connections: PositiveInt = 100
    """Connections a worker may hold to vendors; also the most vendor calls it has in flight."""
    account_share: Annotated[float, Field(gt=0, le=1)] = 0.25
    """Share of these that the calls with one credential may hold; a slow account leaves three quarters to others."""
    max_body_bytes: PositiveInt = 33554432
    """Largest vendor answer that we read, in bytes; 32 MiB is ten times a full page of people."""
    sweep_concurrency: PositiveInt = 4
    """Pages of one sweep asked for at a time; more would spend the customer's rate limit in bursts."""
    retries: NonNegativeInt = 2
    """Further tries after a failure that may pass; three tries in all is where more stops helping."""
    retry_wait_max_seconds: NonNegativeFloat = 2.0
    """Longest wait before a further try, in seconds; if the vendor asks for more, the caller hears it."""


class Cache(Section):
    """How long an answer is called fresh, by resource, and what is kept at all."""

    enabled: bool = True
    """Whether answers are kept; false asks the vendor each time, for those who may store nothing."""
    default_fresh_seconds: NonNegativeFloat = 60
    """Freshness of a resource that has no row in fresh_seconds, in seconds; as for people."""
    default_stale_while_revalidate_seconds: NonNegativeFloat = 60
    """As default_fresh_seconds, for stale_while_revalidate_seconds."""
    default_stale_if_error_seconds: NonNegativeFloat = 3600
    """As default_fresh_seconds, for stale_if_error_seconds."""
    fresh_seconds: Annotated[Mapping[str, NonNegativeFloat], _rows(FRESH_SECONDS)] = Field(default=FRESH_SECONDS)
    """Freshness by resource, in seconds; a minute for people and pay, an hour for what seldom changes."""
    stale_while_revalidate_seconds: Annotated[Mapping[str, NonNegativeFloat], _rows(REVALIDATE_SECONDS)] = Field(
        default=REVALIDATE_SECONDS
    )
    """Seconds after freshness in which an answer is given while another is fetched; never for bank details."""
    stale_if_error_seconds: Annotated[Mapping[str, NonNegativeFloat], _rows(ON_ERROR_SECONDS)] = Field(
        default=ON_ERROR_SECONDS
    )
    """Seconds after freshness in which an answer stands in for a vendor that fails; an hour of outage for people."""
    stale_wait_seconds: PositiveFloat = 3
    """Longest wait for the vendor where a stale answer may stand in, in seconds; it is given then."""
    lease_seconds: PositiveInt = 5
    """After so many seconds of silence a worker that fetches for all is taken for dead; alive, it speaks up in time."""
    near_bytes: NonNegativeInt = 134217728
    """Answers and lists that a worker holds in its own memory, in bytes; 128 MiB is ten companies of 1,000; 0 none."""
    near_seconds: NonNegativeFloat = 10
    """Longest that a worker believes its own memory, in seconds; changes are heard of at once."""
    near_unheard_seconds: NonNegativeFloat = 1
    """The same while changes cannot be heard of, because Redis is away; so late a change may be seen then."""
    cursor_seconds: PositiveFloat = 3600
    """Life of a page cursor and of the sweep behind it, in seconds; an export may pause for an hour."""
    max_value_bytes: PositiveInt = 8388608
    """Largest answer that is kept, in bytes; 8 MiB, or larger ones would push all others out."""


class Paging(Section):
    """Page sizes that callers may ask for."""

    default_page_size: PositiveInt = 25
    """Records a page when the caller names no number; StackOne's default, so its clients see no change."""
    max_page_size: PositiveInt = 250
    """Most records a page; what the first vendor itself gives at most."""

    @model_validator(mode="after")
    def _default_within_max(self) -> Self:
        if self.default_page_size > self.max_page_size:
            raise ValueError("default_page_size should not exceed max_page_size")
        return self


class Policy(Section):
    """What the operator forbids for every key and every account."""

    forbidden_operations: Operations = ()
    """Operations that nobody may call, such as get_employee; empty, because keys and tokens decide."""
    forbidden_fields: Fields = ()
    """Fields that nobody is shown, such as employees.date_of_birth, and those made from the same column; empty too."""
    open_managed_paths: Paths = ()
    """The provider's paths that the gateway manages, such as /webhooks, to open to the passthrough; empty for none."""


class Accounts(Section):
    """Linked accounts and keys in memory."""

    memo_seconds: NonNegativeFloat = 2.0
    """Seconds that a worker trusts its memory of a key or account; a revocation is seen so late."""


class Life(Section):
    """How linked accounts are looked after while nobody asks."""

    verify_idle_seconds: NonNegativeFloat = 21600
    """Seconds after which a token that nobody has used is checked again; 6 hours, a few calls a day; 0 never checks."""
    verify_used_seconds: PositiveFloat = 86400
    """Seconds after which a token in use is checked all the same; daily, as its scopes may have changed."""
    verify_failed_seconds: PositiveFloat = 43200
    """Seconds after which a token that did not work is checked again; longer, as few of them come back."""
    verify_per_minute: Annotated[float, Field(gt=0, le=6000)] = 60
    """Most accounts a minute that a worker looks at; a slow trickle, which no vendor's limit feels."""
    watch_seconds: PositiveFloat = 0.5
    """Seconds between looks for accounts that others have unlinked; half of the second in which nothing may be left."""
    flush_seconds: PositiveFloat = 5
    """Seconds between writes of what was counted of each account's calls; a crash loses that much at most."""


class Audit(Section):
    """The trail of who changed what."""

    address_days: Annotated[int, Field(ge=30)] = 365
    """Days after which addresses of clients are taken out of the trail, at least 30; a year, as much is found late."""


class Hub(Section):
    """Where customers link their accounts, in a browser."""

    allowed_origins: Origins = ()
    """Origins of the pages that may embed the Hub, such as https://app.example.com; empty: only our own."""
    operations: Operations = ()
    """Operations that the product uses, such as list_employees; only their scopes are asked for; empty: all."""
    product_name: Annotated[str, Field(max_length=60)] = ""
    """What customers know the product by, shown on the Hub's page; empty shows no name."""


class Dashboard(Section):
    """The operator's pages, under /dashboard. Without a password there are none."""

    password: Annotated[SecretStr, Field(repr=False)] = SecretStr("")
    """At least 12 characters, or what `gateway dashboard password` made of them; empty closes the dashboard."""
    session_seconds: PositiveInt = 43200
    """Longest that a sign-in lasts, in seconds; 12 hours are a working day."""
    idle_seconds: PositiveInt = 3600
    """Longest that a sign-in lasts unused, in seconds; an hour, for a desk that was left."""
    allowed_networks: Networks = ()
    """Networks of clients for whom there is a dashboard, such as 10.8.0.0/16; empty: for all who have the password."""


class Webhooks(Section):
    """Events sent to the products that use the gateway."""

    allow_http: bool = False
    """Whether an endpoint may have no TLS; for development, as anyone on the way could read the events."""
    allowed_networks: Networks = ()
    """Private networks that endpoints may be in, such as 10.1.0.0/16; empty: only public addresses."""
    connect_timeout_seconds: PositiveFloat = 3.0
    """Longest wait for a connection, in seconds; as for vendors."""
    timeout_seconds: Annotated[float, Field(gt=0, le=30)] = 10.0
    """Longest wait for an answer, in seconds; a receiver should keep the event and answer, then work."""
    concurrency: PositiveInt = 64
    """Deliveries that a worker has under way; each waits for a socket, so many cost little."""
    endpoint_concurrency: PositiveInt = 8
    """Of these to one endpoint; one that fails gets one at a time, so slow ones leave room for all others."""
    poll_seconds: Annotated[float, Field(ge=0.05, le=60)] = 1.0
    """Seconds between looks at what others have put in the outbox; one look is one indexed read."""
    lease_seconds: PositiveFloat = 30
    """Seconds after which what a killed worker had under way is sent by another; beyond timeout and a slow database."""
    retry_seconds: Annotated[tuple[PositiveFloat, ...], BeforeValidator(_split)] = RETRY_SECONDS
    """Waits before each further try, in seconds, moved by chance by up to a half; a night's outage loses nothing."""
    secret_overlap_hours: NonNegativeFloat = 24
    """Hours that a secret lives on after it was replaced; a day for whoever changes it by hand."""
    disable_after_days: PositiveFloat = 5
    """Days of nothing but failures after which an endpoint is disabled; by then nobody is behind it any more."""
    replay_days: PositiveFloat = 3
    """Days that what was sent is kept, sealed, to be sent again; long enough to see a fault and mend it."""
    log_days: PositiveFloat = 30
    """Days that the log tells of a delivery, without what it said; as long as a month's bill is asked about."""

    @model_validator(mode="after")
    def _lease_beyond_timeout(self) -> Self:
        if self.lease_seconds <= self.timeout_seconds:
            raise ValueError("lease_seconds should exceed timeout_seconds, or each delivery is sent twice")
        return self


class VendorEvents(Section):
    """Webhooks of vendors, by which what has changed there is fetched anew at once."""

    enabled: bool = True
    """Whether accounts whose tokens allow it get a webhook; it also takes server.public_url, where vendors reach us."""
    check_seconds: Annotated[float, Field(ge=60)] = 21600
    """How often a webhook that stands is looked after, in seconds; four times a day is one call to the vendor each."""


class RecordEvents(Section):
    """Events about records, found by reading lists again and comparing hashes."""

    enabled: bool = True
    """Whether lists are watched; only those of projects with a webhook that asks for such an event ever are."""
    poll_seconds: Annotated[float, Field(ge=300)] = 3600
    """How often a list is read again, in seconds; hourly is a dozen calls an hour for a company of up to 250 people."""
    settle_seconds: Annotated[float, Field(ge=0, le=60)] = 5
    """Wait after a vendor's webhook or a write of ours, in seconds; one edit there often is several changes."""
    look_seconds: Annotated[float, Field(ge=0.05, le=60)] = 2.0
    """Seconds between looks for a list that is due; one look is two small reads of the database."""
    concurrency: PositiveInt = 2
    """Lists that a worker reads at once; callers come first, and a list of 10,000 people takes its memory."""


class Log(Section):
    """One JSON line an event on standard error."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """Least severe event that is written; info is one line a request."""
    requests: bool = True
    """Whether each request gets a line; false where the reverse proxy already writes one."""


class Limits(Section):
    """Largest request that we read; all that we serve are small."""

    max_query_bytes: PositiveInt = 16384
    """Longest query string, in bytes; fields and filters of every resource at once fit four times."""
    max_header_bytes: PositiveInt = 32768
    """Longest sum of all headers, in bytes; what common proxies let pass."""
    max_body_bytes: PositiveInt = 1048576
    """Largest request body, in bytes; 1 MiB, a hundred times the longest that an employee makes."""


class ConnectorSettings(Section):
    """What may be set for one provider."""

    base_url: HttpUrl = ""
    """Address of the vendor's API; empty means the connector's own, another is for a sandbox or a region."""
    client_id: str = ""
    """What names us to a provider with OAuth 2.0, as registered there; empty for providers that take tokens."""
    client_secret: SecretStr = SecretStr("")
    """The password that goes with client_id. Never in the file: environment only."""


class Settings(BaseSettings):
    """All sections. Made by `read_settings`; made directly, it holds the defaults and what it is given."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the signature is pydantic's
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what the caller hands over: the environment is an argument of `read_settings`."""
        return (init_settings,)

    server: Server = Server()
    database: Database = Database()
    redis: Redis = Redis()
    vault: Vault = Vault()
    upstream: Upstream = Upstream()
    cache: Cache = Cache()
    paging: Paging = Paging()
    policy: Policy = Policy()
    accounts: Accounts = Accounts()
    life: Life = Life()
    audit: Audit = Audit()
    hub: Hub = Hub()
    dashboard: Dashboard = Dashboard()
    webhooks: Webhooks = Webhooks()
    vendor_events: VendorEvents = VendorEvents()
    record_events: RecordEvents = RecordEvents()
    log: Log = Log()
    limits: Limits = Limits()
    connectors: Mapping[str, ConnectorSettings] = Field(default_factory=dict)
