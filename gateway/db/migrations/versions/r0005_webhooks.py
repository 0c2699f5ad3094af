"""Webhooks: endpoints, deliveries and what came of each attempt."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def _owner(name: str, table: str) -> sa.Column[str]:
    return sa.Column(name, sa.String, sa.ForeignKey(f"{table}.id", ondelete="CASCADE"), nullable=False)


def upgrade() -> None:
    _create_endpoints()
    _create_deliveries()
    _create_attempts()


def downgrade() -> None:
    for table in ("webhook_attempts", "webhook_deliveries", "webhook_endpoints"):
        op.drop_table(table)


def _create_endpoints() -> None:
    op.create_table(
        "webhook_endpoints",
        sa.Column("id", sa.String, primary_key=True),
        _owner("project_id", "projects"),
        sa.Column("url", sa.String, nullable=False),
        sa.Column("events", sa.JSON, nullable=False),
        sa.Column("description", sa.String),
        sa.Column("master_key_id", sa.String, nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary, nullable=False),
        sa.Column("secret", sa.LargeBinary, nullable=False),
        sa.Column("older_secret", sa.LargeBinary),
        sa.Column("older_until", MOMENT),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.Column("disabled_at", MOMENT),
        sa.Column("disabled_reason", sa.String),
        sa.Column("failing_since", MOMENT),
    )
    op.create_index("ix_webhook_endpoints_project_id", "webhook_endpoints", ["project_id"])


def _create_deliveries() -> None:
    table = "webhook_deliveries"
    op.create_table(
        table,
        sa.Column("id", sa.String, primary_key=True),
        _owner("endpoint_id", "webhook_endpoints"),
        sa.Column("event_id", sa.String, nullable=False),
        sa.Column("event", sa.String, nullable=False),
        sa.Column("account_id", sa.String),
        sa.Column("payload", sa.LargeBinary),
        sa.Column("forget", sa.Boolean, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("reason", sa.String),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("claim", sa.String),
        sa.Column("next_at", MOMENT, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT),
    )
    for columns in (
        ["account_id"],
        ["ended_at"],
        ["state", "next_at"],
        ["endpoint_id", "state", "next_at"],
        ["endpoint_id", "created_at"],
    ):
        op.create_index("_".join(["ix", table, *columns]), table, columns)


def _create_attempts() -> None:
    op.create_table(
        "webhook_attempts",
        sa.Column("id", sa.Integer, primary_key=True),
        _owner("delivery_id", "webhook_deliveries"),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("status", sa.Integer),
        sa.Column("milliseconds", sa.Integer, nullable=False),
        sa.Column("error", sa.String),
    )
    op.create_index("ix_webhook_attempts_delivery_id", "webhook_attempts", ["delivery_id"])
