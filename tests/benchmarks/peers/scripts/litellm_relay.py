"""
litellm: the relay of its proxy, called as a library.

A relay hands JSON text to the client at its other end; whoever wants PCM decodes it there. So the
client here is a stub that measures the base64 of each audio delta where it stands in the text,
parses nothing, and decodes no more than the time stamp of a paced load.
"""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import litellm
import websockets.exceptions  # noqa: F401  (the relay uses it, and leaves its import to the proxy)

from ...contender import Contender, Meter, Task, main

_MODELS = {"openai": "openai/gpt-realtime", "google": "gemini/gemini-2.5-flash-native-audio"}
_STAMPED = 12
"The base64 of the 9 bytes that begin with a time stamp."
_HEAD, _TAIL = 200, 400
"How much of a message is searched for its type, from either end, in characters."


class Litellm(Contender):
    """Runs ``_arealtime``, which the proxy's endpoint runs for each client."""

    name = "litellm"
    packages = ("litellm", "websockets", "pydantic")

    async def converse(self, task: Task, meter: Meter) -> None:
        """Be the client of the proxy: say one thing, and hear all replies."""
        client = Client(meter, paced=task.do == "paced")
        relay = asyncio.create_task(
            litellm._arealtime(
                model=_MODELS[task.protocol], websocket=client, api_base=task.url, api_key="a-key"
            )
        )
        try:
            await asyncio.wait({relay, client.over}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            client.leave()
            await relay


class Client:
    """What stands for the WebSocket of the proxy's client, as much of it as the relay uses."""

    def __init__(self, meter: Meter, *, paced: bool) -> None:
        self.scope: dict[str, Any] = {"headers": []}
        self.headers: dict[str, str] = {}
        self.over = asyncio.create_task(meter.finished.wait())
        self._meter = meter
        self._paced = paced
        self._says: asyncio.Queue[str | None] = asyncio.Queue()

    async def receive_text(self) -> str:
        """What the client says next; raises when it has gone."""
        said = await self._says.get()
        if said is None:
            raise ConnectionError("the client has gone")
        return said

    async def send_text(self, data: str) -> None:
        """What the client hears."""
        ends = data[:_HEAD] + data[-_TAIL:]
        if '"response.output_audio.delta"' in ends or '"response.audio.delta"' in ends:
            self._hear(data)
        elif '"response.done"' in ends:
            self._meter.turn()
        elif '"session.created"' in ends:
            self._ask()

    async def close(self, code: int = 1000, reason: str | None = None) -> None:
        """The relay is over."""

    def leave(self) -> None:
        """The client goes."""
        self._says.put_nowait(None)

    def _ask(self) -> None:
        content = [{"type": "input_text", "text": "Hello!"}]
        item = {"type": "message", "role": "user", "content": content}
        self._says.put_nowait(json.dumps({"type": "conversation.item.create", "item": item}))
        self._says.put_nowait(json.dumps({"type": "response.create"}))
        self._meter.start()

    def _hear(self, data: str) -> None:
        start = data.index('"delta": "') + len('"delta": "')
        end = data.index('"', start)
        size = (end - start) * 3 // 4 - data.count("=", end - 2, end)
        head = base64.b64decode(data[start : start + _STAMPED]) if self._paced else b""
        self._meter.audio(_Measured(head, size))


class _Measured(bytes):
    """The first bytes of a piece of audio, and the length of all of it."""

    _size: int

    def __new__(cls, head: bytes, size: int) -> _Measured:
        self = super().__new__(cls, head)
        self._size = size
        return self

    def __len__(self) -> int:
        return self._size


if __name__ == "__main__":
    main(Litellm())
