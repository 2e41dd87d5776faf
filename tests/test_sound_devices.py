"""A tone through real PortAudio, both ways, in real time. See ``tests/cable.py``."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.cable import CABLES, cables
from tests.sound_program import SECONDS
from tests.tones import Heard, steady
from unirt.audio import PCM16_24K

pytestmark = pytest.mark.long

ROOT = Path(__file__).parent.parent
TRIES = 6


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    with cables(tmp_path_factory.mktemp("cables")) as environment:
        yield environment


def undisturbed(provider: str, environment: Mapping[str, str]) -> dict[str, Any]:
    """
    What the program tells of a run in which no device starved.

    Devices move in real time. On a machine that is busy elsewhere one may run dry, which is the
    machine's doing, and which the program is told: such a run judges nothing.
    """
    troubles = []
    for _ in range(TRIES):
        done = subprocess.run(
            [sys.executable, "-m", "tests.sound_program", provider],
            cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        told: dict[str, Any] = json.loads(done.stdout)
        if not any(told["troubles"]):
            return told
        troubles.append(told["troubles"])
    pytest.fail(f"devices starve or overflow in each run: {troubles}")


@pytest.mark.parametrize("provider", ["openai", "google"])
def test_a_tone_through_devices_and_a_session(
    provider: str, environment: Mapping[str, str]
) -> None:
    told = undisturbed(provider, environment)

    assert {*CABLES, *(f"{name}_end" for name in CABLES)} <= set(told["devices"])
    steady(Heard(**told["heard"]), PCM16_24K, seconds=SECONDS)
    assert told["exactly"]
    assert told["played_ms"] == pytest.approx(told["received_ms"], abs=1)


def test_the_devices_are_listed(environment: Mapping[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from unirt.cli import main; main()", "devices"],
        env={**environment, "COLUMNS": "120"}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    rows = [line.split() for line in done.stdout.splitlines()]

    assert {"voice", "voice_end", "ear", "ear_end"} <= {row[1] for row in rows if len(row) > 1}
    assert all("ALSA" in row for row in rows[1:])


def test_where_alsa_is_not_configured_that_is_said(environment: Mapping[str, str]) -> None:
    """PortAudio aborts its process there."""
    done = subprocess.run(
        [sys.executable, "-c", "from unirt.cli import main; main()", "devices"],
        env={**environment, "ALSA_CONFIG_PATH": "/nowhere", "COLUMNS": "200"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 1
    assert "PortAudio ends the process (signal 6)" in done.stderr
    assert "see that ALSA is configured" in done.stderr


def test_a_device_that_is_not_there_is_told_with_those_that_are(
    environment: Mapping[str, str],
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from unirt.cli import main; main()", "chat", "--mic", "piano"],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 1
    assert "no microphone is called 'piano'" in done.stderr
    assert "'voice_end' (ALSA)" in done.stderr
