"""No test reaches another machine."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable

import pytest
from aioice import ice

from tests.here import FarAway, refused


def connect(address: tuple[str, int]) -> None:
    with socket.socket() as far:
        far.connect(address)


def send(address: tuple[str, int]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as far:
        far.sendto(b"hello", address)


def send_parts(address: tuple[str, int]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as far:
        far.sendmsg([b"hello"], [], 0, address)


def look_up(address: tuple[str, int]) -> None:
    socket.gethostbyname(address[0])


def open_(address: tuple[str, int]) -> None:
    async def opened() -> None:
        _, writer = await asyncio.open_connection(*address)
        writer.close()
        await writer.wait_closed()

    asyncio.run(opened())


@pytest.mark.parametrize("reach", [connect, send, send_parts, socket.create_connection, open_])
def test_another_machine_is_out_of_reach(reach: Callable[[tuple[str, int]], object]) -> None:
    with pytest.raises(FarAway, match=r"192\.0\.2\.7"):
        reach(("192.0.2.7", 9))
    assert len(refused()) == 1


@pytest.mark.parametrize("ask", [socket.create_connection, open_, look_up])
def test_nobody_is_asked_where_another_one_is(ask: Callable[[tuple[str, int]], object]) -> None:
    with pytest.raises(FarAway, match=r"somebody\.invalid"):
        ask(("somebody.invalid", 9))
    assert len(refused()) == 1


def test_who_is_refused_in_a_thread_and_says_nothing_is_told_too() -> None:
    def hide() -> None:
        with pytest.raises(FarAway):
            connect(("192.0.2.7", 9))

    thread = threading.Thread(target=hide)
    thread.start()
    thread.join()
    assert refused() == ("connect ('192.0.2.7', 9)",)


def test_an_address_that_this_machine_has_among_others_is_within_reach() -> None:
    for host in ice.get_host_addresses(use_ipv4=True, use_ipv6=False):
        with socket.create_server((host, 0)) as server:
            connect((host, server.getsockname()[1]))
            send((host, 9))
    assert refused() == ()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_this_machine_is_within_reach(host: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = (host, server.getsockname()[1])
        connect(address)
        send(address)
        socket.create_connection(address).close()
        open_(address)
    assert refused() == ()
