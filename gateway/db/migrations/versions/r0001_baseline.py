"""The tables of the first release. Each later change of `gateway/db/schema.py` needs a revision of its own."""

from typing import Any

import sqlalchemy as sa
from alembic import op

# Not "0001": before the first release there was another chain of revisions with such numbers.
revision = "r0001"
down_revision = None
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
WITH_ADDRESS = sa.text("address <> ''")


def upgrade() -> None:
    _create_projects()
    _create_accounts()
    _create_webhooks()
    _create_connect_sessions()
    _create_vendor_webhooks()
    _create_record_watches()
    _create_audit_log()
    for statement in POSTGRESQL if op.get_bind().dialect.name == "postgresql" else SQLITE:
        op.execute(statement)


def _text(name: str, **options: Any) -> sa.Column[str]:
    return sa.Column(name, sa.String, **{"nullable": False, **options})


def _number(name: str, **options: Any) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, **{"nullable": False, **options})


def _json(name: str, **options: Any) -> sa.Column[Any]:
    return sa.Column(name, sa.JSON, **{"nullable": False, **options})


def _bytes(name: str, **options: Any) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary, **{"nullable": False, **options})


def _flag(name: str, **options: Any) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean, nullable=False, **options)


def _moment(name: str, **options: Any) -> sa.Column[Any]:
    return sa.Column(name, MOMENT, **{"nullable": False, **options})


def _of(name: str, table: str, **options: Any) -> sa.Column[str]:
    """Returns a foreign key to the id of a table; rows are deleted with the row that they refer to."""
    key = sa.ForeignKey(f"{table}.id", ondelete="CASCADE")
    return sa.Column(name, sa.String, key, **{"nullable": False, **options})


def _index(table: str, *columns: str) -> None:
    op.create_index("_".join(["ix", table, *columns]), table, list(columns))


def _create_projects() -> None:
    op.create_table("projects", _text("id", primary_key=True), _text("name", unique=True), _moment("created_at"))
    op.create_table(
        "api_keys",
        _text("id", primary_key=True),
        _of("project_id", "projects"),
        _text("prefix"),
        _text("digest", unique=True),
        _json("scopes"),
        _moment("created_at"),
        _moment("last_used_at", nullable=True),
        _moment("revoked_at", nullable=True),
    )
    _index("api_keys", "project_id")


def _create_accounts() -> None:
    op.create_table(
        "accounts",
        _text("id", primary_key=True),
        _of("project_id", "projects"),
        _text("provider"),
        _text("owner_id"),
        _text("status"),
        _json("status_reasons"),
        _text("label", nullable=True),
        _text("kind"),
        _json("setup_information"),
        _json("granted"),
        _json("caching", nullable=True),
        _number("revision"),
        _moment("created_at"),
        _moment("updated_at"),
    )
    _index("accounts", "project_id", "provider", "owner_id")
    op.create_table(
        "credentials",
        _of("account_id", "accounts", primary_key=True),
        _text("master_key_id"),
        _bytes("wrapped_key"),
        _bytes("sealed"),
        _bytes("owner_sealed"),
        _moment("updated_at"),
    )
    op.create_table(
        "account_usage",
        _of("account_id", "accounts", primary_key=True),
        _moment("check_at"),
        _number("failures"),
        *(_moment(name, nullable=True) for name in ("verified_at", "called_at", "proven_at", "error_at")),
        _text("error_code", nullable=True),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("hits", "misses", "errors")),
    )
    _index("account_usage", "check_at")
    op.create_table(
        "idempotency",
        _of("account_id", "accounts", primary_key=True),
        _text("key_digest", primary_key=True),
        _text("request_digest"),
        _text("state"),
        _number("status"),
        _bytes("sealed"),
        _moment("created_at"),
    )
    _index("idempotency", "created_at")


def _create_webhooks() -> None:
    op.create_table(
        "webhook_endpoints",
        _text("id", primary_key=True),
        _of("project_id", "projects"),
        _text("url"),
        _json("events"),
        _text("description", nullable=True),
        _text("master_key_id"),
        _bytes("wrapped_key"),
        _bytes("secret"),
        _bytes("older_secret", nullable=True),
        _moment("older_until", nullable=True),
        _moment("created_at"),
        _moment("updated_at"),
        _moment("disabled_at", nullable=True),
        _text("disabled_reason", nullable=True),
        _moment("failing_since", nullable=True),
    )
    _index("webhook_endpoints", "project_id")
    op.create_table(
        "webhook_deliveries",
        _text("id", primary_key=True),
        _of("endpoint_id", "webhook_endpoints"),
        _text("event_id"),
        _text("event"),
        _text("account_id", nullable=True),
        _bytes("payload", nullable=True),
        _flag("delete_payload"),
        _text("state"),
        _text("reason", nullable=True),
        _number("tries"),
        _text("claim", nullable=True),
        _moment("next_at"),
        _moment("created_at"),
        _moment("ended_at", nullable=True),
    )
    _index("webhook_deliveries", "account_id")
    _index("webhook_deliveries", "ended_at")
    _index("webhook_deliveries", "state", "next_at")
    _index("webhook_deliveries", "endpoint_id", "state", "next_at")
    _index("webhook_deliveries", "endpoint_id", "created_at")
    op.create_table(
        "webhook_attempts",
        _number("id", primary_key=True),
        _of("delivery_id", "webhook_deliveries"),
        _moment("at"),
        _number("status", nullable=True),
        _number("milliseconds"),
        _text("error", nullable=True),
    )
    _index("webhook_attempts", "delivery_id")


