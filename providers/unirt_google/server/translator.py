"""
The server's side of Gemini Live: the inverse of the client's translator.

:class:`GoogleServer` hears client messages and hands on what they mean as canonical commands; it is
told canonical events and says them as Google does. Simulators are built on it. It is sans-IO: no
socket, no clock, no randomness. What Google's servers refuse, they refuse by closing the
connection; there is no error message.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from unirt.commands import Command
from unirt.config import SessionConfig
from unirt.events import Event
from unirt.passes import Pass, Passes
from unirt.translator import Frame, Heard, Reply, Request, Upgrade, Verdict
from unirt.wire import WireError, parse_frame
from unirt_google.families import family_of, is_vertex
from unirt_google.server.checks import invalid, one_spelling
from unirt_google.server.commands import Listener
from unirt_google.server.frames import Speaker
from unirt_google.server.setup import accepted
from unirt_google.server.state import HangUp, ServerState
from unirt_google.server.tokens import TOKEN, token_for

__all__ = ["GoogleServer"]

_REFUSALS = {
    "gemini": (
        403,
        "PERMISSION_DENIED",
        "Method doesn't allow unregistered callers (callers without established identity). Please "
        "use API Key or other form of API consumer identity to call this API.",
    ),
    "vertex": (
        401,
        "UNAUTHENTICATED",
        "Request is missing required authentication credential. Expected OAuth 2 access token, "
        "login cookie or other valid authentication credential.",
    ),
}
"What a caller without credentials is told, by dialect."
_UNKNOWN_TOKEN = (401, "UNAUTHENTICATED", "The auth token is invalid or has expired.")
_USED_UP = 1008, "The auth token opens no more sessions."
_TOO_OLD = 1008, "The auth token has expired."


class GoogleServer:
    """
    One connection of one client.

    Args:
        model: A model to serve besides all that have a Live model's name.
        ids: Mints ids by noun; by default they count.
        dialect: ``gemini`` or ``vertex``. A client that sets up a model by Vertex AI's resource
            path is answered in Vertex AI's dialect either way.
        bundle: Whether sound and its transcript share a frame where they come together, as newer
            models send them.
    """

    def __init__(
        self,
        *,
        model: str | None = None,
        ids: Callable[[str], str] | None = None,
        dialect: str = "gemini",
        bundle: bool = False,
    ) -> None:
        self.passes: Passes | None = None
        "The tokens that were given out, where somebody keeps a book of them."
        self._model = model
        self._state = ServerState(ids or _counting(), dialect=dialect, bundle=bundle)
        self._speaker = Speaker(self._state)
        self._listener = Listener(self._state)
        self._heard: list[Heard] = []
        self._pass: Pass | None = None
        "What the client's token stands for, where it brought one."

    # The connection.

    def upgrade(self, request: Upgrade) -> Verdict:
        """Accept a request on any path that brings a key, or a token that is good yet."""
        given = (
            request.headers.get("x-goog-api-key"),
            request.headers.get("authorization", "").partition(" ")[2].strip(),
            request.query.get("key"),
            request.query.get("access_token"),
        )
        if not any(given):
            return _refusal(*_REFUSALS["vertex" if self._state.vertex else "gemini"])
        token = next((key for key in given if key and key.startswith(TOKEN)), None)
        if token is not None and self.passes is not None:
            self._pass = self.passes.find(token)
            if self._pass is None or self._pass.over(request.at):
                return _refusal(*_UNKNOWN_TOKEN)
        return Verdict()

    def request(self, request: Request, now: float) -> Reply:
        """Hear a request for a token."""
        return token_for(request, Passes() if self.passes is None else self.passes, now)

    def start(self, now: float) -> None:
        """Say nothing: the client speaks first."""

    @property
    def config(self) -> SessionConfig:
        """What the client set up, and what it says of its audio as it goes on."""
        return self._state.config

    @property
    def ready(self) -> bool:
        """Whether the setup was accepted."""
        return self._state.setup is not None

    # What the client says.

    def receive(self, frame: Frame, now: float) -> None:
        """Hear one client message; nothing is heard after one that ended the connection."""
        if self._state.close is not None:
            return
        kind = ""
        try:
            message = _opened(frame)
            kind = next(iter(message), "")
            if len(message) > 1:
                raise invalid()
            if self._pass is not None and self._pass.over(now):
                raise HangUp(*_TOO_OLD)
            commands = self._hear(kind, message, now) if kind else []
        except HangUp as hang_up:
            self._state.hang_up(hang_up.code, hang_up.reason)
            commands = []
        if not commands:
            self._heard.append(Heard(command=None, type=kind))
        self._heard += [Heard(command=command, type=kind) for command in commands]

    def _hear(self, kind: str, message: dict[str, Any], now: float) -> list[Command]:
        if self._state.setup is not None and kind != "setup":
            return self._listener.hear(kind, message[kind])
        if self._state.setup is not None or kind != "setup":
            raise invalid()
        setup = message["setup"]
        self._set_up(setup if self._pass is None else _permitted(setup, self._pass, now))
        return []

    def _set_up(self, setup: Any) -> None:
        state = self._state
        state.config = accepted(setup, also=self._model)
        state.setup = setup
        state.family = family_of(setup["model"])
        if is_vertex(setup["model"]):
            state.dialect = "vertex"
        history = setup.get("historyConfig") or {}
        state.seeding = bool(history.get("initialHistoryInClientContent"))
        state.say(setupComplete={"sessionId": state.mint("session")} if state.vertex else {})

    def heard(self) -> list[Heard]:
        """Take what the client said."""
        heard, self._heard = self._heard, []
        return heard

    # What the client is told.

    def send(self, event: Event, now: float) -> None:
        """Say an event; one without words on this wire is dropped."""
        self._speaker.say(event)

    def frames_to_send(self) -> list[Frame]:
        """Take the frames, in order."""
        frames, self._state.frames = self._state.frames, []
        return [json.dumps(frame, separators=(",", ":")) for frame in frames]

    def close_wanted(self) -> tuple[int, str] | None:
        """How to hang up, once the client has broken the protocol or the session is over."""
        return self._state.close


def _permitted(setup: Any, given: Pass, now: float) -> Any:
    """The setup that a token allows: its own where it has one, but for what is to be resumed."""
    resumption = setup.get("sessionResumption") if isinstance(setup, dict) else None
    resumes = isinstance(resumption, dict) and bool(resumption.get("handle"))
    if not (resumes or given.begin(now)):
        raise HangUp(*_USED_UP)
    if given.opens is None:
        return setup
    return {**given.opens, "sessionResumption": resumption} if resumes else given.opens


def _refusal(code: int, status: str, message: str) -> Verdict:
    error = {"code": code, "message": message, "status": status}
    return Verdict(status=code, body=json.dumps({"error": error}, indent=2))


def _opened(frame: Frame) -> dict[str, Any]:
    try:
        message = parse_frame(frame)
    except WireError:
        message = None
    if not isinstance(message, dict):
        raise invalid("Invalid JSON payload received.")
    return dict(one_spelling(message))


def _counting() -> Callable[[str], str]:
    """Ids that count; a session's has the form of a UUID, as Vertex AI's have."""
    counts: dict[str, int] = {}

    def mint(noun: str) -> str:
        counts[noun] = count = counts.get(noun, 0) + 1
        if noun == "session":
            return f"00000000-0000-4000-8000-{count:012d}"
        return f"{noun}_{count}"

    return mint
