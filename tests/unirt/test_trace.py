"""The trace: a line for every event and every frame sent, and no secret in any."""

import json
import math
import os
import stat
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve

import unirt
from tests.unirt.answering import answer, hear
from unirt import Event, Origin, Stream, StreamKind
from unirt.clock import ManualClock
from unirt.registry import installed, load
from unirt.session.trace import Trace
from unirt.simulator.exchange import run
from unirt.simulator.script import builtin, builtin_names
from unirt.transports.memory import memory_pair

Toy = Any  # the fixture's class lives in conftest.py, which no module may import
KEY = "sk-this-must-never-be-seen-0123456789"
ORIGIN = Origin(provider="toy")
SPOKEN = Stream(id="s1", kind=StreamKind.AUDIO, turn_id="t1", response_id="r1", item_id="i1")


def read(path: Path) -> list[dict[str, Any]]:
    """The lines of a trace, each strictly JSON."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    text = path.read_text("utf-8")
    return [json.loads(line, parse_constant=refuse) for line in text.splitlines()]


# The trace of a session.


async def test_a_trace_tells_every_event_and_every_frame_sent(toy: Toy, tmp_path: Path) -> None:
    path, clock = tmp_path / "trace.jsonl", ManualClock(100.0)
    await toy.greet()
    async with toy.connecting(trace=path, clock=clock) as session:
        clock.advance(1.5)
        await answer(toy)
        await hear(session)
        await session.send_raw({"type": "say.it", "more": "x"})
        await session.close()

    begins, *lines = read(path)
    assert begins.pop("at")
    assert begins == {
        "t": 0.0,
        "session": begins["session"],
        "trace": "begins",
        "provider": "toy",
        "model": "toy-1",
    }
    assert {line.pop("session") for line in lines} == {begins["session"]}
    ids = {"turn_id": "u_turn_1", "response_id": "r1"}

    def control(event: str, **more: Any) -> dict[str, Any]:
        return {"t": 1.5, "plane": "control", "event": event, **more}

    def content(kind: str, event: str, **more: Any) -> dict[str, Any]:
        stream = {"item_id": "i", "stream": f"i.0.{kind}", "kind": kind}
        return {"t": 1.5, "plane": "content", "event": event, **ids, **stream, **more}

    opened = {"synthesised": True, "role": "assistant", "index": 0}
    closed = {"synthesised": True, "ending": "complete"}
    started = {"session_id": "sess_1", "model": "toy-1-large"}
    hello = '{"do": "hello", "model": "toy-1", "voice": null}'
    assert lines == [
        {"t": 0.0, "sent": "do", "size": len(hello)},
        {"t": 0.0, "plane": "control", "event": "SessionStarted", **started},
        control("ResponseStarted", **ids, in_conversation=True),
        content("audio", "StreamOpened", **opened),
        content("audio", "AudioDelta", bytes=9_600, ms=200.0, format="pcm16 24000 Hz"),
        content("transcript", "StreamOpened", **opened),
        content("transcript", "TranscriptDelta", text="Good morning."),
        content("audio", "StreamClosed", **closed, duration_ms=200.0),
        content("transcript", "StreamClosed", **closed, text="Good morning."),
        control(
            "ResponseDone",
            **ids,
            ending="complete",
            usage={"input": 0, "output": 12},
            audio_ms=200.0,
        ),
        {"t": 1.5, "sent": "say.it", "size": 31},
        control("SessionClosed", code=1000, by="local", clean=True),
    ]


async def test_a_line_is_in_the_file_when_its_event_is_told(toy: Toy, tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    await toy.greet()
    async with toy.connecting(trace=path) as session:
        await answer(toy)
        await hear(session)

        assert read(path)[-1]["event"] == "ResponseDone"


async def test_sessions_can_share_a_file_and_each_is_told_apart(toy: Toy, tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    path.write_text('{"session":"of yesterday"}\n')
    for _ in range(2):
        await toy.greet()
        async with toy.connecting(trace=path):
            pass
        toy.here, toy.there = memory_pair("memory://toy")

    names = [line["session"] for line in read(path)]
    assert len(dict.fromkeys(names)) == 3
    assert names == sorted(names, key=list(dict.fromkeys(names)).index)  # one after the other


@pytest.mark.parametrize(
    ("argument", "variable", "written"),
    [
        ("argument", "variable", {"argument"}),
        (None, "variable", {"variable"}),
        ("", "variable", set()),
        (None, "", set()),
    ],
)
async def test_where_to_is_an_argument_or_a_variable(
    argument: str | None,
    variable: str,
    written: set[str],
    toy: Toy,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    await toy.greet()
    async with toy.connecting(trace=argument, environ={"UNIRT_TRACE": variable}):
        pass

    assert set(os.listdir(tmp_path)) == written


@pytest.mark.parametrize("where", ["", "absent/trace.jsonl", "nul\0"])
async def test_a_trace_that_cannot_be_written_is_refused_before_anything_is_dialled(
    where: str, toy: Toy, tmp_path: Path
) -> None:
    with pytest.raises(unirt.ConfigurationError, match="UNIRT_TRACE"):
        async with toy.connecting(trace=tmp_path / where):
            pass

    assert toy.dialled == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is full")
async def test_a_full_disk_ends_the_trace_and_not_the_session(
    toy: Toy, caplog: pytest.LogCaptureFixture
) -> None:
    await toy.greet()
    async with toy.connecting(trace="/dev/full") as session:
        await answer(toy)
        await hear(session)

    assert caplog.text.count("the trace ends here") == 1


def is_open(path: Path) -> bool:
    """Whether this process holds a file open."""
    held = Path("/proc/self/fd").iterdir()
    return any(fd.is_symlink() and os.readlink(fd) == str(path) for fd in held)


@pytest.mark.skipif(sys.platform != "linux", reason="what is open is read from /proc")
async def test_the_file_is_closed_with_the_session_however_that_ends(
    toy: Toy, tmp_path: Path
) -> None:
    path = tmp_path / "trace.jsonl"
    await toy.greet()
    async with toy.connecting(trace=path) as session:
        assert is_open(path)
        await toy.there.close(1011, "gone")
        with pytest.raises(unirt.ConnectionLost):
            await hear(session)
    assert not is_open(path)

    async def refuse(*_: Any) -> Any:
        raise unirt.DialError("toy", url="memory://toy", why="refused")

    with pytest.raises(unirt.DialError):
        async with toy.connecting(trace=path, transport=refuse):
            pass
    assert not is_open(path)


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
async def test_a_new_file_is_for_its_owner_alone(toy: Toy, tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    await toy.greet()
    async with toy.connecting(trace=path):
        pass

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


# What a line holds.


def line_of(path: Path, event: Event) -> dict[str, Any]:
    """The one line that an event is, without what every line has."""
    trace = Trace(path, about={}, now=lambda: 0.0, hide=lambda t: t.replace(KEY, "***"), mark="m")
    trace.told([event])
    trace.close()
    trace.told([event])  # nothing is written any more
    _, line = read(path)
    return {name: line[name] for name in line if name not in ("t", "session", "plane", "event")}


LINES: dict[str, tuple[Event, Mapping[str, Any]]] = {
    "settings are left out": (
        unirt.SessionStarted(origin=ORIGIN, model="m", config={"authorization": KEY}),
        {"model": "m"},
    ),
    "and those that were acknowledged": (
        unirt.SessionUpdated(origin=ORIGIN, config={"authorization": KEY}),
        {},
    ),
    "handles are left out": (
        unirt.ResumptionUpdated(origin=ORIGIN, resumable=False, handle=KEY),
        {"resumable": False},
    ),
    "what was not mapped is named only": (
        unirt.Unmapped(origin=Origin(provider="toy", raw={"x": KEY}), type="odd", data={"x": KEY}),
        {"type": "odd"},
    ),
    "a picture is a size": (
        unirt.ImageDelta(ORIGIN, SPOKEN, data=bytes(70_000), mime_type="image/png"),
        {"bytes": 70_000, "mime_type": "image/png"},
    ),
    "a long text is cut": (
        unirt.TextDelta(ORIGIN, SPOKEN, "x" * 100),
        {"text": "x" * 80 + "... (100 characters)"},
    ),
    "a long id too": (
        unirt.ItemDeleted(origin=ORIGIN, item_id="i" * 1_000_000),
        {"item_id": "i" * 80 + "... (1000000 characters)"},
    ),
    "a key is masked": (
        unirt.ProviderError(origin=ORIGIN, message=f"no such key: {KEY}"),
        {"message": "no such key: ***", "severity": "error"},
    ),
    "also where a text is cut": (
        unirt.ProviderError(origin=ORIGIN, message="x" * 70 + KEY + "x" * 7),
        {"message": "x" * 70 + "***" + "x" * 7, "severity": "error"},
    ),
    "an item is named": (
        unirt.ItemAdded(
            origin=ORIGIN,
            item=unirt.Item(
                id="i1",
                role=unirt.Role.USER,
                content=(unirt.TextContent(text="words"),),
                data={"authorization": KEY},
            ),
        ),
        {"item": {"kind": "message", "id": "i1", "role": "user"}},
    ),
    "an object is counted": (
        unirt.ResponseStarted(origin=ORIGIN, response_id="r", metadata={"customer": "somebody"}),
        {"response_id": "r", "in_conversation": True, "metadata": "1 fields"},
    ),
    "a long row is cut": (
        unirt.ToolCallCancelled(origin=ORIGIN, call_ids=tuple(map(str, range(100)))),
        {"call_ids": list("01234567")},
    ),
    "a call has its name and id": (
        unirt.StreamOpened(
            origin=ORIGIN,
            stream=Stream(id="s2", kind=StreamKind.TOOL_CALL, call_id="c1", name="weather"),
        ),
        {
            "stream": "s2",
            "kind": "tool_call",
            "call_id": "c1",
            "name": "weather",
            "role": "assistant",
            "index": 0,
        },
    ),
    "no number is beyond JSON": (
        unirt.SessionExpiring(origin=ORIGIN, time_left_ms=math.inf),
        {"time_left_ms": "inf"},
    ),
    "no text is beyond it": (
        unirt.TextDelta(ORIGIN, SPOKEN, 'half an emoji \ud83d, "quoted"\n'),
        {"text": 'half an emoji \ud83d, "quoted"\n'},
    ),
}


@pytest.mark.parametrize("case", LINES)
def test_what_becomes_of_an_event(case: str, tmp_path: Path) -> None:
    event, expected = LINES[case]
    line = line_of(tmp_path / "trace.jsonl", event)
    if "stream" not in expected and "stream" in line:
        ids = {"stream": "s1", "kind": "audio"}
        ids |= {"turn_id": "t1", "response_id": "r1", "item_id": "i1"}
        expected = {**ids, **expected}

    assert line == expected
    assert KEY not in (tmp_path / "trace.jsonl").read_text()
    assert (tmp_path / "trace.jsonl").stat().st_size < 1_000


@pytest.mark.parametrize("provider", installed())
def test_every_event_of_every_scenario_is_a_short_line(provider: str, tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    events = [e for name in builtin_names() for e in run(load(provider), builtin(name)).events]
    trace = Trace(path, about={}, now=lambda: 0.0, hide=str, mark="m")
    trace.told(events)
    trace.close()

    _, *lines = read(path)
    assert [line["event"] for line in lines] == [type(event).__name__ for event in events]
    assert max(map(len, path.read_text("utf-8").splitlines())) < 1_000


@pytest.mark.parametrize(
    ("frame", "name"),
    [
        ('{"type":"session.update","session":{}}', "session.update"),
        ('{ "type" : "response.create" }', "response.create"),
        (b'{"realtimeInput":{"audio":{"data":"AAAA"}}}', "realtimeInput.audio"),
        ('{"setup":{}}', "setup"),
        ('{"turns":[{"role":"user"}]}', "turns"),
        ('{"type":{"of":"thing"}}', "type.of"),
        ('{"event_id":"e1","type":"x"}', "event_id"),
        ("not JSON", "a text"),
        (b"\x00\xff" * 50, "bytes"),
        ("{", "a text"),
        ("", "a text"),
        ('{"' + KEY + '":1}', "a text"),
        ('{"' + KEY.replace("-", "_") + '":1}', "***"),
    ],
)
def test_a_frame_is_called_by_what_it_begins_with(
    frame: str | bytes, name: str, tmp_path: Path
) -> None:
    path = tmp_path / "trace.jsonl"
    trace = Trace(
        path,
        about={},
        now=lambda: 0.0,
        hide=lambda t: t.replace(KEY.replace("-", "_"), "***"),
        mark="m",
    )
    trace.sent([frame])
    trace.close()

    _, line = read(path)
    assert (line["sent"], line["size"]) == (name, len(frame))


# Secrets.

KEYS = {"openai": "OPENAI_API_KEY", "google": "GOOGLE_API_KEY"}
GIVEN: dict[str, Callable[[str], dict[str, Any]]] = {
    "environment": lambda provider: {"environ": {KEYS[provider]: KEY}},
    "argument": lambda _: {"environ": {}, "api_key": KEY},
    "headers": lambda provider: {
        "environ": {KEYS[provider]: "another-key"},
        "headers": {"X-Authorization": f"Bearer {KEY}", "X-Short": "it"},
    },
}


@pytest.mark.parametrize("provider", KEYS)
@pytest.mark.parametrize("where", GIVEN)
async def test_a_provider_that_quotes_a_key_does_not_bring_it_into_the_trace(
    where: str, provider: str, tmp_path: Path
) -> None:
    path = tmp_path / "trace.jsonl"

    async def quote(connection: ServerConnection) -> None:
        quoted = json.dumps({KEY: KEY, "type": KEY})
        await connection.send(quoted)
        await connection.send(json.dumps({"type": "error", "error": {"message": f"it is {KEY}"}}))
        await connection.close(1008, f"no such key: {KEY}")

    async with serve(quote, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        url = f"ws://127.0.0.1:{port}"
        with pytest.raises(unirt.HandshakeError) as refused:
            async with unirt.connect(provider, base_url=url, trace=path, **GIVEN[where](provider)):
                pass

    text = path.read_text("utf-8")
    assert KEY not in text + str(refused.value)
    assert "no such key: ***" in text  # "it" is a word, and no credential
    assert read(path)[-1]["event"] == "SessionClosed"
