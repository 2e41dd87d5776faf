"""
The short way for frames that go on says what the long way says.

Conversations are taken from the cassettes, and changed: frames are mutated, cut out, repeated,
swapped and moved between conversations, and commands fall in between. A translator that has the
short way must tell the very same as one whose short way is walled up.
"""

import copy
import json
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import unirt_google.translator
import unirt_openai.translator
from unirt import commands
from unirt.cassettes import Framed, read
from unirt.cassettes.values import look_up, replaced
from unirt.config import SessionConfig
from unirt.errors import UnirtError
from unirt.events import AudioDelta, Event, TranscriptDelta
from unirt.registry import load

CASSETTES = Path(__file__).parents[2] / "cassettes"
MODULES: dict[str, Any] = {"openai": unirt_openai.translator, "google": unirt_google.translator}
JUNK: list[Any] = [None, True, False, 0, 1, -1, 1.5, "", "x", [], {}, [1], {"a": 1}, "AAAA"]
COMMANDS: list[commands.Command] = [
    commands.SendText(text="wait"),
    commands.Interrupt(),
    commands.CancelResponse(),
    commands.Respond(),
    commands.AppendAudio(data=bytes(960)),
    commands.SendToolResult(call_id="call_1", output="done"),
    commands.ReportPlayback(played_ms=30.0),
]

Step = tuple[Any, commands.Command | None]


def conversations(provider: str) -> list[list[Any]]:
    return [received(path) for path in sorted((CASSETTES / provider).glob("*.jsonl"))]


def received(path: Path) -> list[Any]:
    """The frames that the client received, with less audio than an envelope would open."""
    frames = []
    for entry in read(path).entries:
        if isinstance(entry, Framed) and entry.direction == "received":
            data = entry.data
            for change in entry.altered:
                data = replaced(data, change.at, look_up(data, change.at)[:32])
            frames.append(data)
    return frames


def changed(frame: Any, chance: random.Random) -> Any:
    frame = copy.deepcopy(frame)
    places = [place for place in _within(frame) if place]
    if not places:
        return frame
    place = chance.choice(places)
    key = chance.choice(list(place) if isinstance(place, dict) else range(len(place)))
    dice = chance.random()
    if dice < 0.3:
        del place[key]
    elif dice < 0.85 or not isinstance(place, dict):
        place[key] = chance.choice(JUNK)
    else:
        place[chance.choice(["thought", "role", "finished", "text", "x"])] = chance.choice(JUNK)
    return frame


def _within(value: Any) -> Iterator[Any]:
    if isinstance(value, dict | list):
        yield value
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _within(inner)


def story(known: list[list[Any]], chance: random.Random) -> list[Step]:
    """A conversation with up to eight accidents, and what the application did meanwhile."""
    frames = list(chance.choice(known))
    everything = [frame for conversation in known for frame in conversation]
    for _ in range(chance.randint(0, 8)):
        i, j, dice = chance.randrange(len(frames)), chance.randrange(len(frames)), chance.random()
        if dice < 0.5:
            frames[i] = changed(frames[i], chance)
        elif dice < 0.6 and len(frames) > 1:
            del frames[i]
        elif dice < 0.75:
            frames.insert(i, chance.choice(everything))
        elif dice < 0.9:
            frames.insert(i, frames[j])
        else:
            frames[i], frames[j] = frames[j], frames[i]
    meanwhile = [chance.choice(COMMANDS) if chance.random() < 0.08 else None for _ in frames]
    return list(zip(frames, meanwhile, strict=True))


def told(provider: str, steps: list[Step], *, offline: bool) -> tuple[list[Any], list[Event]]:
    """What one translator says to all of it, and its events."""
    translator = load(provider).new_translator(SessionConfig(), offline=offline)
    translator.start(0.0)
    said: list[Any] = []
    events: list[Event] = []
    for at, (frame, command) in enumerate(steps):
        before, new = translator.get_timer(), list[Event]()
        if translator.receive(json.dumps(frame).encode(), at / 10):
            # Whoever is told so feeds the next frame before asking for anything.
            new += translator.events_received()
            assert [type(piece) in (AudioDelta, TranscriptDelta) for piece in new] == [True]
            assert (translator.frames_to_send(), translator.get_timer()) == ([], before)
        if command is not None and not offline:
            try:
                translator.send(command, at / 10)
            except UnirtError as error:
                said.append(str(error))
        new += translator.events_received()
        events += new
        said += [(event, event.raw, event.received_at) for event in new]
        said += translator.frames_to_send()
        said.append(translator.get_timer())
    return said, events


@pytest.mark.parametrize("offline", [False, True])
@pytest.mark.parametrize("provider", MODULES)
def test_the_short_way_says_what_the_long_way_says(
    provider: str, offline: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: Counter[bool] = Counter()
    short = MODULES[provider].goes_on

    def counted(*args: Any) -> bool:
        went = short(*args)
        taken[went] += 1
        return bool(went)

    chance = random.Random(f"{provider} {offline}")  # the same stories each time
    known = conversations(provider)
    for _ in range(150):
        steps = story(known, chance)
        monkeypatch.setattr(MODULES[provider], "goes_on", counted)
        by_short, _ = told(provider, steps, offline=offline)
        monkeypatch.setattr(MODULES[provider], "goes_on", lambda *_: False)
        by_long, _ = told(provider, steps, offline=offline)
        assert by_short == by_long

    assert min(taken[True], taken[False]) > 200, taken


@pytest.mark.parametrize("provider", MODULES)
def test_all_of_a_spoken_answer_but_its_first_pieces_takes_the_short_way(
    provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: Counter[bool] = Counter()
    short = MODULES[provider].goes_on

    def counted(*args: Any) -> bool:
        went = bool(short(*args))
        taken[went] += 1
        return went

    monkeypatch.setattr(MODULES[provider], "goes_on", counted)
    frames = received(CASSETTES / provider / "spoken_turn.jsonl")
    _, events = told(provider, [(frame, None) for frame in frames], offline=False)

    deltas = [e for e in events if isinstance(e, AudioDelta | TranscriptDelta)]
    spoken = [event for event in deltas if event.role == "assistant"]
    first = next(i for i, event in enumerate(spoken) if isinstance(event, AudioDelta))
    assert taken[True] == len(spoken[first + 1 :]) - 1 > 10  # and the first words beside it
