"""What is still to be erased, ended sign-ins, and an end for the addresses in the trail."""

import sqlalchemy as sa
from alembic import op

from gateway.db.migrations.versions.r0004_account_life import POSTGRESQL, REFUSAL, SQLITE

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
COLUMNS = "id at project_id account_id key_id what actor actor_id".split()
NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
# An address may be emptied after 30 days, the least that the setting takes.
ADDRESSED = sa.text("address <> ''")

_SAME_SQLITE = " AND ".join(f"NEW.{name} IS OLD.{name}" for name in (*COLUMNS, "details"))
NEW_SQLITE = (
    "DROP TRIGGER audit_trail_no_update",
    f"""CREATE TRIGGER audit_trail_no_update BEFORE UPDATE ON audit_trail
        WHEN NOT (NEW.address = '' AND OLD.at < datetime('now', '-30 days') AND {_SAME_SQLITE})
        BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END""",
)
OLD_SQLITE = ("DROP TRIGGER audit_trail_no_update", SQLITE[0])

_NEW_ROW = ", ".join(f"NEW.{name}" for name in (*COLUMNS, "details::text"))
_OLD_ROW = _NEW_ROW.replace("NEW.", "OLD.")
NEW_POSTGRESQL = (
    "DROP TRIGGER audit_trail_refuse ON audit_trail",
    """CREATE TRIGGER audit_trail_refuse BEFORE DELETE OR TRUNCATE ON audit_trail
        FOR EACH STATEMENT EXECUTE FUNCTION audit_trail_refuse()""",
    f"""CREATE TRIGGER audit_trail_refuse_update BEFORE UPDATE ON audit_trail
        FOR EACH ROW WHEN (NOT (
            NEW.address = '' AND OLD.at < now() - interval '30 days' AND ({_NEW_ROW}) IS NOT DISTINCT FROM ({_OLD_ROW})
        ))
        EXECUTE FUNCTION audit_trail_refuse()""",
)
# The planner's statistics hold samples of the values of a column, which outlive the rows.
UNSAMPLED = {
    "accounts": "owner_id owner_name owner_username label setup_information",
    "connect_sessions": "owner_id owner_name owner_username label details",
    "credentials": "wrapped_key sealed",
    "vendor_hooks": "wrapped_key sealed",
}
WITHOUT_STATISTICS = tuple(
    f"ALTER TABLE {table} ALTER COLUMN {column} SET STATISTICS 0"
    for table, columns in UNSAMPLED.items()
    for column in columns.split()
)
OLD_POSTGRESQL = (
    "DROP TRIGGER audit_trail_refuse_update ON audit_trail",
    "DROP TRIGGER audit_trail_refuse ON audit_trail",
    POSTGRESQL[1],
)


def upgrade() -> None:
    op.create_table(
        "pending_erasures",
        sa.Column("row", NUMBER, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.String, primary_key=True),
        sa.Column("at", MOMENT, nullable=False),
    )
    op.create_table(
        "ended_sign_ins",
        sa.Column("digest", sa.String, primary_key=True),
        sa.Column("until", MOMENT, nullable=False),
    )
    op.create_index("ix_ended_sign_ins_until", "ended_sign_ins", ["until"])
    op.create_index(
        "ix_audit_trail_addressed", "audit_trail", ["at"], postgresql_where=ADDRESSED, sqlite_where=ADDRESSED
    )
    _run((*NEW_POSTGRESQL, *WITHOUT_STATISTICS), NEW_SQLITE)


def downgrade() -> None:
    _run(OLD_POSTGRESQL, OLD_SQLITE)
    op.drop_index("ix_audit_trail_addressed", "audit_trail")
    op.drop_table("ended_sign_ins")
    op.drop_table("pending_erasures")


def _run(on_postgresql: tuple[str, ...], on_sqlite: tuple[str, ...]) -> None:
    for statement in on_postgresql if op.get_bind().dialect.name == "postgresql" else on_sqlite:
        op.execute(statement)
