"""What the product hears of records: watches of vendors' lists, and a hash of each record."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "record_watches",
        sa.Column("account_id", sa.String, sa.ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("resource", sa.String, primary_key=True),
        sa.Column("turn", sa.Integer, nullable=False),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.Column("rest_until", MOMENT, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("rights", sa.String, nullable=False),
        sa.Column("mapping", sa.String, nullable=False),
        sa.Column("reading", sa.String, nullable=False),
        sa.Column("held", sa.Boolean, nullable=False),
    )
    op.create_index("ix_record_watches_due_at", "record_watches", ["due_at"])
    op.create_table(
        "record_hashes",
        sa.Column("account_id", sa.String, primary_key=True),
        sa.Column("resource", sa.String, primary_key=True),
        sa.Column("remote_id", sa.String, primary_key=True),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "resource"],
            ["record_watches.account_id", "record_watches.resource"],
            ondelete="CASCADE",
        ),
    )


def downgrade() -> None:
    op.drop_table("record_hashes")
    op.drop_table("record_watches")
