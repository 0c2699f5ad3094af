"""Calls to vendors: the HTTP client, retries, decoding, OAuth 2.0."""
