"""Encrypts what must not be readable in the database or the cache."""
