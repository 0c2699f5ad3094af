"""What the page shows, as values that its template reads: all words and links, no schemas."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """A type in words: what comes before a link, the named schema that it leads to, and the words that are known."""

    text: str
    target: str = ""
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A parameter or a field."""

    name: str
    place: str = ""
    kind: Kind
    notes: tuple[str, ...] = ()
    required: bool = False
    deprecated: bool = False
    client_scope: str = ""
    vendor_scopes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    status: str
    text: str
    kind: Kind | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """An operation."""

    id: str
    method: str
    path: str
    summary: str
    scope: str
    vendor_scopes: tuple[str, ...]
    unanswered: tuple[tuple[str, str], ...]
    wanted: tuple[tuple[str, str], ...]
    parameters: tuple[Line, ...]
    body: tuple[Line, ...]
    answers: tuple[Answer, ...]
    errors: tuple[str, ...]
    curl: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The operations of a resource, and the fields of its records under the name of their schema."""

    name: str
    operations: tuple[Shown, ...]
    record: str
    fields: tuple[Line, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A named schema: an object with fields, or an enum with the words that are known."""

    name: str
    fields: tuple[Line, ...] = ()
    words: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    title: str
    about: tuple[str, ...]
    groups: tuple[Group, ...]
    objects: tuple[Named, ...]
    enums: tuple[Named, ...]
    errors: tuple[tuple[str, str], ...]
    headers: tuple[tuple[str, str], ...]
