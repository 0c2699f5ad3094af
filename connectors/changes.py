"""How a vendor is asked for what has changed in a list, and what the answer does not tell."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from connectors.needs import ANY_TOKEN, FaultyDeclaration, Need


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """The parameters that choose rows of a list by the time of their last change (decision 33).

    `since` chooses rows last changed at a moment or later, `before` those last changed earlier. They are declared only
    for lists whose rows do not change unless that time does, with these exceptions:

    - A row for which `turns` returns True may change by itself until the end of that day. `among` is the parameter
      that chooses rows by several ids, with which such rows are read again.
    - `loose` columns change without it, and nothing is made from them.
    - With `ripples`, a change of one row may change others: then only a list without any change is taken for unchanged.

    A token that does not see everything sees rows come and go for reasons that are not in them. So it needs `scope`,
    and all rows must have the columns `shows`.
    """

    since: str
    before: str
    scope: Need = ANY_TOKEN
    shows: tuple[str, ...] = ()
    ripples: bool = False
    turns: Callable[[Mapping[str, Any], date], bool] | None = None
    among: str = ""
    loose: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if self.turns is not None and not self.among:
            raise FaultyDeclaration("changes", ["- rows that turn cannot be read again: name `among`"])
