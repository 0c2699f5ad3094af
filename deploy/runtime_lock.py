"""Prints the part of requirements.lock that the gateway needs at run time, without development tools.

The lock names for each package what it is required `via`; this follows them from `dependencies` in pyproject.toml.
"""

import re
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True, slots=True)
class Locked:
    """A package's lines in the lock, and the packages that need it."""

    lines: Sequence[str]
    via: frozenset[str]


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def read_lock(text: str) -> Mapping[str, Locked]:
    blocks: dict[str, list[str]] = {}
    for line in text.splitlines():
        if found := _NAME.match(line):
            block = blocks.setdefault(canonical(found[0]), [])
        if blocks:
            block.append(line)
    return {name: Locked(lines, frozenset(_via(lines))) for name, lines in blocks.items()}


def _via(lines: Sequence[str]) -> Iterator[str]:
    for line in lines:
        comment = line.strip().removeprefix("# via").removeprefix("#").strip()
        if line.strip().startswith("#") and comment:
            yield canonical(comment.partition(" ")[0])


def roots(pyproject: str) -> set[str]:
    names = (_NAME.match(line) for line in tomllib.loads(pyproject)["project"]["dependencies"])
    return {canonical(name[0]) for name in names if name}


def needed(wanted: set[str], locked: Mapping[str, Locked]) -> set[str]:
    """Returns the wanted packages with all that they need. Raises `KeyError` for those that are not locked."""
    if not wanted <= locked.keys():
        raise KeyError(", ".join(sorted(wanted - locked.keys())))
    found: set[str] = set()
    more = wanted
    while more:
        found |= more
        more = {name for name, package in locked.items() if package.via & found} - found
    return found


def main() -> int:
    locked = read_lock((ROOT / "requirements.lock").read_text())
    for name in sorted(needed(roots((ROOT / "pyproject.toml").read_text()), locked)):
        print("\n".join(locked[name].lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
