"""The memory transport keeps the promises of every transport."""

import asyncio

import pytest

from unirt.transport import TransportClosed
from unirt.transports.memory import memory_pair


async def test_frames_arrive_in_order_and_unchanged() -> None:
    one, other = memory_pair("memory://x")
    await one.send("text")
    await one.send(b"bytes")

    assert [await other.receive(), await other.receive()] == ["text", b"bytes"]
    assert (one.url, other.url) == ("memory://x", "memory://x")


async def test_a_full_direction_holds_the_sender_back() -> None:
    one, other = memory_pair(capacity=2)
    await one.send("1")
    await one.send("2")
    third = asyncio.create_task(one.send("3"))
    await asyncio.sleep(0)
    assert not third.done()

    assert await other.receive() == "1"
    await third
    assert [await other.receive(), await other.receive()] == ["2", "3"]


async def test_a_frame_goes_without_waiting_only_where_nothing_is_in_the_way() -> None:
    one, other = memory_pair(capacity=1)

    assert one.send_now("1")
    assert not one.send_now("not now")
    assert await other.receive() == "1"
    assert one.send_now("2")
    assert await other.receive() == "2"
    one.cut()
    assert not one.send_now("never")


async def test_a_close_is_told_on_both_sides_after_the_frames_before_it() -> None:
    one, other = memory_pair()
    await one.send("last")
    await one.close(4001, "enough")

    assert await other.receive() == "last"
    with pytest.raises(TransportClosed) as remote:
        await other.receive()
    with pytest.raises(TransportClosed) as local:
        await one.receive()
    assert (remote.value.code, remote.value.reason, remote.value.by) == (4001, "enough", "remote")
    assert (local.value.code, local.value.reason, local.value.by) == (4001, "enough", "local")


@pytest.mark.parametrize("end", [0, 1])
async def test_nothing_can_be_sent_after_the_end(end: int) -> None:
    pair = memory_pair()
    await pair[0].close()

    with pytest.raises(TransportClosed):
        await pair[end].send("late")


async def test_the_first_close_counts() -> None:
    one, other = memory_pair()
    await one.close(1000, "first")
    await other.close(1011, "second")
    await one.close(1011, "third")

    with pytest.raises(TransportClosed) as told:
        await other.receive()
    assert (told.value.code, told.value.reason, told.value.by) == (1000, "first", "remote")


async def test_a_cut_is_told_as_the_networks_on_both_sides() -> None:
    one, other = memory_pair()
    one.cut()

    for end in (one, other):
        with pytest.raises(TransportClosed) as told:
            await end.receive()
        assert (told.value.code, told.value.by) == (None, "network")


@pytest.mark.parametrize("waiting", ["receive", "send"])
async def test_the_end_wakes_whoever_waits(waiting: str) -> None:
    one, other = memory_pair(capacity=1)
    task: asyncio.Task[object]
    if waiting == "send":
        await one.send("fills it")
        task = asyncio.create_task(one.send("waits"))
    else:
        task = asyncio.create_task(one.receive())
    await asyncio.sleep(0)
    await other.close(1001, "going")

    with pytest.raises(TransportClosed) as told:
        await task
    assert (told.value.code, told.value.by) == (1001, "remote")


async def test_a_cancelled_receive_loses_no_frame() -> None:
    one, other = memory_pair()
    waiting = asyncio.create_task(other.receive())
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait({waiting})
    await one.send("kept")

    assert await other.receive() == "kept"
