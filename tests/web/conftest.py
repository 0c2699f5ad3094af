"""The fixtures of `tests.web.support`, `tests.web.linking` and `tests.web.operating`, for every test of this folder."""

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

__all__ = [
    "fixture_door",
    "fixture_empty_database",
    "fixture_environ",
    "fixture_linking",
    "fixture_operator",
    "fixture_redis_url",
    "fixture_sandbox",
    "fixture_sandbox_server",
    "fixture_site",
    "fixture_stack",
    "fixture_time",
]
