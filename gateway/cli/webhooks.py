"""`webhooks`: the endpoints that events are sent to, and their deliveries."""

from argparse import Namespace
from collections.abc import Sequence

from gateway.app.services import CLOCK
from gateway.app.stores import Stores
from gateway.app.webhooks import webhook_service
from gateway.cli.context import CommandContext
from gateway.cli.keys import project_id
from gateway.cli.output import as_cell, as_json, as_table
from gateway.errors import NotFound
from gateway.model import AT_THE_COMMAND_LINE
from gateway.webhooks.deliveries import Delivery, State
from gateway.webhooks.endpoints import DeliveryFilter, Endpoint
from gateway.webhooks.event_scopes import ANY_EVENT
from gateway.webhooks.service import WebhookService


async def run(arguments: Namespace, context: CommandContext) -> int:
    actions = {
        "add": _add,
        "list": _list,
        "remove": _remove,
        "enable": _enable,
        "disable": _enable,
        "rotate": _rotate,
        "ping": _ping,
        "deliveries": _deliveries,
        "replay": _replay,
    }
    async with context.stores() as stores:
        service = webhook_service(context.settings, stores.endpoints, CLOCK)
        await actions[arguments.action](arguments, context, stores, service)
    return 0


async def _add(arguments: Namespace, context: CommandContext, stores: Stores, service: WebhookService) -> None:
    project = await stores.keys.ensure_project(arguments.project)
    body = {"url": arguments.url, "events": arguments.event, "description": arguments.description}
    endpoint, secret = await service.create(project.id, body, ANY_EVENT)
    context.say(f"the webhook {endpoint.id} hears {as_cell(', '.join(endpoint.events))}; its secret, this one time:")
    context.out(secret.reveal)


async def _list(arguments: Namespace, context: CommandContext, stores: Stores, service: WebhookService) -> None:
    project = await project_id(stores, arguments.project)
    found = await stores.endpoints.all() if project is None else await service.of_project(project)
    if arguments.json:
        context.out(as_json(found))
        return
    names = {each.id: each.name for each in await stores.keys.projects()}
    rows = [
        (
            each.id,
            names.get(each.project_id),
            each.url,
            ", ".join(each.events),
            f"off ({each.disabled_reason})" if each.disabled_at else "on",
            each.failing_since,
            each.created_at,
        )
        for each in found
    ]
    context.out(as_table("ID PROJECT URL EVENTS STATE FAILING CREATED".split(), rows))


async def _remove(arguments: Namespace, context: CommandContext, stores: Stores, service: WebhookService) -> None:
    endpoint = await _find(stores, arguments.webhook)
    await service.remove(endpoint.project_id, endpoint.id, AT_THE_COMMAND_LINE)
    context.say(f"the webhook {endpoint.id} is removed, with its secrets and its log")


async def _enable(arguments: Namespace, context: CommandContext, stores: Stores, service: WebhookService) -> None:
    endpoint, wanted = await _find(stores, arguments.webhook), arguments.action == "enable"
    await service.change(endpoint.project_id, endpoint.id, {"enabled": wanted}, ANY_EVENT)
    context.say(f"the webhook {endpoint.id} is {arguments.action}d")


async def _rotate(arguments: Namespace, context: CommandContext, stores: Stores, service: WebhookService) -> None:
    endpoint = await _find(stores, arguments.webhook)
    changed, secret = await service.rotate(
        endpoint.project_id, endpoint.id, AT_THE_COMMAND_LINE, arguments.overlap_seconds
    )
    lives = f"lives until {as_cell(changed.older_until)} UTC" if changed.older_until else "has ended"
    context.say(f"the secret before {lives}; the new one, this one time:")
    context.out(secret.reveal)


async def _ping(arguments: Namespace, context: CommandContext, stores: Stores, service: WebhookService) -> None:
    endpoint = await _find(stores, arguments.webhook)
    delivery = await service.ping(endpoint.project_id, endpoint.id)
    context.say("a running gateway sends it at once: see `webhooks deliveries`")
    context.out(delivery.id)


async def _deliveries(arguments: Namespace, context: CommandContext, stores: Stores, service: WebhookService) -> None:
    endpoint = await _find(stores, arguments.webhook)
    pick = DeliveryFilter(state=State(arguments.state) if arguments.state else None, most=arguments.most)
    found = await service.deliveries(endpoint.project_id, endpoint.id, pick)
    context.out(as_json(found) if arguments.json else _table(found))


async def _replay(arguments: Namespace, context: CommandContext, stores: Stores, service: WebhookService) -> None:
    endpoint = await _find(stores, arguments.webhook)
    if arguments.delivery is None:
        count = await service.replay_dead(endpoint.project_id, endpoint.id, ANY_EVENT)
        context.say(f"deliveries that are on their way again: {count}")
        return
    delivery = await service.replay(endpoint.project_id, arguments.delivery, ANY_EVENT)
    context.say(f"the delivery {delivery.id} is on its way again")


async def _find(stores: Stores, endpoint_id: str) -> Endpoint:
    found = next((each for each in await stores.endpoints.all() if each.id == endpoint_id), None)
    if found is None:
        raise NotFound(f"there is no webhook {endpoint_id!r}: see `webhooks list`")
    return found


def _table(deliveries: Sequence[Delivery]) -> str:
    rows = []
    for each in deliveries:
        last = each.attempts[-1] if each.attempts else None
        came = (last.status or last.error) if last else None
        waits = each.next_at if each.state is State.PENDING else None
        rows.append(
            (each.id, each.event, each.account_id, each.state, len(each.attempts), came, waits, each.created_at)
        )
    return as_table("ID EVENT ACCOUNT STATE TRIES LAST NEXT CREATED".split(), rows)
