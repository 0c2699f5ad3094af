"""Reads single records: from a list that is cached or has to be read, or by a call to the vendor."""

from collections.abc import Sequence
from urllib.parse import quote

from connectors import ids
from connectors.convert import text
from connectors.exchange import Request
from connectors.spec import Collection, Endpoint, Row
from gateway.errors import NotFound, VendorFailure
from gateway.unified.collections import Collections
from gateway.unified.context import ReadContext
from gateway.unified.list_fetcher import SAFE_KEY
from gateway.unified.list_reader import ListReader
from gateway.unified.listing import listing_of, proxy_parameters
from gateway.upstream.decoding import readable_rows
from gateway.upstream.vendor import VendorClient, VendorRefusal, without


class RecordReader:
    """Reads single records for one request."""

    def __init__(self, client: VendorClient, collections: Collections, lists: ListReader, context: ReadContext) -> None:
        self._client = client
        self._collections = collections
        self._lists = lists
        self._context = context
        self._endpoint = context.plan.endpoint

    @property
    def missing(self) -> NotFound:
        """Returns the error for a record that does not exist."""
        what = (self._endpoint.kind or self._endpoint.table.resource.name).replace("_", " ")
        return NotFound(f"There is no such {what}, or this account's token may not see it.")

    @property
    def employee(self) -> str:
        """Returns the vendor's id of the employee in the path, or the empty text.

        Raises `NotFound` for a text that cannot be an id.
        """
        plan = self._context.plan
        return self._decode("employee", plan.employee) if plan.operation.of_employee else ""

    async def read(self) -> Row:
        """Returns the record that is asked for. Raises `NotFound`."""
        remote_id = self._decode(self._endpoint.kind, self._context.plan.key)
        _ = self.employee  # Raises before the vendor is asked.
        row = await (self._find(remote_id) if self._endpoint.record is None else self._fetch(remote_id))
        if row is None or not self.belongs(row):
            raise self.missing
        return row

    def belongs(self, row: Row) -> bool:
        """Returns whether a row of the list is a record of this kind, and of the employee in the path."""
        only, of_employee = self._endpoint.only, self._endpoint.of_employee
        if only is not None and not only(row):
            return False
        if not self._context.plan.operation.of_employee or of_employee is None or not of_employee.owner:
            return True
        return row.get(of_employee.owner) == self.employee

    async def check_employee_exists(self, rows: Sequence[Row]) -> None:
        """Raises `NotFound` where the employee in the path does not exist.

        An employee who exists but has no such records gets an empty list. If one of `rows` is theirs, no call is
        needed.
        """
        of_employee = self._endpoint.of_employee
        if of_employee and of_employee.owner and any(map(self.belongs, rows)):
            return
        endpoints = self._context.session.connector.endpoints
        employees = next((each for each in endpoints if each.kind == "employee"), self._endpoint)
        if await self._get(employees, self.employee) is None:
            raise NotFound("There is no such employee, or this account's token may not see them.")

    def _decode(self, kind: str, given: str) -> str:
        """Returns the vendor's id. Raises `NotFound` for what can be none."""
        remote_id = ids.decode(kind, given) if kind else given
        if remote_id is None or (kind and not SAFE_KEY.fullmatch(remote_id)):
            raise self.missing
        return remote_id

    async def _fetch(self, remote_id: str) -> Row | None:
        proxy = proxy_parameters(self._context)
        listing = self._endpoint.listing
        if isinstance(listing, Collection) and not proxy:
            row = await self._lists.find(listing, self._endpoint.key, remote_id)
            if row is not None:
                return row
        # A single record is fresh for as long as its list is.
        resource = self._endpoint.collections()[0].resource
        times = await self._collections.times(self._context, resource)
        row = await self._get(self._endpoint, remote_id, proxy)
        if row is None or text(row.get(self._endpoint.key)) != remote_id:
            return None
        self._lists.note(resource, times)
        return row

    async def _find(self, remote_id: str) -> Row | None:
        """Returns a record from its list, for records that the vendor has no path of their own for."""
        found = listing_of(self._context, self.employee)
        if found is None:  # pragma: no cover - `Endpoint.answers` has seen to it
            return None
        listing, _ = found
        _, rows = await self._lists.rows(listing, await self._lists.open(listing), 0)
        return next((row for row in rows if row.get(self._endpoint.key) == remote_id), None)

    async def _get(self, endpoint: Endpoint, remote_id: str, proxy: tuple[tuple[str, str], ...] = ()) -> Row | None:
        """Asks the vendor for one record. Returns None where it has none, or refuses it to this token."""
        session, record = self._context.session, endpoint.record
        if record is None:
            return None
        path = record.replace("{key}", quote(remote_id, safe=""))
        try:
            row = await self._client.get(session, Request("GET", path, proxy))
        except VendorRefusal as refusal:
            if refusal.status == 401:
                raise
            return None
        given = text(row.get(endpoint.key)) if isinstance(row, dict) else None
        # The body of an error may have an id too.
        if given is None or (given != remote_id and session.connector.is_fault(row)):
            raise VendorFailure(f"{session.connector.name} answered {record} with something that is no record.")
        _, [readable] = readable_rows(without([row], session.connector.never))
        return readable
