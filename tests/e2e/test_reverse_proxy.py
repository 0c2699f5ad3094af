"""The shipped nginx configuration under a real nginx: what it passes on, what it keeps to itself, what it closes.

In front of the gateway it must change nothing; in front of stand-ins that answer, or hang up, it shows how it asks.
"""

import json
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import httpx
import pytest

from deploy.load import nginx, same
from deploy.load.nginx import SHIPPED
from deploy.load.processes import Processes, Server
from deploy.load.stack import Stack, start_stack
from deploy.load.tools import find

MARKED = "marked.person%40example.com"
REQUEST_ID = "0123456789abcdef"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def fault(self) -> tuple[int, str]:
        """Its body in the contract's form of an error: status and code, and all of the form must be there."""
        error = json.loads(self.body)
        assert list(error) == ["statusCode", "message", "timestamp", "errorCode"]
        return error["statusCode"], error["errorCode"]


def ask(
    address: str, path: str, method: str = "GET", headers: Mapping[str, str] | None = None, body: bytes | None = None
) -> Answer:
    connection = HTTPConnection(address, timeout=60)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(status=answer.status, headers=found, body=answer.read())
    finally:
        connection.close()


class StandIn(ThreadingHTTPServer):
    """A gateway that answers all it is asked, or hangs up on all of it, and remembers the heads of requests."""

    def __init__(self, *, hangs_up: bool = False) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.hangs_up = hangs_up
        self.connections = 0
        self.heads: list[Message] = []

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: StandIn

    def setup(self) -> None:
        super().setup()
        self.server.connections += 1

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", "0")))
        self.server.heads.append(self.headers)
        if self.server.hangs_up:
            self.close_connection = True
            return
        self.send_response(200)
        self.send_header("content-length", "2")
        self.send_header("cache-control", "public, max-age=600")
        self.send_header("x-request-id", REQUEST_ID)
        self.end_headers()
        self.wfile.write(b"{}")

    do_POST = do_GET  # noqa: N815 - the library's name
    do_PUT = do_GET  # noqa: N815 - as above

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Say nothing."""


@contextmanager
def answering(*stand_ins: StandIn) -> Iterator[None]:
    for each in stand_ins:
        Thread(target=each.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield
    finally:
        for each in stand_ins:
            each.shutdown()
            each.server_close()


@pytest.fixture(scope="module")
def processes() -> Iterator[Processes]:
    if find("nginx") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("there is no nginx to test with: install it")
        pytest.skip("there is no nginx here")
    with tempfile.TemporaryDirectory(prefix="proxy-") as name, Processes(Path(name)) as running:
        yield running


@pytest.fixture(scope="module")
def stack(processes: Processes) -> Stack:
    return start_stack(processes)


@pytest.fixture(scope="module")
def proxy(processes: Processes, stack: Stack) -> str:
    """Returns the address of nginx in front of the gateway."""
    return nginx.start_shipped(processes, [stack.gateway])[1]


@dataclass(frozen=True, slots=True)
class Proxy:
    server: Server
    address: str
    logs: Path

    def said(self) -> str:
        """End it, for its last line comes after the answer; give all it has logged."""
        self.server.stop()
        return (self.logs / "nginx-access.log").read_text() + (self.logs / "nginx-error.log").read_text()


@contextmanager
def in_front_of(*gateways: str) -> Iterator[Proxy]:
    """Runs nginx before stand-ins."""
    with tempfile.TemporaryDirectory(prefix="proxy-") as name, Processes(Path(name)) as running:
        yield Proxy(*nginx.start_shipped(running, gateways), Path(name) / "nginx-files")


@pytest.mark.parametrize("case", same.CASES, ids=lambda case: f"{case.status} {case.name}")
def test_an_answer_comes_through_byte_for_byte(case: same.Case, stack: Stack, proxy: str) -> None:
    assert same.faults(case, stack, proxy) == []


def test_every_error_of_the_contract_that_we_give_is_among_the_cases() -> None:
    assert {200, 400, 401, 403, 404, 412, 429, 501, 502} <= {case.status for case in same.CASES}


@pytest.mark.parametrize(
    ("line", "case"),
    [
        ("add_header X-Extra 1 always;", same.CASES[0]),
        ("proxy_hide_header Cache-Status;", same.CASES[0]),
        ("proxy_intercept_errors on;", same.CASES[-1]),
        ("sub_filter_types application/json; sub_filter first_name last_name;", same.CASES[0]),
    ],
)
def test_a_proxy_that_changes_something_is_found_out(
    line: str, case: same.Case, processes: Processes, stack: Stack
) -> None:
    port, number = processes.ports.take(), len(list(processes.directory.iterdir()))
    directory = processes.directory / f"changed-{number}"
    directory.mkdir()
    text = nginx.configuration(port, [stack.gateway], directory)
    changed = text.replace("proxy_redirect off;", f"proxy_redirect off; {line}")
    nginx.start(processes, directory.name, changed, port)
    assert same.faults(case, stack, f"127.0.0.1:{port}") != []


@pytest.mark.parametrize(
    "path",
    [
        "/metrics",
        "/metrics?x=1",
        "//metrics",
        "/metrics/",
        "/%6detrics",
        "/healthz/../metrics",
        "/a/..%2Fmetrics",
        "/proxy-says/malformed",
    ],
)
def test_what_is_internal_is_closed_to_the_outside(path: str, stack: Stack, proxy: str) -> None:
    assert ask(stack.gateway, "/metrics").status == 200
    answer = ask(proxy, path)
    assert (answer.status, answer.fault) == (404, (404, "NotFoundError"))


def test_the_proxy_shows_no_version(proxy: str) -> None:
    assert ask(proxy, "/healthz").headers["server"] == "nginx"


def test_the_gateway_gets_the_real_address_and_not_the_one_that_the_caller_claims() -> None:
    gateway = StandIn()
    claims = {
        "Host": "hris.example.com:8443",
        "X-Forwarded-For": "6.6.6.6",
        "X-Forwarded-Proto": "gopher",
        "X-Forwarded-Host": "evil.example.com",
        "X-Real-IP": "6.6.6.6",
        "Forwarded": "for=6.6.6.6",
        "Connection": "close",
        "Authorization": "Basic a2V5Og==",
        "X-Account-Id": "account",
        "X-Request-Id": "of-the-caller",
    }
    with answering(gateway), in_front_of(gateway.address) as proxy:
        answer = ask(proxy.address, "/unified/hris/employees", headers=claims)
    [head] = gateway.heads
    assert dict(head.items()) == {
        "Host": "hris.example.com:8443",
        "X-Forwarded-For": "127.0.0.1",
        "X-Forwarded-Proto": "http",
        "X-Forwarded-Host": "hris.example.com:8443",
        "Accept-Encoding": "identity",
        "Authorization": "Basic a2V5Og==",
        "X-Account-Id": "account",
        "X-Request-Id": "of-the-caller",
    }
    assert answer.headers["x-request-id"] == REQUEST_ID


EXAMPLES = SHIPPED.parent / "tls"


def with_example(running: Processes, name: str, gateway: str, **changes: str) -> tuple[str, int]:
    """Runs the shipped configuration with an example of the folder tls/; give both its addresses."""
    directory = running.directory / name
    (directory / "nginx-tls").mkdir(parents=True)
    port, second = running.ports.take(), running.ports.take()
    text = (EXAMPLES / f"{name}.conf.example").read_text()
    places = {"listen 8443 ssl": f"listen 127.0.0.1:{second} ssl", "/etc/nginx/tls/": f"{directory}/nginx-tls/"}
    for shipped, ours in {**places, **changes}.items():
        text = text.replace(shipped, ours)
    (directory / "nginx-tls" / f"{name}.conf").write_text(text)
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=localhost"
    files = ["-keyout", f"{directory}/nginx-tls/privkey.pem", "-out", f"{directory}/nginx-tls/fullchain.pem"]
    subprocess.run([*command.split(), *files], check=True, capture_output=True)
    nginx.start(running, f"{name}-nginx", nginx.configuration(port, [gateway], directory), port)
    return f"127.0.0.1:{port}", second


def test_the_example_for_tls_ends_it_and_sends_hsts() -> None:
    gateway = StandIn()
    with (
        answering(gateway),
        tempfile.TemporaryDirectory(prefix="proxy-") as name,
        Processes(Path(name)) as running,
    ):
        _, port = with_example(running, "https", gateway.address)
        answer = httpx.get(f"https://127.0.0.1:{port}/unified/hris/employees", verify=False)  # its own certificate
        refused = httpx.get(f"https://127.0.0.1:{port}/healthz", verify=False, headers={"x": "y" * 70_000})
    assert answer.headers["strict-transport-security"].startswith("max-age=31536000")
    assert refused.status_code == 400
    [head, *_] = gateway.heads
    assert head["X-Forwarded-Proto"] == "https"


@pytest.mark.parametrize(
    ("trusted", "told"), [("127.0.0.1", "203.0.113.9"), ("10.0.0.1", "127.0.0.1")], ids=["named", "not named"]
)
def test_the_example_behind_another_proxy_believes_that_one_alone(trusted: str, told: str) -> None:
    gateway = StandIn()
    with (
        answering(gateway),
        tempfile.TemporaryDirectory(prefix="proxy-") as name,
        Processes(Path(name)) as running,
    ):
        address, _ = with_example(running, "behind-proxy", gateway.address, **{"10.0.0.1": trusted})
        ask(address, "/unified/hris/employees", headers={"X-Forwarded-For": "6.6.6.6, 203.0.113.9"})
    assert [head["X-Forwarded-For"] for head in gateway.heads] == [told]


def test_nothing_is_cached_and_connections_are_reused() -> None:
    gateway = StandIn()
    with answering(gateway), in_front_of(gateway.address) as proxy:
        statuses = [ask(proxy.address, "/unified/hris/employees").status for _ in range(20)]
    assert (statuses, len(gateway.heads)) == ([200] * 20, 20)
    # One for each of nginx's processes at most.
    assert gateway.connections <= (os.cpu_count() or 1)


@pytest.mark.parametrize(("method", "status", "asked"), [("GET", 200, 1), ("PUT", 200, 1), ("POST", 502, 0)])
def test_only_what_may_be_repeated_is_asked_of_the_other_gateway(method: str, status: int, asked: int) -> None:
    dying, other = StandIn(hangs_up=True), StandIn()
    with answering(dying, other), in_front_of(dying.address, other.address) as proxy:
        answer = ask(proxy.address, "/unified/hris/employees", method, body=b"{}")
    assert (answer.status, len(dying.heads), len(other.heads)) == (status, 1, asked)


@pytest.mark.parametrize("gateways", [["127.0.0.1:9"], ["127.0.0.1:9", "127.0.0.1:9"]])
def test_without_a_gateway_the_error_has_the_form_of_the_contract(gateways: Sequence[str]) -> None:
    with in_front_of(*gateways) as proxy:
        answer = ask(proxy.address, f"/unified/hris/employees?filter%5Bemail%5D={MARKED}")
        said = proxy.said()
    assert (answer.status, answer.fault) == (502, (502, "GatewayUnreachableError"))
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["retry-after"] == "1"
    assert answer.headers["cache-control"] == "no-store"
    assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["x-request-id"])
    assert answer.headers["x-request-id"] in said
    assert "marked" not in said


@pytest.mark.parametrize(
    ("path", "headers", "size", "status", "code"),
    [
        ("/unified/hris/employees", {}, (1 << 20) + 1, 413, "PayloadTooLargeError"),
        ("/unified/hris/employees?x=" + "x" * 70_000, {}, 0, 400, "ValidationError"),
        ("/unified/hris/employees", {"x-long": "x" * 70_000}, 0, 400, "ValidationError"),
        ("/unified/hris/%zz", {}, 0, 400, "ValidationError"),
    ],
)
def test_what_is_too_large_or_malformed_does_not_reach_the_gateway(
    path: str, headers: Mapping[str, str], size: int, status: int, code: str
) -> None:
    gateway = StandIn()
    with answering(gateway), in_front_of(gateway.address) as proxy:
        answer = ask(proxy.address, path, "POST" if size else "GET", headers, b"x" * size if size else None)
    assert (answer.status, answer.fault, gateway.heads) == (status, (status, code), [])


def test_a_log_line_leads_to_the_gateways_own_and_names_nobody() -> None:
    gateway = StandIn()
    with answering(gateway), in_front_of(gateway.address) as proxy:
        ask(
            proxy.address,
            f"/unified/hris/employees?filter%5Bemail%5D={MARKED}",
            headers={"authorization": "Basic bWFya2VkOg=="},
        )
        [line] = proxy.said().splitlines()
    entry = json.loads(line)
    assert (entry["request_id"], entry["status"], entry["upstream"]) == (REQUEST_ID, 200, gateway.address)
    assert "marked" not in line
    assert "bWFya2Vk" not in line
