"""Content codings and `If-None-Match` of answers (RFC 9110, sections 12.5.3 and 13)."""

from functools import lru_cache

_CODINGS = ("zstd", "gzip")
"""In the order of our preference: answers are stored in the first, so it costs nothing."""


@lru_cache(maxsize=256)
def coding_for(accept_encoding: bytes) -> str:
    """Returns the coding to answer in, empty for plain bytes. Clients send few different headers, so it is cached."""
    weights: dict[str, float] = {}
    for part in accept_encoding.decode("latin-1").lower().split(","):
        name, _, parameter = part.partition(";")
        weights[name.strip()] = _weight(parameter)
    anything = weights.get("*", 0.0)
    accepted = {name: weights.get(name, anything) for name in _CODINGS}
    best = max(accepted.values())
    return next((name for name in _CODINGS if best > 0 and accepted[name] == best), "")


def matches(if_none_match: bytes, etag: bytes) -> bool:
    """Returns whether the caller has this answer. The comparison is weak, as the RFC has it for reads."""
    if not if_none_match:
        return False
    names = [name.strip().removeprefix(b"W/") for name in if_none_match.split(b",")]
    return etag in names or names == [b"*"]


def _weight(parameter: str) -> float:
    name, _, value = parameter.partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
