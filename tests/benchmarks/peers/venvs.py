"""
The virtual environments of the peers: ``python -m tests.benchmarks.peers.venvs``.

One a peer, under a cache folder, by pip, and byte-compiled. An environment is used again as long as
its pins and its Python are the same; one that was left half built is built again. None of it comes
near the environment that unirt itself is in.

The pins are the newest releases in November 2026, with what carries their load (the WebSocket
library, the vendor's SDK, pydantic) as pip resolved it then. All of them together take 2.5 GB.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from venv import EnvBuilder

import attrs

__all__ = ["CACHE", "VENVS", "NotBuilt", "Venv", "built"]

CACHE = Path(__file__).resolve().parents[3] / ".bench"
"Where they are unless another folder is named; not part of the repository."

_MARK = "pins.json"
_TIMEOUT_S = 1200


class NotBuilt(Exception):
    """An environment cannot be built here; its text says why."""


@attrs.frozen(kw_only=True)
class Venv:
    """What one environment holds."""

    name: str
    requirements: tuple[str, ...]
    what: str
    source: str


VENVS: dict[str, Venv] = {
    venv.name: venv
    for venv in (
        Venv(
            name="livekit",
            requirements=(
                "livekit-agents==1.8.9",
                "livekit-plugins-openai==1.8.9",
                "livekit-plugins-google==1.8.9",
                "livekit==1.1.21",
                "aiohttp==3.14.5",
                "google-genai==3.4.0",
                "openai==3.54.0",
                "pydantic==2.14.3",
                "websockets==17.4",
            ),
            what="LiveKit agents, with its OpenAI and Google realtime plug-ins",
            source="https://github.com/livekit/agents",
        ),
        Venv(
            name="pipecat",
            requirements=(
                "pipecat-ai[google,openai,websocket]==1.14.0",
                "google-genai==2.34.0",
                "openai==3.54.0",
                "pydantic==2.14.3",
                "websockets==17.4",
            ),
            what="Pipecat, with its OpenAI realtime and Gemini Live services",
            source="https://github.com/pipecat-ai/pipecat",
        ),
        Venv(
            name="openai_agents",
            requirements=(
                "openai-agents[realtime]==0.24.0",
                "openai==3.54.0",
                "pydantic==2.14.3",
                "websockets==16.1.1",
            ),
            what="OpenAI Agents SDK, its realtime model and session",
            source="https://github.com/openai/openai-agents-python",
        ),
        Venv(
            name="pydantic_ai",
            requirements=(
                "pydantic-ai-slim[google,openai,realtime]==2.68.0",
                "google-genai==2.34.0",
                "openai==3.54.0",
                "pydantic==2.14.3",
                "websockets==17.4",
            ),
            what="pydantic-ai, its OpenAI and Google realtime models",
            source="https://github.com/pydantic/pydantic-ai",
        ),
        Venv(
            name="strands",
            requirements=(
                "strands-agents[bidi-google,bidi-openai]==1.62.0",
                "google-genai==2.34.0",
                "pydantic==2.14.3",
                "websockets==16.1.1",
            ),
            what="Strands agents, its bidirectional OpenAI and Gemini models",
            source="https://github.com/strands-agents/harness-sdk",
        ),
        Venv(
            name="semantic_kernel",
            requirements=(
                "semantic-kernel[realtime]==1.45.0",
                "openai==3.54.0",
                "pydantic==2.13.5",
                "websockets==16.1.1",
            ),
            what="Semantic Kernel, its OpenAI realtime client over WebSocket",
            source="https://github.com/microsoft/semantic-kernel",
        ),
        Venv(
            name="adk",
            requirements=(
                "google-adk==2.13.0",
                "google-genai==2.34.0",
                "pydantic==2.14.3",
                "websockets==15.0.1",
            ),
            what="Google ADK, the live connection of its Gemini model",
            source="https://github.com/google/adk-python",
        ),
        Venv(
            name="litellm",
            # The next release asks for a certifi that was not in every index yet; what it relays
            # here is plain, and needs none.
            requirements=("litellm==1.106.2", "pydantic==2.14.3", "websockets==15.0.1"),
            what="litellm, the relay of its proxy, to OpenAI and to Gemini",
            source="https://github.com/BerriAI/litellm",
        ),
    )
}
"What is compared, what it is, and where it comes from."


def built(venv: Venv, cache: Path, tell: Callable[[str], None]) -> Path:
    """
    The Python of an environment, which is built first unless it is there.

    Raises:
        NotBuilt: It cannot be.
    """
    home = cache / venv.name
    python = home / "bin" / "python"
    pins = {"python": sys.version.split()[0], "requirements": list(venv.requirements)}
    if _marked(home) == pins and python.exists():
        return python
    tell(f"{venv.name}: building its virtual environment")
    _make_room(home)
    try:
        EnvBuilder(with_pip=True, symlinks=True).create(home)
        _install(python, venv.requirements)
    except (OSError, subprocess.SubprocessError) as exc:
        raise NotBuilt(f"{venv.name} cannot be installed here: {_reason(exc)}") from exc
    (home / _MARK).write_text(json.dumps(pins, indent=1) + "\n", encoding="utf-8")
    return python


def _make_room(home: Path) -> None:
    """Remove an environment that is of no use any more, and nothing else."""
    if not home.exists():
        return
    if not (home / "pyvenv.cfg").exists():
        raise NotBuilt(f"{home.name} is in the cache folder, and is no virtual environment")
    shutil.rmtree(home)


def _marked(home: Path) -> object:
    try:
        return json.loads((home / _MARK).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _install(python: Path, requirements: tuple[str, ...]) -> None:
    command = [str(python), "-m", "pip", "install", "--quiet", "--compile", *requirements]
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=_TIMEOUT_S)


def _reason(failure: OSError | subprocess.SubprocessError) -> str:
    """Why it failed, on one line, without a path of this machine: it may come into a report."""
    match failure:
        case subprocess.TimeoutExpired():
            return f"pip took longer than {_TIMEOUT_S} s"
        case subprocess.CalledProcessError():
            lines = str(failure.stderr or "").splitlines()
            errors = [line for line in lines if line.startswith("ERROR:")]
            status = f"it ended with status {failure.returncode}"
            return errors[-1].removeprefix("ERROR:").strip() if errors else status
        case _:
            return getattr(failure, "strerror", None) or type(failure).__name__


def main() -> None:
    """Build the named environments, or all."""
    parser = argparse.ArgumentParser(description="Build the virtual environments of the peers.")
    parser.add_argument("names", nargs="*", help=f"of {', '.join(VENVS)}; all by default")
    parser.add_argument("--cache", type=Path, default=CACHE)
    chosen = parser.parse_args()
    failed = False
    for name in chosen.names or VENVS:
        try:
            python = built(VENVS[name], chosen.cache, print)
        except NotBuilt as exc:
            print(exc)
            failed = True
        else:
            print(f"{name}: {python}")
    sys.exit(failed)


if __name__ == "__main__":
    main()
