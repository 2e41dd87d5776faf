"""The outbox: at once where nothing is in the way, in order whatever is, and nobody starves."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from unirt.session.limits import Limits
from unirt.session.outbox import BURST, Outbox
from unirt.translator import Frame
from unirt.transport import Transport, TransportClosed
from unirt.transports.memory import MemoryTransport, memory_pair


class Waiting:
    """A transport that can only wait, around one that need not."""

    url = "waiting:"

    def __init__(self, inner: Transport) -> None:
        self.send, self.receive, self.close = inner.send, inner.receive, inner.close


@asynccontextmanager
async def running(transport: Transport, **limits: int) -> AsyncIterator[Outbox]:
    """An outbox whose task has had its first turn."""
    outbox = Outbox(transport, Limits(**limits))
    task = asyncio.create_task(outbox.run())
    await asyncio.sleep(0)
    try:
        yield outbox
    finally:
        task.cancel()
        await asyncio.wait({task})


async def taken(end: MemoryTransport, count: int) -> list[Frame]:
    return [await end.receive() for _ in range(count)]


async def test_a_frame_leaves_with_the_call_where_nothing_is_in_the_way() -> None:
    here, there = memory_pair()
    async with running(here) as outbox:
        outbox.put(["one", b"two"])

        assert (outbox.waiting, outbox.frames_out, outbox.bytes_out) == (0, 2, 6)
        assert await taken(there, 2) == ["one", b"two"]


async def test_nothing_leaves_before_the_task_runs() -> None:
    here, _ = memory_pair()
    outbox = Outbox(here, Limits())
    outbox.put(["early"])
    assert (outbox.waiting, outbox.frames_out) == (1, 0)


@pytest.mark.parametrize("prompt", [True, False])
@pytest.mark.parametrize("capacity", [1, 3, 1000])
async def test_frames_keep_their_order_and_are_counted_once(prompt: bool, capacity: int) -> None:
    here, there = memory_pair(capacity=capacity)
    frames = [f"{number:04}" for number in range(400)]

    async def produce(outbox: Outbox) -> None:
        for number, frame in enumerate(frames):
            if outbox.full:
                await outbox.room()
            outbox.put([frame])
            if number % 7 == 0:
                await asyncio.sleep(0)

    async with running(here if prompt else Waiting(here), outgoing_frames=8) as outbox:
        _, received = await asyncio.gather(produce(outbox), taken(there, len(frames)))
        await outbox.drained()
        assert (outbox.waiting, outbox.frames_out, outbox.bytes_out) == (0, 400, 1600)
    assert received == frames


async def test_a_producer_that_never_waits_for_the_network_still_lets_others_have_a_turn() -> None:
    here, _ = memory_pair(capacity=10_000)
    turns = 0

    async def bystander() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    async with running(here) as outbox:
        other = asyncio.create_task(bystander())
        for _ in range(10 * BURST):
            if outbox.full:
                await outbox.room()
            outbox.put(["frame"])
        other.cancel()
    assert turns >= 4


@pytest.mark.parametrize("limits", [{"outgoing_frames": 3}, {"outgoing_bytes": 15}])
async def test_a_full_outbox_has_room_again_when_a_frame_was_sent(limits: dict[str, int]) -> None:
    here, there = memory_pair(capacity=1)
    async with running(here, **limits) as outbox:
        outbox.put(["12345"] * 4)
        waiting = asyncio.create_task(outbox.room())
        await asyncio.sleep(0)
        assert outbox.full
        assert not waiting.done()

        await there.receive()
        await waiting
        assert not outbox.full


async def test_when_the_connection_is_gone_nothing_waits_any_more() -> None:
    here, _ = memory_pair(capacity=1)
    async with running(here, outgoing_frames=1) as outbox:
        outbox.put(["sent", "stuck"])
        waiting = [asyncio.create_task(wait()) for wait in (outbox.room, outbox.drained)]
        await asyncio.sleep(0)
        here.cut()
        await asyncio.gather(*waiting)
        outbox.put(["dropped"])

        assert (outbox.waiting, outbox.frames_out) == (0, 1)
    with pytest.raises(TransportClosed):
        await here.send("late")
