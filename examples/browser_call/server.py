"""
The server of a page that calls a model: it mints secrets, joins calls, and runs their tools.

    python examples/browser_call/server.py [port]
"""

import asyncio
import json
import sys
from pathlib import Path

import unirt

PAGE = Path(__file__).with_name("index.html")
INSTRUCTIONS = "You answer for a shop. Look orders up before you speak of them. Be brief."


@unirt.tool
def find_order(number: int) -> dict[str, str]:
    """Find out where an order is."""
    print(f"order {number} is asked for")
    return {"status": "on its way", "arrives": "tomorrow"}


class Desk:
    """What the page can ask for."""

    def __init__(self) -> None:
        self.calls: set[asyncio.Task[None]] = set()

    async def answer(self, what: str, body: bytes) -> tuple[str, bytes]:
        match what:
            case "GET /":
                return "text/html; charset=utf-8", PAGE.read_bytes()
            case "POST /secret":
                secret = await unirt.client_secret("openai", instructions=INSTRUCTIONS, lasts=60)
                return "application/json", json.dumps(
                    {"value": secret.value, "url": secret.url}
                ).encode()
            case "POST /join":
                joined = asyncio.create_task(self.control(json.loads(body)["call_id"]))
                self.calls.add(joined)
                joined.add_done_callback(self.calls.discard)
                return "application/json", b"{}"
        return "text/plain", b"there is no such thing here"

    async def control(self, call_id: str) -> None:
        try:
            await self.join(call_id)
        except unirt.UnirtError as exc:
            print(f"{call_id} goes on without its tools: {exc}")

    async def join(self, call_id: str) -> None:
        """Control a call until it ends; the session runs the tools by itself."""
        async with unirt.connect("openai", call_id=call_id, tools=[find_order]) as session:
            print(f"joined {call_id}")
            async for event in session:
                match event:
                    case unirt.StreamClosed(kind=unirt.StreamKind.TRANSCRIPT):
                        print(f"{event.role}: {event.text}")
                    case unirt.ToolFinished():
                        print("the tool has answered")
        print(f"{call_id} is over")

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request, as plainly as HTTP allows."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.split("\r\n")
        headers = {name.lower(): value for name, _, value in (x.partition(": ") for x in lines)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        try:
            kind, content = await self.answer(first.rpartition(" ")[0], body)
            status = "200 OK"
        except unirt.UnirtError as exc:
            status, kind, content = "502 Bad Gateway", "text/plain", str(exc).encode()
        writer.write(
            f"HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {len(content)}\r\n"
            "connection: close\r\n\r\n".encode()
            + content
        )
        await writer.drain()
        writer.close()


async def main(port: int = 8765) -> None:
    desk = Desk()
    async with await asyncio.start_server(desk.serve, "127.0.0.1", port) as server:
        print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(*map(int, sys.argv[1:])))
