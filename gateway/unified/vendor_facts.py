"""What a worker has found out about an account's vendor and need not find out before every reading, for some hours.

Other workers learn it through the shared cache. Losing a fact costs a call to the vendor, and nothing else.
"""

from collections.abc import Callable
from hashlib import sha256

from connectors.spec import Collection, Join
from gateway.cache.account_cache import AccountCache
from gateway.cache.lru import Lru
from gateway.model import Account
from gateway.unified.context import ListContext

SECONDS = 6 * 3600
MAX_FACTS = 10_000


class VendorFacts:
    """Facts of accounts, by name. A change of the account, such as a new token, voids its facts."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._until: Lru[tuple[str, int, str], float] = Lru(MAX_FACTS)

    async def has(self, context: ListContext, fact: str) -> bool:
        if (self._until.get(_local_key(context, fact)) or 0.0) > self._monotonic():
            return True
        if context.directives.no_store:
            return False  # Nothing of such a request is stored, so a trip to Redis would find nothing either.
        [found] = await context.cache.read([fact_key(context.cache, context.account, fact)])
        return found is not None

    async def add(self, context: ListContext, fact: str) -> None:
        """Remembers a fact in this worker, and for the other workers unless the request forbids to store."""
        self._until.put(_local_key(context, fact), self._monotonic() + SECONDS)
        if not context.directives.no_store:
            await context.cache.write({fact_key(context.cache, context.account, fact): b"1"}, SECONDS)


def fact_key(cache: AccountCache, account: Account, fact: str) -> str:
    return cache.key("fact", f"{account.revision}:{fact}")


def refuses_query(collection: Collection) -> str:
    """Names the fact that the vendor refuses such a query, whatever its values."""
    return _digest(f"refuses {collection.path} {' '.join(sorted({name for name, _ in collection.pairs()}))}")


def lacks(join: Join) -> str:
    """Names the fact that a join's short lists are not enough for an account."""
    return _digest(f"lacks {join.name} {' '.join(collection.label() for collection in join.collections)}")


def _digest(fact: str) -> str:
    return sha256(fact.encode()).hexdigest()[:24]


def _local_key(context: ListContext, fact: str) -> tuple[str, int, str]:
    return context.account.id, context.account.revision, fact
