"""The example plug-in: what a stranger can build with public names."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

import unirt
from unirt.provider import Provider
from unirt.testing import check, fold, outline

FOLDER = Path(__file__).parent.parent / "examples" / "echo_provider"


@pytest.fixture(scope="module")
def echo() -> Provider:
    spec = importlib.util.spec_from_file_location("unirt_echo", FOLDER / "unirt_echo.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    provider = module.PROVIDER
    assert isinstance(provider, Provider)
    return provider


async def test_it_holds_a_conversation(echo: Provider) -> None:
    events = []
    async with unirt.connect(echo, env_file=None) as session:
        await session.send_text("hello out there")
        async for event in session:
            events.append(event)
            if isinstance(event, unirt.ResponseDone):
                break
    check(events, complete=True)

    user, answer = outline(fold(events))
    assert (user["role"], user["text"]) == ("user", "hello out there")
    assert (answer["role"], answer["text"], answer["ending"]) == (
        "assistant", "hello out there ", "complete",
    )  # fmt: skip


async def test_what_it_cannot_do_is_refused_by_name(echo: Provider) -> None:
    with pytest.raises(unirt.UnsupportedSetting, match="voice"):
        async with unirt.connect(echo, voice="alto", env_file=None):
            pass
    async with unirt.connect(echo, env_file=None) as session:
        with pytest.raises(unirt.UnsupportedCommand, match="AppendAudio"):
            await session.send_audio(bytes(960))


def test_it_is_found_through_its_entry_point(tmp_path: Path) -> None:
    """Lays the package out as an installer would, metadata and all, and asks unirt for it."""
    (tmp_path / "unirt_echo.py").write_text((FOLDER / "unirt_echo.py").read_text("utf-8"))
    info = tmp_path / "unirt_echo-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: unirt-echo\nVersion: 0.1.0\n")
    (info / "entry_points.txt").write_text("[unirt.providers]\necho = unirt_echo:PROVIDER\n")
    code = (
        "from unirt.registry import installed, load; from unirt.testing import translate; "
        "print(installed(), load('echo').label, len(translate('echo', [{'word': 'hi'}])))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )  # fmt: skip

    assert done.stdout.strip() == "('echo', 'google', 'openai') Echo 4"
