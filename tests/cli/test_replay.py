"""``unirt replay``, as a person runs it: what it plays, shows, and ends with."""

import asyncio
import json
import wave
from pathlib import Path
from typing import Any

import attrs
import pytest

from tests.cli.terminal import ROOT, Recorder, Run, changed, sent_at, shown
from unirt.cassettes import Framed, read
from unirt.cli import replay
from unirt.cli.calls import number_or_name
from unirt.cli.performance import is_ours, perform
from unirt.config import SessionConfig
from unirt.errors import ConfigurationError
from unirt.events import Event, RateLimitsUpdated
from unirt.registry import installed, load
from unirt.simulator.script import builtin_names
from unirt.transports.tape_clock import speed_of


@pytest.mark.parametrize("provider", installed())
@pytest.mark.parametrize("scenario", [name for name in builtin_names() if name != "bad_config"])
def test_what_was_recorded_is_said_again(provider: str, scenario: str) -> None:
    console, told = shown()
    status = replay.run(ROOT / "cassettes" / provider / f"{scenario}.jsonl", console=console)

    assert status == 0, told()
    assert "Everything was sent and received as recorded." in told()


def test_a_replay_shows_both_views_and_writes_what_was_heard(
    unirt: Run, tape: Recorder, tmp_path: Path
) -> None:
    done = unirt("replay", tape("google"), "--audio", "heard.wav")

    assert done.returncode == 0, done.stderr
    kept, _, folded = done.stdout.partition("Folded")
    assert "· ResponseStarted*" in kept
    assert "▸ AudioDelta 1200 ms in 12 pieces" in kept
    assert "assistant transcript 'Good morning to you.': complete" in folded
    with wave.open(str(tmp_path / "heard.wav")) as heard:
        assert heard.getnframes() == pytest.approx(1.2 * heard.getframerate(), abs=1)


def test_what_unirt_says_of_its_own_accord_must_be_in_the_recording(
    unirt: Run, tape: Recorder, tmp_path: Path
) -> None:
    """A session that is spoken over tells how much was heard; this recording lacks that."""

    def without_the_truncation(lines: list[Any]) -> list[Any]:
        del lines[sent_at(lines, "conversation.item.truncate")]
        return lines

    source = tape("openai", "barge_in_playing")
    path = changed(source, tmp_path / "t.jsonl", without_the_truncation)
    done = unirt("replay", path)

    assert done.returncode == 1
    assert "another frame was expected" in done.stdout
    assert "t.jsonl, line" in done.stdout
    assert "'conversation.item.truncate' was sent" in done.stdout
    assert "Everything was sent" not in done.stdout
    assert "Traceback" not in done.stderr


def test_a_frame_that_no_session_sends_is_a_mismatch(tape: Recorder, tmp_path: Path) -> None:
    def with_a_frame(lines: list[Any]) -> list[Any]:
        at = sent_at(lines, "session.update")
        lines[at]["sent"]["session"]["instructions"] = "Say this."
        lines[at]["sent"]["session"]["no_such_setting"] = 1
        return lines

    path = changed(tape("openai"), tmp_path / "t.jsonl", with_a_frame)
    console, told = shown()
    assert replay.run(path, console=console) == 1
    assert "no_such_setting: 1 was recorded, nothing was sent" in told()

    console, told = shown()
    assert replay.run(path, verbatim=True, console=console) == 0, told()


def test_what_a_loudspeaker_had_played_is_told_again(tape: Recorder, tmp_path: Path) -> None:
    """How much was heard is the application's word; only what was truncated shows it."""

    def with_a_slow_loudspeaker(lines: list[Any]) -> list[Any]:
        for line in lines:
            for frame in (line.get("sent"), line.get("received")):
                if frame and "audio_end_ms" in frame:
                    frame["audio_end_ms"] -= 400
        return lines

    source = tape("openai", "barge_in_playing")
    path = changed(source, tmp_path / "t.jsonl", with_a_slow_loudspeaker)
    console, told = shown()
    assert replay.run(path, console=console) == 0, told()


