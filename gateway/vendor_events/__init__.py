"""Webhooks of vendors: registration, and receiving what they send."""
