"""
A reply as a timed run of canonical events.

A recital is laid out when its cue comes and then given beat by beat; an interruption drops what is
left of it. Speech is generated faster than it can be heard, in chunks, each led by the words that
it holds. All written and spoken words up to a call are one message, each call an item of its own.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping
from functools import partial
from typing import Any

import attrs

from unirt import events as ev
from unirt.audio import AudioFormat
from unirt.events import ContentEvent, ControlEvent, Ending, Event, Origin, Stream, StreamKind
from unirt.simulator import scenario as sc
from unirt.simulator.utterance import uttered
from unirt.usage import Tokens, Usage

__all__ = ["Beat", "Recital", "Setting", "transcript"]

ORIGIN = Origin(provider="simulator")
"Where all events of the simulator come from."
_SOUND = dict.fromkeys((StreamKind.AUDIO, StreamKind.TRANSCRIPT), "audio")
_PARTS = {**_SOUND, StreamKind.TEXT: "text"}
"The content part that a kind is in; the other kinds are in none, and their index is 0."
_PIECES = 3
"In how many pieces the arguments of a call come."


@attrs.frozen
class Beat:
    """One event, or the end of the connection, and when."""

    at: float
    "In seconds of the caller's clock."
    act: Event | sc.Close
    approval: str | None = None
    "The request without whose approval it does not happen."


@attrs.frozen(kw_only=True)
class Setting:
    """What a recital needs to know of the session."""

    turn_id: str
    user_item_id: str | None
    "The item of the spoken turn that is answered."
    mint: Callable[[str], str]
    pace: sc.Pace
    format: AudioFormat
    heard: Callable[[], bytes]
    "The spoken turn that is answered, in that format; nothing where there was none."
    provider: str
    transcribe_input: bool
    transcribe_output: bool
    spoken: bool = True
    "``False`` where the session's modality is text."
    in_conversation: bool = True
    metadata: Mapping[str, Any] | None = None
    asks: bool = False
    "Whether the protocol has words to ask for an approval."


class Recital:
    """
    One reply being given.

    Args:
        reply: What to say.
        setting: Whom to, and how.
        now: When the cue came.
    """

    def __init__(self, reply: sc.Reply, setting: Setting, now: float) -> None:
        self.response_id = setting.mint("resp")
        self.turn_id = setting.turn_id
        self.responds = reply.cue is not sc.Cue.START or _says_something(reply)
        "``False`` for steps beside the conversation, which are no response."
        self.usage = reply.usage
        self.started = False
        self.generated = False
        "All content was given."
        self.done = False
        self.asking: str | None = None
        "The request for an approval that the rest waits for."
        self.beats: deque[Beat] = deque(_Layout(self, reply, setting, now).beats())
        self._open: dict[str, Stream] = {}
        self._total = sum(_is_growth(beat.act) for beat in self.beats)
        self._given = 0
        self._audio_ms = 0.0
        self._plays_until = 0.0

    def given(self, event: Event, now: float) -> None:
        """Follow what was said of it."""
        match event:
            case ev.ResponseStarted():
                self.started = True
            case ev.ResponseDone():
                self.done = self.generated = True
            case ev.GenerationDone():
                self.generated = True
            case ev.ApprovalRequested(approval_id=approval_id):
                self.asking = approval_id
            case ev.StreamOpened() if event.response_id == self.response_id:
                self._open[event.stream.id] = event.stream
            case ev.StreamClosed():
                self._open.pop(event.stream.id, None)
            case ev.AudioDelta():
                self._audio_ms += event.duration_ms
                self._plays_until = max(self._plays_until, now) + event.duration_ms / 1000
            case _:
                pass
        self._given += _is_growth(event)

    def approved(self, approval_id: str, yes: bool, now: float) -> None:
        """Go on, with what was asked for or without it."""
        if approval_id != self.asking:
            return
        self.asking = None
        kept = [beat for beat in self.beats if yes or beat.approval != approval_id]
        late = max(0.0, now - kept[0].at) if kept else 0.0
        self.beats = deque(attrs.evolve(beat, at=beat.at + late) for beat in kept)

    def heard_ms(self, now: float) -> float:
        """How much of it a player that began at once has played."""
        return max(0.0, self._audio_ms - max(0.0, self._plays_until - now) * 1000)

    def playing(self, now: float) -> bool:
        """Whether such a player still plays."""
        return self._plays_until > now

    def cut(self, by: str, ending: Ending, now: float) -> list[Event]:
        """What to say when it is interrupted now; its remaining beats are dropped."""
        ids: dict[str, Any] = {"response_id": self.response_id, "turn_id": self.turn_id}
        generating = not self.generated
        finished = [] if generating else [beat.act for beat in self.beats]
        self.beats.clear()
        said: list[Event] = [
            ev.StreamClosed(origin=ORIGIN, stream=stream, ending=ending, reason=by)
            for stream in self._open.values()
        ]
        said.append(
            ev.Interrupted(
                origin=ORIGIN, by=by, generating=generating, heard_ms=self.heard_ms(now), **ids
            )
        )
        if generating:
            usage = _part(self.usage, self._given / max(1, self._total))
            done = ev.ResponseDone(origin=ORIGIN, ending=ending, reason=by, usage=usage, **ids)
            said.append(done)
        said += [act for act in finished if isinstance(act, ev.ResponseDone)]
        return said


class _Layout:
    """Lays the beats of a reply out in time."""

    def __init__(self, recital: Recital, reply: sc.Reply, setting: Setting, now: float) -> None:
        self._reply = reply
        self._responds = recital.responds
        self._setting = setting
        self._ids: dict[str, Any] = {
            "turn_id": recital.turn_id,
            "response_id": recital.response_id,
        }
        self._at = now + setting.pace.latency_ms / 1000
        self._content_ms = 0.0
        self._message: str | None = None
        self._streams: dict[StreamKind, Stream] = {}
        self._parts: dict[str, int] = {}
        self._texts: dict[StreamKind, list[str]] = {}
        self._held: list[Event] = []

    def beats(self) -> Iterator[Beat]:
        heard = self._reply.heard
        when = None if heard is None else heard.when
        if when is sc.When.BEFORE:
            yield from self._transcript()
        if not self._responds:
            yield from self._steps()
            return
        yield self._beat(
            ev.ResponseStarted,
            in_conversation=self._setting.in_conversation,
            metadata=self._setting.metadata,
        )
        if when is sc.When.DURING:
            self._held = [beat.act for beat in self._transcript() if isinstance(beat.act, Event)]
        ended = yield from self._steps()
        if ended:
            return
        yield from self._interlude()
        if when is sc.When.AFTER:
            yield from self._transcript()
        yield from self._end()

    def _steps(self) -> Generator[Beat, None, bool]:
        """The steps; returns whether one of them ended the response."""
        for step in self._reply.steps:
            yield from self._step(step)
            if isinstance(step, sc.Close):
                return True
            if isinstance(step, sc.End):
                yield from self._interlude()
                yield from self._end(step)
                return True
        return False

    def _step(self, step: sc.Step) -> Iterator[Beat]:
        if isinstance(step, sc.Wait):
            self._at += step.ms / 1000
        elif isinstance(step, sc.Close):
            yield Beat(self._at, step)
        elif isinstance(step, sc.Error | sc.Unknown | sc.GoAway | sc.Handle):
            yield self._aside(step)
        elif isinstance(step, sc.Call | sc.ServerTool):
            yield from self._close_message()
            yield from self._tool(step)
        else:
            yield from self._words_or_media(step)
        yield from self._interlude()

    def _aside(self, step: sc.Error | sc.Unknown | sc.GoAway | sc.Handle) -> Beat:
        event: Event
        if isinstance(step, sc.Error):
            event = ev.ProviderError(
                origin=ORIGIN, message=step.message, code=step.code, severity=step.severity
            )
        elif isinstance(step, sc.Unknown):
            data = step.for_provider(self._setting.provider)
            event = ev.Unmapped(origin=ORIGIN, type="", data=data)
        elif isinstance(step, sc.Handle):
            resumable, handle = bool(step.handle), step.handle or None
            event = ev.ResumptionUpdated(origin=ORIGIN, resumable=resumable, handle=handle)
        else:
            event = ev.SessionExpiring(origin=ORIGIN, time_left_ms=step.time_left_ms)
        return Beat(self._at, event)

    def _tool(self, step: sc.Call | sc.ServerTool) -> Iterator[Beat]:
        return self._call(step) if isinstance(step, sc.Call) else self._server_tool(step)

    def _words_or_media(self, step: sc.Step) -> Iterator[Beat]:
        match step:
            case sc.Say() if self._setting.spoken:
                yield from self._say(step)
            case sc.Say(text=text) | sc.Write(text=text):
                yield from self._write(text)
            case sc.Think(text=text):
                yield from self._spell(StreamKind.THOUGHT, ev.ThoughtDelta, text)
            case sc.Cite(data=data):
                yield from self._grow(StreamKind.CITATIONS, ev.CitationsDelta, data=data)
            case sc.Show(data=picture, mime_type=mime_type):
                yield from self._grow(
                    StreamKind.IMAGE, ev.ImageDelta, data=picture, mime_type=mime_type
                )
            case _:
                pass

    # Words and sound.

    def _say(self, step: sc.Say) -> Iterator[Beat]:
        setting = self._setting
        words = _words(step.text, follows=StreamKind.TRANSCRIPT in self._streams)
        sound = uttered(step, setting.format, setting.heard() if step.echo else b"")
        size = setting.format.bytes_for(setting.pace.chunk_ms)
        chunks = [sound[start : start + size] for start in range(0, len(sound), size)]
        given = 0
        for number, chunk in enumerate(chunks, 1):
            upto = -(-len(words) * number // len(chunks))
            piece = "".join(words[given:upto])
            given = upto
            if piece and setting.transcribe_output:
                yield from self._grow(StreamKind.TRANSCRIPT, ev.TranscriptDelta, text=piece)
            yield from self._grow(
                StreamKind.AUDIO, ev.AudioDelta, data=chunk, format=setting.format
            )
            ms = setting.format.duration_ms(len(chunk))
            self._content_ms += ms
            self._at += ms / 1000 / setting.pace.speed
            yield from self._interlude()

    def _write(self, text: str) -> Iterator[Beat]:
        yield from self._spell(StreamKind.TEXT, ev.TextDelta, text)

    def _spell(self, kind: StreamKind, delta: type[ContentEvent], text: str) -> Iterator[Beat]:
        for word in _words(text, follows=kind in self._streams):
            yield from self._grow(kind, delta, text=word)
            self._at += self._setting.pace.word_ms / 1000
            yield from self._interlude()

    def _grow(self, kind: StreamKind, delta: type[ContentEvent], **fields: Any) -> Iterator[Beat]:
        stream = self._streams.get(kind)
        if stream is None:
            stream = self._streams[kind] = self._stream(kind)
            yield self._content(ev.StreamOpened, stream)
        if "text" in fields:
            self._texts.setdefault(kind, []).append(fields["text"])
        yield self._content(delta, stream, **fields)

    def _stream(self, kind: StreamKind) -> Stream:
        if self._message is None:
            self._message = self._setting.mint("item")
        part = _PARTS.get(kind)
        index = 0 if part is None else self._parts.setdefault(part, len(self._parts))
        return _stream(kind, self._message, index, **self._ids)

    def _close_message(self, end: sc.End | None = None) -> Iterator[Beat]:
        ending = Ending.COMPLETE if end is None else end.ending
        reason = None if end is None else end.reason
        for kind in sorted(self._streams, key=list(StreamKind).index):
            stream = self._streams[kind]
            text = "".join(self._texts[kind]) if kind in self._texts else None
            yield self._content(ev.StreamClosed, stream, text=text, ending=ending, reason=reason)
        self._message = None
        self._streams.clear()
        self._parts.clear()
        self._texts.clear()

    # Tools.

    def _call(self, step: sc.Call) -> Iterator[Beat]:
        arguments = _json(step.args)
        stream = self._item(StreamKind.TOOL_CALL, step.name)
        yield self._content(ev.StreamOpened, stream)
        size = -(-len(arguments) // _PIECES)
        for start in range(0, len(arguments), size):
            yield self._content(ev.ToolCallDelta, stream, text=arguments[start : start + size])
        yield self._content(
            ev.ToolCall, stream, name=step.name, arguments=arguments, args=dict(step.args)
        )
        yield self._content(ev.StreamClosed, stream, text=arguments)

    def _server_tool(self, step: sc.ServerTool) -> Iterator[Beat]:
        if not (step.approval and self._setting.asks):
            yield from self._served(step)
            return
        id_ = self._setting.mint("mcpr")
        yield self._beat(
            ev.ApprovalRequested, approval_id=id_, name=step.name, arguments=_json(step.args)
        )
        for beat in self._served(step):
            yield attrs.evolve(beat, approval=id_)

    def _served(self, step: sc.ServerTool) -> Iterator[Beat]:
        arguments = _json(step.args)
        stream = self._item(StreamKind.SERVER_TOOL, step.name)
        ending = Ending.COMPLETE if step.error is None else Ending.FAILED
        yield self._content(ev.StreamOpened, stream)
        yield self._content(ev.ServerToolDelta, stream, text=arguments)
        yield self._content(ev.ServerToolResult, stream, output=step.output, error=step.error)
        yield self._content(ev.StreamClosed, stream, text=arguments, ending=ending)

    def _item(self, kind: StreamKind, name: str) -> Stream:
        mint = self._setting.mint
        return _stream(kind, mint("item"), 0, call_id=mint("call"), name=name, **self._ids)

    # The user's transcript, and the end.

    def _transcript(self) -> Iterator[Beat]:
        heard, item_id = self._reply.heard, self._setting.user_item_id
        if heard is None or item_id is None or not self._setting.transcribe_input:
            return
        for event in transcript(heard.text, item_id, self._ids["turn_id"]):
            yield Beat(self._at, event)

    def _interlude(self) -> Iterator[Beat]:
        """The user's transcript, where it was held back until the answer had begun."""
        held, self._held = self._held, []
        for event in held:
            yield Beat(self._at, event)

    def _end(self, end: sc.End | None = None) -> Iterator[Beat]:
        yield from self._close_message(end)
        if end is None and self._reply.steps and not self._reply.calls:
            yield self._beat(ev.GenerationDone)
        if end is None and self._setting.pace.hold_done and not self._reply.calls:
            ahead = self._content_ms / 1000 * (1 - 1 / self._setting.pace.speed)
            self._at += max(0.0, ahead)
        yield self._beat(
            ev.ResponseDone,
            ending=Ending.COMPLETE if end is None else end.ending,
            reason=None if end is None else end.reason,
            detail=None if end is None else end.detail,
            usage=self._reply.usage,
        )

    # Beats.

    def _beat(self, kind: type[ControlEvent], **fields: Any) -> Beat:
        return Beat(self._at, kind(origin=ORIGIN, **self._ids, **fields))

    def _content(self, kind: type[ContentEvent], stream: Stream, **fields: Any) -> Beat:
        return Beat(self._at, kind(origin=ORIGIN, stream=stream, **fields))


