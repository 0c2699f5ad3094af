"""Reads the query of a unified read: a `Query`, or one `BadRequest` with every fault.

Nothing is ignored: an unknown parameter, filter or name is a fault that lists the known ones. The one exception
is a bare `filter` or `proxy`, which StackOne's own Python client sends by mistake.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter

from connectors.contract import Operation, Resource
from connectors.convert import instant
from connectors.hris.filters import filter_of
from gateway.errors import BadRequest

WITHHELD = "withheld"
"""A value of `include` that StackOne does not have: adds the reason why each empty field is empty."""

MOST_PAGES = 1_000_000
VENDOR_NAME = re.compile(r"[A-Za-z0-9_.$-]{1,64}")
"""The form of a name in `proxy[…]`."""

_BRACKETS = re.compile(r"(filter|proxy)((?:\[[^\[\]]*\])+)")
_LIST_ONLY = ("page", "page_size", "next", "updated_after")


@dataclass(frozen=True, slots=True)
class PageLimits:
    """Rows on a page: by default, and at most."""

    default: int
    most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A checked query. `fields` of None means all; names are those of the contract."""

    page_size: int
    page: int | None = None
    cursor: str | None = None
    fields: frozenset[str] | None = None
    expand: frozenset[str] = frozenset()
    include: frozenset[str] = frozenset()
    reasons: bool = False
    raw: bool = False
    filters: Mapping[str, str] = field(default_factory=dict)
    proxy: tuple[tuple[str, str], ...] = ()

    def canonical(self) -> str:
        """Returns a text for the cache key, the same for equal queries whatever the page."""
        parts = (
            "*" if self.fields is None else ",".join(sorted(self.fields)),
            ",".join(sorted(self.expand)),
            ",".join(sorted(self.include)),
            str(self.reasons),
            repr(sorted(self.filters.items())),
            # The order of the values of one name may matter to the vendor.
            repr(sorted(self.proxy, key=itemgetter(0))),
        )
        return "\n".join(parts)

    @property
    def skipped(self) -> int:
        """The number of records before the deprecated `page`."""
        return ((self.page or 1) - 1) * self.page_size

    def position(self) -> str:
        """Returns a text for the cache key: the position in the list."""
        return f"{self.page_size}/{self.page}/{self.cursor}"


def parse(operation: Operation, resource: Resource, pairs: Sequence[tuple[str, str]], limits: PageLimits) -> Query:
    """Returns the query of decoded parameters. Raises `BadRequest` that names every fault."""
    return _Reader(operation, resource, limits).read(pairs)


def read_number(name: str, text: str, minimum: int, maximum: int, faults: list[str]) -> int:
    """Returns the whole number of a parameter. Adds a fault for a text that is none, or is out of range."""
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else -1
    if not minimum <= number <= maximum:
        faults.append(f"{name} must be a whole number from {minimum} to {maximum}")
    return number


def unknown_parameter(name: str, known: Iterable[str]) -> str:
    """Returns the fault for a parameter that an operation does not have."""
    return f"unknown parameter {name[:64]!r}; known: {', '.join(known) or 'none here'}"


def refuse_query(faults: Sequence[str]) -> None:
    """Raises `BadRequest` with these faults, if there are any."""
    if faults:
        raise BadRequest("The query is not valid: " + "; ".join(faults), errors=faults)


