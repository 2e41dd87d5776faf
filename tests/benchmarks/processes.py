"""The processes of a benchmark: started alike, spoken to a line at a time, ended for certain."""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

__all__ = ["ENVIRONMENT", "ROOT", "Failed", "Process"]

ROOT = Path(__file__).resolve().parents[2]
"The root of the repository, where all of them run."

ENVIRONMENT = {
    "PYTHONHASHSEED": "0",
    # What glibc gives back to the system and takes again is not the contender's doing, and moves
    # a drain by up to a third: nothing is given back.
    "MALLOC_TRIM_THRESHOLD_": str(2**31 - 1),
    "MALLOC_TOP_PAD_": str(64 * 2**20),
    "MALLOC_MMAP_THRESHOLD_": str(2**30),
}
"What every process is started with, beside the environment of the lab."

_FOREIGN = ("UNIRT_", "OPENAI_", "GOOGLE_", "GEMINI_", "AZURE_", "PYTHON")
"Variables of this machine that would change what is measured."


_LAST_WORDS_S = 0.5
"How long an ended process's last words may take to arrive, in seconds."


class Failed(Exception):
    """A process ended, said nothing in time, or said that it failed."""


class Process:
    """
    One child.

    Args:
        name: For messages.
        command: What to run.
        core: The core it is kept on; ``None`` for any.
        environ: Further variables.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        core: int | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self._buffer = b""
        self._errors = b""
        self._child = subprocess.Popen(
            list(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=ROOT,
            env=_environment(environ or {}),
        )
        if core is not None and hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(self._child.pid, {core})

    def tell(self, command: Mapping[str, Any]) -> None:
        """Send a command."""
        assert self._child.stdin is not None
        try:
            self._child.stdin.write(json.dumps(command).encode() + b"\n")
            self._child.stdin.flush()
        except OSError:
            raise self._failed("it has ended") from None

    def hear(self, timeout: float) -> dict[str, Any]:
        """
        The next line it says.

        Raises:
            Failed: It says none within `timeout` seconds.
        """
        assert self._child.stdout is not None
        assert self._child.stderr is not None
        deadline = time.monotonic() + timeout
        streams = [self._child.stdout, self._child.stderr]
        while b"\n" not in self._buffer:
            ready, _, _ = select.select(streams, [], [], max(deadline - time.monotonic(), 0))
            if not ready:
                raise self._failed(f"it said nothing for {timeout:g} s")
            for stream in ready:
                data = os.read(stream.fileno(), 1 << 20)
                if stream is self._child.stderr:
                    self._errors = (self._errors + data)[-4000:]
                    if not data:
                        streams.remove(stream)
                elif not data:
                    raise self._failed("it has ended")
                else:
                    self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def ask(self, command: Mapping[str, Any], timeout: float = 120.0) -> dict[str, Any]:
        """
        Send a command, and wait for the answer.

        Raises:
            Failed: There is none, or it says that it failed.
        """
        self.tell(command)
        answer = self.hear(timeout)
        if "error" in answer:
            raise Failed(f"{self.name}: {answer['error']}")
        return answer

    def _failed(self, what: str) -> Failed:
        assert self._child.stderr is not None
        deadline = time.monotonic() + _LAST_WORDS_S
        while (left := deadline - time.monotonic()) > 0:
            if not select.select([self._child.stderr], [], [], left)[0]:
                break
            data = os.read(self._child.stderr.fileno(), 1 << 20)
            if not data:
                break
            self._errors = (self._errors + data)[-4000:]
        words = self._errors.decode(errors="replace").strip().splitlines()
        return Failed(f"{self.name}: {what}" + (f" ({words[-1]})" if words else ""))

    def close(self) -> None:
        """End it, and wait until it is gone."""
        with contextlib.suppress(OSError):
            if self._child.stdin is not None:
                self._child.stdin.close()
        try:
            self._child.wait(2)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        for stream in (self._child.stdout, self._child.stderr):
            if stream is not None:
                stream.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def python(module: str, *arguments: str) -> list[str]:
    """The command that runs a module of this repository."""
    return [sys.executable, "-m", module, *arguments]


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_FOREIGN) and not name.lower().endswith("_proxy")
    }
    return {**kept, **ENVIRONMENT, **more}
