"""
A conversation that outlives its provider.

Two keys and one variable are all that it takes::

    export OPENAI_API_KEY=... GEMINI_API_KEY=...
    export UNIRT_FALLBACK=openai,google
    python failover.py

Every line that is written is a turn. ``/google`` goes on with that provider at once; and when a
provider fails, the next one goes on by itself and knows what was said. What happens is printed as
it happens; the loop over the session does not notice.
"""

import asyncio
import sys
from collections.abc import AsyncIterator

import unirt


async def main() -> None:
    async with unirt.connect(instructions="You are brief and friendly.") as session:
        print(f"[{session.provider}] ready", flush=True)
        show = asyncio.create_task(print_events(session))
        async for line in lines():
            if line.startswith("/"):
                await go_to(session, line[1:])
            elif line:
                await session.send_text(line)
        await session.close()
        await show


async def go_to(session: unirt.Session, provider: str) -> None:
    try:
        await session.switch(provider)
    except (unirt.ConfigurationError, unirt.DialError) as exc:
        print(f"[{session.provider}] goes on: {exc}", flush=True)


async def print_events(session: unirt.Session) -> None:
    async for event in session:
        match event:
            case unirt.StreamClosed(kind="transcript", role="assistant", text=str(text)):
                print(f"{event.origin.provider}: {text}", flush=True)
            case unirt.Reconnecting():
                why = f" ({event.error})" if event.error else ""
                line = f"[{event.origin.provider}] {event.why}: trying {event.target}{why}"
                print(line, flush=True)
            case unirt.Reconnected():
                known = event.carried + event.changed
                print(f"[{event.origin.provider}] ready; it knows {known} messages", flush=True)
                if event.settings_lost:
                    print(f"    it has no {', '.join(event.settings_lost)}", flush=True)
                if event.lost_ms:
                    print(f"    {event.lost_ms:.0f} ms of the user were lost", flush=True)


async def lines() -> AsyncIterator[str]:
    """The lines of standard input, without holding up what else happens."""
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        yield line.strip()


if __name__ == "__main__":
    asyncio.run(main())
