"""
Closing from anywhere, over real sockets: bounded, once, and nothing is left.

The event loop is in its debug mode here.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

import unirt
from tests.stepping import descriptors, threads
from tests.talking import Reader
from unirt.provider import Provider
from unirt.simulator import Simulator
from unirt.simulator.script import loads

SCENARIO = loads("""
    [pace]
    speed = 1000
    latency_ms = 0
    [[reply]]
    cue = "text"
    steps = [{ say = "Yes.", ms = 200 }, { call = "hang_up", args = {} }]
""")
CLOSES = loads('[[reply]]\ncue = "text"\nsteps = [{ close = 1011, reason = "bye" }]')

QUICK = unirt.Timeouts(close=1.0)

kinds = pytest.mark.parametrize("kind", ["websocket", "fast"])


async def leaving_nothing(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run something twice: the first time may load and open what stays."""
    loop = asyncio.get_running_loop()
    loop.set_debug(True)
    loop.slow_callback_duration = float("inf")
    await work()
    tasks, open_, running = asyncio.all_tasks(), descriptors(), threads()
    await work()
    assert asyncio.all_tasks() == tasks
    assert threads() <= running
    assert descriptors() <= open_


def to(simulator: Simulator, kind: str, **more: Any) -> Any:
    arguments: dict[str, Any] = {"reconnect": False, "transport": kind, "env_file": None, **more}
    return unirt.connect(simulator.provider, environ=simulator.env, **arguments)


@kinds
async def test_from_a_tool(provider: Provider, kind: str) -> None:
    async def work() -> None:
        async def hang_up() -> str:
            """Hang up."""
            await session.close()
            hung_up.append(session)
            return "gone"

        async with (
            Simulator(provider, SCENARIO) as simulator,
            to(simulator, kind, tools=[hang_up]) as session,
        ):
            reader = Reader(session)
            await session.send_text("Goodbye")
            await reader.done()
            assert session.closed
            await session.close()
            assert hung_up.pop() is session  # the tool that closes is not cancelled for it

    hung_up: list[unirt.Session] = []
    await leaving_nothing(work)


@kinds
async def test_from_a_signal(provider: Provider, kind: str) -> None:
    async def work() -> None:
        loop, closing = asyncio.get_running_loop(), set[asyncio.Task[None]]()
        async with Simulator(provider, SCENARIO) as simulator, to(simulator, kind) as session:
            reader = Reader(session)
            loop.add_signal_handler(
                signal.SIGUSR1, lambda: closing.add(asyncio.create_task(session.close()))
            )
            try:
                os.kill(os.getpid(), signal.SIGUSR1)
                await reader.done()
                await asyncio.gather(*closing)
            finally:
                loop.remove_signal_handler(signal.SIGUSR1)

    await leaving_nothing(work)


@kinds
async def test_many_times_at_once_and_again(provider: Provider, kind: str) -> None:
    async def work() -> None:
        async with Simulator(provider, SCENARIO) as simulator, to(simulator, kind) as session:
            reader = Reader(session)
            await asyncio.gather(*(session.close() for _ in range(5)))
            await session.close()
            assert len(await reader.done()) > 1
            assert len(reader.of(unirt.SessionClosed)) == 1

    await leaving_nothing(work)


@kinds
@pytest.mark.parametrize("phase", ["dialling", "waiting"])
async def test_while_another_connection_is_opened(
    provider: Provider, kind: str, phase: str
) -> None:
    async def work() -> None:
        dials, reached = 0, asyncio.Event()

        async def dial(config: unirt.SessionConfig, credentials: Any) -> Any:
            nonlocal dials
            dials += 1
            if dials > 1:
                reached.set()
                if phase == "dialling":
                    await asyncio.Event().wait()
                raise unirt.DialError(provider.name, url="ws://x", why="busy", status=503)
            return await provider.dial(config, credentials)

        patient = unirt.Reconnect(first_wait=3600.0, longest_wait=3600.0)
        async with (
            Simulator(provider, CLOSES) as simulator,
            to(simulator, kind, transport=dial, reconnect=patient) as session,
        ):
            reader = Reader(session)
            await session.send_text("Hello")
            await reached.wait()
            await session.close()
            await reader.done()

    await leaving_nothing(work)


@kinds
async def test_while_it_connects(provider: Provider, kind: str) -> None:
    async def work() -> None:
        reached = asyncio.Event()

        async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            reached.set()
            await reader.read()
            writer.close()
            await writer.wait_closed()
            gone.set()

        gone = asyncio.Event()
        async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
            url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
            connecting = unirt.connect(
                provider, api_key="k", base_url=url, transport=kind, env_file=None, environ={}
            )
            entering = asyncio.create_task(connecting.__aenter__())
            await reached.wait()
            entering.cancel()
            with pytest.raises(asyncio.CancelledError):
                await entering
            await gone.wait()

    await leaving_nothing(work)


@kinds
async def test_whoever_cancels_all_tasks_ends_the_session_and_nobody_waits_on(
    provider: Provider, kind: str
) -> None:
    async with Simulator(provider, SCENARIO) as simulator:
        before = asyncio.all_tasks()
        async with to(simulator, kind) as session:
            reader = aiter(session)
            mine = [t for t in asyncio.all_tasks() - before if "session/" in repr(t)]
            assert mine
            for task in mine:
                task.cancel()
            with pytest.raises(RuntimeError, match="cancelled, and not by the session"):
                async for _ in reader:
                    pass
            assert session.closed


@kinds
@pytest.mark.parametrize("work", ["Link._read", "Outbox.run", "Errand._run", "Works.start"])
async def test_whoever_cancels_one_task_leaves_nothing_open(
    provider: Provider, kind: str, work: str
) -> None:
    async def wait() -> str:
        """Wait."""
        await asyncio.Event().wait()
        return "never"

    def does(task: asyncio.Task[Any]) -> bool:
        frame = getattr(task.get_coro(), "cr_frame", None)
        inner = None if frame is None else frame.f_locals.get("work", task.get_coro())
        return str(getattr(inner, "__qualname__", "")).startswith(work)

    async def cancel() -> None:
        tool = unirt.tool(wait, name="hang_up")
        async with Simulator(provider, SCENARIO) as simulator:
            before = asyncio.all_tasks()
            async with to(simulator, kind, tools=[tool], timeouts=QUICK) as session:
                await session.send_text("Hello")
                async for event in session:
                    if isinstance(event, unirt.ToolStarted):
                        break
                closing = asyncio.create_task(session.close()) if work == "Errand._run" else None
                await asyncio.sleep(0)
                for task in filter(does, asyncio.all_tasks() - before):
                    task.cancel()
                    cancelled.append(task)
                with contextlib.suppress(RuntimeError):
                    async for event in session:
                        if isinstance(event, unirt.ToolFinished) and event.status == "failed":
                            break
                if closing is not None:
                    await closing
                assert session.closed or work == "Works.start"

    cancelled: list[object] = []
    await leaving_nothing(cancel)
    assert len(cancelled) == 2
