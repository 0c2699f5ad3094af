"""The fixtures of `tests.web.support` and `tests.web.linking`, for every test of this folder."""

from tests.web.linking import fixture_linking, fixture_time
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
    "fixture_empty_database",
    "fixture_environ",
    "fixture_linking",
    "fixture_redis_url",
    "fixture_sandbox",
    "fixture_sandbox_server",
    "fixture_site",
    "fixture_stack",
    "fixture_time",
]
