"""What is counted, in Prometheus' words. Labels never hold an account, a person or a query."""

from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Histogram


@dataclass(frozen=True, slots=True)
class Metrics:
    """The counters of one process. `registry` is what `/metrics` shows."""

    registry: CollectorRegistry
    requests: Counter
    seconds: Histogram
    upstream_requests: Counter
    upstream_seconds: Histogram
    cache_reads: Counter
    cache_faults: Counter
    webhook_attempts: Counter
    vendor_events: Counter
    vendor_hooks: Counter
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
            buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
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
            "gateway_webhook_attempts", "Tries to deliver an event.", ("outcome",), registry=registry
        ),
        vendor_events=Counter(
            "gateway_vendor_events",
            "Events that vendors sent, and deliveries that were refused.",
            ("provider", "outcome"),
            registry=registry,
        ),
        vendor_hooks=Counter(
            "gateway_vendor_hooks",
            "Webhooks at vendors: registered, looked after, removed.",
            ("provider", "outcome"),
            registry=registry,
        ),
        record_watches=Counter(
            "gateway_record_watches", "Lists read to find what has changed.", ("resource", "outcome"), registry=registry
        ),
        record_events=Counter(
            "gateway_record_events", "Changes of records that were found and told.", ("event",), registry=registry
        ),
        unreadable_values=Counter(
            "gateway_unreadable_values",
            "Values that a vendor sent and that could not be read, as often as answers were made of them.",
            ("provider", "resource"),
            registry=registry,
        ),
    )
