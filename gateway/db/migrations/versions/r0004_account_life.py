"""The audit trail, which takes new rows alone, and how each account fares."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
REFUSAL = "the audit trail is append-only"

SQLITE = (
    f"CREATE TRIGGER audit_trail_no_update BEFORE UPDATE ON audit_trail BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END",
    f"CREATE TRIGGER audit_trail_no_delete BEFORE DELETE ON audit_trail BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END",
    # INSERT OR REPLACE deletes without asking the trigger above.
    f"""CREATE TRIGGER audit_trail_no_replace BEFORE INSERT ON audit_trail
        WHEN EXISTS (SELECT 1 FROM audit_trail WHERE id = NEW.id)
        BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END""",  # noqa: S608 - our own words
)
POSTGRESQL = (
    f"""CREATE FUNCTION audit_trail_refuse() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION '{REFUSAL}'; END $$""",
    """CREATE TRIGGER audit_trail_refuse BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_trail
        FOR EACH STATEMENT EXECUTE FUNCTION audit_trail_refuse()""",
)


def upgrade() -> None:
    _create_trail()
    _create_usage()


def downgrade() -> None:
    op.drop_table("account_usage")
    op.drop_table("audit_trail")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION audit_trail_refuse()")


def _create_trail() -> None:
    op.create_table(
        "audit_trail",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("project_id", sa.String, nullable=False),
        sa.Column("account_id", sa.String),
        sa.Column("key_id", sa.String),
        sa.Column("what", sa.String, nullable=False),
        sa.Column("actor", sa.String, nullable=False),
        sa.Column("actor_id", sa.String, nullable=False),
        sa.Column("address", sa.String, nullable=False),
        sa.Column("details", sa.JSON, nullable=False),
    )
    op.create_index("ix_audit_trail_account_id_id", "audit_trail", ["account_id", "id"])
    op.create_index("ix_audit_trail_project_id_id", "audit_trail", ["project_id", "id"])
    for statement in POSTGRESQL if op.get_bind().dialect.name == "postgresql" else SQLITE:
        op.execute(statement)


def _create_usage() -> None:
    usage = op.create_table(
        "account_usage",
        sa.Column("account_id", sa.String, sa.ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("check_at", MOMENT, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("verified_at", MOMENT),
        sa.Column("called_at", MOMENT),
        sa.Column("proven_at", MOMENT),
        sa.Column("error_at", MOMENT),
        sa.Column("error_code", sa.String),
        sa.Column("hits", sa.BigInteger, nullable=False),
        sa.Column("misses", sa.BigInteger, nullable=False),
        sa.Column("errors", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_account_usage_check_at", "account_usage", ["check_at"])
    # Accounts of before were last known to be good when they were last written.
    accounts = sa.table("accounts", sa.column("id"), sa.column("updated_at", MOMENT))
    zero = sa.literal(0)
    rows = sa.select(accounts.c.id, accounts.c.updated_at, zero, accounts.c.updated_at, zero, zero, zero)
    names = ["account_id", "check_at", "failures", "verified_at", "hits", "misses", "errors"]
    op.execute(usage.insert().from_select(names, rows))
