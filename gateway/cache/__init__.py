"""Caching: freshness (RFC 9111, RFC 5861), the local cache, Redis, single-flight and invalidation."""
