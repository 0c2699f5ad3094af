"""Whether a session to link may replace the company that an account is linked to."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "connect_sessions", sa.Column("replace_company", sa.Boolean, nullable=False, server_default=sa.false())
    )


def downgrade() -> None:
    with op.batch_alter_table("connect_sessions") as table:
        table.drop_column("replace_company")
