"""One connection, served: frames and time go to a line, and what that says goes out."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from unirt.clock import Clock
from unirt.simulator.line import Line
from unirt.translator import Frame

__all__ = ["serve_line"]


async def serve_line(
    line: Line,
    clock: Clock,
    *,
    receive: Callable[[], Awaitable[Frame]],
    send: Callable[[Frame], Awaitable[object]],
    close: Callable[[int, str], Awaitable[object]],
    busy: Callable[[bool], None] = lambda busy: None,
) -> None:
    """
    Serve a connection until the line hangs up; what `receive` and `send` raise ends it, too.

    It waits for the client's next frame or for the line's timer, whichever comes first, and sends
    what that brought.

    Args:
        line: The far end.
        clock: What times the answers.
        receive: Takes the client's next frame.
        send: Says a frame.
        close: Ends the connection, with a code and a reason.
        busy: Is told when something is to be answered, and when all that was due is said.
    """
    line.start(clock.now())
    frame = asyncio.ensure_future(receive())
    timer: asyncio.Future[None] | None = None
    try:
        while await _said(line, clock, send, close):
            busy(not line.idle)
            if (when := line.get_timer()) is not None:
                timer = asyncio.ensure_future(clock.sleep_until(when))
            waiting: set[asyncio.Future[Any]] = {frame} if timer is None else {frame, timer}
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            if frame.done():
                busy(True)
                line.receive(frame.result(), clock.now())
                frame = asyncio.ensure_future(receive())
            line.handle_timer(clock.now())
            if timer is not None:
                timer.cancel()
                await asyncio.wait({timer})
                timer = None
    finally:
        pending = [future for future in (frame, timer) if future is not None]
        for future in pending:
            future.cancel()
        await asyncio.gather(*pending, return_exceptions=True)


async def _said(
    line: Line,
    clock: Clock,
    send: Callable[[Frame], Awaitable[object]],
    close: Callable[[int, str], Awaitable[object]],
) -> bool:
    """Send what there is to send; whether the connection goes on."""
    for frame in line.frames_to_send(clock.now()):
        await send(frame)
    if (wanted := line.close_wanted()) is None:
        return True
    await close(*wanted)
    return False
