"""The fixtures of the modules `support`, `linking`, `operating` and `webhooks`, for every test of this folder."""

from tests.web.linking import fixture_linking, fixture_time
from tests.web.operating import fixture_door, fixture_operator
from tests.web.support import (
    fixture_empty_database,
    fixture_environ,
    fixture_redis_url,
    fixture_sandbox,
    fixture_sandbox_server,
    fixture_site,
    fixture_stack,
)
from tests.web.webhooks import fixture_receiver

__all__ = [
    "fixture_door",
    "fixture_empty_database",
    "fixture_environ",
    "fixture_linking",
    "fixture_operator",
    "fixture_receiver",
    "fixture_redis_url",
    "fixture_sandbox",
    "fixture_sandbox_server",
    "fixture_site",
    "fixture_stack",
    "fixture_time",
]
