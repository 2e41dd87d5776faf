"""Tests without their programs: left out with a word, or an error where all were installed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests import cable
from tests.browser import binary
from tests.needed import INSTALLED


def laid() -> None:
    with cable.cables(Path("never used")):
        raise AssertionError("they are laid without a program")


def outcome(need: Callable[[], object], words: str) -> type[BaseException]:
    """What becomes of a test; were it let out, a skip would be the outcome of the one here."""
    with pytest.raises((RuntimeError, pytest.skip.Exception), match=words) as told:
        need()
    return told.type


NEEDS = [(binary, "apt-get install chromium"), (laid, "apt-get install libportaudio2")]


@pytest.mark.parametrize(("need", "words"), NEEDS)
def test_what_is_missing_leaves_a_test_out_unless_it_was_installed(
    need: Callable[[], object], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("CI", "true")  # which alone promises nothing
    monkeypatch.delenv(INSTALLED, raising=False)
    assert outcome(need, words) is pytest.skip.Exception
    monkeypatch.setenv(INSTALLED, "installed")
    assert outcome(need, words) is RuntimeError


@pytest.mark.parametrize(
    ("part", "elsewhere", "what"),
    [
        ("_ALSA", Path("/nowhere"), "ALSA"),
        ("_PLUGIN", "nothing.so", "plug-in of ALSA for PulseAudio"),
        ("_PORTAUDIO", "nobodys_audio", "PortAudio"),
    ],
)
def test_cables_need_all_their_parts(
    part: str, elsewhere: object, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(cable, part, elsewhere)
    assert cable.missing() in (what, "ALSA")  # of which a machine without sound has nothing
