"""Which content coding an answer goes out in, and whether the caller has it already (RFC 9110, sections 12.5.3, 13)."""

from functools import lru_cache

_OURS = ("zstd", "gzip")
"""In the order of our liking: the first is how answers are kept."""


@lru_cache(maxsize=256)
def coding_for(accept_encoding: bytes) -> str:
    """Give the coding to answer in, or nothing for plain bytes. Clients send few different headers."""
    weights: dict[str, float] = {}
    for part in accept_encoding.decode("latin-1").lower().split(","):
        name, _, parameter = part.partition(";")
        weights[name.strip()] = _weight(parameter)
    anything = weights.get("*", 0.0)
    liked = {name: weights.get(name, anything) for name in _OURS}
    best = max(liked.values())
    return next((name for name in _OURS if best > 0 and liked[name] == best), "")


def matches(if_none_match: bytes, etag: bytes) -> bool:
    """Tell whether the caller has this answer: the comparison is weak, as the RFC wants for reads."""
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
