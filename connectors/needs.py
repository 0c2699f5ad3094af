"""The vendor scopes that a declaration needs, and the error of a declaration that is wrong."""

from collections.abc import Sequence
from dataclasses import dataclass


class FaultyDeclaration(ValueError):
    """A table contradicts itself or the contract. The text has one line for each fault."""

    def __init__(self, subject: str, faults: Sequence[str]) -> None:
        super().__init__("\n  ".join([f"{subject} is declared wrongly:", *faults]))


@dataclass(frozen=True, slots=True)
class Need:
    """Vendor scopes of which one is needed. Without scopes any valid token will do."""

    any_of: tuple[str, ...] = ()

    def met_by(self, granted: frozenset[str]) -> bool:
        """Returns whether one of the needed scopes is granted."""
        return not self.any_of or any(scope in granted for scope in self.any_of)

    def __str__(self) -> str:
        return " or ".join(self.any_of) or "any token"


ANY_TOKEN = Need()


def any_of(*scopes: str) -> Need:
    """Returns the need for one of these scopes."""
    return Need(scopes)
