"""Where the service posts to: port 443 of public addresses, nothing behind a redirect, and no endless answer."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import cast

import httpx
import pytest

from docproc.errors import InputError, SetupError
from docproc.flow.core.access import Caller
from docproc.flow.core.context import Context
from docproc.flow.messages.feed import EventView
from docproc.flow.messages.webhook_post import is_public, ports_of, post_event, public_address
from docproc.flow.messages.webhooks import add_webhook

FIRM = Caller("k", "firm-1", "92510116MA6DEVX00X", frozenset({"enterprise"}))
EVENT = cast(EventView, {"id": 1})
NOW = datetime(2026, 12, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.0.0.1", "172.16.3.4", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0"),
        *("224.0.0.1", "255.255.255.255", "240.0.0.1", "198.18.0.1", "192.0.2.1"),
        *("::1", "::", "fe80::1%eth0", "fc00::1", "ff02::1", "2001:db8::1", "::ffff:10.0.0.1", "::ffff:127.0.0.1"),
        *("64:ff9b::10.0.0.1", "64:ff9b::7f00:1", "2002:0a00:0001::1", "2002:7f00:1::"),
    ],
)
def test_an_address_that_is_not_the_internets_is_none(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2400:3200::1", "64:ff9b::8.8.8.8", "::ffff:8.8.8.8"])
def test_others_are(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        *(
            "https://8.8.8.8:22/x",
            "https://8.8.8.8:6379/",
            "https://8.8.8.8:8443/",
            "http://8.8.8.8/",
            "https://8.8.8.8:0/",
        ),
        *("https://8.8.8.8:99999/", "https://u:p@8.8.8.8/", "https://[::ffff:10.0.0.1]/", "ftp://8.8.8.8/", "https://"),
        *("https://8.8.8.8/\nHost: x", "https://[8.8.8.8/", "https://127.0.0.1/", "https://localhost/"),
    ],
)
def test_other_ports_and_what_is_no_address_are_refused_when_it_is_entered(ctx: Context, url: str) -> None:
    with pytest.raises(InputError):
        add_webhook(ctx, FIRM, url)


def test_a_port_that_the_settings_name_is_taken(ctx: Context) -> None:
    settings = ctx.settings.model_copy(update={"webhook_ports": "443,8443"})
    from dataclasses import replace

    assert add_webhook(replace(ctx, settings=settings), FIRM, "https://8.8.8.8:8443/")["id"]
    assert add_webhook(ctx, FIRM, "https://8.8.8.8/")["id"]


@pytest.mark.parametrize("text", ["", "x", "0", "70000", "443;8443"])
def test_a_setting_that_names_no_ports_is_refused(text: str) -> None:
    with pytest.raises(SetupError):
        ports_of(text)


@contextmanager
def receiver(answer: bytes, *, endless: bool = False) -> Iterator[tuple[int, list[bytes]]]:
    """A receiver on loopback that says these bytes to everybody."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(20)

        def serve() -> None:
            for _ in range(2):
                try:
                    line, _ = listener.accept()
                except OSError:
                    return
                with line:
                    heard.append(line.recv(65536))
                    try:
                        line.sendall(answer)
                        while endless:
                            line.sendall(b"x" * 65536)
                    except OSError:
                        pass

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1], heard


def test_a_redirect_is_no_delivery_and_leads_nowhere() -> None:
    with receiver(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") as (inside, heard):
        moved = f"HTTP/1.1 307 Moved\r\nLocation: http://127.0.0.1:{inside}/\r\nContent-Length: 0\r\n\r\n".encode()
        with receiver(moved) as (port, _), pytest.raises(httpx.HTTPStatusError):
            post_event(f"http://127.0.0.1:{port}/", "s", EVENT, NOW)
    assert not heard


def test_an_endless_answer_is_not_read() -> None:
    with receiver(b"HTTP/1.1 200 OK\r\n\r\n", endless=True) as (port, _):
        assert post_event(f"http://127.0.0.1:{port}/", "s", EVENT, NOW) == 200


def test_a_name_is_asked_for_once_and_that_very_address_is_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that stands for a public address at first and for one inside a moment later."""
    asked: list[str] = []
    real = socket.getaddrinfo

    def rebinding(host: str, *args: object, **more: object) -> object:
        if host == "rebind.example":
            asked.append(host)
            return real("8.8.8.8" if len(asked) == 1 else "127.0.0.1", *args, **more)  # type: ignore[arg-type]
        return real(host, *args, **more)  # type: ignore[arg-type]

    reached: list[object] = []

    def connect(address: tuple[str, int], *args: object, **more: object) -> socket.socket:
        reached.append(address[0])
        raise OSError("no way out of here")

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises((httpx.HTTPError, OSError)):
        post_event("https://rebind.example/hook", "s", EVENT, NOW, private=False, ports=(443,))
    assert asked == ["rebind.example"] and set(reached) <= {"8.8.8.8"}
    with pytest.raises(InputError):
        public_address("https://rebind.example/hook")
