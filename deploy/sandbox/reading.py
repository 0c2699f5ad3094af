"""Lists and single rows, as one viewer sees them."""

from __future__ import annotations

from hashlib import blake2b

from deploy.sandbox.answers import Answer
from deploy.sandbox.choices import Choices
from deploy.sandbox.errors import forbidden, not_found
from deploy.sandbox.model import JsonObject, Resource
from deploy.sandbox.query import Query, parse
from deploy.sandbox.rights import Viewer
from deploy.sandbox.store import Row, Store
from deploy.sandbox.views import Encoder, View, dated, hides, view_of

Selection = list[tuple["Row", View]]

_REMEMBERED = 64


class Reader:
    """Answers lists and reads. It is created again when the choices change."""

    def __init__(self, store: Store, choices: Choices) -> None:
        self._store = store
        self._choices = choices
        self._encoder = Encoder(store, choices)
        self._selections: dict[object, Selection] = {}
        self._version = store.version

    def list(self, resource: Resource, viewer: Viewer, raw_query: bytes) -> Answer:
        """Returns a page of a list."""
        may_open = viewer.may_open(resource.area, self._choices)
        if not may_open:
            self._refuse_list()
        query = parse(resource, raw_query, self._choices)
        return self._page(resource, self._selected(resource, viewer, query) if may_open else [], query)

    def read(self, resource: Resource, viewer: Viewer, row_id: str) -> Answer:
        """Returns a single row."""
        if not viewer.may_open(resource.area, self._choices):
            raise forbidden() if self._choices.endpoint_without_right == "forbidden" else not_found()
        row = self._store.table(resource.path).get(row_id)
        if row is None:
            raise not_found(f"No record found for id '{row_id}'")
        view = view_of(resource, row.data, viewer, self._store, self._choices)
        if view is None:
            raise (
                forbidden()
                if self._choices.invisible_person == "forbidden"
                else not_found(f"No record found for id '{row_id}'")
            )
        return Answer(body=self._encoder.encode(resource, row, view))

    def written(self, resource: Resource, viewer: Viewer, row_id: str, status: int) -> Answer:
        """Returns the row after a write as far as its writer may read it, else its id alone."""
        row = self._store.table(resource.path)[row_id]
        view = view_of(resource, row.data, viewer, self._store, self._choices)
        if view is None or not viewer.may_open(resource.area, self._choices):
            return Answer(status=status, body=b'{"id":"%s"}' % row_id.encode())
        return Answer(status=status, body=self._encoder.encode(resource, row, view))

    def _refuse_list(self) -> None:
        match self._choices.endpoint_without_right:
            case "forbidden":
                raise forbidden()
            case "not_found":
                raise not_found("Page not found")

    def _page(self, resource: Resource, selection: Selection, query: Query) -> Answer:
        rows = selection[query.skip : query.skip + query.limit]
        encode = self._encoder.encode
        body = b'{"total":%d,"limit":%d,"skip":%d,"data":[%s]}' % (
            len(selection),
            query.limit,
            query.skip,
            b",".join([encode(resource, row, view) for row, view in rows]),
        )
        return Answer(body=body)

    def _selected(self, resource: Resource, viewer: Viewer, query: Query) -> Selection:
        """Returns the rows of a list. All its pages are cut from one selection, stored until the next write."""
        if self._version != self._store.version or len(self._selections) > _REMEMBERED:
            self._selections.clear()
            self._version = self._store.version
        key = (resource.path, viewer.token.name, query.status, query.as_of, query.conditions)
        known = self._selections.get(key)
        if known is None:
            known = self._selections[key] = self._select(resource, viewer, query)
        return known

    def _select(self, resource: Resource, viewer: Viewer, query: Query) -> Selection:
        selection: Selection = []
        for row in self._store.table(resource.path).values():
            view = view_of(resource, row.data, viewer, self._store, self._choices)
            data = dated(resource, row.data, self._store, self._choices)
            if view is not None and self._matches(resource, data, view, query):
                selection.append((row, view))
        self._sort(resource, selection)
        return selection

    def _matches(self, resource: Resource, row: JsonObject, view: View, query: Query) -> bool:
        if query.status not in {None, "all", row.get("status")}:
            return False
        if query.as_of is not None and not _effective(row, query.as_of):
            return False
        for condition in query.conditions:
            # A filter must not reveal a field that is not shown.
            if hides(view, resource, condition.field.name) or not condition.holds(row):
                return False
        return True

    def _sort(self, resource: Resource, selection: Selection) -> None:
        order = self._choices.list_order
        if order == "shuffled":
            selection.sort(key=lambda each: _hash(each[0].data["id"]))
            return
        by = "effectiveDate" if resource.effective else "createdAt"
        selection.sort(key=lambda each: str(each[0].data[by]), reverse=order == "newest_first")


def _effective(row: JsonObject, day: str) -> bool:
    return bool(row["effectiveDate"] <= day and (row["endDate"] is None or row["endDate"] >= day))


def _hash(text: str) -> bytes:
    return blake2b(text.encode(), digest_size=8).digest()