def test_a_frame_that_no_event_tells_is_lost(
    tape: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = load("openai")
    told_by = type(provider.new_translator(SessionConfig()))
    events_received = told_by.events_received

    def forgetful(self: Any) -> list[Event]:
        return [one for one in events_received(self) if not isinstance(one, RateLimitsUpdated)]

    path = tape("openai")
    monkeypatch.setattr(told_by, "events_received", forgetful)
    console, told = shown()
    assert replay.run(path, console=console) == 1
    assert "1 of 31 frames were told by no event" in told()


def test_a_recording_that_no_session_can_open_is_told(tape: Recorder, tmp_path: Path) -> None:
    def without_the_beginning(lines: list[Any]) -> list[Any]:
        return [*lines[:2], *lines[5:]]

    path = changed(tape("google"), tmp_path / "t.jsonl", without_the_beginning)
    console, told = shown()
    assert replay.run(path, console=console) == 1
    assert "setup" in told()


def test_a_recording_of_another_program_is_sent_as_it_is(
    unirt: Run, tape: Recorder, tmp_path: Path
) -> None:
    source = tape("openai")
    lines = [json.loads(line) for line in source.read_text("utf-8").splitlines()]
    old = tmp_path / "old.jsonl"
    with old.open("w", encoding="utf-8") as file:
        for line in lines:
            for direction in ("sent", "received"):
                if direction in line:
                    file.write(json.dumps({"direction": direction, "data": line[direction]}) + "\n")
    new = tmp_path / "new.jsonl"
    done = unirt("cassette", "convert", old, new, "--provider", "openai")
    assert done.returncode == 0, done.stderr
    assert not is_ours(read(new))
    console, told = shown()
    assert replay.run(new, console=console) == 0, told()
    assert "sent as they are" in told()


@pytest.mark.parametrize("pace", ["slow", "0", "-1", "nan", "inf"])
def test_a_pace_that_is_none_is_a_wrong_call(pace: str) -> None:
    with pytest.raises(ConfigurationError, match="pace"):
        speed_of(number_or_name(pace))


def test_a_pace_makes_it_take_its_time(tape: Recorder) -> None:
    assert [speed_of(number_or_name(pace)) for pace in ("fast", "recorded", "4")] == [
        None, 1.0, 4.0,
    ]  # fmt: skip
    console, told = shown()
    assert replay.run(tape("openai"), pace=20.0, console=console) == 0, told()


def test_a_pace_is_kept_however_much_is_sent(
    tape: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Audio goes in fifty frames a second; to look whether each may go takes next to nothing."""
    slept: list[float] = []
    real = asyncio.sleep

    async def note(seconds: float) -> None:
        slept.append(seconds)
        await real(0)

    cassette = read(tape("openai", "spoken_turn"))
    sent = [e for e in cassette.entries if isinstance(e, Framed) and e.direction == "sent"]
    monkeypatch.setattr("unirt.cli.performance.asyncio.sleep", note)
    (performed,) = asyncio.run(perform(cassette, "t.jsonl", speed=1e6))
    assert performed.failure is None
    assert len(sent) > 100
    assert slept.count(0.001) < 5 * len(sent)  # milliseconds: it looks now and then


@pytest.mark.parametrize("sent_ms", [2.923, 58.502])
def test_the_time_of_a_recording_in_real_time_is_reached_to_the_digit(
    sent_ms: float, tape: Recorder, tmp_path: Path
) -> None:
    assert sent_ms / 1000 > round(sent_ms / 1000, 6)  # what no binary number is

    def later(lines: list[Any]) -> list[Any]:
        asked = next(n for n, line in enumerate(lines) if "response.create" in str(line))
        return [
            {**line, "t": sent_ms + 10 * (n - asked) if n >= asked else 0} if n else line
            for n, line in enumerate(lines)
        ]

    path = changed(tape("openai"), tmp_path / "real.jsonl", later)
    console, told = shown()
    assert replay.run(path, console=console) == 0, told()


def test_nobody_asks_again_and_again_while_a_recording_takes_its_time(
    tape: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who waits for a pause to end sleeps once, however long it is."""
    naps = []
    whole = asyncio.sleep

    async def counted(delay: float) -> None:
        naps.append(delay)
        await whole(delay)

    cassette = read(tape("openai"))
    pause = 60_000.0
    later = [attrs.evolve(entry, at_ms=entry.at_ms + pause) for entry in cassette.entries[1:]]
    slow = attrs.evolve(cassette, entries=(cassette.entries[0], *later))
    monkeypatch.setattr(asyncio, "sleep", counted)
    (played,) = asyncio.run(perform(slow, "tape", speed=600))
    assert played.failure is None
    assert 0 < sum(delay > 0 for delay in naps) < len(slow.entries)
