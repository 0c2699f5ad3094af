"""What alembic runs: on a connection, and inside a transaction, that the caller has opened."""

from alembic import context

from gateway.db.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
