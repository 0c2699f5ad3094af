"""Connect sessions."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def _account(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String, sa.ForeignKey("accounts.id", ondelete="CASCADE"))


def upgrade() -> None:
    op.create_table(
        "connect_sessions",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("digest", sa.String, nullable=False, unique=True),
        sa.Column("project_id", sa.String, sa.ForeignKey("projects.id", ondelete="CASCADE"), nullable=False),
        sa.Column("owner_id", sa.String, nullable=False),
        sa.Column("owner_name", sa.String, nullable=False),
        sa.Column("owner_username", sa.String),
        sa.Column("provider", sa.String),
        sa.Column("categories", sa.JSON, nullable=False),
        _account("account_id"),
        sa.Column("multiple", sa.Boolean, nullable=False),
        sa.Column("label", sa.String),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("details", sa.JSON, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("claimed_at", MOMENT),
        _account("linked_id"),
        sa.Column("tries", sa.Integer, nullable=False),
    )
    op.create_index("ix_connect_sessions_expires_at", "connect_sessions", ["expires_at"])


def downgrade() -> None:
    op.drop_table("connect_sessions")
