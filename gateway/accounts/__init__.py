"""Linked accounts: linking, unlinking, their state, verification and usage, and the API over them."""
