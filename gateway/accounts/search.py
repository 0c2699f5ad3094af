"""A search for accounts in all projects."""

from dataclasses import dataclass

from gateway.model import Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Which accounts to return. `text` is part of an owner's name or id, of a label or of an account id."""

    text: str = ""
    project_id: str | None = None
    provider: str = ""
    status: Status | None = None
    skip: int = 0
    most: int = 25
