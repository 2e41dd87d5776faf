"""Sound devices: what there are, which is meant, and what it can be opened with."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import unirt
from tests.portaudio import FakePortAudio
from unirt.audio import AudioFormat
from unirt.sound import Microphone, Speaker, devices
from unirt.sound.devices import find, suitable


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> FakePortAudio:
    fake = FakePortAudio()
    monkeypatch.setitem(sys.modules, "sounddevice", fake)
    return fake


@pytest.mark.usefixtures("library")
def test_every_device_is_told() -> None:
    desk, _, headset = devices()

    assert (desk.name, desk.host, desk.inputs, desk.outputs) == ("Desk Microphone", "Fake", 1, 0)
    assert (desk.default_input, desk.default_output, desk.rate) == (True, False, 48_000)
    assert (headset.default_input, headset.default_output) == (False, False)


@pytest.mark.parametrize(
    ("name", "kind", "index"),
    [
        (None, "input", 0),
        (None, "output", 1),
        ("USB Headset", "input", 2),
        ("usb headset", "output", 2),
        ("headset", "output", 2),
        ("desk", "input", 0),  # the speaker of that name hears nothing
        (2, "input", 2),
    ],
)
@pytest.mark.usefixtures("library")
def test_a_device_is_found(name: Any, kind: Any, index: int) -> None:
    assert find(name, kind).index == index


@pytest.mark.parametrize(
    ("name", "kind", "says"),
    [
        ("piano", "input", r"no microphone is called 'piano' .* 0: 'Desk Microphone' \(Fake\)"),
        (1, "input", "no microphone is called 1"),
        ("e", "output", "2 devices may be meant by 'e' .* 1: 'Desk Speaker'"),
    ],
)
@pytest.mark.usefixtures("library")
def test_who_is_not_found_is_told_with_the_choices(name: Any, kind: Any, says: str) -> None:
    with pytest.raises(unirt.ConfigurationError, match=says):
        find(name, kind)


def test_a_whole_name_wins_over_a_part(library: FakePortAudio) -> None:
    library.known.append({**library.known[2], "name": "USB Headset Two"})
    assert find("usb headset", "input").index == 2


def test_a_machine_without_devices_says_so(library: FakePortAudio) -> None:
    library.known.clear()
    with pytest.raises(unirt.ConfigurationError, match="there is no microphone"):
        Microphone()
    with pytest.raises(unirt.ConfigurationError, match="there is no speaker"):
        Speaker()


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], object]:
    """Takes a program, which is imported for the library from then on."""
    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    return (tmp_path / "sounddevice.py").write_text


def test_a_library_that_ends_its_process_ends_another_and_is_told(
    stand_in: Callable[[str], object],
) -> None:
    """As PortAudio does where ALSA has no configuration."""
    stand_in("import os\nos.abort()\n")
    with pytest.raises(unirt.ConfigurationError, match=r"ends the process \(signal 6\)") as refused:
        devices()
    assert "ALSA is configured" in refused.value.remedy
    assert "sounddevice" not in sys.modules


def test_a_library_that_is_never_through_is_given_up(
    stand_in: Callable[[str], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in("import threading\nthreading.Event().wait()\n")
    monkeypatch.setattr(sys.modules["unirt.sound.devices"], "_PATIENCE_S", 0.2)
    with pytest.raises(unirt.ConfigurationError, match=r"not through after 0\.2 s"):
        devices()


def test_what_is_wanted_is_taken_or_else_the_devices_own(library: FakePortAudio) -> None:
    assert suitable(find(0, "input"), "input", 24_000) == AudioFormat(rate=24_000)
    stereo = AudioFormat(rate=44_100, channels=2)
    assert suitable(find(2, "output"), "output", 24_000) == stereo
    assert Speaker("headset").format == stereo
    library.able[2] = set()
    with pytest.raises(unirt.ConfigurationError, match="'USB Headset' cannot be opened: Invalid"):
        Microphone("headset")


def test_a_missing_package_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(unirt.ConfigurationError, match=r"pip install .unirt-realtime\[devices\]"):
        devices()


def test_a_missing_library_is_told(tmp_path: Any) -> None:
    (tmp_path / "sounddevice.py").write_text("raise OSError('PortAudio library not found')")
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from unirt import ConfigurationError\n"
        "from unirt.sound import Microphone\n"
        "try: Microphone()\n"
        "except ConfigurationError as exc: print(exc)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "PortAudio library not found (PortAudio): install PortAudio" in done.stdout


def test_sound_is_imported_without_what_it_may_not_need() -> None:
    code = (
        "import sys, unirt.sound; "
        "print(sorted({'numpy', 'soxr', 'sounddevice', 'cffi'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
