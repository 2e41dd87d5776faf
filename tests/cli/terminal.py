"""What the tests of the commands share: unirt in a process, a console, changed cassettes."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console

__all__ = [
    "ROOT",
    "SPEECH",
    "UNIRT",
    "Recorder",
    "Run",
    "changed",
    "in_a_process",
    "sent_at",
    "shown",
]

UNIRT = [sys.executable, "-c", "from unirt.cli import main; main()"]
ROOT = Path(__file__).parents[2]
SPEECH = ROOT / "examples" / "audio" / "go_forward.wav"

Recorder = Callable[..., Path]
Run = Callable[..., subprocess.CompletedProcess[str]]


def in_a_process(*arguments: str | Path, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """The console script, as a person runs it."""
    return subprocess.run(
        [*UNIRT, *map(str, arguments)],
        cwd=cwd, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
        env={**os.environ, "COLUMNS": "200", **env},
    )  # fmt: skip


def shown() -> tuple[Console, Callable[[], str]]:
    """A console, and what was shown on it."""
    file = io.StringIO()
    return Console(file=file, width=200), file.getvalue


def changed(path: Path, target: Path, change: Callable[[list[Any]], list[Any]]) -> Path:
    """A copy of a cassette with its lines changed."""
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    target.write_text("".join(f"{json.dumps(line)}\n" for line in change(lines)), "utf-8")
    return target


def sent_at(lines: list[Any], text: str) -> int:
    """Which line holds what was sent."""
    return next(n for n, line in enumerate(lines) if text in json.dumps(line.get("sent", "")))
