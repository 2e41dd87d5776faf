"""Responses: how they start, flow, are interrupted, and end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from unirt.audio import AudioFormat
from unirt.composer.heard_text import time_words
from unirt.composer.hearing import Hearing
from unirt.composer.records import OpenStream, Response, Speech, forget
from unirt.events import (
    AudioDelta,
    CitationsDelta,
    ControlEvent,
    Ending,
    ImageDelta,
    ResponseDone,
    ResponseStarted,
    Stream,
    StreamKind,
    StreamOpened,
    TranscriptDelta,
)
from unirt.events.pieces import unread_audio_delta, unread_transcript_delta
from unirt.usage import Usage

__all__ = ["Answers"]

# Named once: to look a member up in its enumeration takes Python 3.11 some 80 ns.
_AUDIO, _TRANSCRIPT = StreamKind.AUDIO, StreamKind.TRANSCRIPT
_COMPLETE, _INTERRUPTED = Ending.COMPLETE, Ending.INTERRUPTED

_TRAILING = {StreamKind.TRANSCRIPT, StreamKind.CITATIONS}


class Answers(Hearing):
    """A response starts once, streams its content, and is done once."""

    def _prepare(self) -> None:
        super()._prepare()
        self._active: dict[str, Response] = {}

    @property
    def active(self) -> Response | None:
        """The running response of the conversation, the latest where there are several."""
        return self._running

    @property
    def latest(self) -> Response | None:
        """The response that began last, running or done."""
        return self._latest

    def response(self, response_id: str) -> Response | None:
        """The response of that id, while it is remembered."""
        return self._responses.get(response_id)

    def response_named(self, wire_id: str) -> Response | None:
        """The response that the provider calls so, while it is remembered."""
        # Both call it so, as a rule; and a name that the session has made keeps what it names.
        known = self._responses.get(wire_id)
        return self._responses.get(self.named(wire_id)) if known is None else known

    def response_started(
        self,
        response_id: str | None = None,
        *,
        in_conversation: bool = True,
        metadata: Mapping[str, Any] | None = None,
        synthesised: bool = False,
    ) -> Response:
        """Start a response; where one of that id has been started, only find it."""
        if response_id is not None and (known := self.response_named(response_id)) is not None:
            return known
        turn_id = self._turn or self._last_turn
        if turn_id is None:
            turn_id = self._last_turn = self.mint("turn")
        wire_id = response_id or self.mint("resp")
        response = Response(
            id=self.named(wire_id),
            wire_id=wire_id,
            turn_id=turn_id,
            in_conversation=in_conversation,
        )
        self._responses[response.id] = self._active[response.id] = response
        forget(self._responses, keep=lambda known: not known.done)
        if in_conversation:
            self._turn = None
            self._latest = self._running = response
        self.emit(
            ResponseStarted,
            synthesised=synthesised,
            turn_id=turn_id,
            response_id=response.id,
            in_conversation=in_conversation,
            metadata=metadata,
        )
        return response

    def generation_done(self, response: Response, event: type[ControlEvent]) -> None:
        """
        Tell that all content of a response was sent: its streams close.

        Transcripts and citations may trail behind, so they stay open.
        """
        for entry in response.streams.values():
            if entry.stream.kind not in _TRAILING:
                self._close(entry, _COMPLETE, synthesised=True)
        response.generated = True
        self.emit(event, turn_id=response.turn_id, response_id=response.id)

    def response_done(
        self,
        response_id: str,
        *,
        ending: Ending = _COMPLETE,
        reason: str | None = None,
        detail: str | None = None,
        usage: Usage | None = None,
        synthesised: bool = False,
    ) -> None:
        """End a response. Told once; a second time is only noted."""
        response = self.response_started(response_id, synthesised=True)
        if response.done:
            self.noted("response", "the response was done already", response_id=response.id)
            return
        if ending is _INTERRUPTED and not response.interrupted:
            self.interrupt(response, by=reason or "speech", synthesised=True)
        if response.cut and ending in (_COMPLETE, Ending.CANCELLED):
            ending = _INTERRUPTED
        if ending is _INTERRUPTED:
            reason = response.interrupted_by
        for entry in response.streams.values():
            self._close(entry, ending, synthesised=True, reason=reason)
        response.end()
        self._active.pop(response.id, None)
        if response is self._running:
            others = reversed(self._active.values())
            self._running = next((other for other in others if other.in_conversation), None)
        self.emit(
            ResponseDone,
            synthesised=synthesised,
            turn_id=response.turn_id,
            response_id=response.id,
            ending=ending,
            reason=reason,
            detail=detail,
            usage=usage,
            heard_ms=self._heard(response) if ending is _INTERRUPTED else None,
            audio_ms=response.audio_ms or None,
        )

    # Content of responses.

    def open(
        self,
        response: Response,
        kind: StreamKind,
        item_id: str,
        index: int = 0,
        *,
        synthesised: bool = True,
        **fields: Any,
    ) -> OpenStream | None:
        """Open a stream of a response; ``None`` where its content is not delivered any more."""
        key = (item_id, index, kind)
        entry = response.streams.get(key)
        if entry is not None:
            return None if entry.closed else entry
        if response.interrupted or response.done:
            return None
        response.generated = False
        if (call_id := fields.get("call_id")) is not None:
            fields["call_id"] = self.named(call_id)
        stream = Stream(
            id=self.named(f"{item_id}.{index}.{kind}"),
            kind=kind,
            turn_id=response.turn_id,
            response_id=response.id,
            item_id=item_id,
            index=index,
            **fields,
        )
        entry = response.streams[key] = OpenStream(stream)
        if kind is _AUDIO:
            self._speaks(response, entry)
        elif kind is _TRANSCRIPT:
            response.worded.append(entry)
        self._add(StreamOpened(origin=self._origin, synthesised=synthesised, stream=stream))
        return entry

    def audio(
        self, response: Response, item_id: str, index: int, data: bytes, format: AudioFormat
    ) -> OpenStream | None:
        """Deliver a piece of spoken output; returns its stream where it was delivered."""
        entry = response.streams.get((item_id, index, _AUDIO))
        if entry is None or entry.closed:
            entry = self.open(response, _AUDIO, item_id, index)
        if entry is None:
            ms = format.duration_ms(len(data))
            self._discard(response, item_id, _AUDIO, len(data), ms)
        else:
            self.more_audio(response, entry, data, format)
        return entry

    def more_audio(
        self, response: Response, entry: OpenStream, data: bytes, format: AudioFormat
    ) -> None:
        """Deliver the next piece of a stream of the response that :meth:`audio` has opened."""
        self._events.append(AudioDelta(self._origin, entry.stream, data, format))
        _plays(response, entry, len(data) * 1000 / format.byte_rate, self._now)

    def same_again(self, speaking: Speech, frame: bytes, now: float) -> bool:
        """
        Deliver a frame that differs from the last one in nothing but its audio.

        It takes the place of :meth:`begin` and all that follows; ``False``, and nothing was done,
        for every other frame.
        """
        entry, envelope = speaking.entry, speaking.envelope
        if envelope is None or entry.closed:
            return False
        audio = envelope.open(frame)
        if audio is None:
            return False
        format = speaking.format
        event = unread_audio_delta(self._source, now, frame, entry.stream, audio, format)
        self._now = now
        self._begun = event
        self._events.append(event)
        _plays(speaking.response, entry, len(audio) * 1000 / format.byte_rate, now)
        return True

    def text(
        self,
        response: Response,
        kind: StreamKind,
        item_id: str,
        index: int,
        text: str,
        *,
        synthesised: bool = False,
        **fields: Any,
    ) -> OpenStream | None:
        """Deliver a piece of text; returns its stream where it was delivered."""
        entry = response.streams.get((item_id, index, kind))
        if entry is None or entry.closed:
            entry = self.open(response, kind, item_id, index)
        if entry is None:
            self._discard(response, item_id, kind, len(text))
            return None
        if kind is _TRANSCRIPT:
            entry.cues.append(response.audio_of(item_id))
            if words := fields.get("words"):
                time_words(entry, text, words)
        self._text(entry, text, synthesised=synthesised, **fields)
        return entry

    def more_words(self, speaking: Speech, entry: OpenStream, text: str, frame: object) -> None:
        """
        Deliver the next piece of the transcript beside audio, which :meth:`text` has opened.

        Args:
            speaking: Where the audio goes.
            entry: Where the words go.
            text: They.
            frame: As it was received; nothing else is told of it.
        """
        entry.cues.append(speaking.entry.audio_ms)
        entry.parts.append(text)
        if type(frame) is bytes:
            event = unread_transcript_delta(self._source, self._now, frame, entry.stream, text)
            self._begun = event
        else:
            event = TranscriptDelta(self._origin, entry.stream, text)
        self._events.append(event)

    def image(
        self, response: Response, item_id: str, index: int, data: bytes, mime_type: str
    ) -> None:
        """Deliver a picture or another medium."""
        entry = self.open(response, StreamKind.IMAGE, item_id, index)
        if entry is None:
            self._discard(response, item_id, StreamKind.IMAGE, len(data))
            return
        self._add(
            ImageDelta(origin=self._origin, stream=entry.stream, data=data, mime_type=mime_type)
        )

    def citations(
        self, response: Response, item_id: str, index: int, data: Mapping[str, Any]
    ) -> None:
        """Deliver sources."""
        entry = self.open(response, StreamKind.CITATIONS, item_id, index)
        if entry is None:
            self._discard(response, item_id, StreamKind.CITATIONS, 0)
            return
        self._add(CitationsDelta(origin=self._origin, stream=entry.stream, data=data))

    def settle(
        self,
        response: Response,
        kind: StreamKind,
        item_id: str,
        index: int = 0,
        *,
        text: str | None = None,
    ) -> bool:
        """
        Note that no more of a stream comes, with its final text where the provider gives one.

        It stays open until it is known how it ended; what the deltas left out is delivered now.
        Returns whether there is such a stream.
        """
        entry = response.streams.get((item_id, index, kind))
        if entry is None and text:
            entry = self.open(response, kind, item_id, index)
        if entry is None or entry.closed:
            return False
        if text is not None:
            self._complete_text(entry, text)
            entry.final = text
        return True

    def finish(
        self,
        response: Response,
        kind: StreamKind,
        item_id: str,
        index: int = 0,
        *,
        text: str | None = None,
        ending: Ending = _COMPLETE,
        synthesised: bool = False,
    ) -> bool:
        """
        Close a stream, with its final text where the provider gives one.

        Text that the deltas left out is delivered first, so that the deltas add up to the final
        text wherever the provider's own do not contradict it.
        Returns whether it closed something.
        """
        entry = response.streams.get((item_id, index, kind))
        if entry is None and text:
            entry = self.open(response, kind, item_id, index)
        if entry is None or entry.closed:
            return False
        self._close(entry, ending, text=text, synthesised=synthesised)
        return True


def _plays(response: Response, entry: OpenStream, ms: float, now: float) -> None:
    """There is more of it to be heard."""
    entry.audio_ms += ms
    until = response.plays_until
    response.plays_until = (until if until > now else now) + ms / 1000
