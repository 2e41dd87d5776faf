"""Pings, without a connection."""

import asyncio

import pytest

from unirt.testing.virtual import run_virtually
from unirt.transports.keepalive import Keepalive


class Peer:
    """Notes the pings, and answers those it is told to."""

    def __init__(self) -> None:
        self.pings: list[bytes] = []
        self.answers = 0
        self.lost = asyncio.Event()
        self.keepalive: Keepalive

    def start(self, *, timeout: float | None) -> Keepalive:
        self.keepalive = Keepalive(self.ping, self.lost.set, interval=0.001, timeout=timeout)
        return self.keepalive

    def ping(self, payload: bytes) -> None:
        self.pings.append(payload)
        if len(self.pings) <= self.answers:
            self.keepalive.pong(payload)


@pytest.fixture
async def peer() -> Peer:
    return Peer()


async def test_pings_go_on_until_one_is_not_answered(peer: Peer) -> None:
    peer.answers = 3
    peer.start(timeout=0.001)
    await peer.lost.wait()
    assert len(peer.pings) == len(set(peer.pings)) == 4


@pytest.mark.parametrize("payload", [b"", b"unasked", b"\0\0\0\0"])
async def test_a_pong_that_answers_nothing_means_nothing(peer: Peer, payload: bytes) -> None:
    keepalive = peer.start(timeout=0.001)
    keepalive.pong(payload)
    await peer.lost.wait()
    assert len(peer.pings) == 1


async def test_an_answer_to_an_older_ping_comes_too_late(peer: Peer) -> None:
    peer.answers = 1
    keepalive = peer.start(timeout=0.05)
    while len(peer.pings) < 2:
        await asyncio.sleep(0)
    keepalive.pong(peer.pings[0])
    await peer.lost.wait()
    assert len(peer.pings) == 2


async def test_a_restart_forgives_the_last_ping(peer: Peer) -> None:
    keepalive = peer.start(timeout=0.05)
    while not peer.pings:
        await asyncio.sleep(0)
    keepalive.restart()
    while len(peer.pings) < 2:
        await asyncio.sleep(0)
    assert not peer.lost.is_set()
    keepalive.stop()


async def test_a_stop_ends_the_pings(peer: Peer) -> None:
    peer.start(timeout=0.001).stop()
    beside = Peer()
    beside.start(timeout=0.001)
    await beside.lost.wait()
    assert peer.pings == []
    assert not peer.lost.is_set()


def test_pings_are_an_interval_apart_however_long_an_answer_takes() -> None:
    sent: list[float] = []

    async def ping() -> None:
        loop = asyncio.get_running_loop()
        done = asyncio.Event()

        def answer_late(payload: bytes) -> None:
            sent.append(loop.time() - began)
            after = (8.0, 0.0, 30.0, 0.0)[len(sent) - 1]
            loop.call_later(after, keepalive.pong, payload)
            if len(sent) == 4:
                done.set()

        began = loop.time()
        keepalive = Keepalive(answer_late, done.set, interval=20.0, timeout=40.0)
        await done.wait()
        keepalive.stop()

    run_virtually(ping())
    assert sent == pytest.approx([20.0, 40.0, 60.0, 90.0])
