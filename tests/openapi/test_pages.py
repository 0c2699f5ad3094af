"""The page at /docs: whole without scripts, loads nothing from elsewhere, and shows what the document says."""

from html.parser import HTMLParser

import pytest

from connectors.contract import Operation
from connectors.hris.operations import OPERATIONS
from connectors.platform import PLATFORM_OPERATIONS
from gateway.app.build import describe
from gateway.contract.query import PageLimits
from gateway.openapi.pages import render_page
from tests.fixtures.gateway import Site

DOCUMENT = describe(PageLimits(25, 250))
PAGE = render_page(DOCUMENT).decode()


class Reader(HTMLParser):
    """Collects what a page refers to, what can be referred to, and its elements."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: list[str] = []
        self.elements: set[str] = set()
        self.attributes: set[str] = set()
        self.feed(PAGE)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        for name, value in attrs:
            self.attributes.add(name)
            if name in {"href", "src", "action", "srcset", "data"}:
                self.links.append(value or "")
            if name == "id":
                self.ids.append(value or "")


def test_it_refers_to_nothing_elsewhere_and_runs_nothing() -> None:
    page = Reader()
    assert {link for link in page.links if not link.startswith("#")} == {"/docs/style.css", "/openapi.json"}
    assert not page.elements & {"script", "style", "iframe", "img", "object", "form"}
    assert not [name for name in page.attributes if name == "style" or name.startswith("on")]


def test_every_link_within_it_leads_somewhere() -> None:
    page = Reader()
    assert len(page.ids) == len(set(page.ids))
    assert {link[1:] for link in page.links if link.startswith("#")} <= set(page.ids)


@pytest.mark.parametrize("operation", [*OPERATIONS, *PLATFORM_OPERATIONS], ids=lambda each: each.id)
def test_every_operation_is_shown_with_its_scope(operation: Operation) -> None:
    place = PAGE.partition(f'<article id="{operation.id}">')[2].partition("</article>")[0]
    assert operation.path in place
    assert operation.scope in place
    assert "curl " in place


def test_fields_stand_with_types_and_scopes() -> None:
    place = PAGE.partition('<h3 id="Employees">')[2].partition("</section>")[0]
    [row] = [row for row in place.split("<tr>") if "<code>personal_email</code>" in row]
    assert "text" in row
    assert "humaans: private:read" in row
    [row] = [row for row in place.split("<tr>") if "<code>bank_details</code>" in row]
    assert "hris.bank_details:read" in row
    assert '<a href="#BankDetails">' in row


def test_what_nobody_answers_says_why() -> None:
    place = PAGE.partition('<article id="list_shifts">')[2].partition("</article>")[0]
    assert "501: Humaans plans no shifts" in place


def test_texts_are_shown_as_they_are() -> None:
    strange = {**DOCUMENT, "info": {"title": "<b>", "description": "one `<i>` two <script>"}}
    page = render_page(strange).decode()
    assert "<title>&lt;b&gt;</title>" in page
    assert "one <code>&lt;i&gt;</code> two &lt;script&gt;" in page


async def test_it_is_served_with_a_policy_that_allows_nothing_else(site: Site) -> None:
    answer = await site.client.get("/docs")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.text == PAGE
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'self'; ")
    assert "unsafe" not in policy
    assert "script-src" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    again = await site.client.get("/docs", headers={"if-none-match": answer.headers["etag"]})
    assert again.status_code == 304
    style = await site.client.get("/docs/style.css")
    assert style.headers["content-type"] == "text/css; charset=utf-8"
    assert "prefers-color-scheme: dark" in style.text
    assert "url(" not in style.text
    assert "@import" not in style.text
