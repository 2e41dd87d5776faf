"""The console script in this process, and recordings to try its commands on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.terminal import Recorder, Run, shown
from unirt.audio import PCM16_16K
from unirt.cli import main, record
from unirt.simulator.voice import speech
from unirt.sound import write_wav


@pytest.fixture
def unirt(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Run:
    """The console script, without the second that a process takes to start."""

    def run(*arguments: str | Path, **env: str) -> subprocess.CompletedProcess[str]:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", ["unirt", *map(str, arguments)])
        for name, value in {"COLUMNS": "200", **env}.items():
            monkeypatch.setenv(name, value)
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            main()
        out, err = capsys.readouterr()
        code = left.value.code
        assert isinstance(code, int)
        return subprocess.CompletedProcess(arguments, code, out, err)

    return run


@pytest.fixture(scope="session")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Recorder:
    """Records a built-in scenario, once for each provider."""
    folder = tmp_path_factory.mktemp("tapes")

    def recorded(provider: str = "openai", scenario: str = "text_turn") -> Path:
        path = folder / f"{provider}-{scenario}.jsonl"
        if not path.exists():
            console, _ = shown()
            record.run(path, [], simulator=provider, scenario=scenario, console=console)
        return path

    return recorded


@pytest.fixture
def question(tmp_path: Path) -> Path:
    """A WAV file with few words, for what speaks in real time."""
    path = tmp_path / "question.wav"
    write_wav(path, speech(300, PCM16_16K), PCM16_16K)
    return path
