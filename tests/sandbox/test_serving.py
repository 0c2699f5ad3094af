"""The command line and what only a socket shows: the printed address, signals, resets, drips, deliveries."""

from __future__ import annotations

import hashlib
import hmac
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import httpx
import pytest

from deploy.sandbox.tokens import by_name

SECONDS = 60
"""Longer than a busy machine takes."""

OWNER = {"authorization": f"Bearer {by_name('all-owner').token}"}


@contextmanager
def served(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [sys.executable, "-m", "deploy.sandbox", "--port", "0", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        line = process.stdout.readline()
        assert line.startswith("sandbox listening on http://127.0.0.1:")
        yield process, line.split()[-1]
    finally:
        process.terminate()
        process.wait(SECONDS)
        process.stdout.close()
        process.stderr.close()


@pytest.fixture(scope="module")
def api() -> Iterator[str]:
    with served("--today", "2026-11-24") as (_, address):
        yield address


@pytest.fixture
def client(api: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=api, headers=OWNER, timeout=SECONDS) as client:
        yield client
        client.delete(f"{admin(api)}/faults")
        client.delete(f"{admin(api)}/calls")


def admin(address: str) -> str:
    return f"{address.removesuffix('/api')}/_sandbox"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_where_it_listens_and_stops_when_asked(number: signal.Signals) -> None:
    with served("--people", "70", "--seed", "x") as (process, address):
        answer = httpx.get(f"{address}/people?status=all", headers=OWNER)
        assert answer.json()["total"] == 70
        process.send_signal(number)
        assert process.wait(SECONDS) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""


def test_a_busy_port_is_one_sentence_and_exit_code_2() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-m", "deploy.sandbox", "--port", port]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"Port {port} on 127.0.0.1 cannot be used" in done.stderr
    assert "--port" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [(["--people", "3"], "people must be from 60 to 10000"), (["--today", "2020-01-01"], "today must be")],
)
def test_what_cannot_be_had_is_one_sentence_and_exit_code_2(arguments: list[str], complaint: str) -> None:
    command = [sys.executable, "-m", "deploy.sandbox", "--port", "0", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)
    assert done.returncode == 2
    assert complaint in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_reset_is_a_reset_and_the_next_call_is_served(client: httpx.Client, api: str) -> None:
    client.post(f"{admin(api)}/faults", json={"kind": "connection_reset", "times": 1})
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)) as broken:
        client.get("/people")
    assert "reset" in str(broken.value).lower()
    assert client.get("/people").status_code == 200


def test_a_drip_comes_whole(client: httpx.Client, api: str) -> None:
    fault = {"kind": "slow_drip", "seconds_per_chunk": 0.01, "chunks": 5, "times": 1}
    client.post(f"{admin(api)}/faults", json=fault)
    assert client.get("/people").json() == client.get("/people").json()


def test_a_drip_outlives_no_client(client: httpx.Client, api: str) -> None:
    client.post(f"{admin(api)}/faults", json={"kind": "slow_drip", "seconds_per_chunk": 30, "times": 1})
    with pytest.raises(httpx.ReadTimeout):
        client.get("/people", timeout=httpx.Timeout(SECONDS, read=0.1))
    assert client.get("/people").status_code == 200


def test_an_oversized_body_is_streamed(client: httpx.Client, api: str) -> None:
    client.post(f"{admin(api)}/faults", json={"kind": "oversized", "megabytes": 8, "times": 1})
    with client.stream("GET", "/people") as answer:
        assert "content-length" not in answer.headers
        assert sum(map(len, answer.iter_bytes())) > 8 << 20


def test_calls_over_the_socket_are_logged(client: httpx.Client, api: str) -> None:
    client.get("/people?%24limit=1")
    log = client.get(f"{admin(api)}/calls").json()
    assert [(call["path"], call["query"]) for call in log["calls"]] == [("/people", {"$limit": "1"})]


class Inbox(BaseHTTPRequestHandler):
    """Takes one delivery and stores it on its server."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        vars(self.server)["taken"] = (self.headers, body)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Tests print nothing."""


def test_a_webhook_is_delivered_signed_and_noted(client: httpx.Client, api: str) -> None:
    with HTTPServer(("127.0.0.1", 0), Inbox) as inbox:
        Thread(target=inbox.handle_request, daemon=True).start()
        url = f"http://127.0.0.1:{inbox.server_port}/hook"
        hook = client.post("/webhooks", json={"url": url, "events": ["person.deleted"]}).json()
        order = {"event": "person.deleted", "data": {"id": "x"}}
        done = client.post(f"{admin(api)}/webhooks/deliver", json=order).json()
        headers, body = vars(inbox)["taken"]
    assert done == {"deliveries": [{"webhookId": hook["id"], "url": url, "status": 204}]}
    expected = hmac.new(hook["secret"].encode(), body, hashlib.sha256).hexdigest()
    assert headers["x-humaans-signature"] == expected
    events = client.get("/webhook-events", params={"webhookId": hook["id"]}).json()["data"]
    assert [(event["event"], event["status"]) for event in events] == [("person.deleted", "delivered")]


def test_a_delivery_to_nobody_is_noted_as_failed(client: httpx.Client, api: str) -> None:
    client.post("/webhooks", json={"url": "http://127.0.0.1:1/", "events": ["person.lost"]})
    done = client.post(f"{admin(api)}/webhooks/deliver", json={"event": "person.lost"}).json()
    assert done["deliveries"][0]["status"] is None
    assert client.get("/webhook-events?event=person.lost").json()["data"][0]["status"] == "failed"
