"""The SDK reads all that the connector answers, not employees alone: lists to their end, then records one by one.

What is compared is one answer with the other; that the SDK takes them shows that they have the contract's shape.
"""

from functools import cache

import pytest

from connectors.contract import Operation
from connectors.hris.operations import OPERATIONS
from connectors.registry import CONNECTORS
from tests.e2e.clients import Sdk
from tests.e2e.company import Company
from tests.e2e.installation import Caller
from tests.e2e.test_sdk_errors import assert_error

HUMAANS = CONNECTORS["humaans"]
READS = [operation for operation in OPERATIONS if operation.kind in {"list", "get"}]
LISTS = [operation for operation in READS if operation.kind == "list" and HUMAANS.endpoint(operation)]
UNANSWERED = [operation for operation in READS if not HUMAANS.endpoint(operation)]
OF_ONE = "/employees/{id}/"


def method_of(operation: Operation) -> str:
    head, *rest = operation.id.split("_")
    return head + "".join(each.capitalize() for each in rest)


@cache
def one_of(listing: Operation) -> Operation | None:
    """Returns the operation that gets one record of a list."""
    paths = {f"{listing.path}/{{id}}", f"{listing.path}/{{subResourceId}}"}
    return next((each for each in READS if each.path in paths and HUMAANS.endpoint(each)), None)


@pytest.mark.parametrize("listing", LISTS, ids=method_of)
def test_a_list_is_walked_to_its_end_and_its_records_are_found_alone(
    sdk: Sdk, caller: Caller, company: Company, listing: Operation
) -> None:
    # Few have tasks, so one who has is among those who are asked about.
    people = [company.rows("tasks")[0]["personId"], *(row["id"] for row in company.rows("people")[::16])]
    owners = people if OF_ONE in listing.path else [""]
    found = 0
    for owner in owners:
        request = {"id": owner} if owner else {}
        records = sdk.call(caller, method_of(listing), {**request, "pageSize": "20"}).records
        whole = sdk.call(caller, method_of(listing), {**request, "pageSize": "250"}).records
        assert records == whole
        assert len({each["id"] for each in records}) == len(records)
        found += len(records)
        one = one_of(listing)
        for record in records[:: max(1, len(records) // 3)] if one else []:
            key = {"subResourceId": record["id"]} if owner else {"id": record["id"]}
            assert one is not None
            [body] = sdk.call(caller, method_of(one), {**request, **key}).bodies
            assert body["data"] == record
    assert found, f"the company has nothing for {listing.id}"


@pytest.mark.parametrize("operation", UNANSWERED, ids=method_of)
def test_a_read_that_the_connector_does_not_answer_is_a_501_that_asks_nothing(
    sdk: Sdk, caller: Caller, company: Company, operation: Operation
) -> None:
    keys = {name: "x" for name in ("id", "subResourceId") if f"{{{name}}}" in operation.path}
    assert_error(sdk.call(caller, method_of(operation), keys), "NotImplementedResponse", 501, "Humaans")
    assert company.calls() == []
