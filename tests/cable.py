"""
Sound cards without hardware: a real PulseAudio with null sinks, and a real PortAudio on top of it.

What is played into a *cable* comes out at its end: the monitor of a null sink, which moves in real
time, as a card does. PortAudio reaches both through ALSA. It all lives in one temporary folder, so
nothing of the machine's own sound is touched.

It needs PulseAudio, its plug-in for ALSA, and PortAudio. Where one is missing, a test of real
devices cannot run; see ``tests/needed.py``.
"""

from __future__ import annotations

import contextlib
import ctypes.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.needed import lacking

__all__ = ["CABLES", "cables"]

INSTALL = "apt-get install libportaudio2 libasound2-plugins pulseaudio"
CABLES = ("voice", "ear")
"Each is a speaker of that name, and a microphone of that name and ``_end``."
_ALSA = Path("/usr/share/alsa/alsa.conf")
_PORTAUDIO = "portaudio"
_USR = Path("/usr")
_PLUGIN = "alsa-lib/libasound_module_pcm_pulse.so"


def missing() -> str | None:
    """What there is not."""
    if not sys.platform.startswith("linux") or not _ALSA.exists():
        return "ALSA"
    if shutil.which("pulseaudio") is None:
        return "PulseAudio"
    if not any(found for place in ("lib*", "lib*/*") for found in _USR.glob(f"{place}/{_PLUGIN}")):
        return "plug-in of ALSA for PulseAudio"
    return None if ctypes.util.find_library(_PORTAUDIO) else "PortAudio"


@contextlib.contextmanager
def cables(folder: Path) -> Iterator[Mapping[str, str]]:
    """Lay the cables; gives the environment of a program that shall find them."""
    if (what := missing()) is not None:
        lacking(what, INSTALL)
    socket = folder / "cable.socket"
    environment = {**os.environ, "HOME": str(folder), "XDG_RUNTIME_DIR": str(folder)}
    modules = [f"module-null-sink sink_name={name} rate=48000" for name in CABLES]
    modules.append(f"module-native-protocol-unix auth-anonymous=1 socket={socket}")
    log = folder / "pulse.log"
    with log.open("w") as notes:
        daemon = subprocess.Popen(
            ["pulseaudio", "-n", "--daemonize=no", "--use-pid-file=no", "--exit-idle-time=-1",
             "--disable-shm=yes", *(f"--load={module}" for module in modules)],
            env=environment, stdout=notes, stderr=notes,
        )  # fmt: skip
    try:
        (folder / "alsa.conf").write_text(_configuration(socket))
        while not socket.exists():
            with contextlib.suppress(subprocess.TimeoutExpired):
                daemon.wait(0.05)
                raise RuntimeError(f"PulseAudio ends: {log.read_text()}")
        yield {**environment, "ALSA_CONFIG_PATH": str(folder / "alsa.conf")}
    finally:
        daemon.terminate()
        daemon.wait()


def _configuration(socket: Path) -> str:
    """ALSA's: the usual one, and the two ends of each cable."""
    lines = [f"<{_ALSA}>"]
    for name in CABLES:
        for end, device in ((name, name), (f"{name}_end", f"{name}.monitor")):
            lines.append(
                f'pcm.{end} {{ type pulse server "unix:{socket}" device "{device}" '
                f'hint {{ show on description "{end}" }} }}'
            )
    return "\n".join(lines) + "\n"
