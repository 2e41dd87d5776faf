"""
Gemini Live's client side: the pump around :mod:`inbound` and :mod:`outbound`.

The protocol has no errors and no acknowledgements: the configuration goes out with the first frame,
``setupComplete`` says that it is in force, and what the server does not like it answers by closing
the connection. Nothing here is waited for by the clock, so there is never a timer.

A connection ended cleanly if we closed it, or if the server did with code 1000. Everything else
was somebody's loss: 1001 and 1011 after ``goAway`` too, for the session could have gone on.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from unirt.capabilities import Capabilities, Changing
from unirt.commands import AppendAudio, Command
from unirt.composer import Composer, counting_ids
from unirt.config import SessionConfig
from unirt.errors import SessionClosedError
from unirt.events import Event, Malformed
from unirt.playback import ResponsePlayback
from unirt.translator import Frame
from unirt.wire import Wire, WireError, parse_frame
from unirt_google import inbound, outbound
from unirt_google.answer import Answer
from unirt_google.configure import setup_frame, with_defaults
from unirt_google.dialogue import Dialogue
from unirt_google.facts import PROVIDER_NAME, capabilities
from unirt_google.families import family_of, hears_beside_tools, is_vertex
from unirt_google.gate import Gate
from unirt_google.native import parse_native
from unirt_google.speaking import goes_on
from unirt_google.user import User

__all__ = ["GoogleTranslator"]

_TEXT = (str, bytes, bytearray, memoryview)
"What a frame is before it is decoded."

_NORMAL = 1000
"RFC 6455, 7.4.1."


class GoogleTranslator:
    """
    The client's side of one connection; see :class:`unirt.translator.Translator`.

    Args:
        config: What is asked for; a model that is a resource path of Vertex AI's says the backend.
        ids: Mints ids, by noun.
        offline: Whether the frames come from a recording.

    Raises:
        UnsupportedSetting: The model cannot do what `config` asks.
    """

    def __init__(
        self,
        config: SessionConfig,
        *,
        ids: Callable[[str], str] | None = None,
        offline: bool = False,
    ) -> None:
        full = with_defaults(config)
        model = full.model or ""
        self._capabilities = capabilities(model)
        self._capabilities.check_config(config)
        self._setup = setup_frame(full)
        setup = self._setup["setup"]
        composer = Composer(
            PROVIDER_NAME,
            ids=ids or counting_ids(),
            parse_native=parse_native,
            clocked=not offline,
            goes_on="handle" in setup.get("sessionResumption", {}),
        )
        user = User(composer)
        realtime = setup.get("realtimeInputConfig", {})
        detection = realtime.get("automaticActivityDetection", {})
        history = setup.get("historyConfig", {})
        self._dialogue = Dialogue(
            composer=composer,
            user=user,
            answer=Answer(composer, user, offline=offline),
            gate=Gate(composer, guards=not hears_beside_tools(model)),
            family=family_of(model),
            vertex=is_vertex(model),
            config=full,
            asked_model=config.model if offline else full.model,
            manual=bool(detection.get("disabled")),
            interrupts=realtime.get("activityHandling") != "NO_INTERRUPTION",
            awaits_history=bool(history.get("initialHistoryInClientContent")),
            offline=offline,
        )

    @property
    def capabilities(self) -> Capabilities:
        return self._capabilities

    @property
    def config(self) -> SessionConfig:
        return self._dialogue.config

    @property
    def ready(self) -> bool:
        return self._dialogue.ready

    def changing(self, setting: str) -> Changing:
        return self._capabilities.changing(setting)

    def start(self, now: float) -> None:
        self._dialogue.composer.begin(None, now)
        self._dialogue.frames.append(json.dumps(self._setup, separators=(",", ":")))

    def send(self, command: Command, now: float) -> None:
        composer = self._dialogue.composer
        if composer.closed:
            raise SessionClosedError(type(command).__name__)
        self._capabilities.check_command(command)
        if type(command) is AppendAudio:  # fifty times a second, so the short way
            if self._dialogue.gate.closed:
                composer.begin(None, now)
            outbound.append(self._dialogue, command.data)
            return
        composer.begin(None, now)
        outbound.say(self._dialogue, command)
        self._dialogue.frames += self._dialogue.gate.settle()

    def receive(self, frame: Frame | Mapping[str, object], now: float) -> bool:
        dialogue = self._dialogue
        composer, speaking = dialogue.composer, dialogue.answer.speaking
        if (
            speaking is not None
            and type(frame) is bytes
            and composer.same_again(speaking, frame, now)
        ):
            return True
        if composer.closed:  # then no stream is open, so nothing went the short way
            return False
        if not isinstance(frame, _TEXT):
            composer.begin(frame, now)
            self._hear(dict(frame))
            return False
        try:
            data = parse_frame(frame)
        except WireError as exc:
            composer.begin(frame, now)
            composer.emit(Malformed, where=exc.path, what=exc.what)
            return False
        # A frame that says `null` is told as text: no JSON at all would mean no frame.
        composer.begin(frame if data is None else data, now)
        if speaking is not None and goes_on(composer, speaking, data, frame):
            return True
        self._hear(data)
        return False

    def _hear(self, data: Any) -> None:
        dialogue, composer = self._dialogue, self._dialogue.composer
        was_ready = dialogue.ready
        try:
            inbound.hear(dialogue, Wire(data))
        except WireError as exc:
            composer.emit(Malformed, where=exc.path, what=exc.what)
        if composer.silent:
            composer.noted("serverContent", "empty: a sign of life")
        if not dialogue.offline:
            self._go_on(just_ready=dialogue.ready and not was_ready)

    def _go_on(self, *, just_ready: bool) -> None:
        """Queue what waited for the frame that was just heard."""
        dialogue = self._dialogue
        dialogue.frames += dialogue.gate.settle()
        if just_ready and dialogue.config.history:
            outbound.seed(dialogue, dialogue.config.history)
        if dialogue.composer.active is None:
            outbound.release(dialogue)

    def receive_close(
        self, code: int | None, reason: str, by: str, now: float, *, goes_on: bool = False
    ) -> None:
        composer = self._dialogue.composer
        composer.begin(None, now)
        self._dialogue.user.settle()
        if goes_on:
            composer.session_moves()
            return
        clean = by == "local" or code == _NORMAL
        self._dialogue.gate.end()
        composer.session_closed(code=code, reason=reason, by=by, clean=clean)

    def get_timer(self) -> float | None:
        return None

    def handle_timer(self, now: float) -> None:
        """Do nothing: nothing is waited for."""

    def frames_to_send(self) -> list[Frame]:
        frames, self._dialogue.frames = self._dialogue.frames, []
        return frames

    def events_received(self) -> list[Event]:
        return self._dialogue.composer.events_received()

    def playback(self, now: float) -> tuple[ResponsePlayback, ...]:
        return self._dialogue.composer.playbacks(now)
