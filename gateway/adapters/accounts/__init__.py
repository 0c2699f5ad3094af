"""The database: projects, client keys and linked accounts, in SQLite or PostgreSQL."""

from gateway.adapters.accounts.apikey import new_id
from gateway.adapters.accounts.clients import Clients
from gateway.adapters.accounts.database import Database, utc_now
from gateway.adapters.accounts.engine import migrate, open_engine
from gateway.adapters.accounts.notes import NOBODY, Ears

__all__ = ["NOBODY", "Clients", "Database", "Ears", "migrate", "new_id", "open_engine", "utc_now"]
