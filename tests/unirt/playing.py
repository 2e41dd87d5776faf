"""One connection of a cassette, written by hand and played by a client that is not there."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from unirt.cassettes import Framed, loads
from unirt.cassettes.match import Rule, matching
from unirt.cassettes.player import Player
from unirt.errors import CassetteMismatch

__all__ = [
    "CREATED",
    "RESPOND",
    "RESPOND_LIVE",
    "STALL",
    "append",
    "due",
    "mismatch",
    "player",
    "said",
    "sent",
]

CREATED = '{"received": {"type": "session.created", "event_id": "event_1"}}'
RESPOND = '{"sent": {"type": "response.create", "event_id": "e1"}}'
RESPOND_LIVE = '{"type": "response.create"}'
STALL = '{"stall": true}'


def said(text: str, id_: str = "item_a") -> dict[str, Any]:
    content = [{"type": "input_text", "text": text}]
    item = {"id": id_, "type": "message", "role": "user", "content": content}
    return {"type": "conversation.item.create", "event_id": f"e_{id_}", "item": item}


def sent(frame: dict[str, Any]) -> str:
    return json.dumps({"sent": frame})


def append(sound: bytes) -> dict[str, Any]:
    audio = base64.b64encode(sound).decode()
    return {"type": "input_audio_buffer.append", "audio": audio, "event_id": f"e{len(sound)}"}


def player(
    *lines: str, match: Rule | tuple[Rule, ...] = (), provider: str | None = "openai"
) -> Player:
    header = json.dumps({"unirt_cassette": 1, "origin": "hand-written", "provider": provider})
    opened = '{"open": {"url": "wss://host/v1/realtime?model=gpt-realtime"}}'
    cassette = loads("\n".join((header, opened, *lines, "")).encode(), "talk.jsonl")
    return Player(cassette.segments[0], matching(match), "talk.jsonl")


def due(player: Player) -> list[Any]:
    """Everything that may be released now, decoded."""
    found: list[Any] = []
    while player.due is not None:
        entry = player.release()
        found.append(entry.data if isinstance(entry, Framed) else entry)
    return found


def mismatch(act: Callable[[], object]) -> CassetteMismatch:
    with pytest.raises(CassetteMismatch) as caught:
        act()
    return caught.value
