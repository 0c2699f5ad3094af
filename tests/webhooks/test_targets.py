"""Where a delivery may go: a table of addresses, and one of URLs."""

from ipaddress import ip_network

import pytest

from gateway.webhooks.targets import Targets

PUBLIC = Targets()
OPEN = ["8.8.8.8", "93.184.215.14", "172.15.255.255", "172.32.0.1", "2606:2800:21f:cb07::1", "::ffff:8.8.8.8"]
OPEN += ["64:ff9b::808:808"]
CLOSED = """
0.0.0.0 10.0.0.1 100.64.0.1 100.100.100.200 127.0.0.1 127.255.255.254 169.254.169.254 172.16.0.1 172.31.255.255
192.0.0.192 192.0.2.1 192.88.99.1 192.168.0.1 198.18.0.1 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1
255.255.255.255 168.63.129.16
:: ::1 ::127.0.0.1 ::8.8.8.8 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::ffff:0:7f00:1
64:ff9b::7f00:1 64:ff9b::a9fe:a9fe 64:ff9b:1::1 100::1 2001::1 2001:10::1 2001:20::1 2001:db8::1 2002:7f00:1::1
2002:808:808::1 2620:4f:8000::1 3fff::1 5f00::1 fc00::1 fd00:ec2::254 fe80::1 fe80::1%eth0 fec0::1 ff02::1
nonsense 1.2.3 127.1 0x7f000001 1.2.3.4/32
""".split()


@pytest.mark.parametrize("address", OPEN)
def test_public_addresses_are_open(address: str) -> None:
    assert PUBLIC.admits(address)


@pytest.mark.parametrize("address", CLOSED)
def test_every_other_address_is_closed(address: str) -> None:
    assert not PUBLIC.admits(address)


@pytest.mark.parametrize(
    ("address", "admitted"),
    [
        ("10.1.2.3", True),
        ("::ffff:10.1.2.3", True),
        ("64:ff9b::a01:203", True),
        ("10.2.0.1", False),
        ("fd00:1::5", True),
        ("fd00:2::5", False),
        ("8.8.8.8", True),
    ],
)
def test_the_operator_may_open_networks(address: str, admitted: bool) -> None:
    chosen = Targets(networks=(ip_network("10.1.0.0/16"), ip_network("fd00:1::/32")))
    assert chosen.admits(address) is admitted


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com",
        "https://example.com./hooks?token=1",
        "https://EXAMPLE.com:443/a",
        "https://example.com:80/",
        "https://example.com:1024/",
        "https://example.com:65535/",
        "https://xn--bcher-kva.example/",
        "https://8.8.8.8/",
        "https://[2606:2800:21f:cb07::1]:8443/",
        "https://10.example.com/",
    ],
)
def test_good_urls(url: str) -> None:
    assert PUBLIC.fault(url) == ""


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://example.com/", "https://"),
        ("ftp://example.com/", "https://"),
        ("//example.com/", "https://"),
        ("example.com", "https://"),
        ("", "https://"),
        ("https://", "name a host"),
        ("https:///path", "name a host"),
        ("https://user@example.com/", "user name"),
        ("https://user:planted@example.com/", "user name"),
        ("https://@example.com/", "user name"),
        ("https://example.com/#a", "fragment"),
        ("https://example.com/#", "fragment"),
        ("https://example.com:22/", "port"),
        ("https://example.com:0/", "port"),
        ("https://example.com:1023/", "port"),
        ("https://example.com:65536/", "not a URL"),
        ("https://example.com:x/", "not a URL"),
        ("https://[::1/", "not a URL"),
        ("https://exa mple.com/", "printable"),
        ("https://example.com/\n", "printable"),
        ("https://example.com\\@evil.example/", "printable"),
        ("https://bücher.example/", "ASCII"),
        ("https://e.com/" + "a" * 2000, "at most 2000"),
        ("https://a..b/", "name a host"),
        ("https://-a.example/", "name a host"),
        ("https://a_b.example/", "name a host"),
        ("https://%31%32%37.0.0.1/", "name a host"),
        ("https://127.0.0.1/", "private"),
        ("https://127.1/", "private"),
        ("https://2130706433/", "private"),
        ("https://0x7f000001/", "private"),
        ("https://0177.0.0.1/", "private"),
        ("https://8.8.8.0x8/", "private"),
        ("https://8.8.8.8./", "private"),
        ("https://[::1]/", "private"),
        ("https://[::ffff:127.0.0.1]/", "private"),
        ("https://[fe80::1%25eth0]/", "private"),
        ("https://169.254.169.254/latest/meta-data/", "private"),
    ],
)
def test_bad_urls_are_told_why_and_not_repeated(url: str, says: str) -> None:
    fault = PUBLIC.fault(url)
    assert says in fault
    assert "planted" not in fault


def test_plain_http_is_for_development() -> None:
    assert Targets(allow_http=True).fault("http://example.com/") == ""
    local = Targets(allow_http=True, networks=(ip_network("127.0.0.0/8"),))
    assert local.fault("http://127.0.0.1:3000/hook") == ""
