"""The OpenAPI document says what the gateway does: every route, parameter and scope, and nothing else."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from starlette.routing import Route

from connectors.contract import Operation
from connectors.hris.operations import OPERATIONS
from connectors.platform import CONNECT_OPERATIONS, PLATFORM_OPERATIONS, PROXY, WEBHOOK_OPERATIONS
from connectors.registry import CONNECTORS
from connectors.spec import Absent
from connectors.writes import Write
from gateway.app.build import describe
from gateway.app.routes import OPEN_ROUTES
from gateway.app.routes import Site as Inner
from gateway.contract.body import check_body
from gateway.contract.query import PageLimits, parse
from gateway.errors import BadRequest
from gateway.http.response import STATUSES, MethodNotAllowed
from gateway.openapi.responses import ERRORS
from tests.fixtures.gateway import Site

LIMITS = PageLimits(25, 250)
DOCUMENT = describe(LIMITS)
HUMAANS = CONNECTORS["humaans"]
READS = [each for each in OPERATIONS if HUMAANS.endpoint(each) and each.reads]
NOT_ANSWERED = [each for each in OPERATIONS if each.reads and not HUMAANS.endpoint(each)]


def item(operation: Operation) -> dict[str, Any]:
    found: dict[str, Any] = DOCUMENT["paths"][operation.path][operation.method.lower()]
    return found


def by_id(operation_id: str) -> Operation:
    return next(each for each in OPERATIONS if each.id == operation_id)


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return found


def test_it_is_valid_openapi() -> None:
    assert [error.message for error in OpenAPIV31SpecValidator(DOCUMENT).iter_errors()] == []


def test_it_has_every_operation_and_open_route_and_no_other() -> None:
    said = {(method.upper(), path) for path, item in DOCUMENT["paths"].items() for method in item}
    asked = {
        (each.method, each.path)
        for each in (*OPERATIONS, *PLATFORM_OPERATIONS, *CONNECT_OPERATIONS, *WEBHOOK_OPERATIONS, PROXY)
    }
    assert said == asked | set(OPEN_ROUTES)


def routes_of(site: Site) -> Sequence[Route]:
    inner = site.edge.app
    assert isinstance(inner, Inner)
    return inner.routes


async def test_every_route_that_the_site_has_is_in_it(site: Site) -> None:
    routes = {(method, route.path) for route in routes_of(site) for method in (route.methods or ()) if method != "HEAD"}
    assert routes <= {(method.upper(), path) for path, item in DOCUMENT["paths"].items() for method in item}


@pytest.mark.parametrize("operation", READS, ids=lambda each: each.id)
def test_the_query_of_a_read_is_what_the_reader_knows(operation: Operation) -> None:
    endpoint = HUMAANS.endpoint(operation)
    assert endpoint is not None
    with pytest.raises(BadRequest) as caught:
        parse(operation, endpoint.table.resource, [("no_such_parameter", "x")], LIMITS)
    known = set(caught.value.errors[0].partition("known: ")[2].split(", "))
    parameters = [each for each in item(operation)["parameters"] if each["in"] == "query"]
    said = {each["name"] for each in parameters if each["name"] not in {"filter", "proxy"}} | {"proxy[…]"}
    filters: dict[str, Any] = next(
        (each["schema"]["properties"] for each in parameters if each["name"] == "filter"), {}
    )
    said |= {f"filter[{name}]" for name in filters}
    unanswerable = known - said
    listing = operation.kind == "list"
    assert unanswerable <= ({"updated_after", *(f"filter[{each}]" for each in operation.filters)} if listing else set())
    assert said <= known
    for name in unanswerable:
        with pytest.raises(BadRequest, match="cannot be answered"):
            parse(operation, endpoint.table.resource, [(name, "2026-01-01T00:00:00Z")], LIMITS)


@pytest.mark.parametrize("operation", READS, ids=lambda each: each.id)
def test_every_documented_parameter_is_accepted_and_no_other(operation: Operation) -> None:
    endpoint = HUMAANS.endpoint(operation)
    assert endpoint is not None
    for parameter in item(operation)["parameters"]:
        words = parameter["schema"].get("items", {}).get("enum", ())
        if words:
            parse(operation, endpoint.table.resource, [(parameter["name"], ",".join(words))], LIMITS)
            with pytest.raises(BadRequest, match="no_such_word"):
                parse(operation, endpoint.table.resource, [(parameter["name"], "no_such_word")], LIMITS)


def test_every_field_of_a_resource_is_listed_with_its_type_and_when_it_is_returned() -> None:
    envelope = resolved(item(by_id("list_employees"))["responses"]["200"]["content"]["application/json"]["schema"])
    fields = resolved(envelope["properties"]["data"]["items"])["properties"]
    endpoint = HUMAANS.endpoint(by_id("list_employees"))
    assert endpoint is not None
    assert list(fields) == list(endpoint.table.resource.fields)
    assert fields["first_name"] == {"type": ["string", "null"]}
    assert fields["hire_date"] == {"type": ["string", "null"], "format": "date-time"}
    assert fields["gender"]["anyOf"][0] == {"$ref": "#/components/schemas/GenderEnum"}
    assert fields["employments"]["x-given"] == "expand"
    assert fields["bank_details"]["x-given"] == "include"
    assert fields["bank_details"]["x-client-scope"] == "hris.bank_details:read"
    assert envelope["required"] == ["next", "data"]


def test_enums_are_open_for_clients() -> None:
    value = DOCUMENT["components"]["schemas"]["GenderEnum"]["properties"]["value"]
    assert "non_binary" in value["anyOf"][0]["enum"]
    assert value["anyOf"][1] == {"type": ["string", "null"]}


def test_scopes_are_those_of_the_rules() -> None:
    found = item(by_id("list_employees"))
    assert found["x-client-scope"] == "hris.employees:read"
    assert found["x-vendor-scopes"] == {"humaans": [["public:read", "private:read"]]}
    fields = found["x-field-scopes"]
    assert fields["personal_email"] == {"client": None, "vendors": {"humaans": [["private:read"]]}}
    assert fields["employments.pay_rate"] == {
        "client": "hris.compensation:read",
        "vendors": {"humaans": [["compensations:read"]]},
    }
    assert all(each["x-client-scope"] for each in map(item, OPERATIONS))


@pytest.mark.parametrize("operation", NOT_ANSWERED, ids=lambda each: each.id)
def test_what_nobody_answers_is_501_with_the_reason(operation: Operation) -> None:
    found = item(operation)
    assert not [status for status in found["responses"] if status < "400"]
    assert "501" in found["responses"]
    assert found["x-unanswered"]["humaans"] == HUMAANS.why_unanswered(operation) != ""


@pytest.mark.parametrize("write", HUMAANS.writes, ids=lambda each: each.operation)
def test_a_write_says_what_it_is_sent_and_what_it_needs(write: Write) -> None:
    operation = by_id(write.operation)
    found = item(operation)
    assert str(operation.status) in found["responses"]
    assert found.get("x-required", {}).get("humaans", []) == list(write.required)
    if operation.body:
        content = found["requestBody"]["content"]["application/json"]
        assert list(resolved(content["schema"])["properties"]) == list(operation.body.fields)
        assert resolved(content["schema"])["additionalProperties"] is False
        check_body(content["example"], operation.body)
        assert [each["name"] for each in found["parameters"] if each["name"] == "idempotency-key"] == (
            ["idempotency-key"] if operation.kind == "create" else []
        )


def test_pay_takes_its_own_scopes_in_writing_too() -> None:
    fields = item(by_id("create_employee_employment"))["x-field-scopes"]
    assert fields["pay_rate"] == {
        "client": "hris.compensation:write",
        "vendors": {"humaans": [["compensations:write"], ["compensations:read"]]},
    }


@pytest.mark.parametrize("operation", PLATFORM_OPERATIONS, ids=lambda each: each.id)
def test_every_platform_operation_is_documented(operation: Operation) -> None:
    found = item(operation)
    assert found["summary"]
    assert all("schema" in each for each in found["responses"]["200"].get("content", {}).values())


def test_every_error_that_there_is_has_its_line() -> None:
    assert set(ERRORS) == set(STATUSES.values()) - {STATUSES[MethodNotAllowed]}


def test_lists_lead_to_their_records_and_to_the_next_page() -> None:
    links = item(by_id("list_employees"))["responses"]["200"]["links"]
    assert links["next_list_employees"]["parameters"] == {"next": "$response.body#/next"}
    assert links["get_employee"]["parameters"] == {"id": "$response.body#/data/0/id"}
    assert links["list_employee_documents"]["parameters"] == {"id": "$response.body#/data/0/id"}
    inner = item(by_id("list_employee_documents"))["responses"]["200"]["links"]
    assert inner["get_employee_document"]["parameters"] == {
        "id": "$request.path.id",
        "subResourceId": "$response.body#/data/0/id",
    }


def test_no_reason_for_a_gap_is_lost() -> None:
    """Every declared gap says why: the page and the `withheld` block have nothing else to go by."""
    gaps = [rule for table in HUMAANS.tables().values() for rule in table.rows.values() if isinstance(rule, Absent)]
    assert len(gaps) > 50
    assert not [gap for gap in gaps if not re.search(r"\w+ \w+", gap.reason)]


PRIVATE_WORDS = re.compile(
    r"\b(told|hears?|heard|kept|keeps?|shelf|near|held|wish(es)?|desk|ears?|office|forgets?|forgotten|somebody|nobody|"
    r"whoever|trail|aftermath|by hand|going on|comes? of|lives? on|this one time)\b",
    re.IGNORECASE,
)


def texts(node: Any, place: str = "#") -> Iterator[tuple[str, str, str]]:
    """Returns every summary and description of the document, each with its kind and its place."""
    if isinstance(node, list):
        for number, each in enumerate(node):
            yield from texts(each, f"{place}/{number}")
    elif isinstance(node, dict):
        for name, each in node.items():
            # The fields of an object and the parts of an example may have these names, too.
            if name in {"summary", "description"} and not place.endswith("/properties"):
                yield name, f"{place}/{name}", each
            elif name != "example":
                yield from texts(each, f"{place}/{name}")


def test_every_description_is_a_plain_sentence() -> None:
    said = [(place, text) for name, place, text in texts(DOCUMENT) if name == "description"]
    assert len(said) > 500
    assert [
        each
        for each in said
        if not re.fullmatch(r"[A-Z`].*\.\s*", each[1], re.DOTALL)
        or len(each[1].split()) < 3
        or PRIVATE_WORDS.search(each[1])
    ] == []


def test_every_summary_is_a_short_phrase() -> None:
    said = [(place, text) for name, place, text in texts(DOCUMENT) if name == "summary"]
    assert [
        each
        for each in said
        if not re.fullmatch(r"[A-Z].*[^.?]", each[1]) or len(each[1].split()) < 2 or PRIVATE_WORDS.search(each[1])
    ] == []
    assert len(said) == sum(map(len, (*DOCUMENT["paths"].values(), *DOCUMENT["webhooks"].values())))
    parameters = [
        each for methods in DOCUMENT["paths"].values() for item in methods.values() for each in item["parameters"]
    ]
    assert [each["name"] for each in parameters if "description" not in each] == []


async def test_anyone_may_read_it_and_it_is_sent_once(site: Site) -> None:
    answer = await site.client.get("/openapi.json")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == DOCUMENT
    tag = answer.headers["etag"]
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = await site.client.get("/openapi.json", headers={"if-none-match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    changed = await site.client.get("/openapi.json", headers={"if-none-match": '"other"'})
    assert (changed.status_code, len(changed.content)) == (200, len(answer.content))
