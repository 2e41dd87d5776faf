"""
A relay: a browser talks by WebRTC to this server, and a session of any provider talks to it.

    python examples/browser_relay/server.py [port] [address ...]

The page knows no provider and holds no secret. Tools, history and failover are the server's.
"""

import asyncio
import contextlib
import json
import sys
from pathlib import Path

import unirt
from unirt.sound import Caller

PAGE = Path(__file__).with_name("index.html")
INSTRUCTIONS = "You are on the telephone. Be brief."


class Relay:
    """Answers the page, and has a session for each call."""

    def __init__(self, addresses: tuple[str, ...]) -> None:
        self.options = {"interfaces": addresses}
        self.calls: set[asyncio.Task[None]] = set()

    async def answer(self, offer: str) -> str:
        """Take a call; its session lasts as long as it does."""
        async with contextlib.AsyncExitStack() as until_answered:
            caller = await until_answered.enter_async_context(Caller(options=self.options))
            answer = await caller.answer(offer)
            call = asyncio.create_task(self.serve(caller, until_answered.pop_all()))
        self.calls.add(call)
        call.add_done_callback(self.calls.discard)
        return answer

    async def serve(self, caller: Caller, call: contextlib.AsyncExitStack) -> None:
        async with call:
            if not await caller.arrived():
                print("nobody came")
                return
            try:
                await self.talk(caller)
            except* unirt.UnirtError as group:
                print(f"the call ends: {group.exceptions[0]}")
        print(f"the call is over: {caller.ended}")

    async def talk(self, caller: Caller) -> None:
        async with (
            unirt.connect(instructions=INSTRUCTIONS) as session,
            asyncio.TaskGroup() as tasks,
        ):
            print(f"a call to {session.provider}, by {session.url.partition(':')[0]}")
            tasks.create_task(self.listen(session, caller))
            tasks.create_task(session.playback.play(caller.player))
            async for event in session:
                match event:
                    case unirt.StreamClosed(kind=unirt.StreamKind.TRANSCRIPT, text=str() as text):
                        print(f"{event.role}: {text}")
                        caller.say(json.dumps({"who": event.role, "text": text}))
                    case unirt.Interrupted():
                        caller.say(json.dumps({"who": "relay", "text": "interrupted"}))

    async def listen(self, session: unirt.Session, caller: Caller) -> None:
        await session.listen(caller)
        await session.close()  # the caller has hung up

    async def request(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request, as plainly as HTTP allows."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.split("\r\n")
        headers = {name.lower(): value for name, _, value in (x.partition(": ") for x in lines)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        status, kind, content = "404 Not Found", "text/plain", "there is no such thing here"
        match first.rpartition(" ")[0]:
            case "GET /":
                status, kind = "200 OK", "text/html; charset=utf-8"
                content = PAGE.read_text("utf-8")
            case "POST /call":
                try:
                    content = await self.answer(body.decode())
                    status, kind = "200 OK", "application/sdp"
                except ValueError as exc:
                    status, content = "400 Bad Request", f"the call cannot be answered: {exc}"
                except unirt.UnirtError as exc:
                    status, content = "500 Internal Server Error", str(exc)
        data = content.encode()
        writer.write(
            f"HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {len(data)}\r\n"
            "connection: close\r\n\r\n".encode()
            + data
        )
        await writer.drain()
        writer.close()


async def main(port: str = "8766", *addresses: str) -> None:
    relay = Relay(addresses)
    async with await asyncio.start_server(relay.request, "127.0.0.1", int(port)) as server:
        print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
