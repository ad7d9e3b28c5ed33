"""Where webhooks may go: at the door, when a name has been resolved, and with whose certificate."""

import socket
import ssl
from collections.abc import Iterator
from typing import Any

import httpcore
import pytest
import trustme
from redis import Redis

from model.errors import ParameterError
from tests.worker.desk import PARAMS, Desk, a_desk
from tests.worker.receiver import receiving
from worker.courier import Courier
from worker.jobs import Jobs
from worker.pictures import Pictures
from worker.settings import Settings
from worker.submission import Submission
from worker.webhook_targets import (
    MAX_URL_CHARACTERS,
    GuardedBackend,
    TargetRefused,
    checked_url,
    is_public,
)
from worker.webhooks import Webhook

#: Addresses of hosts in the Internet.
PUBLIC = ("8.8.8.8", "1.1.1.1", "192.0.1.1", "100.63.255.255", "2606:4700::1111", "2001:4860::1")

#: All others, with the forms in which IPv6 carries an IPv4 address.
NOT_PUBLIC = (
    *("127.0.0.1", "127.255.255.254", "10.0.0.1", "172.16.0.1", "192.168.1.1", "0.0.0.0"),
    *("169.254.169.254", "100.64.0.1", "100.127.255.255", "224.0.0.1", "239.1.1.1", "240.0.0.1"),
    *("255.255.255.255", "192.0.0.1", "192.0.0.8", "192.0.2.1", "192.88.99.1", "198.18.0.1"),
    *("198.51.100.1", "203.0.113.1", "::", "::1", "fe80::1", "fe80::1%eth0", "fec0::1", "fc00::1"),
    *("fd12::1", "ff02::1", "100::1", "2001::1", "2001:2::1", "2001:10::1", "2001:db8::1"),
    *("3fff::1", "5f00::1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::ffff:100.64.0.1"),
    *("::127.0.0.1", "::8.8.8.8", "64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::1"),
    *("2002:7f00:1::1", "2002:808:808::1"),
)


@pytest.fixture
def desk(redis: Redis, settings: Settings, content: bytes, style: bytes) -> Iterator[Desk]:
    with a_desk(redis, settings, Pictures(content, [style])) as desk:
        yield desk


class Resolver:
    """Gives each answer once, in order."""

    def __init__(self, *answers: list[str]) -> None:
        self._answers = list(answers)
        self.asked = 0

    def __call__(self, _host: str, port: int, **_options: object) -> list[Any]:
        self.asked += 1
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
            for address in self._answers.pop(0)
        ]


class Network(httpcore.MockBackend):
    """A network that remembers what is connected to; the first so many do not answer."""

    def __init__(self, *, silent: int = 0) -> None:
        super().__init__([])
        self.connected: list[str] = []
        self._silent = silent

    def connect_tcp(self, host: str, *args: Any, **options: Any) -> httpcore.NetworkStream:
        self.connected.append(host)
        if len(self.connected) <= self._silent:
            raise httpcore.ConnectTimeout
        return super().connect_tcp(host, *args, **options)


@pytest.mark.parametrize("address", PUBLIC)
def test_a_host_in_the_internet_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_an_address_of_any_other_kind_is_not(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://hooks.example/a?b=c", "https://hooks.example/a?b=c"),
        ("HTTPS://Hooks.Example:8443", "https://hooks.example:8443/"),
        ("https://bücher.example/ä", "https://xn--bcher-kva.example/%C3%A4"),
        ("https://8.8.8.8/", "https://8.8.8.8/"),
        ("https://[2606:4700::1111]:444/", "https://[2606:4700::1111]:444/"),
    ],
)
def test_a_good_url_is_taken_in_one_form(url: str, kept: str) -> None:
    assert checked_url(url, allow_private=False) == kept


@pytest.mark.parametrize(
    "url",
    [
        *("", "hooks.example", "//hooks.example", "ftp://hooks.example", "file:///etc/passwd"),
        *("http://hooks.example", "https://", "https://.", "https://a..b", "https://a b"),
        *("https://u@hooks.example", "https://u:p@hooks.example", "https://:p@hooks.example"),
        *("https://hooks.example:0", "https://hooks.example:65536", "https://hooks.example:x"),
        *("https://" + "a" * 64 + ".example", "https://h%00", "https://[::1", "https://[1]/"),
        *("https://127.0.0.1", "https://2130706433", "https://0177.0.0.1", "https://0x7f.1"),
        *("https://127.1", "https://[::ffff:127.0.0.1]", "https://[::1]", "https://256.1.1.1"),
        *(
            "https://\uff11\uff12\uff17.0.0.1",
            "https://10.0.0.1:443",
            "\x00",
            "javascript:alert(1)",
        ),
        "https://hooks.example/" + "x" * MAX_URL_CHARACTERS,
    ],
)
def test_a_bad_url_is_refused_and_the_field_is_named(url: str) -> None:
    with pytest.raises(ParameterError, match=r"Received: ") as refused:
        checked_url(url, allow_private=False)
    assert refused.value.field == "webhook_url"


def test_private_addresses_and_http_are_taken_only_if_they_are_allowed() -> None:
    for url in ("http://127.0.0.1:8080/", "http://intranet/", "https://[::1]/"):
        assert checked_url(url, allow_private=True) == url
        if "intranet" not in url:
            with pytest.raises(ParameterError):
                checked_url(url, allow_private=False)
    for url in ("http://u:p@intranet/", "ftp://intranet/", "http://intranet:0/"):
        with pytest.raises(ParameterError):
            checked_url(url, allow_private=True)


