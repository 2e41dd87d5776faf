"""
The server's side of OpenAI Realtime: the inverse of the client's translator.

:class:`OpenAIServer` hears client frames, answers those that a server answers by itself
(acknowledgements, refusals, the session object), and hands on what they mean as canonical commands;
it is told canonical events and says them in OpenAI's frames, in recorded order and with recorded
fields. Simulators are built on it. It is sans-IO: no socket, no clock, no randomness.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from unirt.commands import AppendAudio
from unirt.config import SessionConfig
from unirt.events import Event, SessionClosed
from unirt.passes import Passes
from unirt.translator import Frame, HangUp, Heard, Offer, Reply, Request, Upgrade, Verdict
from unirt.wire import Wire, WireError, parse_frame
from unirt_openai.server.checks import Refused
from unirt_openai.server.commands import Listener
from unirt_openai.server.frames import Speaker
from unirt_openai.server.rest import Called, answer_to, configured_by, refusal
from unirt_openai.server.session import DEFAULT_MODEL, new_session, updated_session
from unirt_openai.server.state import ServerState

__all__ = ["OpenAIServer"]

_LIFETIME_S = 60 * 60
"A session lasts 60 minutes (developers.openai.com, Realtime guide, 2026-11)."
_KEY_PROTOCOL = "openai-insecure-api-key."
"How browsers, which cannot set headers, pass a key among the WebSocket subprotocols."


class OpenAIServer:
    """
    One connection of one client.

    Args:
        model: What is served to a client that names no model.
        ids: Mints ids by noun; by default they count in the provider's style, ``resp_1``.
    """

    def __init__(
        self, *, model: str | None = None, ids: Callable[[str], str] | None = None
    ) -> None:
        self.passes: Passes | None = None
        "The client secrets that were given out, where somebody keeps a book of them."
        self._state = ServerState(ids or _counting(), model or DEFAULT_MODEL)
        self._speaker = Speaker(self._state)
        self._listener = Listener(self._state, self._speaker.input)
        self._transcription = False
        self._sideband = False
        self._asked: dict[str, Any] = {}
        "What the client configured before it connected."
        self._ready = False
        self._heard: list[Heard] = []
        self._close: tuple[int, str] | None = None

    # The connection.

    def upgrade(self, request: Upgrade) -> Verdict:
        """Accept a request for ``…/realtime`` that brings a key, or a secret that is good yet."""
        if not request.path.rstrip("/").endswith("/realtime"):
            return _refusal(404, f"Invalid URL (GET {request.path})")
        protocols = request.headers.get("sec-websocket-protocol", "").replace(" ", "").split(",")
        bearer = request.headers.get("authorization", "").removeprefix("Bearer").strip()
        offered = [p.removeprefix(_KEY_PROTOCOL) for p in protocols if p.startswith(_KEY_PROTOCOL)]
        key = bearer or "".join(offered[:1]) or request.headers.get("api-key", "")
        if not key:
            return _refusal(
                401,
                "You didn't provide an API key. You need to provide your API key in an "
                "Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).",
            )
        try:
            self._asked = configured_by(key, self.passes, request.at)
        except Refused as refused:
            return _refusal(401, refused.message)
        self._state.model = (
            request.query.get("model") or request.query.get("deployment") or self._state.model
        )
        self._transcription = request.query.get("intent") == "transcription"
        self._sideband = "call_id" in request.query
        return Verdict(
            subprotocol="realtime" if "realtime" in protocols else None,
            joins=request.query.get("call_id"),
        )

    def request(self, request: Request, now: float) -> Reply | Offer | HangUp:
        """Hear a request for a call, for its end, or for a client secret."""
        answer = answer_to(request, self._state.mint, self._state.model, now, self.passes)
        if isinstance(answer, Called):
            self._asked = answer.session
            self._state.model = answer.session.get("model") or self._state.model
            self.audio_beside()
            return answer.offer
        return answer

    def audio_beside(self) -> None:
        """The connection is a call: audio is heard beside the frames."""
        self._state.in_call = True

    def start(self, now: float) -> None:
        """
        Open the session.

        It expires an hour after `now`, so ``expires_at`` is a Unix time if `now` is one. A control
        connection to a call that runs already is not told of its session (recorded, 2026-11).
        """
        session = new_session(
            self._state.mint("sess"),
            self._state.model,
            int(now) + _LIFETIME_S,
            transcription=self._transcription,
        )
        if self._asked:
            session = updated_session(
                session,
                {"type": "realtime", **self._asked, "model": self._state.model},
                has_spoken=False,
            )
        self._state.configure(session)
        if not self._sideband:
            self._state.say("session.created", session=self._state.session)

    @property
    def config(self) -> SessionConfig:
        """The session in force, the provider's defaults included."""
        return self._state.config

    @property
    def ready(self) -> bool:
        """Whether the client has configured the session, or has gone on without doing so."""
        return self._ready

    # What the client says.

    def receive(self, frame: Frame, now: float) -> None:
        """Hear one client frame, and answer it as far as that is the protocol's business."""
        type_, event_id, command = "", None, None
        try:
            wire = _opened(frame)
            event_id = wire.text_or("event_id")
            if not isinstance(wire.data.get("type"), str):
                raise Refused("invalid_event", "The 'type' field is missing.", "type")
            type_ = wire.data["type"]
            command = self._listener.hear(type_, wire)
        except Refused as refused:
            self._state.say_error(refused, event_id)
        except WireError as exc:
            self._state.say_error(Refused("invalid_event", exc.what, "event_id"), None)
        self._ready = self._ready or command is not None
        self._heard.append(Heard(command=command, type=type_, command_id=event_id))

    def receive_audio(self, data: bytes, now: float) -> None:
        """Take the next piece of the client's audio, silence included."""
        self._state.buffer.size += len(data)
        self._state.buffer.total += len(data)
        self._heard.append(Heard(command=AppendAudio(data=data), type="audio"))

    def heard(self) -> list[Heard]:
        """Take what the client said."""
        heard, self._heard = self._heard, []
        return heard

    # What the client is told.

    def send(self, event: Event, now: float) -> None:
        """Say an event; one without words on this wire is dropped."""
        if isinstance(event, SessionClosed):
            self._close = (event.code or 1000, event.reason)
        else:
            self._speaker.say(event)

    def frames_to_send(self) -> list[Frame]:
        """Take the frames, in order."""
        frames = self._state.frames[:]
        self._state.frames.clear()
        return [json.dumps(frame, separators=(",", ":")) for frame in frames]

    def close_wanted(self) -> tuple[int, str] | None:
        """How to hang up, once a ``SessionClosed`` was sent."""
        return self._close


def _opened(frame: Frame) -> Wire:
    try:
        return Wire(parse_frame(frame))
    except WireError as exc:
        raise Refused(
            "invalid_event", f"Could not parse the event as a JSON object: {exc.what}."
        ) from None


def _refusal(status: int, message: str) -> Verdict:
    return Verdict(status=status, body=refusal(message))


def _counting() -> Callable[[str], str]:
    counts: dict[str, int] = {}

    def mint(noun: str) -> str:
        counts[noun] = counts.get(noun, 0) + 1
        return f"{noun}_{counts[noun]}"

    return mint
