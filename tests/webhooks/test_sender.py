"""The way to endpoints: to checked addresses only, whatever a name server says; a word for all that goes wrong."""

import asyncio
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path

import pytest

from gateway.webhooks.deliveries import Reply
from gateway.webhooks.sender import Lookup, WebhookSender, look_up
from gateway.webhooks.targets import Targets
from tests.fixtures.receiver import Receiver, receiving

LOCAL = Targets(allow_http=True, networks=(ip_network("127.0.0.0/8"),))
PUBLIC = Targets(allow_http=True)
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
HEADERS = {"content-type": "application/json"}


def sender(
    targets: Targets, lookup: Lookup = look_up, *, timeout: float = 0.5, trust: ssl.SSLContext | None = None
) -> WebhookSender:
    return WebhookSender(
        targets, connect_timeout=0.5, timeout=timeout, lookups=4, now=lambda: NOW, lookup=lookup, trust=trust
    )


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@dataclass
class Names:
    """A name server: one answer after the other, the last again and again."""

    answers: list[Sequence[str]]
    asked: list[str] = field(default_factory=list)

    def __call__(self, host: str, port: int) -> Sequence[str]:  # noqa: ARG002 - a look-up
        self.asked.append(host)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


async def post(
    url: str,
    targets: Targets = LOCAL,
    lookup: Lookup = look_up,
    *,
    seconds: float = 0.5,
    trust: ssl.SSLContext | None = None,
) -> Reply:
    async with sender(targets, lookup, timeout=seconds, trust=trust) as receivers:
        return await receivers.post(url, HEADERS, b'{"a":1}')


# --- where it goes ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answers", "error"),
    [
        ([["127.0.0.1"]], "address_refused"),
        ([["::1"]], "address_refused"),
        ([["::ffff:127.0.0.1"]], "address_refused"),
        ([["64:ff9b::7f00:1"]], "address_refused"),
        ([["169.254.169.254", "10.0.0.1", "fd00:ec2::254"]], "address_refused"),
        ([["not an address"]], "address_refused"),
        ([[]], "name_not_found"),
    ],
)
async def test_a_name_of_closed_addresses_is_refused_and_nobody_is_asked(
    receiver: Receiver, answers: list[Sequence[str]], error: str
) -> None:
    names = Names(answers)
    reply = await post(f"http://hook.example:{receiver.port}/", PUBLIC, names)
    assert (reply.status, reply.error) == (None, error)
    assert names.asked == ["hook.example"]
    assert receiver.received == []


async def test_a_name_is_asked_for_once_an_attempt_and_what_it_is_next_time_is_checked_again(
    receiver: Receiver,
) -> None:
    """A server of names that answers with a good address first and then with ours leads nowhere."""
    open_one = Targets(allow_http=True, networks=(ip_network("127.0.0.1/32"),))
    names = Names([["127.0.0.1"], ["127.0.0.2"]])
    url = f"http://hook.example:{receiver.port}/"
    async with sender(open_one, names) as receivers:
        assert (await receivers.post(url, HEADERS, b"{}")).status == 200
        assert names.asked == ["hook.example"]
        refused = await receivers.post(url, HEADERS, b"{}")
    assert (refused.status, refused.error) == (None, "address_refused")
    assert [each.headers["host"] for each in receiver.received] == [f"hook.example:{receiver.port}"]


async def test_of_several_addresses_only_open_ones_are_tried(receiver: Receiver) -> None:
    names = Names([["10.0.0.1", "127.0.0.2", "127.0.0.1", "::1"]])
    open_one = Targets(allow_http=True, networks=(ip_network("127.0.0.1/32"),))
    assert (await post(f"http://hook.example:{receiver.port}/", open_one, names)).status == 200


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.1", "2130706433", "0x7f000001", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "a@127.0.0.1"]
)
async def test_an_address_in_a_url_is_checked_too(receiver: Receiver, host: str) -> None:
    reply = await post(f"http://{host}:{receiver.port}/", PUBLIC)
    assert (reply.status, reply.error) == (None, "url_refused")
    assert receiver.received == []


async def test_the_socket_has_the_last_word_where_no_name_is_resolved() -> None:
    receivers = sender(PUBLIC)
    with pytest.raises(OSError, match=r"^$"):
        receivers._open_socket((socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 80)))
    receivers._open_socket((socket.AF_INET, socket.SOCK_STREAM, 6, "", ("8.8.8.8", 80))).close()


async def test_the_real_localhost_is_refused(receiver: Receiver) -> None:
    assert (await post(f"http://localhost:{receiver.port}/", PUBLIC)).error == "address_refused"
    assert (await post(f"http://localhost:{receiver.port}/", LOCAL)).status == 200


