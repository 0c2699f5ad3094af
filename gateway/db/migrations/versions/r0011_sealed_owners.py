"""The owner's name of an account, sealed. The gateway seals what is still in clear when it starts next."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("credentials", sa.Column("owner_sealed", sa.LargeBinary))
    if op.get_bind().dialect.name == "postgresql":
        # The planner's statistics hold samples of the values of a column, which outlive the rows.
        op.execute("ALTER TABLE credentials ALTER COLUMN owner_sealed SET STATISTICS 0")


def downgrade() -> None:
    op.drop_column("credentials", "owner_sealed")
