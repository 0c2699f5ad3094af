"""The database: projects, client keys and linked accounts, in SQLite or PostgreSQL."""

from gateway.adapters.accounts.apikey import new_id
from gateway.adapters.accounts.clients import Clients, Tell, tell_nobody
from gateway.adapters.accounts.database import Database, utc_now
from gateway.adapters.accounts.engine import migrate, open_engine

__all__ = ["Clients", "Database", "Tell", "migrate", "new_id", "open_engine", "tell_nobody", "utc_now"]
