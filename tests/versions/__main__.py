"""
``python -m tests.versions``: the transports, over each series of ``websockets`` that is allowed.

One environment holds one version, and which one depends on what else is installed: the SDK of one
provider asks for a version before 16, that of another takes 17. The connection of the default
transport reaches into the library (:mod:`unirt.transports.connection`), the fast one borrows from
it, and cassettes hook into it (:mod:`unirt.deck.library`). So the newest version of each series is
laid over this environment, in a folder that stands before it on the path, and the tests of these
run there. The series that is installed is left out: its tests are part of the suite.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

from rich.console import Console

ROOT = Path(__file__).resolve().parents[2]

SERIES = (15, 16, 17)
"What ``pyproject.toml`` allows; a test compares."

TESTS = (
    "tests/unirt/test_connection.py",
    "tests/unirt/test_framing.py",
    "tests/unirt/test_keepalive.py",
    "tests/unirt/test_websocket_flow.py",
    "tests/unirt/test_websocket_frames.py",
    "tests/unirt/test_websocket_prompt.py",
    "tests/unirt/test_websocket_transport.py",
    "tests/unirt/test_fast_transport.py",
    "tests/unirt/test_simulator_host.py",
    "tests/unirt/test_simulator_front.py",
    "tests/unirt/test_cassette.py",
    "tests/unirt/test_cassette_connections.py",
    "tests/unirt/test_cassette_mismatch.py",
    "tests/test_sdk_cassettes.py",
    "tests/test_fast_session.py",
    "tests/test_large_frames.py",
    "tests/test_canaries.py",
    "tests/test_proxy.py",
    "tests/test_joined_calls.py",
    "tests/providers/test_google_dial.py",
    "tests/providers/test_openai_dial.py",
)

_VERSION = "import websockets; print(websockets.__version__)"


def main() -> int:
    """Run the tests over each series; the number of those that failed."""
    console = Console(highlight=False)
    failed = 0
    installed = version("websockets")
    for series in SERIES:
        if installed.startswith(f"{series}."):
            console.print(f"websockets {installed}: see the suite")
            continue
        with tempfile.TemporaryDirectory(prefix="unirt-versions-") as folder:
            _pip("install", "--target", folder, "--no-deps", f"websockets=={series}.*")
            environ = {**os.environ, "PYTHONPATH": folder}
            found = _python(environ, "-c", _VERSION).stdout.strip()
            if not found.startswith(f"{series}."):
                raise SystemExit(f"websockets {found} was imported instead of {series}")
            ran = _python(environ, "-m", "pytest", "-q", "-p", "no:cacheprovider", *TESTS)
            console.print(f"websockets {found}: {ran.stdout.strip().splitlines()[-1]}")
            if ran.returncode:
                failed += 1
                console.print(ran.stdout, markup=False)
    return failed


def _pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "-q", "--disable-pip-version-check", *arguments]
    environ = {**os.environ, "PIP_CONSTRAINT": ""}  # CI's holds one version
    subprocess.run(command, cwd=ROOT, env=environ, check=True)


def _python(environ: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False
    )


if __name__ == "__main__":
    sys.exit(main())
