"""Webhooks of accounts at their vendors."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "vendor_hooks",
        sa.Column("account_id", sa.String, sa.ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("turn", sa.Integer, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("remote_id", sa.String),
        sa.Column("url", sa.String),
        sa.Column("master_key_id", sa.String),
        sa.Column("wrapped_key", sa.LargeBinary),
        sa.Column("sealed", sa.LargeBinary),
        sa.Column("registered_at", MOMENT),
        sa.Column("last_event_at", MOMENT),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("due_at", MOMENT, nullable=False),
    )
    op.create_index("ix_vendor_hooks_due_at", "vendor_hooks", ["due_at"])


def downgrade() -> None:
    op.drop_table("vendor_hooks")
