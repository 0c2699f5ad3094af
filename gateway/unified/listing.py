"""Decides which list a read is made from: the whole one, the employee's own, or one narrowed by the vendor."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from connectors.spec import Collection, Derived, any_row
from gateway.errors import BadRequest
from gateway.unified.context import ReadContext


@dataclass(frozen=True, slots=True)
class Listing:
    """A list to read: its source, and the key of the one record that it is about, if it is about one."""

    source: Collection | Derived
    own_key: str = ""


def listing_of(context: ReadContext, employee: str) -> tuple[Listing, bool] | None:
    """Returns the list that answers a read, and whether the vendor narrows it; None where there is none.

    `employee` is the vendor's id of the employee in the path, or empty.
    """
    plan = context.plan
    endpoint, filters = plan.endpoint, plan.query.filters
    source, own_key = endpoint.listing, ""
    if plan.operation.of_employee and endpoint.of_employee is not None:
        source, own_key = endpoint.of_employee.listing, employee
    pushed = {theirs: filters[ours] for ours, theirs in endpoint.filters.items() if ours in filters}
    extra: dict[str, tuple[str, ...]] = {}
    for name, value in proxy_parameters(context):
        extra[name] = (*extra.get(name, ()), value)
    if source is None:
        return None
    if isinstance(source, Collection) and (pushed or extra):
        source = _narrow(source, pushed, extra)
    return Listing(source, own_key), bool(pushed or own_key)


def proxy_parameters(context: ReadContext) -> tuple[tuple[str, str], ...]:
    """Returns the caller's `proxy` parameters. Raises `BadRequest` for those that belong to paging."""
    reserved = context.session.connector.paging.reserved
    proxy = context.plan.query.proxy
    taken = sorted({name for name, _ in proxy if name.partition("[")[0] in reserved})
    if taken:
        raise BadRequest(f"proxy cannot set {', '.join(taken)}: paging upstream is the gateway's, use page_size")
    return proxy


def _narrow(source: Collection, pushed: Mapping[str, str], extra: Mapping[str, tuple[str, ...]]) -> Collection:
    """Returns a list narrowed by filters that the vendor applies, and by the caller's own `proxy` parameters.

    A vendor that refuses our filters is asked without them, for they are applied here in any case. The caller's
    parameters stay: nobody else knows what they mean. What has changed is not asked of such lists: they are short.
    """
    if extra:
        whole = source.whole and replace(
            source.whole, query={**source.whole.query, **extra}, sift=any_row, changes=None
        )
        query = {**source.query, **extra}
        source = replace(source, query=query, whole=whole, sift=source.sift or any_row, changes=None)
    if pushed:
        query = {**source.query, **pushed}
        source = replace(source, query=query, whole=source, sift=source.sift or any_row, changes=None)
    return source