def _create_connect_sessions() -> None:
    op.create_table(
        "connect_sessions",
        _number("id", primary_key=True),
        _text("digest", unique=True),
        _of("project_id", "projects"),
        _text("owner_id"),
        _text("owner_name"),
        _text("owner_username", nullable=True),
        _text("provider", nullable=True),
        _json("categories"),
        _of("account_id", "accounts", nullable=True),
        _flag("multiple"),
        _flag("replace_company"),
        _text("label", nullable=True),
        _text("kind"),
        _json("details"),
        _moment("created_at"),
        _moment("expires_at"),
        _moment("claimed_at", nullable=True),
        _of("linked_id", "accounts", nullable=True),
        _number("tries"),
    )
    _index("connect_sessions", "expires_at")
    op.create_table("ended_admin_sessions", _text("digest", primary_key=True), _moment("until"))
    _index("ended_admin_sessions", "until")


def _create_vendor_webhooks() -> None:
    op.create_table(
        "vendor_webhooks",
        _of("account_id", "accounts", primary_key=True),
        _number("lease"),
        _text("state"),
        _text("reason"),
        _text("remote_id", nullable=True),
        _text("url", nullable=True),
        _text("master_key_id", nullable=True),
        _bytes("wrapped_key", nullable=True),
        _bytes("sealed", nullable=True),
        _moment("registered_at", nullable=True),
        _moment("last_event_at", nullable=True),
        _number("failures"),
        _moment("due_at"),
    )
    _index("vendor_webhooks", "due_at")


def _create_record_watches() -> None:
    op.create_table(
        "record_watches",
        _of("account_id", "accounts", primary_key=True),
        _text("resource", primary_key=True),
        _number("lease"),
        _moment("due_at"),
        _moment("rest_until"),
        _number("failures"),
        _text("rights"),
        _text("mapping"),
        _text("reading"),
        _flag("held"),
    )
    _index("record_watches", "due_at")
    watch = ["record_watches.account_id", "record_watches.resource"]
    op.create_table(
        "record_hashes",
        _text("account_id", primary_key=True),
        _text("resource", primary_key=True),
        _text("remote_id", primary_key=True),
        _bytes("hash"),
        sa.ForeignKeyConstraint(["account_id", "resource"], watch, ondelete="CASCADE"),
    )


def _create_audit_log() -> None:
    op.create_table(
        "audit_log",
        sa.Column("id", NUMBER, primary_key=True),
        _moment("at"),
        _text("project_id"),
        _text("account_id", nullable=True),
        _text("key_id", nullable=True),
        _text("event"),
        _text("actor"),
        _text("actor_id"),
        _text("address"),
        _json("details"),
    )
    _index("audit_log", "account_id", "id")
    _index("audit_log", "project_id", "id")
    op.create_index(
        "ix_audit_log_with_address", "audit_log", ["at"], postgresql_where=WITH_ADDRESS, sqlite_where=WITH_ADDRESS
    )
    op.create_table(
        "pending_purges",
        sa.Column("audit_id", NUMBER, primary_key=True, autoincrement=False),
        _text("kind", primary_key=True),
        _moment("at"),
    )


# The audit log takes new rows only. One change of a row is allowed: after 30 days, the least that the setting
# audit.address_days takes, its address may be emptied.
REFUSAL = "the audit log is append-only"
COLUMNS = "id at project_id account_id key_id event actor actor_id".split()

_SAME_SQLITE = " AND ".join(f"NEW.{name} IS OLD.{name}" for name in (*COLUMNS, "details"))
SQLITE = (
    f"CREATE TRIGGER audit_log_no_delete BEFORE DELETE ON audit_log BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END",
    # INSERT OR REPLACE deletes a row without running the trigger above.
    f"""CREATE TRIGGER audit_log_no_replace BEFORE INSERT ON audit_log
        WHEN EXISTS (SELECT 1 FROM audit_log WHERE id = NEW.id)
        BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END""",  # noqa: S608 - constants of this file
    f"""CREATE TRIGGER audit_log_no_update BEFORE UPDATE ON audit_log
        WHEN NOT (NEW.address = '' AND OLD.at < datetime('now', '-30 days') AND {_SAME_SQLITE})
        BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END""",
)

_NEW_ROW = ", ".join(f"NEW.{name}" for name in (*COLUMNS, "details::text"))
_OLD_ROW = _NEW_ROW.replace("NEW.", "OLD.")
# The planner's statistics contain samples of a column's values, which would outlive deleted rows.
WITHOUT_STATISTICS = {
    "accounts": "owner_id label setup_information",
    "connect_sessions": "owner_id owner_name owner_username label details",
    "credentials": "wrapped_key sealed owner_sealed",
    "vendor_webhooks": "wrapped_key sealed",
}
POSTGRESQL = (
    f"""CREATE FUNCTION audit_log_refuse() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION '{REFUSAL}'; END $$""",
    """CREATE TRIGGER audit_log_refuse BEFORE DELETE OR TRUNCATE ON audit_log
        FOR EACH STATEMENT EXECUTE FUNCTION audit_log_refuse()""",
    f"""CREATE TRIGGER audit_log_refuse_update BEFORE UPDATE ON audit_log
        FOR EACH ROW WHEN (NOT (
            NEW.address = '' AND OLD.at < now() - interval '30 days' AND ({_NEW_ROW}) IS NOT DISTINCT FROM ({_OLD_ROW})
        ))
        EXECUTE FUNCTION audit_log_refuse()""",
    *(
        f"ALTER TABLE {table} ALTER COLUMN {column} SET STATISTICS 0"
        for table, columns in WITHOUT_STATISTICS.items()
        for column in columns.split()
    ),
)
