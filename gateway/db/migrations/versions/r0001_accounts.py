"""Projects, client keys, linked accounts and their credentials."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def _owned_by(table: str) -> sa.ForeignKey:
    return sa.ForeignKey(f"{table}.id", ondelete="CASCADE")


def upgrade() -> None:
    _create_clients()
    _create_accounts()


def downgrade() -> None:
    for table in ("credentials", "accounts", "api_keys", "projects"):
        op.drop_table(table)


def _create_clients() -> None:
    op.create_table(
        "projects",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("name", sa.String, nullable=False, unique=True),
        sa.Column("created_at", MOMENT, nullable=False),
    )
    op.create_table(
        "api_keys",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("project_id", sa.String, _owned_by("projects"), nullable=False),
        sa.Column("prefix", sa.String, nullable=False),
        sa.Column("digest", sa.String, nullable=False, unique=True),
        sa.Column("scopes", sa.JSON, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("last_used_at", MOMENT),
        sa.Column("revoked_at", MOMENT),
    )
    op.create_index("ix_api_keys_project_id", "api_keys", ["project_id"])


def _create_accounts() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("project_id", sa.String, _owned_by("projects"), nullable=False),
        sa.Column("provider", sa.String, nullable=False),
        sa.Column("owner_id", sa.String, nullable=False),
        sa.Column("owner_name", sa.String, nullable=False),
        sa.Column("owner_username", sa.String),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("status_reasons", sa.JSON, nullable=False),
        sa.Column("label", sa.String),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("setup_information", sa.JSON, nullable=False),
        sa.Column("granted", sa.JSON, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
    )
    op.create_index("ix_accounts_project_id_provider_owner_id", "accounts", ["project_id", "provider", "owner_id"])
    op.create_table(
        "credentials",
        sa.Column("account_id", sa.String, sa.ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("master_key_id", sa.String, nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
    )
