"""Faults: what they make of a good cassette is legal, and is told by a session as what it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import unirt
from cassettes.record import FOLDER, place
from unirt import (
    AudioDelta,
    ConnectionLost,
    Event,
    Malformed,
    ProviderError,
    ResponseDone,
    SessionClosed,
    SessionExpiring,
    Unmapped,
)
from unirt.cassettes import Cassette, Framed, Stalled, dumps, faults, loads, read, write
from unirt.errors import CassetteError
from unirt.registry import installed
from unirt.testing import check

every_provider = pytest.mark.parametrize("provider", installed())


def good(provider: str) -> Cassette:
    return read(FOLDER / provider / "text_turn.jsonl")


def somewhere(cassette: Cassette) -> int:
    """The line of the third piece of audio."""
    return place(cassette)


async def told(cassette: Cassette, tmp_path: Path) -> tuple[list[Event], Exception | None]:
    """What a session tells of a cassette, and what it ends with."""
    path = tmp_path / "fault.jsonl"
    write(path, cassette)
    events: list[Event] = []
    failure: Exception | None = None
    stalls = any(isinstance(entry, Stalled) for entry in cassette.entries)
    with unirt.cassette(path):
        async with unirt.connect(observers=[events.extend]) as session:
            await session.send_text("Good morning.")
            try:
                async for event in session:
                    done = isinstance(event, ResponseDone) and event.ending == "complete"
                    if done or (stalls and isinstance(event, AudioDelta)):
                        break
            except ConnectionLost as exc:
                failure = exc
    return events, failure


def names(events: list[Event]) -> list[str]:
    return [type(event).__name__ for event in events]


WORDLESS = {("go_away", "openai"): "SessionExpiring", ("error", "google"): "ProviderError"}
"Faults that a protocol has no frame for, and the event that it has none for."


@every_provider
@pytest.mark.parametrize("fault", faults.FAULTS)
async def test_every_fault_makes_a_cassette_that_a_session_survives(
    fault: str, provider: str, tmp_path: Path
) -> None:
    cassette = good(provider)
    line = somewhere(cassette)
    if event := WORDLESS.get((fault, provider)):
        with pytest.raises(CassetteError, match=f"the protocol has no frame for {event}"):
            faults.FAULTS[fault](cassette, line)
        return
    bad = faults.FAULTS[fault](cassette, line)
    assert loads(dumps(bad, "x"), "x") == bad
    assert bad.header.origin == "hand-written"
    assert bad.header.notes["faults"] == [f"{fault} at line {line}"]
    assert read(FOLDER / "faults" / provider / f"{fault}.jsonl") == bad
    events, _ = await told(bad, tmp_path)
    check(events, complete=True)
    assert isinstance(events[-1], SessionClosed)


@every_provider
async def test_ends_of_connections(provider: str, tmp_path: Path) -> None:
    cassette = good(provider)
    line = somewhere(cassette)
    _, failure = await told(faults.close(cassette, line, code=1013, reason="busy"), tmp_path)
    assert isinstance(failure, ConnectionLost)
    assert (failure.code, failure.reason, failure.by) == (1013, "busy", "remote")
    _, failure = await told(faults.cut(cassette, line), tmp_path)
    assert isinstance(failure, ConnectionLost)
    assert (failure.code, failure.by) == (None, "network")
    events, failure = await told(faults.stall(cassette, line), tmp_path)
    assert failure is None
    done = next(event for event in events if isinstance(event, ResponseDone))
    assert done.ending == "cancelled"
    _, failure = await told(faults.cap(cassette, line), tmp_path)
    assert isinstance(failure, ConnectionLost)
    assert failure.by == "remote"


@every_provider
async def test_frames(provider: str, tmp_path: Path) -> None:
    cassette = good(provider)
    line = somewhere(cassette)
    kinds: list[tuple[Any, type[Event]]] = [
        (faults.garbage, Malformed),
        (faults.truncate, Malformed),
        (faults.unknown, Unmapped),
    ]
    plain, _ = await told(cassette, tmp_path)
    for fault, kind in kinds:
        events, _ = await told(fault(cassette, line), tmp_path)
        assert any(isinstance(event, kind) for event in events)
        assert not any(isinstance(event, kind) for event in plain)
    sound = [names(events).count("AudioDelta") for events, _ in [
        await told(cassette, tmp_path),
        await told(faults.drop(cassette, line), tmp_path),
        await told(faults.duplicate(cassette, line), tmp_path),
    ]]  # fmt: skip
    assert sound == [sound[0], sound[0] - 1, sound[0] + 1]


async def test_what_only_the_provider_can_word(tmp_path: Path) -> None:
    google, openai = good("google"), good("openai")
    events, _ = await told(faults.go_away(google, somewhere(google), left_ms=7_000), tmp_path)
    (notice,) = (event for event in events if isinstance(event, SessionExpiring))
    assert notice.time_left_ms == 7_000
    bad = faults.error(openai, somewhere(openai), message="No.", code="busy")
    events, _ = await told(bad, tmp_path)
    (error,) = (event for event in events if isinstance(event, ProviderError))
    assert (error.message, error.code) == ("No.", "busy")


def test_faults_add_up() -> None:
    one = good("openai")
    line = somewhere(one)
    cassette = faults.unknown(faults.garbage(one, line), line + 1)
    assert cassette.header.notes["faults"] == [
        f"garbage at line {line}",
        f"unknown at line {line + 1}",
    ]
    assert cassette.header.notes["origin"] == "simulator"
    assert len(cassette.entries) == len(one.entries) + 2


def test_lines_are_found_by_what_is_in_them() -> None:
    cassette = good("openai")
    line = faults.line_with(cassette, "response.output_audio.delta", 2)
    entry = cassette.entries[line - 2]
    assert isinstance(entry, Framed)
    assert entry.data["type"] == "response.output_audio.delta"
    with pytest.raises(CassetteError, match="it has only 0 received frames with 'nothing'"):
        faults.line_with(cassette, "nothing")


@pytest.mark.parametrize("line", [1, 2, 4, 9_999])
def test_a_line_where_nothing_is_received_is_refused(line: int) -> None:
    with pytest.raises(CassetteError, match=rf"no frame is received there \(line {line}\)"):
        faults.drop(good("openai"), line)


def test_a_fault_of_one_connection_leaves_the_others_alone() -> None:
    header = '{"unirt_cassette": 1, "origin": "hand-written"}'
    frame = '{"c": %d, "received": {}}'
    opened = [f'{{"c": {n}, "open": {{"url": ""}}}}' for n in (1, 2)]
    ends = [f'{{"c": {n}, "close": {{}}}}' for n in (1, 2)]
    lines = [header, *opened, frame % 1, frame % 2, frame % 1, frame % 2, *ends]
    cassette = loads("\n".join(lines).encode(), "x")
    bad = faults.cut(cassette, 6)
    assert [len(segment.entries) for segment in bad.segments] == [2, 3]
    assert loads(dumps(bad, "x"), "x") == bad
