"""Contenders of the benchmarks: each counts what the server says that it sent. No timing."""

from __future__ import annotations

import asyncio
import base64
import json
import sys
from collections.abc import Awaitable, Callable

import attrs
import pytest

from tests.benchmarked import BOTH, FOLDER, serving
from tests.benchmarks import contender as base_module
from tests.benchmarks.contender import Contender, Meter, Task
from tests.benchmarks.contenders import anatomy
from tests.benchmarks.contenders.anatomy import STEPS, Anatomy
from tests.benchmarks.contenders.floor import Floor, opened
from tests.benchmarks.contenders.protocols import trigger
from tests.benchmarks.contenders.raw_socket import RawSocket
from tests.benchmarks.contenders.receive_only import ReceiveOnly
from tests.benchmarks.contenders.sdk import SDK
from tests.benchmarks.contenders.unirt import VARIANTS, Unirt
from tests.benchmarks.load import Block, Load, frame, numbered
from tests.benchmarks.server import PROTOCOLS, Server
from tests.imported import imported

# Contenders count what the server says it sent.


def contenders() -> list[Contender]:
    found: list[Contender] = [Floor(), SDK()]
    found += [Unirt(name) for name in VARIANTS if name != "unirt_fast"]  # it is a loop's matter
    return found


@pytest.mark.parametrize("protocol", BOTH)
@pytest.mark.parametrize("contender", contenders(), ids=lambda contender: contender.name)
async def test_a_contender_hears_every_byte(contender: Contender, protocol: str) -> None:
    async with serving(protocol, kind="drain", chunk_ms=20, turns=3) as (server, command):
        answer = await contender.do_drain(Task.of({"do": "drain", **command}))
        assert answer["wire_events"] == server.stats()["events_out"]
    if contender.hears:
        assert answer["audio_bytes"] == command["audio_bytes"] == 3 * 70 * 960
        assert answer["audio_events"] == command["audio_events"] == 210
    assert answer["cpu_s"] > 0


@pytest.mark.parametrize("protocol", BOTH)
@pytest.mark.parametrize("name", STEPS)
async def test_a_step_of_the_way_takes_every_frame(name: str, protocol: str) -> None:
    async with serving(protocol, kind="drain", chunk_ms=20, turns=3) as (server, command):
        answer = await Anatomy(name).do_drain(Task.of({"do": "drain", **command}))
        assert server.stats()["events_out"] == command["wire_events"]
    assert answer["audio_bytes"] == (command["audio_bytes"] if STEPS[name].hears else None)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_step_that_breaks_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(frame: object) -> None:
        raise ValueError(f"{len(str(frame))} characters are too many")

    monkeypatch.setattr(anatomy, "parse_frame", broken)
    async with serving("google", kind="drain", chunk_ms=20, turns=1) as (_, command):
        with pytest.raises(RuntimeError, match="missing"):
            await Anatomy("anatomy_json").do_drain(Task.of({**command, "do": "drain"}))


@pytest.mark.parametrize("protocol", BOTH)
async def test_the_picows_floor_hears_every_byte(protocol: str) -> None:
    module = pytest.importorskip("tests.benchmarks.contenders.picows_floor")
    async with serving(protocol, kind="drain", chunk_ms=20, turns=3) as (_, command):
        answer = await module.PicowsFloor().do_drain(Task.of({"do": "drain", **command}))
    assert answer["audio_bytes"] == command["audio_bytes"]


@pytest.mark.parametrize("protocol", BOTH)
async def test_a_receiver_waits_for_every_frame_and_says_that_it_hears_none(protocol: str) -> None:
    async with serving(protocol, kind="drain", chunk_ms=20, turns=2) as (server, command):
        answer = await ReceiveOnly().do_drain(Task.of({"do": "drain", **command}))
        assert server.stats()["events_out"] == command["wire_events"]
    assert answer["audio_bytes"] is None