def transcript(text: str, item_id: str, turn_id: str) -> Iterator[Event]:
    """The events of a user's transcript."""
    kind = StreamKind.TRANSCRIPT
    stream = _stream(kind, item_id, 0, role="user", turn_id=turn_id, response_id=None)
    yield ev.StreamOpened(origin=ORIGIN, stream=stream)
    for word in _words(text):
        yield ev.TranscriptDelta(origin=ORIGIN, stream=stream, text=word)
    yield ev.StreamClosed(origin=ORIGIN, stream=stream, text=text)


def _stream(kind: StreamKind, item_id: str, index: int, **fields: Any) -> Stream:
    return Stream(id=f"{item_id}.{index}.{kind}", kind=kind, item_id=item_id, index=index, **fields)


def _words(text: str, follows: bool = False) -> list[str]:
    """The words, each with the space before it."""
    words = text.split()
    return [word if i == 0 and not follows else f" {word}" for i, word in enumerate(words)]


def _says_something(reply: sc.Reply) -> bool:
    aside = (sc.Wait, sc.Error, sc.Close, sc.Unknown, sc.GoAway, sc.Handle)
    return any(not isinstance(step, aside) for step in reply.steps)


_json = partial(json.dumps, separators=(",", ":"), ensure_ascii=False)


def _is_growth(act: object) -> bool:
    return isinstance(act, ev.AudioDelta | ev.TextDelta | ev.TranscriptDelta | ev.ThoughtDelta)


def _part(usage: Usage | None, share: float) -> Usage | None:
    """What a response cost that was cut after a share of its content."""
    if usage is None:
        return None
    output = usage.output
    return attrs.evolve(
        usage,
        output=Tokens(text=int(output.text * share), audio=int(output.audio * share)),
    )
