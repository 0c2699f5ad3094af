"""Facts that a worker has found out about an account's vendor, remembered for some hours.

Other workers learn them through the shared cache. If a fact is lost, finding it out again costs one call to the vendor.
"""

from collections.abc import Callable
from hashlib import sha256

from connectors.spec import Collection, Join
from gateway.cache.account_cache import AccountCache
from gateway.cache.lru import Lru
from gateway.model import Account
from gateway.unified.context import ListContext

SECONDS = 6 * 3600
"""How long a fact is remembered."""
MAX_FACTS = 10_000


class VendorFacts:
    """Facts of accounts, by name. A change of the account, such as a new token, makes its facts unusable."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._until: Lru[tuple[str, int, str], float] = Lru(MAX_FACTS)

    async def has(self, context: ListContext, fact: str) -> bool:
        """Returns whether a fact is known in this worker or in the shared cache."""
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
    """Returns the key of a fact in the shared cache."""
    return cache.key("fact", f"{account.revision}:{fact}")


def refuses_query(collection: Collection) -> str:
    """Returns the name of the fact that the vendor refuses the query of a list, whatever its values are."""
    return _digest(f"refuses {collection.path} {' '.join(sorted({name for name, _ in collection.pairs()}))}")


def tells_changes(collection: Collection) -> str:
    """Returns the name of the fact that the vendor was seen to choose the rows of a list by their last change."""
    return _digest(f"tells changes of {collection.path} {' '.join(sorted({name for name, _ in collection.pairs()}))}")


def hides_changes(collection: Collection) -> str:
    """Returns the name of the fact that what has changed in a list cannot be asked for, or is not told rightly."""
    return _digest(f"hides changes of {collection.path} {' '.join(sorted({name for name, _ in collection.pairs()}))}")


def lacks(join: Join) -> str:
    """Returns the name of the fact that a join's short lists lack rows of an account."""
    return _digest(f"lacks {join.name} {' '.join(collection.label() for collection in join.collections)}")


def _digest(fact: str) -> str:
    return sha256(fact.encode()).hexdigest()[:24]


def _local_key(context: ListContext, fact: str) -> tuple[str, int, str]:
    return context.account.id, context.account.revision, fact