def test_a_password_in_a_url_is_not_repeated() -> None:
    with pytest.raises(ParameterError) as refused:
        checked_url("https://u:hunter2@hooks.example", allow_private=False)
    assert "hunter2" not in str(refused.value)


def test_what_was_resolved_and_checked_is_what_is_connected_to() -> None:
    resolver, network = Resolver(["8.8.8.8"], ["127.0.0.1"]), Network()
    guard = GuardedBackend(10, allow_private=False, resolve=resolver, network=network)
    guard.connect_tcp("hooks.example", 443)
    assert network.connected == ["8.8.8.8"]
    assert resolver.asked == 1


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_a_name_that_leads_anywhere_else_is_not_connected_to(address: str) -> None:
    for answer in ([address], ["8.8.8.8", address], [address, "8.8.8.8"]):
        network = Network()
        resolver = Resolver(answer)
        guard = GuardedBackend(10, allow_private=False, resolve=resolver, network=network)
        with pytest.raises(TargetRefused):
            guard.connect_tcp("hooks.example", 443)
        assert network.connected == []


def test_the_next_address_of_a_name_is_tried_if_one_does_not_answer() -> None:
    resolver, network = Resolver(["8.8.8.8", "1.1.1.1"]), Network(silent=1)
    guard = GuardedBackend(10, allow_private=False, resolve=resolver, network=network)
    guard.connect_tcp("hooks.example", 443)
    assert network.connected == ["8.8.8.8", "1.1.1.1"]
    assert resolver.asked == 1
    resolver, network = Resolver(["8.8.8.8", "1.1.1.1"]), Network(silent=2)
    guard = GuardedBackend(10, allow_private=False, resolve=resolver, network=network)
    with pytest.raises(httpcore.ConnectTimeout):
        guard.connect_tcp("hooks.example", 443)


def test_nothing_is_connected_to_when_the_time_is_up() -> None:
    network = Network()
    guard = GuardedBackend(0, allow_private=False, resolve=Resolver(["8.8.8.8"]), network=network)
    with pytest.raises(httpcore.TimeoutException):
        guard.connect_tcp("hooks.example", 443)
    assert network.connected == []


def certified(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    """A server's certificate for these names."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    return context


def trusting(authority: trustme.CA) -> ssl.SSLContext:
    """A client that trusts this authority alone."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority.configure_trust(context)
    return context


def test_the_certificate_is_checked_for_the_name_although_its_address_is_pinned() -> None:
    authority = trustme.CA()
    asked: list[str | None] = []
    tls = certified(authority, "hooks.example")
    tls.sni_callback = lambda _socket, name, _context: asked.append(name)
    with receiving(tls) as receiver:
        place = receiver.url.rpartition(":")[2]
        for name, arrives in (("hooks.example", True), ("other.example", False)):
            resolver = Resolver(["127.0.0.1"])
            guard = GuardedBackend(30, allow_private=True, resolve=resolver)
            with httpcore.ConnectionPool(trusting(authority), network_backend=guard) as pool:
                url = f"https://{name}:{place}/{name}"
                if arrives:
                    assert pool.request("POST", url, content=b"{}").status == 204
                else:
                    with pytest.raises(httpcore.ConnectError, match="mismatch"):
                        pool.request("POST", url, content=b"{}")
            assert resolver.asked == 1
        (received,) = receiver.got
        assert received.headers["host"] == f"hooks.example:{place}"
        assert asked == ["hooks.example", "other.example"]


def test_a_webhook_arrives_over_tls_at_who_can_show_a_certificate_and_at_nobody_else(
    desk: Desk,
) -> None:
    trusted, stranger = trustme.CA(), trustme.CA()
    desk.courier = Courier(desk.jobs, desk.settings, trusting(trusted))
    with receiving(certified(trusted, "localhost")) as good:
        desk.canceled(good.url.replace("127.0.0.1", "localhost") + "/hook")
        desk.deliver()
        assert len(good.got) == 1
        assert desk.due() == []
        desk.canceled(good.url + "/hook")  # the certificate is not for the address
        desk.deliver()
        assert len(good.got) == 1
    with receiving(certified(stranger, "localhost")) as bad:
        desk.canceled(bad.url.replace("127.0.0.1", "localhost") + "/hook")
        desk.deliver()
        assert bad.got == []
    assert len(desk.due()) == 2, "both are tried again"


def test_a_private_target_is_refused_at_the_door_and_nothing_is_stored(
    redis: Redis, settings: Settings, content: bytes, style: bytes
) -> None:
    webhook = Webhook(url="https://169.254.169.254/latest")
    with pytest.raises(ParameterError, match="public") as refused:
        Jobs(redis, settings).submit(
            Submission(Pictures(content, [style]), PARAMS, webhook=webhook)
        )
    assert refused.value.field == "webhook_url"
    assert redis.keys() == []


@pytest.mark.parametrize(
    "host",
    ["localhost", "127.0.0.1", "2130706433", "0177.0.0.1", "0x7f.1", "[::ffff:127.0.0.1]", "[::1]"],
)
def test_a_courier_refuses_what_leads_to_this_machine(desk: Desk, host: str) -> None:
    job = desk.submit("/hook")
    # As if it had been taken while private targets were allowed, or the name had changed since.
    url = desk.receiver.url.replace("127.0.0.1", host) + "/hook"
    desk.jobs.note(job.id, webhook=Webhook(url=url))
    desk.jobs.cancel(job.id)
    strict = desk.settings.model_copy(update={"webhook_allow_private": False})
    desk.courier = Courier(desk.jobs, strict)
    desk.deliver()
    assert desk.receiver.got == []
    assert desk.due() == [], "refused, not tried"
