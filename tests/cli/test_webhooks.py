"""The commands of webhooks: a secret is printed once, and what was sent can be seen and sent again."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.cli.test_cli import Done, gateway

LOCAL = {"GATEWAY_WEBHOOKS_ALLOW_HTTP": "true", "GATEWAY_WEBHOOKS_ALLOWED_NETWORKS": "127.0.0.0/8"}


def test_a_webhook_lives_from_add_to_remove(tmp_path: Path) -> None:
    def run(*words: str, code: int = 0) -> Done:
        done = gateway("webhooks", *words, cwd=tmp_path)
        assert done.returncode == code, done.stderr
        return done

    added = run("add", "https://example.com/hook", "--project", "acme", "--event", "account.*")
    secret = added.stdout.removesuffix("\n")
    assert secret.startswith("whsec_")
    [row] = json.loads(run("list", "--project", "acme", "--json").stdout)
    webhook = row["id"]
    assert f"the webhook {webhook} hears account.*" in added.stderr
    table = run("list").stdout.splitlines()
    assert table[0].split() == ["ID", "PROJECT", "URL", "EVENTS", "STATE", "FAILING", "CREATED"]
    assert secret not in "".join(table)
    assert table[1].split()[:5] == [webhook, "acme", "https://example.com/hook", "account.*", "on"]

    rotated = run("rotate", webhook)
    assert "the secret before lives until" in rotated.stderr
    assert rotated.stdout not in ("", added.stdout)
    assert "has ended" in run("rotate", webhook, "--overlap-seconds", "0").stderr

    delivery = run("ping", webhook).stdout.strip()
    lines = run("deliveries", webhook).stdout.splitlines()
    assert lines[0].split() == ["ID", "EVENT", "ACCOUNT", "STATE", "TRIES", "LAST", "NEXT", "CREATED"]
    assert lines[1].split()[:6] == [delivery, "webhook.ping", "-", "pending", "0", "-"]
    assert json.loads(run("deliveries", webhook, "--state", "dead", "--json").stdout) == []
    assert "on their way again: 0" in run("replay", webhook).stderr
    assert "still on its way" in run("replay", webhook, "--delivery", delivery, code=1).stderr

    run("disable", webhook)
    assert "off (disabled)" in run("list").stdout
    assert "enable it first" in run("ping", webhook, code=1).stderr
    run("enable", webhook)
    run("remove", webhook)
    assert run("list", "--json").stdout == "[]\n"


@pytest.mark.parametrize(
    ("words", "environ", "code", "fault"),
    [
        ("add http://example.com/ --project a", {}, 1, "url: must begin with https://"),
        ("add https://127.0.0.1/ --project a", {}, 1, "private or special network"),
        ("add http://127.0.0.1:3000/ --project a", LOCAL, 0, ""),
        ("add https://e.com/ --project a --event account.gone", {}, 1, "events: has account.gone"),
        ("rotate nobody", {}, 1, "there is no webhook 'nobody'"),
        ("rotate nobody --overlap-seconds 604801", {}, 2, "from 0 to 604800"),
        ("list", {"GATEWAY_WEBHOOKS_ALLOWED_NETWORKS": "10.0.0.1/8"}, 2, "GATEWAY_WEBHOOKS_ALLOWED_NETWORKS"),
        ("list", {"GATEWAY_WEBHOOKS_LEASE_SECONDS": "5"}, 2, "lease_seconds should exceed timeout_seconds"),
        ("list", {"GATEWAY_WEBHOOKS_RETRY_SECONDS": "5,-1"}, 2, "GATEWAY_WEBHOOKS_RETRY_SECONDS"),
    ],
)
def test_a_fault_is_a_sentence(words: str, environ: Mapping[str, str], code: int, fault: str, tmp_path: Path) -> None:
    done = gateway("webhooks", *words.split(), cwd=tmp_path, environ=environ)
    assert done.returncode == code, done.stderr
    assert fault in done.stderr
    assert "Traceback" not in done.stderr
