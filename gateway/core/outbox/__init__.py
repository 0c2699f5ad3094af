"""Webhooks to the product: what it may hear of, where it listens, and deliveries that are kept until they arrive."""
