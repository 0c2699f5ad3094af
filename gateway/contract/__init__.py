"""Checks queries and bodies of requests against the contract."""
