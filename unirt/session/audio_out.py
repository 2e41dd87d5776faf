"""The model's audio on its way out: in the format that the application wants to hear."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from unirt.audio import AudioFormat
from unirt.events import AudioDelta, Ending, Event, StreamClosed, StreamKind
from unirt.session.resample import Converter

__all__ = ["AudioOut"]


class AudioOut:
    """
    Converts the audio among a session's events, one converter a stream.

    A converted delta is a new event with the same origin, so its raw frame is the provider's. The
    last samples of a stream come as one more delta before its ``StreamClosed``, marked synthesised;
    of a stream that was interrupted they are dropped, for it is to be silent.
    """

    def __init__(self, wanted: AudioFormat) -> None:
        self.wanted = wanted
        self._converters: dict[str, Converter] = {}

    def convert(self, events: Sequence[Event]) -> list[Event]:
        """The same events, their audio in the wanted format."""
        converted: list[Event] = []
        for event in events:
            if type(event) is AudioDelta:
                converted.append(self._delta(event))
            else:
                if type(event) is StreamClosed and event.kind is StreamKind.AUDIO:
                    converted += self._tail(event)
                converted.append(event)
        return converted

    def _delta(self, event: AudioDelta) -> AudioDelta:
        converter = self._converters.get(event.stream.id)
        if converter is None:
            if event.format == self.wanted:
                return event
            converter = self._converters[event.stream.id] = Converter(event.format, self.wanted)
        data = b""
        if converter.source != event.format:
            data = converter.flush()
            converter = self._converters[event.stream.id] = Converter(event.format, self.wanted)
        return attrs.evolve(event, data=data + converter.feed(event.data), format=self.wanted)

    def _tail(self, event: StreamClosed) -> list[Event]:
        converter = self._converters.pop(event.stream.id, None)
        if converter is None or event.ending is Ending.INTERRUPTED:
            return []
        data = converter.flush()
        if not data:
            return []
        return [
            AudioDelta(
                origin=event.origin,
                synthesised=True,
                stream=event.stream,
                data=data,
                format=self.wanted,
            )
        ]
