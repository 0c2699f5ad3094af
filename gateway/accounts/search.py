"""What an operator looks for among the accounts of all projects."""

from dataclasses import dataclass

from gateway.model import Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Which accounts are wanted. `text` is part of an owner's name or id, a label or an account id."""

    text: str = ""
    project_id: str | None = None
    provider: str = ""
    status: Status | None = None
    skip: int = 0
    most: int = 25