@pytest.mark.parametrize("protocol", BOTH)
async def test_a_raw_socket_reads_every_byte(protocol: str) -> None:
    async with serving(protocol, kind="drain", chunk_ms=20, turns=2) as (server, command):
        task = Task.of({"do": "drain", **command})
        await asyncio.to_thread(asyncio.run, RawSocket().do_drain(task))  # its socket blocks
        assert server.stats()["bytes_out"] == command["wire_bytes"]


@pytest.mark.parametrize("protocol", BOTH)
async def test_each_piece_of_paced_audio_tells_how_long_it_was_under_way(protocol: str) -> None:
    load = {"kind": "paced", "chunk_ms": 20, "turns": 1, "interval_ms": 0.1}
    async with serving(protocol, **load) as (server, command):
        answer = await Unirt().do_paced(Task.of({"do": "paced", **command}))
        assert server.stats()["events_out"] >= command["wire_events"] - 1
    assert len(answer["latencies_ns"]) == 70
    assert all(0 < delay < 60e9 for delay in answer["latencies_ns"])


@pytest.mark.parametrize("resample", [False, True])
@pytest.mark.parametrize("protocol", BOTH)
@pytest.mark.parametrize("contender", [Floor(), SDK(), Unirt()], ids=lambda c: c.name)
async def test_what_is_sent_arrives(contender: Contender, protocol: str, resample: bool) -> None:
    send = {"do": "send", "chunk_ms": 20, "count": 50, "resample": resample}
    async with serving(protocol, kind="sink") as (server, command):
        answer = await contender.do_send(Task.of({**command, **send}))
        byte_rate = 48_000 if protocol == "openai" else 32_000
        sent = server.stats()["audio_bytes_in"]
    assert answer["chunks"] == 50
    assert sent <= byte_rate
    assert sent == byte_rate if not resample else sent > byte_rate * 0.9


@pytest.mark.parametrize("contender", [Floor(), SDK(), Unirt()], ids=lambda c: c.name)
async def test_many_sessions_are_measured_and_then_gone(
    contender: Contender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base_module, "_SETTLE_S", 0.05)
    # So slowly that nobody falls behind: a client that does waits ten seconds for its close.
    load = {"kind": "paced", "chunk_ms": 20, "turns": 1_000, "interval_ms": 10}
    async with serving("google", **load) as (_, command):
        task = Task.of({**command, "do": "sessions", "count": 5, "seconds": 0.1})
        answer = await contender.do_sessions(task)
    assert answer["failed"] == 0
    assert answer["audio_events"] > 0
    assert answer["lag_max_ms"] >= answer["lag_p99_ms"] >= answer["lag_p50_ms"]
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.mark.parametrize("contender", [Floor(), SDK(), Unirt()], ids=lambda c: c.name)
async def test_idle_sessions_are_all_open_when_they_are_weighed(contender: Contender) -> None:
    opened = 0

    @attrs.define
    class Counting:
        idle: Callable[[Task, Callable[[], Awaitable[None]]], Awaitable[None]]

        async def __call__(self, task: Task, hold: Callable[[], Awaitable[None]]) -> None:
            async def counted() -> None:
                nonlocal opened
                opened += 1
                await hold()

            await self.idle(task, counted)

    async with serving("openai", kind="idle") as (_, command):
        contender.idle = Counting(contender.idle)  # type: ignore[method-assign]  # to look on
        answer = await contender.do_idle(Task.of({**command, "do": "idle", "count": 6}))
    assert opened == 7  # one to warm up
    assert "bytes_per_session" in answer


async def test_a_slow_consumer_is_told_what_was_dropped() -> None:
    async with serving("openai", kind="drain", chunk_ms=500, turns=10) as (_, command):
        task = Task.of({**command, "do": "slow", "pause_ms": 0, "seconds": 20})
        answer = await Unirt().do_slow(task)
    assert answer["wire_events"] >= command["wire_events"]
    assert answer["dropped_s"] > 0


def test_the_base_of_contenders_needs_the_standard_library_alone() -> None:
    names = imported(FOLDER / "contender.py")
    assert {"json", "collections"} <= names <= sys.stdlib_module_names


