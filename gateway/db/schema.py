"""The tables of the database.

Secrets are sealed: vendor tokens in `credentials`, signing secrets in `vendor_webhooks` and `webhook_endpoints`.
"""

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
    text,
)
from sqlalchemy.types import TypeDecorator


class UtcDateTime(TypeDecorator[datetime]):
    """A time in UTC. SQLite stores no time zone, so it is added again when a value is read."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


# Constraints have names, so that a later migration can refer to them on any database.
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
    Column("created_at", UtcDateTime, nullable=False),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String, primary_key=True),
    Column("project_id", ForeignKey("projects.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("prefix", String, nullable=False),
    Column("digest", String, nullable=False, unique=True),
    Column("scopes", JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("last_used_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
)

accounts = Table(
    "accounts",
    metadata,
    Column("id", String, primary_key=True),
    Column("project_id", ForeignKey("projects.id", ondelete="CASCADE"), nullable=False),
    Column("provider", String, nullable=False),
    Column("owner_id", String, nullable=False),
    Column("status", String, nullable=False),
    Column("status_reasons", JSON, nullable=False),
    Column("label", String),
    Column("kind", String, nullable=False),
    Column("setup_information", JSON, nullable=False),
    Column("granted", JSON, nullable=False),
    Column("caching", JSON),
    Column("revision", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
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
    # The owner's name and user name. They are personal, so they are not in `accounts` in clear text.
    Column("owner_sealed", LargeBinary, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)

# One row per idempotency key: digests of the key and the request, and the sealed answer.
idempotency = Table(
    "idempotency",
    metadata,
    Column("account_id", ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("key_digest", String, primary_key=True),
    Column("request_digest", String, nullable=False),
    Column("state", String, nullable=False),
    Column("status", Integer, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("created_at", UtcDateTime, nullable=False, index=True),
)

# Where a project receives events. Each endpoint has a data key, which seals its secrets and its deliveries.
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
    Column("older_until", UtcDateTime),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("disabled_at", UtcDateTime),
    Column("disabled_reason", String),
    Column("failing_since", UtcDateTime),
)

# The outbox, and the log of what was sent. `account_id` is no foreign key, as a delivery may outlive its account.
# `delete_payload` says that the payload must be deleted when the delivery ends.
webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    Column("id", String, primary_key=True),
    Column("endpoint_id", ForeignKey("webhook_endpoints.id", ondelete="CASCADE"), nullable=False),
    Column("event_id", String, nullable=False),
    Column("event", String, nullable=False),
    Column("account_id", String, index=True),
    Column("payload", LargeBinary),
    Column("delete_payload", Boolean, nullable=False),
    Column("state", String, nullable=False),
    Column("reason", String),
    Column("tries", Integer, nullable=False),
    Column("claim", String),
    Column("next_at", UtcDateTime, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime, index=True),
    Index(None, "state", "next_at"),
    Index(None, "endpoint_id", "state", "next_at"),
    Index(None, "endpoint_id", "created_at"),
)

webhook_attempts = Table(
    "webhook_attempts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("delivery_id", ForeignKey("webhook_deliveries.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("at", UtcDateTime, nullable=False),
    Column("status", Integer),
    Column("milliseconds", Integer, nullable=False),
    Column("error", String),
)

# Permissions to link one account. Of the token only the digest is stored. Deleted with the account that they made or
# edit.
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
    Column("replace_company", Boolean, nullable=False),
    Column("label", String),
    Column("kind", String, nullable=False),
    Column("details", JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False, index=True),
    Column("claimed_at", UtcDateTime),
    Column("linked_id", ForeignKey("accounts.id", ondelete="CASCADE")),
    Column("tries", Integer, nullable=False),
)

WITH_ADDRESS = text("address <> ''")

# What happened to accounts and keys. It outlives both, so it refers to them by id and not by foreign key.
# Triggers refuse to change or delete a row, with one exception: the address of an old row may be emptied.
audit_log = Table(
    "audit_log",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("project_id", String, nullable=False),
    Column("account_id", String),
    Column("key_id", String),
    Column("event", String, nullable=False),
    Column("actor", String, nullable=False),
    Column("actor_id", String, nullable=False),
    Column("address", String, nullable=False),
    Column("details", JSON, nullable=False),
    Index(None, "account_id", "id"),
    Index(None, "project_id", "id"),
    Index("ix_audit_log_with_address", "at", postgresql_where=WITH_ADDRESS, sqlite_where=WITH_ADDRESS),
)

# What is still to be done after the rows of the audit log that delete something: purge the caches (`kind` is
# `cache`), or remove deleted rows from the database's files (`files`). It stores no account id, so that none is left.
pending_purges = Table(
    "pending_purges",
    metadata,
    Column("audit_id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("kind", String, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
)

# Dashboard sessions that were ended by signing out: a digest, stored until the cookie would have expired.
ended_admin_sessions = Table(
    "ended_admin_sessions",
    metadata,
    Column("digest", String, primary_key=True),
    Column("until", UtcDateTime, nullable=False, index=True),
)

# Counts and times of an account's calls. Not columns of `accounts`, whose revision must not grow with each call.
account_usage = Table(
    "account_usage",
    metadata,
    Column("account_id", ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("check_at", UtcDateTime, nullable=False, index=True),
    Column("failures", Integer, nullable=False),
    Column("verified_at", UtcDateTime),
    Column("called_at", UtcDateTime),
    Column("proven_at", UtcDateTime),
    Column("error_at", UtcDateTime),
    Column("error_code", String),
    Column("hits", BigInteger, nullable=False),
    Column("misses", BigInteger, nullable=False),
    Column("errors", BigInteger, nullable=False),
)

# The webhook endpoint of each account at its vendor. Its secret has a data key of its own, as the credential's data
# key changes each time that the credential is stored.
vendor_webhooks = Table(
    "vendor_webhooks",
    metadata,
    Column("account_id", ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("lease", Integer, nullable=False),
    Column("state", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("remote_id", String),
    Column("url", String),
    Column("master_key_id", String),
    Column("wrapped_key", LargeBinary),
    Column("sealed", LargeBinary),
    Column("registered_at", UtcDateTime),
    Column("last_event_at", UtcDateTime),
    Column("failures", Integer, nullable=False),
    Column("due_at", UtcDateTime, nullable=False, index=True),
)

# The lists that are watched for record events. `rights`, `mapping` and `reading` are digests of what the last snapshot
# was made from.
record_watches = Table(
    "record_watches",
    metadata,
    Column("account_id", ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("resource", String, primary_key=True),
    Column("lease", Integer, nullable=False),
    Column("due_at", UtcDateTime, nullable=False, index=True),
    Column("rest_until", UtcDateTime, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("rights", String, nullable=False),
    Column("mapping", String, nullable=False),
    Column("reading", String, nullable=False),
    Column("held", Boolean, nullable=False),
)

# Of each record only the vendor's id, which an event about a deletion carries, and a keyed hash.
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
