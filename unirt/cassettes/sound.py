"""
Where the audio is in a cassette's frames: the provider's own translators tell.

Both sides of the protocol are run over the frames. The string of a frame that decodes to what a
translator then says was heard, or appended, is audio, and its format is known from there. Two kinds
of audio are told by no event, and are found otherwise:

- what stands where other frames of the same name hold audio: content that is discarded because its
  response was interrupted;
- a long string of base64 named ``audio``, or beside a MIME type of audio: the protocol of nobody
  who is installed. It counts as 16-bit PCM.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import attrs

from unirt.audio import PCM16_24K, AudioFormat, Encoding
from unirt.cassettes.entries import Altered, Cassette, Framed, Path, Segment
from unirt.cassettes.meaning import audio_at, decoded, encoded, new_server
from unirt.cassettes.values import look_up, replaced
from unirt.commands import AppendAudio
from unirt.config import SessionConfig
from unirt.events import AudioDelta
from unirt.items import AudioContent
from unirt.registry import load

__all__ = ["Sound", "silenced", "sounds"]

_LONG: Final = 1_000
"Characters of base64 that are audio by their name alone."

SILENCE: Final = {Encoding.ULAW: 0xFF, Encoding.ALAW: 0xD5}
"The byte that is silence, where it is not 0."


@attrs.frozen
class Sound:
    """A piece of audio in a frame."""

    at: Path
    format: AudioFormat


def sounds(cassette: Cassette) -> dict[int, list[Sound]]:
    """All audio of a cassette, by the line it is in."""
    found: dict[int, list[Sound]] = {}
    for segment in cassette.segments:
        told = dict(_told(segment))
        places = {
            (_name(entry), sound.at): sound.format
            for line, entry in segment.entries
            if isinstance(entry, Framed)
            for sound in told.get(line, ())
        }
        for line, entry in segment.entries:
            if isinstance(entry, Framed):
                here = told.get(line, []) or list(_untold(entry, places))
                if here:
                    found[line] = here
    return found


def _told(segment: Segment) -> Iterator[tuple[int, list[Sound]]]:
    if segment.provider is None:
        return
    provider = load(segment.provider)
    client = provider.new_translator(SessionConfig(model=segment.model), offline=True)
    server = new_server(segment)
    client.start(0.0)
    for line, entry in segment.entries:
        if not isinstance(entry, Framed) or not isinstance(entry.data, dict):
            continue
        pieces: list[tuple[bytes, AudioFormat]] = []
        if entry.direction == "received":
            client.receive(entry.payload, 0.0)
            for event in client.events_received():
                if isinstance(event, AudioDelta):
                    pieces.append((event.data, event.format))
                pieces += _items(event, client.capabilities.output_format)
        elif server is not None:
            server.receive(entry.frame, 0.0)
            format = server.config.input_format or client.capabilities.input_format
            for heard in server.heard():
                if isinstance(heard.command, AppendAudio):
                    pieces.append((heard.command.data, format))
                pieces += _items(heard.command, format)
            server.frames_to_send()
        client.frames_to_send()
        if placed := list(_placed(entry.data, pieces)):
            yield line, placed


def _items(holder: Any, format: AudioFormat) -> list[tuple[bytes, AudioFormat]]:
    """The audio of the items that an event or a command holds."""
    items = (getattr(holder, "item", None), *(getattr(holder, "items", None) or ()))
    return [
        (content.data, content.format or format)
        for item in items
        for content in getattr(item, "content", ())
        if isinstance(content, AudioContent) and content.data
    ]


def _placed(data: Any, pieces: list[tuple[bytes, AudioFormat]]) -> Iterator[Sound]:
    for audio, format in pieces:
        at = audio_at(data, audio) if audio else None
        if at is not None:
            data = replaced(data, at, "")  # the same audio may come twice in a frame
            yield Sound(at, format)


def _untold(entry: Framed, places: dict[tuple[Any, Path], AudioFormat]) -> Iterator[Sound]:
    for (name, at), format in places.items():
        if name == _name(entry):
            try:
                text = look_up(entry.data, at)
            except LookupError:
                continue
            if text and decoded(text) is not None:
                yield Sound(at, format)
    if not places:
        for at in _named_audio(entry.data, (), {}):
            yield Sound(at, PCM16_24K)


def _name(entry: Framed) -> tuple[Any, ...]:
    data = entry.data
    named = data.get("type") if isinstance(data, dict) else None
    return entry.direction, named


def _named_audio(value: Any, at: Path, beside: dict[str, Any]) -> Iterator[Path]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _named_audio(inner, (*at, key), value)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _named_audio(inner, (*at, index), {})
    elif isinstance(value, str) and len(value) >= _LONG and decoded(value) is not None:
        kinds = (beside.get("mimeType"), beside.get("mime_type"))
        if at[-1] == "audio" or any(str(kind).startswith("audio/") for kind in kinds):
            yield at


def silenced(entry: Framed, found: list[Sound], keep_ms: float | None) -> Framed:
    """
    A frame without its audio.

    Args:
        entry: The frame.
        found: Where its audio is.
        keep_ms: How much of it to keep; ``None`` for silence of the same length.
    """
    data, altered = entry.data, list(entry.altered)
    for sound in found:
        audio = decoded(look_up(data, sound.at))
        if audio is None:
            continue
        if keep_ms is None:
            byte = SILENCE.get(sound.format.encoding, 0)
            new, change = bytes((byte,)) * len(audio), Altered(
                at=sound.at, size=len(audio), silence=byte
            )  # fmt: skip
        else:
            new, change = audio[: sound.format.bytes_for(keep_ms)], Altered(
                at=sound.at, size=len(audio)
            )  # fmt: skip
            if len(new) == len(audio):
                continue
        data = replaced(data, sound.at, encoded(new))
        altered.append(change)
    return attrs.evolve(entry, data=data, altered=tuple(altered))
