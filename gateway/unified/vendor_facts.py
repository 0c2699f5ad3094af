"""What a worker has learned of an account's vendor and need not find out before every reading, for some hours.

It is told to the other workers through the account's shelf. Forgetting it costs a call, and nothing else.
"""

from collections.abc import Callable
from hashlib import sha256

from gateway.cache.account_cache import AccountCache
from gateway.cache.lru import Lru
from gateway.model import Linked

SECONDS = 6 * 3600
MOST = 10_000


class VendorFacts:
    """Short facts of accounts, by name. A change of the account, such as a new token, begins anew."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._until: Lru[tuple[str, int, str], float] = Lru(MOST)

    async def has(self, account_cache: AccountCache, linked: Linked, fact: str) -> bool:
        key = (linked.account.id, linked.account.revision, fact)
        if (self._until.get(key) or 0.0) > self._monotonic():
            return True
        [found] = await account_cache.read([_kept_under(account_cache, linked, fact)])
        return found is not None

    async def note(self, account_cache: AccountCache, linked: Linked, fact: str, *, keep: bool) -> None:
        """Remember a fact here, and with `keep` for the other workers too."""
        key = (linked.account.id, linked.account.revision, fact)
        self._until.put(key, self._monotonic() + SECONDS)
        if keep:
            await account_cache.write({_kept_under(account_cache, linked, fact): b"1"}, SECONDS)


def _kept_under(account_cache: AccountCache, linked: Linked, fact: str) -> str:
    return account_cache.key("learned", f"{linked.account.revision}:{sha256(fact.encode()).hexdigest()[:24]}")
