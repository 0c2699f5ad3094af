"""The tables of the database. Secrets are sealed: those of vendors in `credentials`, of webhooks in `vendor_hooks`."""

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    false,
    text,
)
from sqlalchemy.types import TypeDecorator


class Moment(TypeDecorator[datetime]):
    """A time in UTC. SQLite keeps no zone, so it is put back when read."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


# Named constraints, so that a later migration can name them on any database.
metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

projects = Table(
    "projects",
    metadata,
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False, unique=True),
    Column("created_at", Moment, nullable=False),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String, primary_key=True),
    Column("project_id", ForeignKey("projects.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("prefix", String, nullable=False),
    Column("digest", String, nullable=False, unique=True),
    Column("scopes", JSON, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("last_used_at", Moment),
    Column("revoked_at", Moment),
)

accounts = Table(
    "accounts",
    metadata,
    Column("id", String, primary_key=True),
    Column("project_id", ForeignKey("projects.id", ondelete="CASCADE"), nullable=False),
    Column("provider", String, nullable=False),
    Column("owner_id", String, nullable=False),
    Column("owner_name", String, nullable=False),
    Column("owner_username", String),
    Column("status", String, nullable=False),
    Column("status_reasons", JSON, nullable=False),
    Column("label", String),
    Column("kind", String, nullable=False),
    Column("setup_information", JSON, nullable=False),
    Column("granted", JSON, nullable=False),
    Column("caching", JSON),
    Column("revision", Integer, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    # Not unique: a provider may allow several accounts of one owner.
    Index(None, "project_id", "provider", "owner_id"),
)

credentials = Table(
    "credentials",
    metadata,
    Column("account_id", ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("master_key_id", String, nullable=False),
    Column("wrapped_key", LargeBinary, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    # The owner's name and user name; in `accounts` these are empty. None in a row from before they were sealed.
    Column("owner_sealed", LargeBinary),
    Column("updated_at", Moment, nullable=False),
)

# Digests of keys and requests, and sealed answers: what was first done under an idempotency key.
idempotency = Table(
    "idempotency",
    metadata,
    Column("account_id", ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("key_digest", String, primary_key=True),
    Column("request_digest", String, nullable=False),
    Column("state", String, nullable=False),
    Column("status", Integer, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("created_at", Moment, nullable=False, index=True),
)

# Where a project hears of events. Its secrets are sealed with a data key of its own, which seals its deliveries too.
webhook_endpoints = Table(
    "webhook_endpoints",
    metadata,
    Column("id", String, primary_key=True),
    Column("project_id", ForeignKey("projects.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("url", String, nullable=False),
    Column("events", JSON, nullable=False),
    Column("description", String),
    Column("master_key_id", String, nullable=False),
    Column("wrapped_key", LargeBinary, nullable=False),
    Column("secret", LargeBinary, nullable=False),
    Column("older_secret", LargeBinary),
    Column("older_until", Moment),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Column("disabled_at", Moment),
    Column("disabled_reason", String),
    Column("failing_since", Moment),
)

# The outbox, and afterwards the log. An account is only named, so that what is said of it can outlive it; `forget`
# marks what must not.
webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    Column("id", String, primary_key=True),
    Column("endpoint_id", ForeignKey("webhook_endpoints.id", ondelete="CASCADE"), nullable=False),
    Column("event_id", String, nullable=False),
    Column("event", String, nullable=False),
    Column("account_id", String, index=True),
    Column("payload", LargeBinary),
    Column("forget", Boolean, nullable=False),
    Column("state", String, nullable=False),
    Column("reason", String),
    Column("tries", Integer, nullable=False),
    Column("claim", String),
    Column("next_at", Moment, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("ended_at", Moment, index=True),
    Index(None, "state", "next_at"),
    Index(None, "endpoint_id", "state", "next_at"),
    Index(None, "endpoint_id", "created_at"),
)

webhook_attempts = Table(
    "webhook_attempts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("delivery_id", ForeignKey("webhook_deliveries.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("at", Moment, nullable=False),
    Column("status", Integer),
    Column("milliseconds", Integer, nullable=False),
    Column("error", String),
)

# Permissions to link one account: of the token only its digest. They go with the account that they made or edit.
connect_sessions = Table(
    "connect_sessions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("digest", String, nullable=False, unique=True),
    Column("project_id", ForeignKey("projects.id", ondelete="CASCADE"), nullable=False),
    Column("owner_id", String, nullable=False),
    Column("owner_name", String, nullable=False),
    Column("owner_username", String),
    Column("provider", String),
    Column("categories", JSON, nullable=False),
    Column("account_id", ForeignKey("accounts.id", ondelete="CASCADE")),
    Column("multiple", Boolean, nullable=False),
    Column("replace_company", Boolean, nullable=False, server_default=false()),
    Column("label", String),
    Column("kind", String, nullable=False),
    Column("details", JSON, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False, index=True),
    Column("claimed_at", Moment),
    Column("linked_id", ForeignKey("accounts.id", ondelete="CASCADE")),
    Column("tries", Integer, nullable=False),
)

# What has happened to accounts and keys. It outlives both, so it refers to them by id and not by foreign key.
# Triggers refuse to change or delete a row, but for one thing: an address may be emptied.
audit_trail = Table(
    "audit_trail",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("at", Moment, nullable=False),
    Column("project_id", String, nullable=False),
    Column("account_id", String),
    Column("key_id", String),
    Column("what", String, nullable=False),
    Column("actor", String, nullable=False),
    Column("actor_id", String, nullable=False),
    Column("address", String, nullable=False),
    Column("details", JSON, nullable=False),
    Index(None, "account_id", "id"),
    Index(None, "project_id", "id"),
    Index("ix_audit_trail_addressed", "at", postgresql_where=text("address <> ''"), sqlite_where=text("address <> ''")),
)

# What is still to be done after the rows of the trail that erase something: the cache is to be swept (`kind` is
# `cache`), the files are to be cleaned of deleted rows (`files`). It names no account, which is to be nowhere else.
pending_erasures = Table(
    "pending_erasures",
    metadata,
    Column("row", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("kind", String, primary_key=True),
    Column("at", Moment, nullable=False),
)

# Sign-ins to the dashboard that have been ended before their time: a digest, until they would have ended anyway.
ended_sign_ins = Table(
    "ended_sign_ins",
    metadata,
    Column("digest", String, primary_key=True),
    Column("until", Moment, nullable=False, index=True),
)

# How an account fares, beside it and not in it: its revision must not grow with each call.
account_usage = Table(
    "account_usage",
    metadata,
    Column("account_id", ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("check_at", Moment, nullable=False, index=True),
    Column("failures", Integer, nullable=False),
    Column("verified_at", Moment),
    Column("called_at", Moment),
    Column("proven_at", Moment),
    Column("error_at", Moment),
    Column("error_code", String),
    Column("hits", BigInteger, nullable=False),
    Column("misses", BigInteger, nullable=False),
    Column("errors", BigInteger, nullable=False),
)


# The endpoint of each account at its vendor. Its secret is sealed with a data key of its own, so that it outlives
# the credential's, which is made anew with every change of what a token may do.
vendor_hooks = Table(
    "vendor_hooks",
    metadata,
    Column("account_id", ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("turn", Integer, nullable=False),
    Column("state", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("remote_id", String),
    Column("url", String),
    Column("master_key_id", String),
    Column("wrapped_key", LargeBinary),
    Column("sealed", LargeBinary),
    Column("registered_at", Moment),
    Column("last_event_at", Moment),
    Column("failures", Integer, nullable=False),
    Column("due_at", Moment, nullable=False, index=True),
)

# The lists that are watched for the product, and when. The three words are digests of what a reading was made of.
record_watches = Table(
    "record_watches",
    metadata,
    Column("account_id", ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("resource", String, primary_key=True),
    Column("turn", Integer, nullable=False),
    Column("due_at", Moment, nullable=False, index=True),
    Column("rest_until", Moment, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("rights", String, nullable=False),
    Column("mapping", String, nullable=False),
    Column("reading", String, nullable=False),
    Column("held", Boolean, nullable=False),
)

# Of each record the vendor's id, which is what a deletion is told with, and a keyed hash. Nothing else.
record_hashes = Table(
    "record_hashes",
    metadata,
    Column("account_id", String, primary_key=True),
    Column("resource", String, primary_key=True),
    Column("remote_id", String, primary_key=True),
    Column("hash", LargeBinary, nullable=False),
    ForeignKeyConstraint(
        ["account_id", "resource"], ["record_watches.account_id", "record_watches.resource"], ondelete="CASCADE"
    ),
)
