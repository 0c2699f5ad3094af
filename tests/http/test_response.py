"""What holds of every answer, whatever it is: over all routes of the site."""

from contextlib import AsyncExitStack

import pytest

from connectors.hris.operations import OPERATIONS
from gateway.app.routes import Site as Pages
from gateway.cache.compression import unpack
from tests.fixtures.gateway import Site, open_site

PASSWORD = "a long enough password"


async def test_no_answer_is_taken_for_something_else(environ: dict[str, str], stack: AsyncExitStack) -> None:
    """Of JSON that holds a customer's text a browser must not make a page."""
    site = await open_site({**environ, "GATEWAY_DASHBOARD_PASSWORD": PASSWORD}, stack)
    site.key, site.account = await site.make_key(), await site.link("all-owner")
    pages = site.edge.app
    assert isinstance(pages, Pages)
    routes = [(method, route.path) for route in pages.routes for method in route.methods or ()]
    routes += [(each.method, each.path) for each in OPERATIONS] + [("GET", "/nowhere"), ("BREW", "/accounts")]
    for method, path in routes:
        for auth in (None, (site.key, "")):
            answer = await site.client.request(method, path, auth=auth, headers={"x-account-id": site.account})
            assert answer.headers.get_list("x-content-type-options") == ["nosniff"], (method, path)


@pytest.mark.parametrize("path", ["/docs", "/openapi.json", "/docs/style.css"])
@pytest.mark.parametrize("coding", ["", "gzip", "zstd"])
async def test_the_documents_are_sent_small_and_known_again(site: Site, path: str, coding: str) -> None:
    plain = await site.client.get(path, headers={"accept-encoding": "identity"})
    coded = await site.client.get(path, headers={"accept-encoding": coding or "identity"})
    assert coded.headers.get("content-encoding", "") == coding
    # The client opens gzip by itself.
    assert (unpack(coded.content) if coding == "zstd" else coded.content) == plain.content
    assert int(coded.headers["content-length"]) < len(plain.content) / 2 or not coding
    assert (coded.headers["etag"] == plain.headers["etag"]) == (not coding)
    assert "accept-encoding" in coded.headers["vary"]
    again = await site.client.get(
        path, headers={"accept-encoding": coding or "identity", "if-none-match": coded.headers["etag"]}
    )
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    ("networks", "address", "status"),
    [
        ("", "203.0.113.9", 303),
        ("10.8.0.0/16", "10.8.3.4", 303),
        ("10.8.0.0/16", "::ffff:10.8.3.4", 303),
        ("10.8.0.0/16", "10.9.0.1", 404),
        ("10.8.0.0/16", "2001:db8::1", 404),
        ("10.8.0.0/16,2001:db8::/32", "2001:db8::1", 303),
        ("10.8.0.0/16", "nobody", 404),
        ("10.8.0.0/16", "", 404),
        ("10.8.0.0/16", "6.6.6.6, 10.8.3.4", 303),
        ("10.8.0.0/16", "10.8.3.4, 6.6.6.6", 404),
    ],
)
async def test_the_dashboard_is_there_for_the_operator_s_networks_alone(
    environ: dict[str, str], stack: AsyncExitStack, networks: str, address: str, status: int
) -> None:
    settings = {
        "GATEWAY_DASHBOARD_PASSWORD": PASSWORD,
        "GATEWAY_DASHBOARD_ALLOWED_NETWORKS": networks,
        "GATEWAY_SERVER_ADDRESS_HEADER": "x-forwarded-for",
    }
    site = await open_site({**environ, **settings}, stack)
    for path in ("/dashboard", "/dashboard/accounts/x", "/dashboard/dashboard.css", "/dashboard/login"):
        answer = await site.client.get(path, headers={"x-forwarded-for": address})
        expected = 200 if status == 303 and path.endswith(("css", "login")) else status
        assert answer.status_code == expected, path
    assert (await site.client.get("/healthz", headers={"x-forwarded-for": address})).status_code == 200
