"""Webhooks to the product: events, endpoints, deliveries and their signatures."""
