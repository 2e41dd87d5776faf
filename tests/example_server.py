"""The server of an example, run as the program that it is: where it is, and what it prints."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

__all__ = ["ExampleServer", "example_server"]


class ExampleServer:
    """
    Args:
        url: What it printed first.
        printed: What it prints from then on.
    """

    def __init__(self, url: str, printed: asyncio.StreamReader) -> None:
        self.url = url
        self._printed = printed

    async def printed_until(self, words: str) -> list[str]:
        """The lines that it has printed since, up to and with the first that has these words."""
        lines: list[str] = []
        while not any(words in line for line in lines):
            lines.append(await _line(self._printed))
        return lines


@contextlib.asynccontextmanager
async def example_server(
    folder: Path, *arguments: str, cwd: Path, environ: Mapping[str, str]
) -> AsyncIterator[ExampleServer]:
    """The server in the folder of an example, at a free port, until the block is left."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-u", str(folder / "server.py"), "0", *arguments,
        cwd=cwd,
        env={**os.environ, **environ},
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        yield ExampleServer(await _line(process.stdout), process.stdout)
    finally:
        process.terminate()
        await process.wait()


async def _line(printed: asyncio.StreamReader) -> str:
    line = await printed.readline()
    assert line, "it has ended"
    return line.decode().strip()
