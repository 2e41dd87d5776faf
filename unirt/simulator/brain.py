"""
The mind behind a simulated server: it listens, decides when it is its turn, and answers.

It hears canonical commands and says canonical events; which protocol they travel in is its
:class:`~unirt.translator.ServerTranslator`'s business. It does no I/O and reads no clock.

What it listens for is a :class:`~unirt.simulator.scenario.Cue`; what it answers is the next reply
of its scenario with that cue, or, where there is none, something it makes up. It is interrupted as
a real model is: by speech, while it generates or while what it said may still be playing; by text
or a picture, by the start of a manual turn and by a cancellation, while it generates.

Some protocols say one thing in two commands: the words first, "answer now" after them. So what was
said stays pending until an answer is asked for, and the cue is what was said last.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from unirt import commands as cmd
from unirt import events as ev
from unirt.audio import PCM16_24K
from unirt.config import Manual, ServerVAD, SessionConfig, Tool
from unirt.events import Ending, Event
from unirt.items import Role
from unirt.simulator import scenario as sc
from unirt.simulator.ear import Ear
from unirt.simulator.improvise import improvise
from unirt.simulator.loudspeaker import Loudspeaker
from unirt.simulator.recital import ORIGIN, Beat, Recital, Setting
from unirt.simulator.vad import Change, VoiceActivity
from unirt.translator import Heard, ServerTranslator

__all__ = ["Brain"]


class Brain:
    """
    One connection's model.

    Args:
        provider: The provider's registered name, for scenarios that hold frames of its own.
        server: Tells what is configured, and takes what is said.
        scenario: What to answer; ``None`` to make it up.
        mint: Makes ids, by noun.
        pace: How fast to be; the scenario's by default.
        asks: Whether the protocol has words to ask for an approval.
    """

    def __init__(
        self,
        provider: str,
        server: ServerTranslator,
        *,
        scenario: sc.Scenario | None = None,
        mint: Callable[[str], str],
        pace: sc.Pace | None = None,
        asks: bool = False,
    ) -> None:
        self._asks = asks
        self._provider = provider
        self._server = server
        self._replies = list(scenario.replies) if scenario is not None else []
        self._pace = pace or (scenario.pace if scenario is not None else sc.Pace())
        self._mint = mint
        self._awake = False
        self._recital: Recital | None = None
        "The newest; it stays after it is done, for it may still be playing."
        self._asides: deque[Beat] = deque()
        "What is scripted for the session itself, beside the conversation."
        self._pending: sc.Cue | None = None
        "What was said and not answered yet."
        self._deferred: deque[tuple[sc.Cue, cmd.Respond]] = deque()
        "Answers that were asked for while another was running."
        self._calls: dict[str, str] = {}
        "The calls that are waited for, and their tools."
        self._results: list[str] = []
        self._words = ""
        self._speech_ms = 0.0
        self._speech_began: float | None = None
        self._turn_id: str | None = None
        self._user_item: str | None = None
        self._vad: VoiceActivity | None = None
        self._ear = Ear()
        self.loudspeaker: Loudspeaker | None = None
        "What plays, where the server does."
        self.hangup: sc.Close | None = None
        "The server wants to close the connection."

    # What the host asks.

    @property
    def replies(self) -> tuple[sc.Reply, ...]:
        """What the scenario has left to say."""
        return tuple(self._replies)

    @property
    def speaking(self) -> bool:
        """Whether something is left to say in the conversation."""
        return self._recital is not None and bool(self._recital.beats)

    @property
    def listening(self) -> bool:
        """Whether the user is in the middle of a spoken turn."""
        return self._vad is not None and self._vad.speaking

    @property
    def expecting(self) -> bool:
        """Whether something is scripted for the session that has not happened."""
        return bool(self._asides)

    def get_timer(self) -> float | None:
        """When :meth:`handle_timer` has something to say."""
        return min((beats[0].at for beats in self._schedules()), default=None)

    def handle_timer(self, now: float) -> None:
        """Say what is due by now."""
        while schedules := [beats for beats in self._schedules() if beats[0].at <= now]:
            self._act(min(schedules, key=lambda beats: beats[0].at).popleft().act, now)

    def wake(self, now: float) -> None:
        """The session is ready: play what the scenario has for its start. Once."""
        if self._awake:
            return
        self._awake = True
        if any(reply.cue is sc.Cue.START for reply in self._replies):
            self._answer(sc.Cue.START, cmd.Respond(), now)

    def _schedules(self) -> list[deque[Beat]]:
        recital = self._recital
        spoken = [] if recital is None or recital.asking else [recital.beats]
        return [beats for beats in (*spoken, self._asides) if beats]

    def _act(self, act: Event | sc.Close, now: float) -> None:
        if isinstance(act, sc.Close):
            self._asides.clear()
            self._recital = None
            self.hangup = act
            return
        self._say(act, now)
        if isinstance(act, ev.ResponseDone) and self._deferred:
            cue, respond = self._deferred.popleft()
            if cue is not sc.Cue.TOOL_RESULT or not self._calls:
                self._answer(cue, respond, now)

    # Hearing.

    def hear(self, heard: Heard, now: float) -> None:  # noqa: PLR0912  (one case a command)
        """Take one thing that the client said."""
        match heard.command:
            case cmd.AppendAudio(data=data):
                self._hear_audio(data, now)
            case cmd.SendText(text=text, respond=respond):
                self._words = f"{self._words} {text}".strip()
                self._offer(sc.Cue.TEXT, respond, now, interrupt="client")
            case cmd.CreateItem(item=item) if item.role is Role.USER:
                self._words = f"{self._words} {item.text}".strip()
                self._offer(sc.Cue.TEXT, False, now)
            case cmd.SendImage(respond=respond):
                self._words = f"{self._words} (a picture)".strip()
                self._offer(sc.Cue.TEXT, respond, now, interrupt="client")
            case cmd.StartTurn():
                self._interrupt("client", Ending.INTERRUPTED, now, playback=True)
                self._open_turn()
            case cmd.EndTurn(respond=respond):
                self._ear.turn_ended(self._speech_ms)
                self._user_item = self._mint("item")
                self._offer(sc.Cue.TURN, respond, now)
            case cmd.CommitInput():
                self._hear_commit(now)
            case cmd.ClearInput():
                self._hear_clear()
            case cmd.Respond() as respond:
                self._respond(respond, now)
            case cmd.CancelResponse() | cmd.Interrupt():
                self._interrupt("client", Ending.CANCELLED, now)
            case cmd.ClearPlayback() if self.loudspeaker is not None:
                self.loudspeaker.clear(now)
            case cmd.SendToolResult() as result:
                self._hear_result(result, now)
            case cmd.ApproveServerTool() as answer if self._recital is not None:
                self._recital.approved(answer.approval_id, answer.approve, now)
            case _:
                pass

    def _hear_audio(self, data: bytes, now: float) -> None:
        config = self._server.config
        detection = config.turn_detection
        format = config.input_format or PCM16_24K
        self._ear.hear(data, format)
        if isinstance(detection, Manual):
            self._speech_ms += format.duration_ms(len(data))
            return
        settings = detection if isinstance(detection, ServerVAD) else ServerVAD()
        vad = self._vad
        if vad is None or vad.format != format or vad.settings != settings:
            position = 0.0 if vad is None else vad.position_ms
            vad = self._vad = VoiceActivity(format, settings, position)
        for activity in vad.feed(data):
            if activity.change is Change.STARTED:
                self._speech_started(activity.audio_ms, now)
            else:
                self._speech_stopped(activity.audio_ms, now)

    def _speech_started(self, audio_ms: float, now: float) -> None:
        self._speech_began = audio_ms
        turn_id = self._open_turn()
        item_id = self._user_item = self._mint("item")
        self._say(
            ev.SpeechStarted(origin=ORIGIN, audio_ms=audio_ms, item_id=item_id, turn_id=turn_id),
            now,
        )
        if getattr(self._server.config.turn_detection, "interrupt", None) is not False:
            self._interrupt("speech", Ending.INTERRUPTED, now, playback=True)

    def _speech_stopped(self, audio_ms: float, now: float) -> None:
        self._speech_ms = audio_ms - (self._speech_began or 0.0)
        ago_ms = 0.0 if self._vad is None else self._vad.fed_ms - audio_ms
        self._ear.turn_ended(self._speech_ms, ago_ms)
        ids: dict[str, Any] = {"item_id": self._user_item, "turn_id": self._turn_id}
        self._say(ev.SpeechStopped(origin=ORIGIN, audio_ms=audio_ms, **ids), now)
        self._say(ev.InputCommitted(origin=ORIGIN, **ids), now)
        respond = getattr(self._server.config.turn_detection, "respond", None) is not False
        self._offer(sc.Cue.SPEECH, respond, now)

    def _hear_commit(self, now: float) -> None:
        """The client ended its input; where the server listens for turns, that ends the speech."""
        if isinstance(self._server.config.turn_detection, Manual):
            self._ear.turn_ended(self._speech_ms)
            self._user_item = self._mint("item")
            self._offer(sc.Cue.TURN, False, now)
        elif self._vad is not None and self._vad.end():
            self._speech_stopped(self._vad.position_ms, now)

    def _hear_clear(self) -> None:
        self._speech_ms = 0.0
        if self._vad is not None:
            self._vad.end()

    def _hear_result(self, result: cmd.SendToolResult, now: float) -> None:
        if result.more_follows or self._calls.pop(result.call_id, None) is None:
            return
        self._results.append(str(result.error or result.output))
        if self._calls:
            return
        self._pending = sc.Cue.TOOL_RESULT
        if result.respond:
            self._respond(cmd.Respond(), now)

    # Turns.

    def _open_turn(self) -> str:
        if self._turn_id is None:
            self._turn_id = self._mint("turn")
        return self._turn_id

    def _offer(
        self, cue: sc.Cue, respond: bool, now: float, *, interrupt: str | None = None
    ) -> None:
        """Something was said that may be answered."""
        self._open_turn()
        self._pending = cue
        if not respond:
            return
        if interrupt is not None:
            self._interrupt(interrupt, Ending.INTERRUPTED, now)
        self._respond(cmd.Respond(), now)

    def _respond(self, respond: cmd.Respond, now: float) -> None:
        cue, self._pending = self._pending or sc.Cue.RESPOND, None
        if self.speaking:
            if all(waiting is not cue for waiting, _ in self._deferred):
                self._deferred.append((cue, respond))
        else:
            self._answer(cue, respond, now)

    def _interrupt(self, by: str, ending: Ending, now: float, *, playback: bool = False) -> None:
        """Stop talking; with `playback`, also where only the playback is left to be stopped."""
        recital = self._recital
        if recital is None:
            return
        self._deferred.clear()
        if not recital.started:
            recital.beats.clear()
        elif not recital.done or self._waited_for() or (playback and recital.playing(now)):
            for event in recital.cut(by, ending, now):
                self._say(event, now)
            self._cancel_calls(now)
            self._recital = None

    def _waited_for(self) -> tuple[str, ...]:
        """The calls that the model waits for; it does not wait for tools that do not block."""
        tools = self._server.config.tools or ()
        aside = {tool.name for tool in tools if isinstance(tool, Tool) and tool.blocking is False}
        return tuple(call_id for call_id, name in self._calls.items() if name not in aside)

    def _cancel_calls(self, now: float) -> None:
        if ids := self._waited_for():
            self._calls = {id_: name for id_, name in self._calls.items() if id_ not in ids}
            self._say(ev.ToolCallCancelled(origin=ORIGIN, call_ids=ids), now)

    # Answering.

    def _answer(self, cue: sc.Cue, respond: cmd.Respond, now: float) -> None:
        config = self._server.config
        recital = Recital(self._next_reply(cue, config), self._setting(config, respond), now)
        if not recital.responds:
            self._asides = recital.beats
            return
        self._recital = recital
        self._turn_id = self._user_item = None
        self._words, self._speech_ms = "", 0.0
        self._results.clear()
        self.handle_timer(now)

    def _next_reply(self, cue: sc.Cue, config: SessionConfig) -> sc.Reply:
        for index, reply in enumerate(self._replies):
            if reply.cue is cue:
                return self._replies.pop(index)
        return improvise(
            cue,
            words=self._words,
            speech_ms=self._speech_ms,
            results=tuple(self._results),
            tools=config.tools or (),
        )

    def _setting(self, config: SessionConfig, respond: cmd.Respond) -> Setting:
        transcription = config.input_transcription
        modalities = respond.modalities or config.modalities
        format = config.output_format or PCM16_24K
        return Setting(
            turn_id=self._open_turn(),
            user_item_id=self._user_item,
            mint=self._mint,
            pace=self._pace,
            format=format,
            heard=lambda: self._ear.turn(format),
            provider=self._provider,
            transcribe_input=transcription is not None and transcription.enabled,
            transcribe_output=config.output_transcription is not False,
            spoken=modalities is None or "audio" in modalities,
            in_conversation=respond.in_conversation,
            metadata=respond.metadata,
            asks=self._asks,
        )

    def _say(self, event: Event, now: float) -> None:
        if self._recital is not None:
            self._recital.given(event, now)
        if isinstance(event, ev.ToolCall):
            self._calls[event.call_id] = event.name
        self._server.send(event, now)
        if self.loudspeaker is not None:
            self.loudspeaker.take(event, now)
