"""What a record's own row lacks is joined to it before it is unified."""

from collections.abc import Mapping
from datetime import date

from connectors.spec import Endpoint, Join, Row
from gateway.unified.mapping import Joined, Plan, Record


def joins_for(endpoint: Endpoint, *plans: Plan) -> tuple[Join, ...]:
    """Give the joins that some plans take of the records of an endpoint, each once."""
    found = dict.fromkeys(join for plan in plans for join in plan.joins)
    completion = endpoint.completion
    if completion and any(completion.fields & plan.rules.keys() for plan in plans):
        found |= dict.fromkeys(completion.joins)
    return tuple(found)


def make_record(endpoint: Endpoint, row: Row, joined: Mapping[Join, Joined], today: date) -> Record:
    """Make a record of a row, with the columns that it lacks where these are wanted."""
    record = Record(row, joined, today)
    completion = endpoint.completion
    if completion is None or not all(join in joined for join in completion.joins):
        return record
    return Record(completion.complete(row, [record.pick(join) for join in completion.joins]), joined, today)