class _Reader:
    def __init__(self, operation: Operation, resource: Resource, limits: PageLimits) -> None:
        self.operation = operation
        self.resource = resource
        self.limits = limits
        self.faults: list[str] = []
        self.plain: dict[str, str] = {}
        self.filters: dict[str, str] = {}
        self.proxy: list[tuple[str, str]] = []

    def read(self, pairs: Sequence[tuple[str, str]]) -> Query:
        for name, value in pairs:
            self._sort(name, value)
        self._alias_updated_after()
        include = self._names("include", (*self.operation.include, WITHHELD))
        query = Query(
            page_size=self._count("page_size", self.limits.default, self.limits.most),
            page=self._count("page", 0, MOST_PAGES) or None,
            cursor=self.plain.get("next"),
            fields=self._names("fields", self.resource.fields) or None,
            expand=self._names("expand", self.operation.expand),
            include=include - {WITHHELD},
            reasons=WITHHELD in include,
            raw=self._flag("raw"),
            filters=self.filters,
            proxy=tuple(self.proxy),
        )
        if query.page and query.cursor:
            self.faults.append("page and next exclude each other; page is deprecated, use next")
        refuse_query(self.faults)
        return query

    def _known(self) -> list[str]:
        known = ["raw", "proxy[…]", "fields", "include"]
        if self.operation.expand:
            known.append("expand")
        if self.operation.kind == "list":
            known += [*(f"filter[{name}]" for name in self.operation.filters), *_LIST_ONLY]
        return sorted(known)

    def _sort(self, name: str, value: str) -> None:
        """Stores a parameter by its kind, or adds a fault for an unknown one."""
        if name in {"filter", "proxy"}:
            return
        brackets = _BRACKETS.fullmatch(name)
        if brackets:
            inner = brackets[2][1:-1].split("][")
            (self._filter if brackets[1] == "filter" else self._proxy)(name, inner, value)
        elif name not in self._known():
            self.faults.append(unknown_parameter(name, self._known()))
        elif name in self.plain:
            self.faults.append(f"{name} is given twice")
        elif value:
            self.plain[name] = value

    def _filter(self, name: str, inner: Sequence[str], value: str) -> None:
        known = self.operation.filters if self.operation.kind == "list" else ()
        wanted = inner[0]
        if len(inner) != 1 or wanted not in known:
            listing = ", ".join(f"filter[{each}]" for each in known) or "none here"
            self.faults.append(f"unknown filter {name[:64]!r}; known: {listing}")
        elif not value:
            self.faults.append(f"{name} is empty")
        elif wanted in self.filters:
            if not self._takes_several(wanted):
                self.faults.append(f"{name} is given twice")
            self.filters[wanted] += f",{value}"
        else:
            self.filters[wanted] = self._filter_value(name, wanted, value)

    def _takes_several(self, wanted: str) -> bool:
        found = filter_of(self.resource.name, wanted)
        return found is not None and found.test == "any of"

    def _filter_value(self, name: str, wanted: str, value: str) -> str:
        found = filter_of(self.resource.name, wanted)
        if found is None or not set(found.fields) <= self.resource.fields.keys():
            self.faults.append(f"{name} cannot be answered: {self.resource.name} say nothing of it")
            return value
        if found.test in {"equals", "any of"}:
            return value
        # A `+` of the zone that was not percent-encoded arrives as a space.
        moment = instant(value.replace(" ", "+"))
        if moment is None:
            self.faults.append(f"{name} must be a date-time with a zone, such as 2026-01-31T00:00:00Z")
        return (moment or value)[: 10 if found.test.endswith("day") else None]

    def _proxy(self, name: str, inner: Sequence[str], value: str) -> None:
        names = [each for each in inner if each]
        if not names or not all(VENDOR_NAME.fullmatch(each) for each in names):
            self.faults.append(f"{name[:64]!r} does not name a parameter of the provider")
            return
        self.proxy.append((names[0] + "".join(f"[{each}]" for each in names[1:]), value))

    def _alias_updated_after(self) -> None:
        value = self.plain.pop("updated_after", None)
        if value is None:
            return
        moment = self._filter_value("updated_after", "updated_after", value)
        if self.filters.setdefault("updated_after", moment) != moment:
            self.faults.append("updated_after and filter[updated_after] differ; updated_after is deprecated")

    def _names(self, parameter: str, known: Iterable[str]) -> frozenset[str]:
        given = [name.strip() for name in self.plain.get(parameter, "").split(",")]
        names = frozenset(name for name in given if name)
        strange = sorted(names.difference(known))
        if strange:
            listing = ", ".join(known) or "none here"
            self.faults.append(f"{parameter} has no {', '.join(strange)[:200]}; known: {listing}")
        return names

    def _count(self, parameter: str, default: int, most: int) -> int:
        value = self.plain.get(parameter)
        return default if value is None else read_number(parameter, value, 1, most, self.faults)

    def _flag(self, parameter: str) -> bool:
        value = self.plain.get(parameter, "false").lower()
        if value not in {"true", "false"}:
            self.faults.append(f"{parameter} must be true or false")
        return value == "true"
