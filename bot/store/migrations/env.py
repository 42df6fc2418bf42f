"""Alembic runs this: the steps, on the connection and in the transaction that bot.store.schema gives."""

from alembic import context

from bot.store.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,  # SQLite can alter little: a table is made anew and its rows copied
)
with context.begin_transaction():
    context.run_migrations()
