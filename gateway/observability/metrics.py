"""Prometheus metrics. Labels never hold an account, a person or a query."""

from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Histogram

FASTEST = 0.0005
"""Seconds. The bound of the first bucket of `gateway_request_seconds`."""


@dataclass(frozen=True, slots=True)
class Metrics:
    """The metrics of one process. `registry` is what `/metrics` shows."""

    registry: CollectorRegistry
    requests: Counter
    seconds: Histogram
    upstream_requests: Counter
    upstream_seconds: Histogram
    cache_reads: Counter
    cache_faults: Counter
    webhook_attempts: Counter
    vendor_events: Counter
    vendor_webhooks: Counter
    record_watches: Counter
    record_events: Counter
    unreadable_values: Counter


def make_metrics() -> Metrics:
    registry = CollectorRegistry()
    return Metrics(
        registry=registry,
        requests=Counter("gateway_requests", "Requests answered.", ("operation", "status", "cache"), registry=registry),
        seconds=Histogram(
            "gateway_request_seconds",
            "Time from request to answer.",
            ("cache",),
            registry=registry,
            buckets=(FASTEST, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
        ),
        upstream_requests=Counter(
            "gateway_upstream_requests", "Calls to vendors.", ("provider", "status"), registry=registry
        ),
        upstream_seconds=Histogram(
            "gateway_upstream_seconds", "Time of a call to a vendor.", ("provider",), registry=registry
        ),
        cache_reads=Counter("gateway_cache_reads", "Values looked up in Redis.", ("result",), registry=registry),
        cache_faults=Counter(
            "gateway_cache_faults", "Redis calls that failed and were counted as misses.", ("kind",), registry=registry
        ),
        webhook_attempts=Counter(
            "gateway_webhook_attempts", "Attempts to deliver an event.", ("outcome",), registry=registry
        ),
        vendor_events=Counter(
            "gateway_vendor_events",
            "Events that vendors sent, and deliveries that were refused.",
            ("provider", "outcome"),
            registry=registry,
        ),
        vendor_webhooks=Counter(
            "gateway_vendor_webhooks",
            "Our webhooks at vendors: registered, checked, removed.",
            ("provider", "outcome"),
            registry=registry,
        ),
        record_watches=Counter(
            "gateway_record_watches", "Lists read to find changed records.", ("resource", "outcome"), registry=registry
        ),
        record_events=Counter("gateway_record_events", "Events about changed records.", ("event",), registry=registry),
        unreadable_values=Counter(
            "gateway_unreadable_values",
            "Values from vendors that could not be read, counted for each answer that they are missing from.",
            ("provider", "resource"),
            registry=registry,
        ),
    )
