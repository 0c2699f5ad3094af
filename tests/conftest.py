"""What holds for all tests: how hypothesis searches, and the fixtures of `tests.fixtures`."""

from hypothesis import HealthCheck, settings

from tests.fixtures.dashboard_browser import fixture_operator, fixture_visitor
from tests.fixtures.databases import fixture_sqlite
from tests.fixtures.gateway import (
    fixture_empty_database,
    fixture_environ,
    fixture_redis_url,
    fixture_sandbox,
    fixture_sandbox_server,
    fixture_site,
    fixture_stack,
)
from tests.fixtures.linking import fixture_clock, fixture_linking
from tests.fixtures.postgresql import cluster, empty_url, stores, time, url
from tests.fixtures.server import fixture_hits
from tests.fixtures.webhooks import fixture_receiver

__all__ = [
    "cluster",
    "empty_url",
    "fixture_clock",
    "fixture_empty_database",
    "fixture_environ",
    "fixture_hits",
    "fixture_linking",
    "fixture_operator",
    "fixture_receiver",
    "fixture_redis_url",
    "fixture_sandbox",
    "fixture_sandbox_server",
    "fixture_site",
    "fixture_sqlite",
    "fixture_stack",
    "fixture_visitor",
    "stores",
    "time",
    "url",
]

# A run must not fail by chance, nor because the machine is busy: the same examples each time, and no clock.
# `--hypothesis-profile=search` looks further, with other examples each time.
settings.register_profile(
    "same", derandomize=True, database=None, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("search", deadline=None, max_examples=1000, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("same")