@pytest.mark.parametrize("turns", [1, 3])
def test_a_meter_stops_with_the_last_answer(turns: int) -> None:
    meter = Meter(Task(do="drain", protocol="", url="", turns=turns, audio_bytes=4))
    meter.start()
    for _ in range(turns):
        assert not meter.done
        meter.turn()
    assert meter.done
    assert not meter.heard_all
    meter.audio(b"1234")
    assert meter.heard_all


# The server.


async def test_a_session_is_played_once_however_often_it_is_asked_for() -> None:
    async with serving("openai", kind="drain", chunk_ms=20, turns=1) as (server, command):
        async with await opened(Task.of({"do": "drain", **command})) as connection:
            for _ in range(2):
                await connection.send(trigger("openai"))
            for _ in range(command["wire_events"]):
                await connection.recv()
            await connection.send('{"type":"input_audio_buffer.clear"}')
            assert json.loads(await connection.recv())["type"] == "input_audio_buffer.cleared"
        assert server.stats()["events_out"] == command["wire_events"]


def test_a_block_is_numbered_and_stamped_in_place() -> None:
    block = Block(PROTOCOLS["openai"][1](Load(chunk_ms=20)), binary=False)
    assert b"resp_E6U0benchmark00000007" in block.turn(7)
    audio = next(i for i, span in enumerate(block.spans) if span.stamp is not None)
    first, second = block.event(audio, 8, 1_000), block.event(audio, 9, 2_000)
    assert len(first) == len(second)
    assert b"resp_E6U0benchmark00000009" in second
    delta = json.loads(second[second.index(b"{") :])["delta"]
    assert int.from_bytes(base64.b64decode(delta)[:8], "little") == 2_000


def test_the_first_turn_follows_nothing() -> None:
    block = Block(PROTOCOLS["openai"][1](Load(chunk_ms=20)), binary=False)
    for number, expected in ((0, None), (1, "item_E6U0benchmark00000000"), (0, None)):
        block.turn(number)
        for index, step in enumerate(PROTOCOLS["openai"][1](Load(chunk_ms=20))):
            played = block.event(index, number, 0)
            sent = numbered(step.payload, number)
            assert len(played) == len(frame(sent, binary=False))
            if b"previous_item_id" in sent:
                assert played == frame(sent, binary=False)
                assert json.loads(sent)["previous_item_id"] == expected


@pytest.mark.parametrize("protocol", BOTH)
@pytest.mark.parametrize("limit", [1, 5_000, 10**9])
def test_a_drain_is_cut_between_frames_alone(protocol: str, limit: int) -> None:
    block = Block(PROTOCOLS[protocol][1](Load(chunk_ms=20)), binary=protocol == "google")
    pieces = block.pieces(limit)
    ends = {span.end for span in block.spans}
    assert [start for start, _ in pieces] == [0, *(end for _, end in pieces[:-1])]
    assert pieces[-1][1] == len(block.data)
    assert {end for _, end in pieces} <= ends
    frames = {(span.start, span.end) for span in block.spans}
    assert all(end - start <= limit or (start, end) in frames for start, end in pieces)
    assert (limit != 1) is (len(pieces) < len(frames))


@pytest.mark.parametrize("kind", ["drain", "paced"])
async def test_what_a_request_says_of_itself_is_given_back_in_the_first_event(kind: str) -> None:
    request = {"type": "response.create", "response": {"metadata": {"topic": "trains"}}}
    load = {"kind": kind, "chunk_ms": 20, "turns": 2, "interval_ms": 0.1}
    async with serving("openai", **load) as (_, command):
        connection = await opened(Task.of({"do": "drain", **command}))
        await connection.send(json.dumps(request))
        heard = [json.loads(await connection.recv()) for _ in range(command["wire_events"])]
        await connection.close()
    created = [event for event in heard if event["type"] == "response.created"]
    assert [event["response"]["metadata"] for event in created] == [{"topic": "trains"}, None]
    assert heard[0] is created[0]


def test_a_server_says_what_it_does_not_know() -> None:
    assert "error" in Server("openai").answer({"do": "dance"})
