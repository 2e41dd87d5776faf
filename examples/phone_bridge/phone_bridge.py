"""
A phone bridge: whoever calls a number talks to a realtime model.

It speaks Twilio's Media Streams, as documented at
https://www.twilio.com/docs/voice/media-streams/websocket-messages (2026-11). A call goes so:

- Somebody calls. Twilio asks ``/voice`` what to do, and is told to open a stream to ``/media``.
- ``connected`` and ``start`` come, then ``media``: 20 ms of G.711 mu-law, fifty times a second.
- What the model says goes back as ``media``, each piece with a ``mark`` behind it. Twilio sends
  the mark back when the piece was played. So the session knows what was heard, to 20 ms, and
  tells the model when the caller interrupts; then Twilio is told to ``clear`` what it holds.
- Keys come as ``dtmf``, and go to the model in writing.
- Either side may hang up: the caller by ``stop``, or by being gone; the model by its tool.

A model that listens to G.711 is sent what comes from the line, untouched. For any other the session
converts both ways. Which is which, the session knows: what a model cannot is refused.

Running it, with a provider and its key in the environment:

    python -m pip install "unirt-realtime[openai,google]" "uvicorn[standard]" starlette
    uvicorn --app-dir examples/phone_bridge phone_bridge:app

Twilio has to reach it by ``https`` and ``wss``, and whoever reaches it can talk to your model: put
a check of ``X-Twilio-Signature`` before it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections import deque
from collections.abc import AsyncIterator
from typing import Any
from xml.sax.saxutils import quoteattr

import pybase64
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

import unirt

LINE = unirt.G711_ULAW
"What a phone line carries."
PIECE_MS = 20
"How much sound goes in one message, and how exactly it is known what was heard."
INSTRUCTIONS = "You are on the phone. Speak in short sentences. When all is said, hang up."
GREETING = "(The caller is on the line. Greet them.)"

_LOG = logging.getLogger("phone_bridge")


class Call:
    """
    One call.

    Args:
        phone: The stream's socket.
        stream: Twilio's id of the stream.
    """

    def __init__(self, phone: WebSocket, stream: str) -> None:
        self._phone = phone
        self._stream = stream
        self._unheard: deque[tuple[str, float]] = deque()
        "The marks that are on their way, each with how much sound is before it, in ms."
        self._marks = 0
        self._goodbye_after: str | None = None
        "The model wants to hang up: the response in which it said so."
        self._goodbye_said = False
        self._over = asyncio.Event()

    async def hold(self) -> None:
        """Talk until one side hangs up."""
        async with self._connected() as session:
            _LOG.info("a call, with %s %s", session.provider, session.model)
            work = (self._hear(session), self._speak(session), self._over.wait())
            tasks = [asyncio.create_task(each) for each in work]
            try:
                await session.send_text(GREETING)
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in tasks:
                    task.cancel()
                ends = await asyncio.gather(*tasks, return_exceptions=True)
        for end in ends:
            if isinstance(end, Exception):
                raise end

    @contextlib.asynccontextmanager
    async def _connected(self) -> AsyncIterator[unirt.Session]:
        """A session that speaks as the line does, by itself or by conversion."""
        asked: dict[str, Any] = {
            "instructions": INSTRUCTIONS,
            "tools": [self.hang_up],
            "audio_in": LINE,
            "audio_out": LINE,
        }
        async with contextlib.AsyncExitStack() as stack:
            try:
                native = unirt.connect(**asked, input_format=LINE, output_format=LINE)
                session = await stack.enter_async_context(native)
            except unirt.UnsupportedSetting:
                session = await stack.enter_async_context(unirt.connect(**asked))
            yield session

    # From the phone.

    async def _hear(self, session: unirt.Session) -> None:
        async for message in self._phone.iter_text():
            said = json.loads(message)
            match said["event"]:
                case "media":
                    await session.send_audio(pybase64.b64decode(said["media"]["payload"]), LINE)
                case "mark":
                    self._played(session, said["mark"]["name"])
                case "dtmf":
                    await session.send_text(f"(The caller pressed {said['dtmf']['digit']}.)")
                case "stop":
                    return

    def _played(self, session: unirt.Session, name: str) -> None:
        """A mark came back. One that was cleared is not known any more, and counts for nothing."""
        if self._unheard and self._unheard[0][0] == name:
            session.playback.played(self._unheard.popleft()[1])
            self._leave()

    # To the phone.

    async def _speak(self, session: unirt.Session) -> None:
        async for event in session:
            match event:
                case unirt.AudioDelta(data=data):
                    session.playback.played(0)  # what is heard is what marks tell, from the start
                    for start in range(0, len(data), LINE.bytes_for(PIECE_MS)):
                        await self._play(data[start : start + LINE.bytes_for(PIECE_MS)])
                case unirt.Interrupted(heard_ms=heard_ms):
                    self._unheard.clear()
                    session.playback.flushed()
                    await self._send("clear")
                    _LOG.info("interrupted after %s ms", heard_ms)
                case unirt.StreamClosed(role=role, kind="text" | "transcript", text=text) if text:
                    _LOG.info("%s: %s", role, text)
                case unirt.ResponseDone(response_id=response, ending="complete"):
                    if self._goodbye_after not in (None, response):
                        self._goodbye_said = True
                        self._leave()

    async def _play(self, piece: bytes) -> None:
        self._marks += 1
        name = str(self._marks)
        self._unheard.append((name, LINE.duration_ms(len(piece))))
        await self._send("media", {"payload": pybase64.b64encode_as_string(piece)})
        await self._send("mark", {"name": name})

    async def _send(self, event: str, about: dict[str, str] | None = None) -> None:
        said: dict[str, Any] = {"event": event, "streamSid": self._stream}
        if about is not None:
            said[event] = about
        await self._phone.send_text(json.dumps(said))

    # The end.

    async def hang_up(self, call: unirt.ToolContext) -> str:
        """End the call, once you have said goodbye."""
        self._goodbye_after = call.response_id
        return "Say goodbye now; the call ends when the caller has heard it."

    def _leave(self) -> None:
        if self._goodbye_said and not self._unheard:
            self._over.set()


async def voice(request: Request) -> Response:
    """What Twilio is to do with a call: TwiML."""
    url = quoteattr(f"wss://{request.url.netloc}/media")
    twiml = f"<Response><Connect><Stream url={url}/></Connect></Response>"
    return Response(f'<?xml version="1.0" encoding="UTF-8"?>{twiml}', media_type="text/xml")


async def media(phone: WebSocket) -> None:
    """One stream, from its first message to the end of the call."""
    await phone.accept()
    with contextlib.suppress(WebSocketDisconnect):
        async for message in phone.iter_text():
            said = json.loads(message)
            if said["event"] != "start":
                continue
            try:
                await Call(phone, said["start"]["streamSid"]).hold()
            except unirt.UnirtError as exc:
                _LOG.error("the call ends: %s", exc)
            break
        await phone.close()


app = Starlette(
    routes=[Route("/voice", voice, methods=["GET", "POST"]), WebSocketRoute("/media", media)]
)
