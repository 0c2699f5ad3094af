"""A vendor's list as one request asks for it: its query, and the names under which the caches know it."""

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from hashlib import sha256
from urllib.parse import quote

from connectors.spec import OWN_KEY, TODAY, Collection, Join, Row
from gateway.unified.context import ListContext
from gateway.unified.vendor_facts import hides_changes, lacks, refuses_query, tells_changes

DELTA = "delta"
"""The kind of the cache keys of what refreshing a list by its changes takes."""


@dataclass(frozen=True, slots=True)
class ListRequest:
    """A list to read. Where it is `optional`, a refusal of the vendor (403, 404) is an answer and not an error.

    `pointer` is the cache key under which the newest snapshot of the list is found, and `known` are the keys of what
    else may be known of it.
    """

    collection: Collection
    query: tuple[tuple[str, str], ...]
    path: str
    digest: str
    pointer: str
    known: tuple[str, ...]
    own_key: str
    today: date
    optional: bool

    @classmethod
    def of(
        cls, context: ListContext, collection: Collection, own_key: str = "", *, optional: bool = False
    ) -> "ListRequest":
        """Returns the request for a list.

        `own_key` is the id of the record that the list is about, if it is about one.
        """
        query, path, digest = _identify(collection, own_key, context.today)
        cache, revision = context.cache, context.account.revision
        pointer, *known = (cache.key(kind, f"{revision}:{name}") for kind, name in _known(collection, digest))
        return cls(collection, query, path, digest, pointer, tuple(known), own_key, context.today, optional)

    def cache_keys(self) -> tuple[str, ...]:
        """Returns the keys of all that the caches may know of the list before it is opened."""
        return (self.pointer, *self.known)

    def belonging(self, rows: list[Row]) -> list[Row]:
        """Returns the rows that belong to the list: a vendor that ignores its query sends others too."""
        sift = self.collection.sift
        return rows if sift is None else [row for row in rows if sift(row, self.own_key, self.today)]


def lookup_keys(context: ListContext, collections: tuple[Collection, ...], joins: tuple[Join, ...]) -> list[str]:
    """Returns the cache keys of whole lists, and of what is known about them and about joins."""
    revision = context.account.revision
    return [context.cache.key(kind, f"{revision}:{name}") for kind, name in _names(collections, joins, context.today)]


@lru_cache(maxsize=1024)  # Cached, since every hit in Redis needs them.
def _names(collections: tuple[Collection, ...], joins: tuple[Join, ...], today: date) -> list[tuple[str, str]]:
    return [
        *(name for each in collections for name in _known(each, _identify(each, "", today)[2])),
        *(("fact", lacks(each)) for each in joins if each.further),
    ]


def _known(collection: Collection, digest: str) -> list[tuple[str, str]]:
    """Returns the kinds and names of all that the caches may know of a list, its newest snapshot first."""
    return [
        ("list", digest),
        *([("fact", refuses_query(collection))] if collection.whole else []),
        *_known_changes(collection, digest),
    ]


def _known_changes(collection: Collection, digest: str) -> list[tuple[str, str]]:
    if collection.changes is None:
        return []
    return [("fact", tells_changes(collection)), ("fact", hides_changes(collection)), (DELTA, digest)]


@lru_cache(maxsize=1024)
def _identify(collection: Collection, own_key: str, today: date) -> tuple[tuple[tuple[str, str], ...], str, str]:
    """Returns the query, the path and a digest of both."""
    query = fill_query(collection, today, own_key)
    path = collection.path.replace(OWN_KEY, quote(own_key, safe=""))
    return query, path, sha256(repr((path, query)).encode()).hexdigest()[:24]


def fill_query(collection: Collection, today: date, own_key: str) -> tuple[tuple[str, str], ...]:
    """Returns a collection's query with its placeholders replaced."""
    values = {TODAY: today.isoformat(), OWN_KEY: own_key}
    return tuple((name, values.get(value, value)) for name, value in collection.pairs())