async def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    receiver.statuses, receiver.headers = [307], {"location": f"http://127.0.0.1:{receiver.port}/other"}
    reply = await post(receiver.url)
    assert (reply.status, reply.error) == (307, "redirect_not_followed")
    assert [each.path for each in receiver.received] == ["/hook"]


# --- what comes of it ---------------------------------------------------------------------------------------


async def test_what_is_sent_arrives_byte_for_byte_and_no_cookie_comes_back(receiver: Receiver) -> None:
    receiver.headers = {"set-cookie": "a=planted; Path=/"}
    async with sender(LOCAL) as receivers:
        for _ in range(2):
            assert await receivers.post(receiver.url, HEADERS, b'{"name":"Zo\xc3\xab"}') == Reply(status=200)
    assert [each.body for each in receiver.received] == [b'{"name":"Zo\xc3\xab"}'] * 2
    assert all("cookie" not in each.headers for each in receiver.received)
    assert {each.headers["user-agent"] for each in receiver.received} == {"hris-gateway-webhooks"}


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("120", 120.0), ("Tue, 24 Nov 2026 12:01:00 GMT", 60.0), ("soon", None)],
)
async def test_it_hears_when_to_come_again(receiver: Receiver, header: str, seconds: float | None) -> None:
    receiver.statuses, receiver.headers = [503], {"retry-after": header}
    assert await post(receiver.url) == Reply(status=503, error="status", retry_after=seconds)


async def test_a_receiver_that_does_not_answer_is_left_in_time(receiver: Receiver) -> None:
    assert await post(receiver.url.replace("/hook", "/slow")) == Reply(status=None, error="timeout")


Answer = Callable[[asyncio.StreamWriter], None]


@asynccontextmanager
async def raw_server(answer: Answer, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A server that answers each connection with bytes of the test's own."""
    serving = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.append(asyncio.current_task())
        with suppress(OSError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            answer(writer)
            await writer.drain()
            await reader.read()
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1]
    await asyncio.gather(*filter(None, serving))


@pytest.mark.parametrize(
    ("raw", "reply"),
    [
        (b"HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\n\r\n" + b"x" * 100_000, Reply(status=200)),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nnever", Reply(status=200)),
        (b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 3\r\n\r\nbad", Reply(status=200)),
        (b"nonsense\r\n\r\n", Reply(status=None, error="connection_lost")),
        (b"HTTP/1.1 200 OK\r\nx: " + b"y" * 100_000, Reply(status=None, error="connection_lost")),
    ],
)
async def test_of_an_answer_the_status_alone_counts(raw: bytes, reply: Reply) -> None:
    async with raw_server(lambda writer: writer.write(raw)) as port:
        assert await post(f"http://127.0.0.1:{port}/", seconds=3.0) == reply


async def test_a_connection_that_is_cut_or_refused_has_a_word() -> None:
    async with raw_server(lambda writer: writer.close()) as port:
        assert (await post(f"http://127.0.0.1:{port}/")).error == "connection_lost"
    assert (await post(f"http://127.0.0.1:{port}/")).error == "connect_failed"


async def test_a_name_that_there_is_not_has_a_word() -> None:
    def nobody(host: str, port: int) -> Sequence[str]:
        raise socket.gaierror(socket.EAI_NONAME, f"{host}:{port}")

    assert (await post("https://nobody.example/", PUBLIC, nobody)).error == "name_not_found"


# --- TLS ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns a file with key and certificate for the name hook.example, made with OpenSSL."""
    folder = tmp_path_factory.mktemp("tls")
    words = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=hook.example"
    names = ["-addext", "subjectAltName=DNS:hook.example", "-keyout", "key.pem", "-out", "cert.pem"]
    subprocess.run([*words.split(), *names], cwd=folder, check=True, capture_output=True)
    both = folder / "both.pem"
    both.write_text((folder / "key.pem").read_text() + (folder / "cert.pem").read_text())
    return both


@pytest.mark.parametrize(
    ("host", "trusted", "reply"),
    [
        ("hook.example", True, Reply(status=200)),
        ("other.example", True, Reply(status=None, error="tls_failed")),
        ("hook.example", False, Reply(status=None, error="tls_failed")),
    ],
)
async def test_the_certificate_is_held_to_the_name_although_the_address_is_what_is_connected_to(
    certificate: Path, host: str, trusted: bool, reply: Reply
) -> None:
    asked: list[str | None] = []
    ours = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ours.load_cert_chain(certificate)
    ours.set_servername_callback(lambda _, name, __: asked.append(name))
    trust = ssl.create_default_context(cafile=str(certificate)) if trusted else None
    raw = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
    only_tls = Targets(networks=LOCAL.networks)
    async with raw_server(lambda writer: writer.write(raw), ours) as port:
        assert await post(f"https://{host}:{port}/", only_tls, Names([["127.0.0.1"]]), trust=trust) == reply
    assert asked == [host]
