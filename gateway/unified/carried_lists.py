"""Lists of a day, made of lists that were read the day before, so that a new day costs no call to the vendor."""

from dataclasses import replace
from datetime import timedelta
from functools import reduce

from connectors.spec import Row
from gateway.cache.freshness import Times
from gateway.unified.context import ListContext
from gateway.unified.day_change import end_of
from gateway.unified.list_request import ListRequest
from gateway.unified.snapshot_store import SnapshotStore

_DAY = timedelta(days=1)


def may_be_carried(request: ListRequest, now: float, longest: float) -> bool:
    """Returns whether readings of the day before, which may be used for `longest` seconds, may still be used at all."""
    return request.collection.carried is not None and now < end_of(request.today - _DAY) + longest


async def carry_over(
    context: ListContext, request: ListRequest, snapshots: SnapshotStore
) -> tuple[list[Row], Times] | None:
    """Returns the rows of a list and their times, from the lists of the day before that hold them; else None.

    Of a row that is in two of them, as it changed between their readings, the younger reading counts. The times are
    those of the readings: the rows are no younger because a day has begun.
    """
    before = replace(context, today=request.today - _DAY)
    sources = (request.collection, *(request.collection.carried or ()))
    requests = [ListRequest.of(before, each, request.own_key) for each in sources]
    await context.cache.prefetch([each.pointer for each in requests], {each.collection.resource for each in requests})
    found = [await snapshots.find(before, each) for each in requests]
    whole = [each for each in found if each is not None and not each.refused]
    if len(whole) < len(requests):
        return None
    rows: dict[object, Row] = {}
    key = context.session.connector.paging.key
    for snapshot in sorted(whole, key=lambda each: each.times.made_at):
        read = await snapshots.rows(context.cache, snapshot, 0)
        if read is None:
            return None
        rows |= {row.get(key): row for row in read}
    return request.belonging(list(rows.values())), reduce(Times.joined, (each.times for each in whole))
