"""What an account allows to be kept."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("accounts", sa.Column("caching", sa.JSON))


def downgrade() -> None:
    with op.batch_alter_table("accounts") as table:
        table.drop_column("caching")
