"""
The client's side of OpenAI's Realtime protocol, without any I/O.

The handshake: the provider greets with ``session.created``; the configuration follows as one
``session.update``; its ``session.updated`` makes the session ready, and the history is seeded
behind it. Who joins a call that runs is not greeted, speaks first, and changes nothing of the call
but what is asked for. Nor are others everywhere: after :data:`GREETING_S` of silence the client
speaks first, too. Sending the configuration only after the greeting is what was seen to work
everywhere (recorded sessions, 2026-11).

Audio comes in the frames, or beside them where :meth:`OpenAITranslator.audio_beside` was called,
as in a call; see :mod:`unirt_openai.media`.

Timers: the missing greeting, a request for a response that nothing answers, and the warning before
the session ends, at the provider's cap or when it said.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from unirt.capabilities import Capabilities, Changing
from unirt.commands import AppendAudio, Command
from unirt.composer import Composer, counting_ids
from unirt.config import SessionConfig
from unirt.events import Event, SessionExpiring
from unirt.playback import ResponsePlayback
from unirt.translator import Frame
from unirt.wire import WireError, parse_frame
from unirt_openai import inbound, media, outbound, sizes
from unirt_openai.configure import session_object, with_defaults
from unirt_openai.facts import (
    DEFAULT_MODEL,
    MAX_SESSION_MS,
    PROVIDER_NAME,
    VOICE_AFTER_AUDIO,
    capabilities,
)
from unirt_openai.inbound.items import deliver_unconfirmed
from unirt_openai.native import parse_native
from unirt_openai.speaking import goes_on
from unirt_openai.state import State, dig

__all__ = ["OpenAITranslator"]

GREETING_S = 1.0
"How long the provider may take to greet, in seconds."

WARNING_S = 60.0
"How long before the session ends the application is warned, in seconds."

LEAST_S = 300.0
"A session that is told to end sooner is not: the clock of this machine is another one's."

_TEXT = (str, bytes, bytearray, memoryview)
"What a frame is before it is decoded."

_CUTS_SHORT = frozenset({"input_audio_buffer.speech_started", "output_audio_buffer.cleared"})
"What says that nobody waits any more for what is to be heard."

_GREETINGS = frozenset({"session.created", "conversation.created"})


class OpenAITranslator:
    """
    One connection.

    Args:
        config: What is asked for.
        ids: Mints ids; counts by default.
        offline: Whether the frames come from a recording; then nothing is sent by itself.

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
        facts = capabilities(config.model or DEFAULT_MODEL)
        facts.check_config(config)
        self._asked = session_object(config, facts)
        "What is asked for, without defaults: what is configured already keeps what it has."
        config = with_defaults(config)
        self._offline = offline
        self._epoch: float | None = None
        "When `now` was 0, in Unix seconds; ``None`` where nobody knows."
        self._session = session_object(config, facts)
        composer = Composer(
            PROVIDER_NAME,
            ids=ids or counting_ids(),
            parse_native=parse_native,
            clocked=not offline,
        )
        self._state = State(composer=composer, capabilities=facts, config=config)
        self._begun = self._configured = False
        self._ready = offline
        self._greet_by: float | None = None
        self._warn_at: float | None = None

    @property
    def capabilities(self) -> Capabilities:
        """The facts about the model in use."""
        return self._state.capabilities

    @property
    def config(self) -> SessionConfig:
        """What is configured, unirt's defaults and all updates included."""
        return self._state.config

    @property
    def ready(self) -> bool:
        """Whether the configuration is in force and the history is seeded."""
        return self._ready

    def changing(self, setting: str) -> Changing:
        """How a setting can change now: who speaks only until something was spoken."""
        if setting == "voice" and self._state.composer.spoke:
            return VOICE_AFTER_AUDIO
        return self._state.capabilities.changing(setting)

    def counts_from(self, epoch: float) -> None:
        """`now` is 0 at that time of day, in Unix seconds; before :meth:`start`."""
        self._epoch = epoch

    def start(self, now: float) -> None:
        """The connection is open: wait for the greeting, where one comes."""
        if self._state.joined:
            self._configure()
        elif not self._offline:
            self._greet_by = now + GREETING_S

    def send(self, command: Command, now: float) -> None:
        """
        Queue the frames of a command.

        Raises:
            UnirtError: It cannot be done; nothing of it was queued.
        """
        state = self._state
        state.capabilities.check_command(command)
        if type(command) is AppendAudio:  # fifty times a second, so the short way
            outbound.append(state, command.data)
            return
        if state.media is not None:
            sizes.check(state, command, state.media.largest)
        state.now = now
        state.composer.begin(None, now)
        outbound.say(state, command)

    def receive(self, frame: Frame | Mapping[str, object], now: float) -> bool:
        """Take one frame, as received or already decoded. Never raises."""
        state = self._state
        composer = state.composer
        speaking = state.speaking
        if (
            speaking is not None
            and type(frame) is bytes
            and composer.same_again(speaking, frame, now)
        ):
            return True
        if composer.closed:  # then no stream is open, so nothing went the short way
            return False
        state.now = now
        queued = len(state.frames)
        try:
            data = parse_frame(frame) if isinstance(frame, _TEXT) else _plain(frame)
        except WireError as error:
            composer.begin(frame, now)
            inbound.complain(state, error)
            return False
        if state.media is not None and self._waits(state.media, data, frame):
            return False
        composer.begin(frame if data is None else data, now)
        if speaking is not None and goes_on(composer, speaking, data, frame):
            return True
        self._hear(data)
        if state.media is not None:
            self._let_go(state.media)
        if self._offline:
            del state.frames[queued:]
        return False

    def _hear(self, data: object) -> None:
        """Tell what a decoded frame says, on the occasion that was begun."""
        state = self._state
        try:
            type_ = inbound.hear(state, data)
            if not self._ready:
                self._advance(type_, state.now)
            state.requests.flush(state.now)
        except WireError as error:
            inbound.complain(state, error)

    # Calls.

    def joins_call(self) -> None:
        """The connection controls a call that runs already; called before the start."""
        state = self._state
        state.joined = True
        state.capabilities = capabilities(state.config.model or DEFAULT_MODEL, joined=True)
        self.keeps_settings()

    def keeps_settings(self) -> None:
        """What the connection opens is configured; called before the start."""
        self._session = self._asked

    def audio_beside(self, largest: int | None = None) -> None:
        """
        Audio goes beside the frames, which may have so many bytes; called before the start.

        Raises:
            UnsupportedSetting: Something that is configured cannot be had then.
        """
        state = self._state
        if state.media is None:
            facts = capabilities(state.config.model or DEFAULT_MODEL, in_a_call=True)
            facts.check_config(state.config)
            state.capabilities = facts
            state.media = media.Media(release=self._release)
        state.media.largest = largest

    def receive_audio(self, data: bytes, now: float) -> None:
        """Take the next piece of what is heard, silence included. Never raises."""
        state = self._state
        if state.composer.closed or state.media is None:
            return
        state.now = now
        state.composer.begin(None, now)
        media.hear(state, state.media, data, now)
        self._let_go(state.media)

    def audio_to_send(self) -> list[bytes]:
        """Take the audio to send, in order."""
        beside = self._state.media
        if beside is None:
            return []
        outgoing, beside.outgoing = beside.outgoing, []
        return outgoing

    @property
    def audio_waits(self) -> bool:
        """Whether the provider is to empty its input, and has not said that it is empty."""
        beside = self._state.media
        return beside is not None and bool(beside.clearing)

    def _waits(
        self, beside: media.Media, data: object, frame: Frame | Mapping[str, object]
    ) -> bool:
        """Whether a frame is not to be heard yet; then it is noted."""
        state = self._state
        type_ = dig(data, "type")
        if type_ in _CUTS_SHORT:
            self._release()
        elif type_ == "output_audio_buffer.started" and beside.is_other(dig(data, "response_id")):
            beside.finish()  # of the one before nothing comes any more
            self._let_go(beside)
        if not media.holds(state, beside, data) or not isinstance(data, dict):
            return False
        state.composer.begin(data, state.now)
        state.composer.noted(str(data["type"]), "it waits until what was said before is heard")
        beside.held.append(media.Held(data, frame))
        self._let_go(beside)
        return True

    def _let_go(self, beside: media.Media) -> None:
        """Hear the frames that need not wait any more."""
        beside.give_up(self._state.now)
        while beside.held and beside.over:
            if media.must_wait(self._state, beside, beside.held[0].data):
                continue
            self._hear_next(beside)

    def _release(self) -> None:
        """Hear all frames that wait, for nobody waits for what was to be heard before them."""
        beside = self._state.media
        while beside is not None and beside.held:
            self._hear_next(beside)

    def _hear_next(self, beside: media.Media) -> None:
        held = beside.held.popleft()
        self._state.composer.begin(held.data, self._state.now)
        self._hear(held.data)

    def _advance(self, type_: str, now: float) -> None:
        """Go on with the handshake."""
        state = self._state
        if not self._begun:
            self._begun = True
            self._warn_at = now + self._lasts(now) - WARNING_S
        if type_ in _GREETINGS:
            self._configure()
        if state.acknowledged and self._configured:
            self._ready = True
            if state.config.history:
                outbound.seed(state, state.config.history)

    def _lasts(self, now: float) -> float:
        """For how long yet, in seconds: until ``expires_at``, or the provider's cap."""
        most = MAX_SESSION_MS / 1000
        until = self._state.told.get("expires_at")
        if self._epoch is None or not isinstance(until, int | float) or not 0 < until < 1e12:
            return most
        left = until - self._epoch - now
        return left if LEAST_S <= left < most else most

    def _configure(self) -> None:
        self._greet_by = None
        if not self._configured:
            self._configured = True
            self._state.say("session.update", session=self._session)

    def receive_close(
        self, code: int | None, reason: str, by: str, now: float, *, goes_on: bool = False
    ) -> None:
        """
        The connection is gone. Never raises.

        Only a close with 1000, or one of our own, is clean: the provider ends a session that
        reached its cap with 1001.
        """
        self._greet_by = self._warn_at = None
        self._state.now = now
        self._release()
        self._state.composer.begin(None, now)
        deliver_unconfirmed(self._state)
        if goes_on:
            self._state.composer.session_moves()
            return
        self._state.composer.session_closed(
            code=code, reason=reason, by=by, clean=code == 1000 or by == "local"
        )

    def get_timer(self) -> float | None:
        """When :meth:`handle_timer` wants to be called next; ``None`` for never."""
        if self._state.composer.closed:
            return None
        deadline, beside = self._state.requests.deadline, self._state.media
        if deadline is None and self._greet_by is None and beside is None:
            return self._warn_at
        heard_by = None if beside is None else beside.deadline
        due = (self._greet_by, self._warn_at, deadline, heard_by)
        return min((t for t in due if t is not None), default=None)

    def handle_timer(self, now: float) -> None:
        """Do what is due. Never raises."""
        state = self._state
        if state.composer.closed:
            return
        state.now = now
        state.composer.begin(None, now)
        if self._greet_by is not None and now >= self._greet_by:
            self._configure()
        if self._warn_at is not None and now >= self._warn_at:
            self._warn_at = None
            state.composer.emit(SessionExpiring, synthesised=True, time_left_ms=WARNING_S * 1000)
        if state.media is not None:
            self._let_go(state.media)
            state.composer.begin(None, now)
        state.requests.flush(now)

    def frames_to_send(self) -> list[Frame]:
        """Take the frames to send, in order."""
        frames, self._state.frames = self._state.frames, []
        return frames

    def events_received(self) -> list[Event]:
        """Take the events, in order."""
        return self._state.composer.events_received()

    def playback(self, now: float) -> tuple[ResponsePlayback, ...]:
        """How far the latest responses with audio were played, in order."""
        return self._state.composer.playbacks(now)


def _plain(frame: object) -> object:
    return dict(frame) if isinstance(frame, Mapping) and type(frame) is not dict else frame
