"""Every read of the contract over the sandbox: answered, or refused with what the vendor lacks."""

import pytest

from connectors.contract import Operation
from connectors.hris.operations import OPERATIONS
from connectors.registry import CONNECTORS
from tests.fixtures.gateway import Site

HUMAANS = CONNECTORS["humaans"]
READS = [operation for operation in OPERATIONS if operation.reads]
ANSWERED = [operation for operation in READS if HUMAANS.endpoint(operation)]


async def some_employee(site: Site, path: str) -> str:
    """Returns the id of somebody for whom a list of their own records is not empty."""
    people = (await site.get(page_size="100", fields="id")).json()["data"]
    for person in people:
        answer = await site.get(path.replace("{id}", person["id"], 1))
        if answer.json()["data"]:
            return str(person["id"])
    raise AssertionError(path)


@pytest.mark.parametrize("operation", ANSWERED, ids=lambda each: each.id)
async def test_every_list_has_records_and_each_is_found_alone(site: Site, operation: Operation) -> None:
    if operation.kind == "list":
        path = operation.path.removeprefix("/unified/hris")
        if operation.of_employee:
            path = path.replace("{id}", await some_employee(site, path))
        answer = await site.get(path, page_size="250")
        assert answer.status_code == 200, answer.text
        assert answer.json()["data"]
        return
    listing = operation.path.removeprefix("/unified/hris").rpartition("/")[0]
    if operation.of_employee:
        listing = listing.replace("{id}", await some_employee(site, listing))
    one = (await site.get(listing)).json()["data"][0]
    for key in {one["id"], one.get("remote_id") or one["id"]}:
        answer = await site.get(f"{listing}/{key}")
        assert answer.json() == {"data": one}, answer.text
    assert (await site.get(f"{listing}/VMB1yzL5uL8VvNNCJc9rykJz")).status_code == 404


@pytest.mark.parametrize(
    "operation",
    [each for each in OPERATIONS if not HUMAANS.endpoint(each) and not HUMAANS.write(each)],
    ids=lambda each: each.id,
)
async def test_what_has_no_answer_says_what_the_vendor_lacks(site: Site, operation: Operation) -> None:
    path = operation.path.replace("{id}", "1").replace("{subResourceId}", "2")
    answer = await site.client.request(
        operation.method,
        path,
        json={} if operation.body else None,
        auth=(site.key, ""),
        headers={"x-account-id": site.account},
    )
    assert answer.status_code == 501
    assert "Humaans" in answer.json()["message"]
